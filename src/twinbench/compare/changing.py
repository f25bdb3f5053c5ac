"""Builds a copy of a model while a person's function runs with changes: settings, layers, connections, flags."""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras

from twinbench.compare.lines import Made, noted_lines


@dataclass(frozen=True)
class New:
    """A layer as in A that goes into the copy of B.

    Attributes:
        source: The layer of A.
        order: Its place among others that go to the same place.
        reads: The layers whose outputs it joins; empty where it reads what passes the place.
    """

    source: Any
    order: int = 0
    reads: tuple[int, ...] = ()


@dataclass
class Change:
    """What is changed in a copy of B. Layers go by their number in the order in which B's function makes them.

    Attributes:
        arguments: Of layers, arguments of their constructors.
        calls: Of layers, arguments with which they are called; None takes one away.
        skipped: Layers left out, with the number of the input that goes on.
        ahead: Layers that go in front of others.
        behind: Layers that go behind others.
        replaced: Layers that stand in for others.
        reads: The layers whose outputs a layer is to read.
        trainable: Whether each layer with weights is to be trained; empty where that stays.
        compiled: Arguments of `compile`.
        words: The same for a person, line by line.
    """

    arguments: dict[int, dict[str, Any]] = field(default_factory=dict)
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[int, int] = field(default_factory=dict)
    ahead: dict[int, list[New]] = field(default_factory=dict)
    behind: dict[int, list[New]] = field(default_factory=dict)
    replaced: dict[int, New] = field(default_factory=dict)
    reads: dict[int, tuple[int, ...]] = field(default_factory=dict)
    trainable: dict[int, bool] = field(default_factory=dict)
    compiled: dict[str, Any] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)

    def places(self) -> set[int]:
        """The layers that are made or called in another way."""
        parts = (self.arguments, self.calls, self.skipped, self.ahead, self.behind, self.replaced, self.reads)
        return {number for part in parts for number in part}


def together(changes: Sequence[Change]) -> Change:
    """Several changes as one."""
    result = Change()
    for change in changes:
        for number, values in change.arguments.items():
            result.arguments.setdefault(number, {}).update(values)
        for number, values in change.calls.items():
            result.calls.setdefault(number, {}).update(values)
        for mine, more in ((result.ahead, change.ahead), (result.behind, change.behind)):
            for number, layers in more.items():
                mine[number] = sorted([*mine.get(number, []), *layers], key=lambda new: new.order)
        result.skipped |= change.skipped
        result.replaced |= change.replaced
        result.reads |= change.reads
        result.trainable |= change.trainable
        result.compiled |= change.compiled
    return result


def built(source: Callable[[], Any], changes: Sequence[Change]) -> Any:
    """The model of B's function with changes.

    Raises:
        RuntimeError: A change could not be made.
    """
    change = together(changes)
    with _changing(change) as (changed, made):
        model = source()
    if not change.places() <= changed:
        raise RuntimeError("a change could not be made")
    config = model.get_compile_config() if model.compiled else {}
    if isinstance(model, keras.Sequential) and (change.ahead or change.behind or change.replaced or change.skipped):
        model = keras.Model(model.inputs, model.outputs, name=model.name)  # its list of layers is not what it runs
    if change.compiled or (config and not model.compiled):
        model.compile_from_config({**config, **change.compiled})
    if change.trainable:
        for layer in model._flatten_layers(include_self=True, recursive=True):
            layer.trainable = True  # those that hold others among them
        for one in made.values():
            if not change.trainable.get(one.number, True):
                one.layer.trainable = False
    return model


@contextmanager
def _changing(change: Change) -> Iterator[tuple[set[int], dict[int, Made]]]:
    """Make a change while a function builds its model; yields the layers that were changed, and all that were made."""
    made: dict[int, Made] = {}
    building = _Building(change, made, keras.layers.Layer.__new__, keras.layers.Layer.__call__)
    with noted_lines(made), ExitStack() as stack:
        noted = keras.layers.Layer.__new__

        def noting(cls: type, *args: Any, **kwargs: Any) -> Any:
            layer = noted(cls, *args, **kwargs)
            building.expect(cls, made[id(layer)].number)
            return layer

        keras.layers.Layer.__new__ = noting
        keras.layers.Layer.__call__ = lambda layer, *args, **kwargs: building.called(layer, args, kwargs)
        stack.callback(building.put_back)
        stack.callback(setattr, keras.layers.Layer, "__call__", building.call)
        stack.callback(setattr, keras.layers.Layer, "__new__", noted)
        yield building.changed, made


class _Building:
    """Makes and calls layers as a change wants.

    Only what the function itself calls is called in another way: what runs inside the `call` of a layer runs again
    whenever the model does.
    """

    def __init__(self, change: Change, made: dict[int, Made], plain: Any, call: Any) -> None:
        self.change, self.made, self.plain, self.call = change, made, plain, call
        self.changed: set[int] = set()
        self.places = change.places() - change.arguments.keys()
        self.classes: dict[type, Any] = {}
        self._outputs: dict[int, Any] = {}
        self._fresh: dict[int, Any] = {}
        self._inside = False

    def called(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a layer, with what goes around it."""
        if self._inside:
            return self.call(layer, *args, **kwargs)
        number = self.made[id(layer)].number if id(layer) in self.made else -1
        self._inside = True
        try:
            if number not in self.places:
                outputs = self.call(layer, *args, **kwargs)
            else:
                self.changed.add(number)
                outputs = self._called(number, layer, args, kwargs)
            self._outputs[number] = outputs
            return outputs
        finally:
            self._inside = False

    def _called(self, number: int, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        change, inputs = self.change, args[0]
        if number in change.skipped:
            return inputs[change.skipped[number]] if isinstance(inputs, list | tuple) else inputs
        if number in change.reads:
            read = [self._outputs[source] for source in change.reads[number]]
            inputs = read if len(read) > 1 else read[0]
        for new in change.ahead.get(number, ()):
            inputs = self._added(new, inputs)
        kwargs = {k: v for k, v in {**kwargs, **change.calls.get(number, {})}.items() if v is not None}
        if number in change.replaced:
            outputs = self._added(change.replaced[number], inputs)
        else:
            outputs = self.call(layer, inputs, *args[1:], **kwargs)
        self._outputs[number] = outputs
        for new in change.behind.get(number, ()):
            outputs = self._added(new, outputs)
        return outputs

    def _added(self, new: New, inputs: Any) -> Any:
        noting, keras.layers.Layer.__new__ = keras.layers.Layer.__new__, self.plain  # B's layers keep their numbers
        try:
            if id(new) not in self._fresh:
                config = {**new.source.get_config(), "name": f"{new.source.name}_as_in_a"}
                self._fresh[id(new)] = type(new.source).from_config(config)
            layer = self._fresh[id(new)]
            outputs = self.call(layer, [self._outputs[number] for number in new.reads] if new.reads else inputs)
            if layer.weights and not layer.trainable_weights:
                layer.set_weights(new.source.get_weights())  # statistics of data
            return outputs
        finally:
            keras.layers.Layer.__new__ = noting

    def expect(self, cls: type, number: int) -> None:
        """Have the constructor of a layer take other arguments, if the change wants that."""
        builtin = constructor(cls)
        if number in self.change.arguments and builtin is not None and builtin not in self.classes:
            self.classes[builtin] = vars(builtin)["__init__"]
            builtin.__init__ = self._initialised(builtin)  # type: ignore[misc]

    def _initialised(self, cls: type) -> Any:
        original = vars(cls)["__init__"]

        @functools.wraps(original)
        def initialise(layer: Any, *args: Any, **kwargs: Any) -> None:
            cls.__init__ = self.classes.pop(cls)  # type: ignore[misc] # Keras reads its signature for the next layer
            bound = inspect.signature(original).bind(layer, *args, **kwargs)
            number = self.made[id(layer)].number
            bound.arguments.update(self.change.arguments.get(number, {}))
            self.changed.add(number)
            original(*bound.args, **bound.kwargs)

        return initialise

    def put_back(self) -> None:
        """Undo what `expect` did."""
        for cls, original in self.classes.items():
            cls.__init__ = original  # type: ignore[misc]


def constructor(cls: type) -> type | None:
    """The built-in class whose constructor takes a layer's settings."""
    return next((c for c in cls.__mro__ if c.__module__.startswith("keras.") and "__init__" in vars(c)), None)


def takes(layer: Any, name: str) -> bool:
    """Whether the constructor of a layer takes an argument."""
    cls = constructor(type(layer)) if layer is not None else None
    return cls is not None and name in inspect.signature(vars(cls)["__init__"]).parameters
