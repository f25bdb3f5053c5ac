"""The kinds of mistake that twinbench tells a user about.

Each is raised where the mistake is known, with one sentence in the user's words: which file, key or value,
what would be valid, and what to do. The command line and the scripts print that sentence and exit with 2;
the traceback goes into a file beside the log.
"""

import re


class TwinbenchError(Exception):
    """A mistake that the user can mend; `str()` is the sentence to show."""


class ConfigurationError(TwinbenchError):
    """A key or a value of the configuration that cannot be used."""


class DataError(TwinbenchError):
    """A dataset that is missing, damaged, or not what its checksum or manifest promises."""


class RecordError(TwinbenchError):
    """A record, checkpoint or table that is missing, damaged, or from another version."""


class UsageError(TwinbenchError):
    """A command or function called with arguments that it cannot use."""


class ResourceError(TwinbenchError):
    """What the machine has too little of, such as memory; elsewhere or at another time it would have been enough."""


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


def first_cause(error: BaseException, longest: int = 300) -> str:
    """Return the kind of an exception and its own first words, without the frames that AutoGraph and Keras put around.

    Args:
        error: what was raised.
        longest: characters to return at most.
    """
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in str(error).splitlines()]
    frames = [k for k, line in enumerate(lines) if "Exception encountered when calling" in line]
    after = [line for line in lines[frames[-1] + 1 :] if line] if frames else []
    named = [line for line in lines if line and not line.startswith(("in user code", "File "))]
    return f"{type(error).__name__}: {(after or named or ['no message'])[0]}"[:longest]
