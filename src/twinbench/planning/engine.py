"""Which engine trains: its number, as long as its code is the one that the number was given to.

`engine.json` holds the number and the digest of every module that takes part in a run's result. Where the code is
another, by a local change for example, its digest joins the number, and no run of the released engine passes for one of
the changed. After a change that is proved to leave every bit as it was, `python -m twinbench.planning.engine --lock`
writes the digests anew and keeps the number; after any other change of a release, `--raise` raises the number too.
"""

import argparse
import functools
import json
from typing import Any

from twinbench.planning.closure import SOURCE, code_digests, joined

# Counted up where a change reaches runs of people's own models alone (how their losses, metrics and steps are read):
# the numbers of the engine, and with them every other run, stay.
OWN_MODELS = 2
LOCK = SOURCE / "twinbench" / "training" / "engine.json"
_ENTRY = SOURCE / "twinbench" / "training" / "job.py"
# What takes no part in a run's result.
_APART = (
    "twinbench",  # the version
    "twinbench.config",  # settings reach a run's key by their values,
    "twinbench.architectures.catalogue",  # and variants by their own digests
    "twinbench.architectures.declaration",
    "twinbench.architectures.marks",
    "twinbench.architectures.places",
    "twinbench.architectures.source",
    "twinbench.architectures.statements",
    "twinbench.planning",  # what the plan says of a run is its key
    "twinbench.data.manifest",  # the dataset reaches it by its content
    "twinbench.data.files",
    "twinbench.training.locks",  # who trains a run
    "twinbench.training.provenance",  # where and when it was trained, and what that took
    "twinbench.training.memory",
    "twinbench.durations",
    "twinbench/training/engine.json",
)


def engine_digests() -> dict[str, str]:
    """The digest of each module that takes part in a run's result, as the code is now."""
    return code_digests(_ENTRY, follow=_takes_part)


@functools.cache
def engine_identity() -> str:
    """The engine's number; with the digest of its code where that is not the locked one."""
    locked, digests = read_lock(), engine_digests()
    number = str(locked["engine"])
    return number if locked["modules"] == digests else f"{number}+{joined(digests)[:16]}"


def read_lock() -> dict[str, Any]:
    """The number of the engine and the digests of its modules, as they were locked."""
    lock: dict[str, Any] = json.loads(LOCK.read_text(encoding="utf-8"))
    return lock


def write_lock(number: int) -> None:
    """Lock the code as it is now under a number."""
    content = {"engine": number, "modules": engine_digests()}
    LOCK.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _takes_part(module: str) -> bool:
    # A file beside a network is in the digest of the variant that reads it.
    inside_a_package = module.startswith("twinbench/architectures/") or any(
        module.startswith(f"{name}.") for name in _APART if name != "twinbench"
    )
    return module not in _APART and not inside_a_package


def _main() -> None:
    parser = argparse.ArgumentParser(description="Lock the engine's code under its number.")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--lock", action="store_true", help="the results are proved to be the same, bit for bit")
    group.add_argument("--raise", dest="higher", action="store_true", help="results change: every run is trained again")
    number = int(read_lock()["engine"]) + (1 if parser.parse_args().higher else 0)
    write_lock(number)
    print(f"Engine {number}, {len(engine_digests())} modules.")


if __name__ == "__main__":
    _main()
