"""What went wrong in tensorflow-datasets, as one sentence that says what to do."""

import dataclasses
import errno
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twinbench.config import Dataset
from twinbench.config.dataset_names import nearest_dataset_name, nearest_of
from twinbench.data.download_errors import network_reason
from twinbench.data.files import cannot_write
from twinbench.data.network import NotInManualFolderError


@dataclasses.dataclass(frozen=True)
class Preparation:
    """A preparation that failed.

    Attributes:
        dataset: its section of the configuration.
        builder: its tensorflow-datasets builder.
        asked: the URLs that were asked for.
        cache: the folder that is written to.
    """

    dataset: Dataset
    builder: Any
    asked: list[str]
    cache: Path

    @property
    def label(self) -> str:
        """How the dataset is called in a sentence."""
        return f"Dataset '{self.dataset.name}' ({self.dataset.source})"


def sentence_of_builder(error: Exception, dataset: Dataset) -> str:
    """Why `tfds.builder` does not find the dataset, its configuration or its version."""
    text = str(error)
    source = dataset.source
    name, _, version = source.partition(":")
    name, _, config = name.partition("/")
    if type(error).__name__ == "DatasetNotFoundError":
        return f"tensorflow-datasets has no dataset '{source}'{nearest_dataset_name(source)}."
    if "BuilderConfig" in text:
        known = _configurations(name)
        listed = f"; it has {', '.join(known[:20])}" if known else ", which has no configurations"
        return f"tensorflow-datasets has no '{config}' in '{name}'{listed}{nearest_of(config, known)}."
    if version and "version" in text.lower():
        return (
            f"tensorflow-datasets has no version '{version}' of '{name}': "
            "leave the version out of `source` to get the one it has."
        )
    return f"Dataset '{dataset.name}' ({source}) cannot be opened by tensorflow-datasets: {_first_line(error)}."


def _configurations(name: str) -> list[str]:
    import tensorflow_datasets as tfds

    return sorted(tfds.builder_cls(name).builder_configs)


def sentence_of_preparation(error: Exception, preparation: Preparation) -> str:
    """Why `download_and_prepare` failed, and what to do: which files to fetch, where to put them, what to set."""
    for cause in _chain(error):
        for explain in (_missing, _wrong_bytes, _full_disk, _network, _by_hand, _unregistered, _file_system):
            sentence = explain(cause, preparation)
            if sentence:
                return sentence
    return (
        f"{preparation.label} could not be prepared by tensorflow-datasets: "
        f"{type(error).__name__}: {_first_line(error)}."
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, outermost first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _missing(cause: BaseException, preparation: Preparation) -> str:
    if not isinstance(cause, NotInManualFolderError):
        return ""
    folder = preparation.dataset.manual_dir
    files = _files_beside(str(cause), preparation)
    return (
        f"{preparation.label} needs files that its 'manual_dir', {folder}, does not have: "
        f"{', '.join(sorted(files.values()))}; fetch {', '.join(sorted(files))} and put them there."
    )


def _network(cause: BaseException, preparation: Preparation) -> str:
    reason = network_reason(cause)
    if not reason:
        return ""
    files = _files_beside(preparation.asked[0] if preparation.asked else "", preparation)
    return (
        f"{preparation.label} could not be downloaded: {reason}. Try again later; or, on a machine without internet, "
        f"fetch {', '.join(sorted(files)) or 'its files'} elsewhere, put them into one folder, and set 'manual_dir' "
        "of this dataset to it."
    )


def _wrong_bytes(cause: BaseException, preparation: Preparation) -> str:
    if type(cause).__name__ != "NonMatchingChecksumError":
        return ""
    text = str(cause)
    artifact = re.search(r"Artifact (\S+), downloaded to (.+), has wrong checksum", text)
    sums = re.findall(r"checksum='([0-9a-f]+)'", text)
    url, path = artifact.groups() if artifact else ("its file", "the download folder")
    expected, got = sums if len(sums) == 2 else ("another", "not known")
    name = preparation.dataset.name
    if preparation.dataset.manual_dir is None:
        return (
            f"Dataset '{name}': the server sent other bytes than the original for {url} (SHA-256 {got} instead "
            f"of {expected}); nothing of it is used. Try again, or fetch the file elsewhere and set 'manual_dir'."
        )
    return (
        f"Dataset '{name}': {path} is not the original file (SHA-256 {got} instead of {expected}): "
        f"delete it and fetch {url} again."
    )


def _full_disk(cause: BaseException, preparation: Preparation) -> str:
    full = isinstance(cause, OSError) and cause.errno in {errno.ENOSPC, errno.EDQUOT}
    if full or "No space left on device" in str(cause) or str(cause).startswith("Not enough disk space"):
        return f"{preparation.label}: {cannot_write(preparation.cache, OSError(errno.ENOSPC, ''))}"
    return ""


def _by_hand(cause: BaseException, preparation: Preparation) -> str:
    instructions = " ".join((preparation.builder.MANUAL_DOWNLOAD_INSTRUCTIONS or "").split())
    if not (instructions and isinstance(cause, AssertionError) and "manual" in str(cause).lower()):
        return ""
    return f"{preparation.label} must be fetched by hand into a folder that 'manual_dir' names: {instructions}"


def _unregistered(cause: BaseException, preparation: Preparation) -> str:
    if not (isinstance(cause, ValueError) and "Missing checksums url" in str(cause)):
        return ""
    return (
        f"{preparation.label} has a file without a registered checksum, which is not downloaded ({_first_line(cause)})."
    )


def _file_system(cause: BaseException, preparation: Preparation) -> str:
    if not (isinstance(cause, OSError) and cause.errno):
        return ""
    return f"{preparation.label}: {cannot_write(Path(cause.filename or preparation.cache), cause)}"


def _files_beside(url: str, preparation: Preparation) -> dict[str, str]:
    """File name by URL of what the dataset registers in the folder of `url`, without what `manual_dir` has."""
    registered = {
        known: info.filename or known.rsplit("/", 1)[-1]
        for known, info in (preparation.builder.url_infos or {}).items()
    }
    wanted = {
        known: name
        for known, name in registered.items()
        if known.rsplit("/", 1)[0] == url.rsplit("/", 1)[0] or known in preparation.asked
    }
    if preparation.dataset.manual_dir is not None:
        manual = Path(preparation.dataset.manual_dir).expanduser()
        wanted = {known: name for known, name in wanted.items() if not (manual / name).exists()}
    return wanted or {known: known.rsplit("/", 1)[-1] for known in [url, *preparation.asked] if known}


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
