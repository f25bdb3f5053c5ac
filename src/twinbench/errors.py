"""The kinds of mistake that twinbench tells a user about.

Each is raised where the mistake is known, with one sentence in the user's words: which file, key or value,
what would be valid, and what to do. The command line and the scripts print that sentence and exit with 2;
the traceback goes into a file beside the log.
"""

import contextlib
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from twinbench.own_files import PACKAGE, is_librarys


class TwinbenchError(Exception):
    """A mistake that the user can fix; `str()` is the sentence to show."""


class ConfigurationError(TwinbenchError):
    """A key or a value of the configuration that cannot be used."""


class DataError(TwinbenchError):
    """A dataset that is missing, damaged, or not what its checksum or manifest promises."""


class RecordError(TwinbenchError):
    """A record, checkpoint or table that is missing, damaged, or from another version."""


class UsageError(TwinbenchError):
    """A command or function called with arguments that it cannot use."""


class ChangedError(TwinbenchError):
    """Code that is not that by which a result was planned to be made."""


class ResourceError(TwinbenchError):
    """What the machine has too little of, such as memory; elsewhere or at another time it would have been enough."""


# The modules of the packages of the extra `benchmark`, where they are imported under another name than the package's.
_RENAMED: Final = {"sklearn": "scikit-learn"}
BENCHMARK = {"importlib-resources", "jinja2", "markupsafe", "matplotlib", "pandas", "pyarrow", "requests", "rich"}
BENCHMARK |= {"rocrate", "scikit-learn", "seaborn", "snakemake", "snakemake-logger-plugin-rich", "statsmodels"}
BENCHMARK |= {"snakemake-interface-storage-plugins", "tabulate", "tensorflow-datasets", "urllib3"}


@contextlib.contextmanager
def benchmark_needed() -> Iterator[None]:
    """Say which line installs a package that is missing, where only the benchmark's installation has it.

    Raises:
        UsageError: from such a ModuleNotFoundError; any other is raised as it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        package = _RENAMED.get(module, module.replace("_", "-"))
        if package not in BENCHMARK:
            raise
        raise UsageError(
            f"This needs {package}, which the benchmark's installation has: pip install 'twinbench[benchmark]', or "
            "pip install '.[benchmark]' in a clone of the repository."
        ) from error


# What the system, TensorFlow and oneDNN (whose status 1 it is) say when there is no memory.
_NO_MEMORY = (
    "can't start new thread",
    "Cannot allocate memory",
    "failed to map segment",
    "OOM when allocating",
    "Status: 1, message: could not create",
)


def memory_ran_out(error: BaseException) -> bool:
    """Whether an exception, or what it was raised from, says that there was not enough memory."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        if isinstance(link, MemoryError) or type(link).__name__ == "ResourceExhaustedError":
            return True
        text = str(link)
        if any(words in text for words in _NO_MEMORY):
            return True
        link = link.__cause__ or link.__context__
    return False


def raise_if_memory_ran_out(error: BaseException) -> None:
    """Raise an exception again that says nothing of the model it came from: there was not enough memory.

    Raises:
        ResourceError: from `error`, if that is so.
    """
    if memory_ran_out(error):
        raise ResourceError(
            "The memory ran out while the models were compared: end other programs, or let fewer jobs run at a time "
            "(--cores)."
        ) from error


# What someone's code can raise: all but Ctrl-C.
ANYTHING_RAISED: Final = (Exception, SystemExit)


def first_cause(error: BaseException, longest: int = 300) -> str:
    """Return an exception as its author knows it: its kind, its own first words, and the function of the author's file.

    AutoGraph and Keras raise an exception of a traced layer again, with frames and arguments in its message, and
    TensorFlow tells one of a running graph as a text. The file is the one that is neither a library's nor twinbench's;
    without one, nothing is said of a place. No line is given: a comment above it would move it, and what is recorded
    would no longer be what a new training records.

    Args:
        error: what was raised.
        longest: characters of the words to return at most.
    """
    links = [error]
    while links[-1].__context__ is not None and any(words in str(links[-1]) for words in _RAISED_AGAIN):
        links.append(links[-1].__context__)
    cause = links[-1]
    lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", str(cause)).splitlines()]
    words = next((line for line in lines if line and not line.startswith(_FRAMES)), "no message")
    words = re.sub(r" for '\{\{node .*?' with", " with", words)
    places = _FRAME.findall(str(cause)) if "Graph execution error" in str(cause) else []
    for link in reversed(links):
        places = places or [(frame.filename, frame.name) for frame in traceback.extract_tb(link.__traceback__)]
        for file, function in reversed(places):
            if _is_engines(file):
                break
            if not _is_librarys(file):
                place = f"{Path(file).name}, in {function.removeprefix('tf__')}"
                return f"{type(cause).__name__}: {words[:longest]} ({place})"
        places = []
    return f"{type(cause).__name__}: {words[:longest]}"


_FRAME = re.compile(r'File "([^"]+)", line \d+, in (\S+)')
# What says that the exception was raised from another, which is its context.
_RAISED_AGAIN = ("in user code:", "Exception encountered when calling", "Error encountered:")
_FRAMES = ("in user code:", "File ", "Graph execution error", "Detected at node", "<stack traces", "Exception encount")


def _is_engines(file: str) -> bool:
    """Whether a file is twinbench's, and no architecture."""
    path = Path(file)
    return path.is_relative_to(PACKAGE) and (
        path.parent.name != "architectures" or path.stem in ("contract", "keras_settings", "recipe", "suspects")
    )


def _is_librarys(file: str) -> bool:
    inside = Path(file).is_relative_to(PACKAGE)
    return not inside and (is_librarys(file) or file.startswith("<") or "__autograph_generated_file" in file)
