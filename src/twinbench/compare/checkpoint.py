"""Loads a file of weights into a model, after it was seen what of the file and of the model the two have in common."""

import difflib
import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
from keras.src.legacy.saving.legacy_h5_format import _legacy_weights, load_attributes_from_hdf5_group

from twinbench.compare.holdings import Fit
from twinbench.errors import TwinbenchError, UsageError, first_cause

Layout = dict[str, tuple[str, tuple[int, ...]]]
"""For each variable by its path in a file: the name of its layer (empty where it is not known), and its shape."""


class MisfitError(TwinbenchError):
    """A file of weights that does not fit a model; `fit` says what of it does not."""

    def __init__(self, path: Path, owner: str, fit: Fit) -> None:
        super().__init__(f"The weights of {path} do not fit the model of {owner}: {in_words(fit)}")
        self.fit = fit


def load_weights_into(model: keras.Model, path: Path, owner: str) -> Fit:
    """Load a file of weights into a built model.

    Args:
        model: A fresh model of the other side, whose own weights are lost.
        path: The file.
        owner: What to call that side.

    Returns:
        How the file fits the model.

    Raises:
        MisfitError: Something of the file has no place in the model, or the other way round; nothing was loaded.
        UsageError: The file cannot be read, or holds no weights that Keras wrote.
    """
    try:
        fit = fit_of(model, path)
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise UsageError(f"The weights of {path} cannot be read: {first_cause(error)}") from error
    if not fit.tensors:
        raise UsageError(f"{path} holds no weights, as model.save_weights writes them.")
    if not fit.fits:
        raise MisfitError(path, owner, fit)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the optimiser, whose state the fit tells
            keras.saving.load_weights(model, path)
    except Exception as error:
        raise UsageError(f"The weights of {path} do not fit the model of {owner}: {first_cause(error)}") from error
    return fit


def fit_of(model: keras.Model, path: Path) -> Fit:
    """What a file of weights and a model have in common; of the file only names and shapes are read.

    Raises:
        OSError: The file is damaged.
        ValueError: It is no file of weights.
    """
    with h5py.File(path, "r") as file:
        if path.name.endswith(".weights.h5"):
            stored = {_current(name): value for name, value in _layout(file).items()}
            wanted = _layout_of(model)
            state = [name for name in stored if name.startswith("optimizer/")]
            optimizer = _optimizer_in_words(model, len(state), sum(n.startswith("optimizer/") for n in wanted))
            stored, wanted = (
                {name: value for name, value in layout.items() if not name.startswith("optimizer/")}
                for layout in (stored, wanted)
            )
        else:
            stored, wanted = _legacy_layouts(file, model)
            optimizer = ""
    both = [name for name in stored if name in wanted]
    return Fit(
        tensors=len(stored),
        lost=tuple(_label(name, stored) for name in stored if name not in wanted),
        unfilled=tuple(_label(name, wanted) for name in wanted if name not in stored),
        reshaped=tuple(
            (_label(name, wanted), str(stored[name][1]), str(wanted[name][1]))
            for name in both
            if stored[name][1] != wanted[name][1]
        ),
        renamed=_renamed(stored, wanted),
        optimizer=optimizer,
    )


def in_words(fit: Fit) -> str:
    """What of a file of weights and of a model does not fit; or that all does, and what is lost all the same."""
    parts = []
    if fit.lost:
        parts.append(f"{_some(fit.lost)} of the file's {fit.tensors} tensors have no place in the model")
    if fit.unfilled:
        parts.append(f"{_some(fit.unfilled)} of the model's are not in the file and would stay at their initial values")
    if fit.reshaped:
        shapes = [f"{name}: {stored} in the file, {wanted} in the model" for name, stored, wanted in fit.reshaped]
        parts.append(f"{_some(shapes)} have another shape")
    if parts:
        return f"{'; '.join(parts)}."
    words = f"The checkpoint fits: each of its {fit.tensors} tensors has a place in the model, and none is lacking."
    if fit.renamed:
        moved = _some([f"{one} goes into {other}" for one, other in fit.renamed])
        words += f" But by their names {moved}: layers of one kind are loaded in their order."
    return f"{words} {fit.optimizer}".strip()


def _some(items: Any) -> str:
    named = ", ".join(items[:3])
    return f"{len(items)} ({named}{f' and {len(items) - 3} more' if len(items) > 3 else ''})"


def _optimizer_in_words(model: keras.Model, stored: int, wanted: int) -> str:
    """What becomes of the optimiser's state that a file holds."""
    if not stored:
        return ""
    if getattr(model, "optimizer", None) is None:
        return f"The optimiser's state in the file ({stored} tensors) is lost: the model is not compiled."
    if stored == wanted:
        return f"The optimiser's state ({stored} tensors) is loaded too."
    remedy = "call model.optimizer.build(model.trainable_variables) first" if wanted < stored else "compile alike"
    return (
        f"The optimiser's state in the file ({stored} tensors) is lost: the model's optimiser holds {wanted} when the "
        f"file is loaded; {remedy}."
    )


def _layout(file: h5py.File) -> Layout:
    """The variables of a file that `save_weights` wrote; links out of the file are not followed."""
    layout: Layout = {}

    def note(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and "seed_generator" not in name:
            owner = item.parent.attrs.get("name", "")
            layout[name] = (owner.decode() if isinstance(owner, bytes) else str(owner), tuple(item.shape))

    file.visititems(note)
    return layout


def _current(name: str) -> str:
    """The path of a variable as Keras writes it today."""
    return name.replace("_layer_checkpoint_dependencies/", "layers/")


def _layout_of(model: keras.Model) -> Layout:
    """The same of a model: what it writes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        model.save_weights(path)
        with h5py.File(path, "r") as file:
            return _layout(file)


def _legacy_layouts(file: h5py.File, model: keras.Model) -> tuple[Layout, Layout]:
    """The layouts of a file in the older format, which is loaded layer by layer in their order, and of a model."""
    group = file if "layer_names" in file.attrs or "model_weights" not in file else file["model_weights"]
    if "layer_names" not in group.attrs:
        raise ValueError("it holds neither layers nor their names")
    stored = list(_legacy_layers(group))
    wanted = [
        (layer.name, [(v.name, tuple(v.shape)) for v in weights])
        for layer in model.layers
        if (weights := _legacy_weights(layer))
    ]
    shapes = [[str([shape for _, shape in variables]) for _, variables in layers] for layers in (stored, wanted)]
    keys: list[list[str]] = [[f"file {k}" for k in range(len(stored))], [f"model {k}" for k in range(len(wanted))]]
    for kind, a, b, c, d in difflib.SequenceMatcher(None, shapes[0], shapes[1], autojunk=False).get_opcodes():
        for k in range(min(b - a, d - c) if kind in ("equal", "replace") else 0):
            keys[0][a + k] = keys[1][c + k] = f"layer {c + k}"
    layouts = [
        {
            f"{key}/{k}/{name}": (layer, shape)
            for key, (layer, variables) in zip(side, layers, strict=True)
            for k, (name, shape) in enumerate(variables)
        }
        for side, layers in zip(keys, (stored, wanted), strict=True)
    ]
    return layouts[0], layouts[1]


def _legacy_layers(group: h5py.Group) -> Iterator[tuple[str, list[tuple[str, tuple[int, ...]]]]]:
    for name in load_attributes_from_hdf5_group(group, "layer_names"):
        layer = group[name]
        names = load_attributes_from_hdf5_group(layer, "weight_names")
        if names:
            yield name, [(str(one).rpartition("/")[2].split(":")[0], tuple(layer[one].shape)) for one in names]


def _label(name: str, layout: Layout) -> str:
    """A variable in words: its layer by name where the file says it, and its place."""
    layer = layout[name][0]
    if "/vars/" in f"/{name}":
        path, _, number = name.rpartition("/")
        owner = layer or path.removesuffix("/vars").removeprefix("layers/")
        return f"{owner}[{number}]"
    return f"{layer}/{name.rpartition('/')[2]}"


def _renamed(stored: Layout, wanted: Layout) -> tuple[tuple[str, str], ...]:
    """Layers that have a name of their own on both sides and would be loaded into one another's."""
    couples = {(stored[name][0], wanted[name][0]) for name in stored if name in wanted}
    names = {one for one, _ in couples}, {other for _, other in couples}
    return tuple(
        sorted((one, other) for one, other in couples if one != other and one in names[1] and not _automatic(one))
    )


def _automatic(name: str) -> bool:
    """Whether a layer's name is one that Keras gives itself."""
    stem = re.sub(r"_\d+$", "", name)
    classes = {keras.src.utils.naming.to_snake_case(known) for known in dir(keras.layers)}
    return not name or stem in classes
