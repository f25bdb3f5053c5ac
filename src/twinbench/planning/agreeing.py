"""What networks, settings and a dataset must agree on, as far as a prepared dataset tells: told before training."""

from collections.abc import Iterable, Iterator

from twinbench.architectures.catalogue import Architecture, Variant, architectures
from twinbench.config import TrainingSection
from twinbench.data.manifest import Manifest
from twinbench.errors import ConfigurationError


def disagreements(variants: Iterable[Variant], training: TrainingSection, manifest: Manifest) -> Iterator[str]:
    """Yield a sentence for each thing that cannot be trained on a dataset.

    Args:
        variants: what is to be trained, suspects among them.
        training: as the configuration says it.
        manifest: of the dataset.
    """
    name = manifest.name
    networks = {variant.architecture: architectures()[variant.architecture] for variant in variants}
    for network in networks.values():
        if network.reference.packaged and not manifest.plain:
            yield (
                f"Network '{network.name}' is one of twinbench's own, which take images with their classes and no "
                f"weights; dataset '{name}' holds {_held(manifest)}: name networks of your own in `architectures`, and "
                "set `suspects: []`."
            )
        elif network.reference.packaged and (training.callbacks or training.class_weight):
            yield (
                f"Network '{network.name}' is one of twinbench's own, which `training.callbacks` and "
                "`training.class_weight` are not for: leave them out, or name networks of your own in `architectures` "
                "and set `suspects: []`."
            )
        else:
            yield from _of_task(network, manifest)
            if training.class_weight and network.task != "classify":
                yield f"'training.class_weight' is set, and '{network.name}' is to {network.task}: leave it out."
    weighted = training.class_weight if isinstance(training.class_weight, dict) else {}
    unknown = [label for label in weighted if label not in manifest.class_names]
    if unknown and manifest.class_names:
        yield (
            f"'training.class_weight' names the class {unknown[0]!r}, and dataset '{name}' has "
            f"{', '.join(manifest.class_names[:10])}{', ...' if len(manifest.class_names) > 10 else ''}."
        )
    if weighted and not unknown and not any(weighted.get(label, 1) for label in manifest.class_names):
        yield "'training.class_weight' is 0 for every class, so that nothing would be learnt: give one of them more."
    if "y_validation" in manifest.shapes and "split" in training.vary:
        yield (
            f"'training.vary' names the split, and dataset '{name}' has a validation part of its own: there is no "
            "split to vary; leave it out of the list."
        )


def check_agreement(variants: Iterable[Variant], training: TrainingSection, manifest: Manifest) -> None:
    """Refuse what cannot be trained on a dataset.

    Raises:
        ConfigurationError: one sentence for each mistake.
    """
    if mistakes := list(disagreements(variants, training, manifest)):
        raise ConfigurationError("\n".join(mistakes))


def _of_task(network: Architecture, manifest: Manifest) -> Iterator[str]:
    start = f"Network '{network.name}' is to {network.task}, and dataset '{manifest.name}'"
    numbers = not manifest.class_names
    if network.task == "classify" and numbers:
        yield (
            f"{start} has labels that are numbers: set `task: regress` (`--task regress`), "
            "or give classes as whole numbers or strings."
        )
    if network.task == "regress" and not numbers:
        yield f"{start} has labels that are classes: set `labels: numbers` for the dataset, or `task: classify`."
    if network.task == "reconstruct" and "x_train" not in manifest.shapes:
        yield f"{start} has several inputs: only a single input can be restored."


def _held(manifest: Manifest) -> str:
    inputs = [key for key in manifest.shapes if key.startswith("x_train")]
    if len(inputs) > 1:
        return f"{len(inputs)} inputs"
    if "w_train" in manifest.shapes:
        return "weights of its training examples"
    if manifest.dtypes[inputs[0]] != "uint8":
        return f"{manifest.dtypes[inputs[0]]} numbers of the shape {manifest.shapes[inputs[0]][1:]}"
    return "labels that are numbers"
