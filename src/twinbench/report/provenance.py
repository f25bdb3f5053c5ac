"""Where the numbers come from, in one line: for the footer of each figure and its file's metadata."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from twinbench.report.tables import Tables


@dataclass(frozen=True)
class Provenance:
    """What identifies the runs behind a figure.

    Attributes:
        commit: abbreviated commit of the code, with `+` where there were changes beside it; `unknown` where not
            recorded.
        configuration: abbreviated digest of the configuration.
        seeds: such as `1-3`.
        device: such as the processor's name.
        twinbench: version of the package.
    """

    commit: str
    configuration: str
    seeds: str
    device: str
    twinbench: str

    @property
    def line(self) -> str:
        """All of it in one line."""
        return self.footer(seeds=True)

    def footer(self, *, seeds: bool) -> str:
        """Return the line, with the runs' seeds or, for what was measured beside the runs, without."""
        parts = [f"twinbench {self.twinbench}", f"commit {self.commit}", f"configuration {self.configuration}"]
        return " · ".join([*parts, *([f"seeds {self.seeds}"] if seeds else []), self.device])


def span(numbers: Sequence[int]) -> str:
    """Return ascending whole numbers in brief: `1-3, 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs]
    return ", ".join(parts) if len(parts) <= 6 else f"{', '.join(parts[:5])}, ... ({len(numbers)} seeds)"


def _distinct(frame: pd.DataFrame, column: str) -> list[str]:
    return [str(value) for value in frame[column].dropna().unique()] if column in frame else []


def _first_of(values: Sequence[str], length: int = 10) -> str:
    """Return the first value, and how many others there are."""
    if not values:
        return "unknown"
    more = f" and {len(values) - 1} more" if len(values) > 1 else ""
    return values[0][:length] + more


def provenance_of(tables: Tables) -> Provenance:
    """Return the provenance of all runs of some tables, from `provenance`, `costs` and `runs`."""
    manifests = tables.optional("provenance")
    commit = _first_of(_distinct(manifests, "git_commit"))
    if "git_dirty" in manifests and manifests["git_dirty"].astype(str).str.lower().isin(["true", "1"]).any():
        commit += "+"
    machines = _distinct(manifests, "gpu") or _distinct(manifests, "cpu")
    machines = machines or _distinct(tables.optional("costs"), "device")
    return Provenance(
        commit=commit,
        configuration=_first_of(_distinct(manifests, "configuration_digest")),
        seeds=span(tables.seeds),
        device=_first_of(machines, length=48),
        twinbench=_first_of(_distinct(manifests, "twinbench")),
    )
