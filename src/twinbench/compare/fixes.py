"""Makes the changes that fix causes on a copy of B, and compares again: nobody has to believe a diagnosis."""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import keras

from twinbench.compare.lines import Made, noted_lines
from twinbench.compare.page.rows import tells
from twinbench.compare.report import Cause, Fix, Report
from twinbench.compare.sides import Side
from twinbench.sameness.graph import Difference, Node
from twinbench.sameness.subjects import Pair

_MOST_ALONE = 4
"""Of so many causes it is tried whether one alone is enough."""
_SAME = ("identical", "equivalent")
_COMPILED = {"compile.loss": "loss", "compile.optimizer": "optimizer", "compile.metric": "metrics"}


@dataclass
class Change:
    """What is changed in a copy of B: arguments of layers, layers left out or added behind others, compilation.

    Layers go by their number in the order in which B's function makes them.
    """

    arguments: dict[int, dict[str, Any]] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)
    added: dict[int, Any] = field(default_factory=dict)
    compiled: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def verified(report: Report, pair: Pair, sides: tuple[Side, Side], again: Callable[[Side, Side], Report]) -> list[Fix]:
    """What the changes that fix the causes do together, or one of them alone where that is enough.

    Args:
        report: What the comparison said.
        pair: Its models.
        sides: Its sides.
        again: Compares two sides as they were compared before.
    """
    blamed = [(k, cause) for k, cause in enumerate(report.causes, start=1) if cause.explains_lower_score]
    if not blamed:
        return []
    if sides[1].kind != "builder" or sides[1].shared:
        return [Fix(tuple(k for k, _ in blamed), "not tried", "B is no function that builds a new model each time", ())]
    changes = {k: _change(cause, pair, sides[1]) for k, cause in blamed}
    fixes = [
        Fix((k,), "not tried", "this change cannot be made on a copy", ())
        for k, change in changes.items()
        if not change
    ]
    known = {k: change for k, change in changes.items() if change is not None}
    if not known:
        return fixes
    together = _tried(tuple(known), list(known.values()), sides, again)
    if together.outcome == "verified" and 1 < len(known) <= _MOST_ALONE:
        for k, change in known.items():
            alone = _tried((k,), [change], sides, again)
            if alone.outcome == "verified":
                sentence = f"{alone.sentence}; the other differences follow from it, or cancel"
                return [replace(alone, sentence=sentence), *fixes]
    return [together, *fixes]


def _tried(
    group: tuple[int, ...], changes: Sequence[Change], sides: tuple[Side, Side], again: Callable[[Side, Side], Report]
) -> Fix:
    lines = tuple(line for change in changes for line in change.words)
    a = Side(sides[0].name, sides[0].kind, sides[0].source, sides[0].home, of=sides[0].of)
    b = Side(sides[1].name, "builder", functools.partial(_built, sides[1].source, changes), sides[1].home)
    report = again(a, b)
    subject = "this one change" if len(group) == 1 else f"these {len(group)} changes together"
    if report.verdict in _SAME:
        return Fix(group, "verified", f"with {subject} they are {report.verdict} (verified on a copy of B)", lines)
    if report.verdict == "cannot_tell":
        return Fix(group, "not tried", "the change could not be made on a copy of B", ())
    left = [cause for cause in report.causes if cause.explains_lower_score]
    if not left:
        sentence = f"with {subject} no difference is left that was found, and something was not tested"
        return Fix(group, "no difference left", sentence, lines)
    more = f", and {len(left) - 1} more" if len(left) > 1 else ""
    return Fix(group, "not enough", f"{subject} alone is not enough: {left[0].where}{more} is left", lines)


def _built(source: Callable[[], Any], changes: Sequence[Change]) -> Any:
    """B's model with changes.

    Raises:
        RuntimeError: A change could not be made.
    """
    arguments = {number: values for change in changes for number, values in change.arguments.items()}
    places = {number for change in changes for number in (*change.skipped, *change.added)}
    with _changing(changes) as changed:
        model = source()
    if not (arguments.keys() | places) <= changed:
        raise RuntimeError("a change could not be made")
    compiled = {part: value for change in changes for part, value in change.compiled.items()}
    if compiled:
        model.compile_from_config({**model.get_compile_config(), **compiled})
    return model


@contextmanager
def _changing(changes: Sequence[Change]) -> Iterator[set[int]]:
    """Make changes while a function builds its model; yields the numbers of the layers that were changed."""
    changed: set[int] = set()
    made: dict[int, Made] = {}
    arguments: dict[int, dict[str, Any]] = {}
    for change in changes:
        for number, values in change.arguments.items():
            arguments.setdefault(number, {}).update(values)
    skipped = {number for change in changes for number in change.skipped}
    added = {number: layer for change in changes for number, layer in change.added.items()}
    call = keras.layers.Layer.__call__
    classes: dict[type, Any] = {}

    def calling(layer: Any, *args: Any, **kwargs: Any) -> Any:
        number = made[id(layer)].number if id(layer) in made else -1
        if number in skipped:
            changed.add(number)
            return args[0]
        outputs = call(layer, *args, **kwargs)
        if number in added and number not in changed:
            changed.add(number)
            known = dict(made)
            cls, config = added[number]
            outputs = cls.from_config({**config, "name": f"{config['name']}_as_in_a"})(outputs)
            for new in made.keys() - known.keys():
                del made[new]  # the layers of B's function keep their numbers
        return outputs

    def initialised(cls: type) -> Any:
        original = vars(cls)["__init__"]

        @functools.wraps(original)
        def initialise(layer: Any, *args: Any, **kwargs: Any) -> None:
            cls.__init__ = classes.pop(cls)  # type: ignore[misc] # Keras reads its signature for the next layer
            bound = inspect.signature(original).bind(layer, *args, **kwargs)
            number = made[id(layer)].number
            bound.arguments.update(arguments.get(number, {}))
            changed.add(number)
            original(*bound.args, **bound.kwargs)

        return initialise

    def noting(cls: type, *args: Any, **kwargs: Any) -> Any:
        layer = noted(cls, *args, **kwargs)
        builtin = _constructor(cls)
        if made[id(layer)].number in arguments and builtin is not None and builtin not in classes:
            classes[builtin] = vars(builtin)["__init__"]
            builtin.__init__ = initialised(builtin)  # type: ignore[misc]
        return layer

    with noted_lines(made), ExitStack() as stack:
        noted = keras.layers.Layer.__new__
        keras.layers.Layer.__new__ = noting
        keras.layers.Layer.__call__ = calling
        stack.callback(_put_back, classes)
        stack.callback(setattr, keras.layers.Layer, "__call__", call)
        stack.callback(setattr, keras.layers.Layer, "__new__", noted)
        yield changed


def _put_back(constructors: dict[type, Any]) -> None:
    for cls, original in constructors.items():
        cls.__init__ = original  # type: ignore[misc]


def _constructor(cls: type) -> type | None:
    """The built-in class whose constructor takes a layer's settings."""
    return next((c for c in cls.__mro__ if c.__module__.startswith("keras.") and "__init__" in vars(c)), None)


def _takes(layer: Any, name: str) -> bool:
    cls = _constructor(type(layer)) if layer is not None else None
    return cls is not None and name in inspect.signature(vars(cls)["__init__"]).parameters


# What is changed for a cause.


def _change(cause: Cause, pair: Pair, side: Side) -> Change | None:
    """The change of B that fixes a cause; None where none is known."""
    change = Change()
    if cause.code in _COMPILED and pair.a.model.compiled and pair.b.model.compiled:
        part = _COMPILED[cause.code]
        try:
            change.compiled[part] = pair.a.model.get_compile_config()[part]
        except Exception:  # a person's own objects may not be written down
            return None
        change.words.append(f"compile B with A's {part}")
        return change
    differences = [d for d in pair.differences if tells(cause, d)]
    if not differences or pair.alignment is None or pair.a.graph is None or pair.b.graph is None:
        return None
    a, b = pair.a.graph.by_index(), pair.b.graph.by_index()
    for difference in differences:
        x = a[difference.node_a] if difference.node_a is not None else None
        y = b[difference.node_b] if difference.node_b is not None else None
        before = b.get(pair.alignment.to_b().get(x.parents[0][0], -1)) if x is not None and x.parents else None
        if not _added(change, difference, (x, y, before), side):
            return None
    return change


def _added(
    change: Change, difference: Difference, nodes: tuple[Node | None, Node | None, Node | None], side: Side
) -> bool:
    """Add what one difference needs to a change; says whether that is known."""
    x, y, before = nodes
    name = "activation" if difference.code == "arch.activation" else difference.where.rpartition(": ")[2]
    target = y if y is not None else before
    if target is None or target.layer is None or id(target.layer) not in side.made:
        return False
    number = side.made[id(target.layer)].number
    if name == "activation" and _takes(target.layer, name):
        value = "linear" if x is None else getattr(x.layer, "activation", None) or x.settings["function"]
        change.arguments.setdefault(number, {})[name] = value
        shown = getattr(value, "__name__", value)
    elif x is not None and y is not None:
        if x.layer is None or type(x.layer) is not type(y.layer) or not _takes(y.layer, name):
            return False
        value = shown = x.layer.get_config().get(name)
        change.arguments.setdefault(number, {})[name] = value
    elif x is None:
        change.skipped.add(number)
        change.words.append(_line(side, target.layer, "leave this layer out"))
        return True
    elif x.layer is None or x.part or len(x.parents) != 1:
        return False
    else:
        change.added[number] = type(x.layer), x.layer.get_config()
        change.words.append(_line(side, target.layer, f"add {type(x.layer).__name__} behind this layer, as in A"))
        return True
    change.words.append(_line(side, target.layer, f"{name}={shown!r}"))
    return True


def _line(side: Side, layer: Any, words: str) -> str:
    line = side.line_of(layer)
    return f"{line.words()}  {line.text}   <- {words}" if line else f"{type(layer).__name__} '{layer.name}': {words}"
