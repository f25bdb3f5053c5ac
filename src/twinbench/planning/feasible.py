"""What a configuration asks for and cannot have, as far as that can be known before the start."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from twinbench.architectures.catalogue import architectures
from twinbench.config import Configuration, Dataset
from twinbench.data.files import OUTPUT, check_is_folder
from twinbench.data.manifest import Manifest, read_manifest
from twinbench.data.preparing import describe_dataset
from twinbench.errors import ConfigurationError, TwinbenchError
from twinbench.planning.agreeing import disagreements
from twinbench.planning.estimate import known_size
from twinbench.planning.plan import selected_variants
from twinbench.planning.stages import dataset_key


def check_feasible(configuration: Configuration) -> None:
    """Refuse folders that are files, images that are missing or unusable, and numbers that do not fit them.

    Raises:
        ConfigurationError: one sentence for each mistake.
    """
    mistakes = []
    prepared = prepared_manifests(configuration)
    for folder, setting in folders(configuration):
        try:
            check_is_folder(folder, setting=setting)
        except TwinbenchError as error:
            mistakes.append(str(error))
            break  # the store lies in the output folder, unless it is set
    for dataset in configuration.datasets:
        try:
            mistakes += _mistakes(dataset, configuration, prepared)
        except TwinbenchError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ConfigurationError("\n".join(dict.fromkeys(mistakes)))


def folders(configuration: Configuration) -> list[tuple[Path, str]]:
    """The folders that are written to, each with what chooses it."""
    store = OUTPUT if configuration.store is None else "`store` in the configuration"
    return [(Path(configuration.output), OUTPUT), (Path(configuration.store_folder), store)]


def prepared_manifests(configuration: Configuration) -> dict[str, Manifest]:
    """The manifests of the datasets that the output folder holds, by their keys."""
    prepared = {}
    for path in sorted((Path(configuration.output) / "data").glob("*.json")):
        with contextlib.suppress(TwinbenchError):
            manifest = read_manifest(path)
            prepared[manifest.key] = manifest
    return prepared


def _mistakes(dataset: Dataset, configuration: Configuration, prepared: Mapping[str, Manifest]) -> Iterator[str]:
    """What cannot be done with a dataset."""
    manifest = prepared.get(dataset_key(dataset))
    if manifest is None and dataset.kind == "npz":
        manifest = describe_dataset(dataset)
    if manifest is None and dataset.manual_dir is not None and not Path(dataset.manual_dir).is_dir():
        yield (
            f"'manual_dir' of dataset '{dataset.name}' is {dataset.manual_dir}, which is not a folder: name the folder "
            "of the original files, or leave the key out to download them."
        )
    if manifest is not None:
        yield from disagreements(selected_variants(configuration), configuration.training, manifest)
        images, classes = manifest.images, len(manifest.class_names) or 1
    else:
        available = known_size(dataset) if dataset.train_split == "train" else None
        if available is None:
            return
        images, classes = min(available, dataset.train_examples or available), 10 if dataset.kind == "digits" else 2
        if not classes <= (dataset.train_examples or available) <= available:
            yield (
                f"'train_examples' of dataset '{dataset.name}' is {dataset.train_examples}; it must be at least "
                f"{classes}, one image for each class, and at most {available}, all that there are."
            )
            return
    training = configuration.training
    networks = {variant.architecture for variant in selected_variants(configuration)}
    batch_size = max(architectures()[name].training(training).batch_size for name in networks)
    apart = manifest is not None and "y_validation" in manifest.shapes
    held_out = 0 if apart else round(images * training.validation_fraction)
    if not apart and (held_out < 1 or images - held_out < classes):
        yield (
            f"'training.validation_fraction' is {training.validation_fraction:g}, which holds out {held_out} of the "
            f"{images} training images of dataset '{dataset.name}'; at least 1 must be held out, and {classes} must "
            "be left to train on."
        )
    elif batch_size > images - held_out:
        yield (
            f"'training.batch_size' is {batch_size}, and dataset '{dataset.name}' has {images - held_out} "
            "images to train on: set it to at most that."
        )
