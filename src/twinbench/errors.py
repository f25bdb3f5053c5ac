"""The kinds of mistake that twinbench tells a user about.

Each is raised where the mistake is known, with one sentence in the user's words: which file, key or value,
what would be valid, and what to do. The command line and the scripts print that sentence and exit with 2;
the traceback goes to the log.
"""


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
