"""What changed between two results folders: two commits, two machines, a CPU and a GPU.

Verdicts are compared as words, means in points, and weights by their hashes: equal hashes are equal bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from twinbench.errors import RecordError, UsageError
from twinbench.report.provenance import provenance_of
from twinbench.report.tables import Tables

_VARIANT: Final = ("dataset", "architecture", "variant")
_RUN: Final = (*_VARIANT, "seed")
# Where verdicts stand: table, what names a row, and how the table is called.
_VERDICTS: Final = (
    ("claims", ("claim",), "Verdicts on the claims"),
    ("comparisons", _VARIANT, "Verdicts on the comparisons"),
    ("suspects", ("dataset", "suspect"), "Verdicts on the suspects"),
    ("api_costs", (*_VARIANT, "quantity"), "Verdicts on the costs"),
)
_HASHES: Final = (
    ("dataset_sha256", "the data"),
    ("initial_weights_sha256", "the initial weights"),
    ("final_weights_sha256", "the final weights"),
)
_SETTINGS: Final = (
    *("optimizer", "learning_rate", "batch_size", "epochs", "loss", "precision", "determinism", "threads", "init"),
    *("vary", "train_examples", "validation_examples", "test_examples"),
)
_VERSIONS: Final = ("tensorflow", "keras", "numpy", "python", "twinbench", "os", "cpu", "gpu", "git_commit")


@dataclass(frozen=True)
class Change:
    """One thing that is not the same: its name, and what it is in A and in B."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Part:
    """One kind of thing compared.

    Attributes:
        title: what was compared.
        sentence: the outcome, with counts.
        changes: what is not the same, the largest first where it has a size.
    """

    title: str
    sentence: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Difference:
    """All that was compared between A and B.

    Attributes:
        before: where A is, and its provenance.
        after: where B is, and its provenance.
        parts: in the order in which to read them.
    """

    before: str
    after: str
    parts: tuple[Part, ...]

    @property
    def same(self) -> bool:
        """Whether verdicts, means, hashes and settings are all the same; machine and versions may differ."""
        return not any(part.changes for part in self.parts[1:])


def tables_of(results: Path) -> Tables:
    """Read a results folder, or the folder of tables in it.

    Raises:
        TwinbenchError: there are no tables, or they are not those of a results folder.
    """
    for folder in (results / "tables", results):
        if (folder / "runs.csv").is_file():
            tables = Tables.read(folder)
            missing = [name for name in (*_RUN, "status") if name not in tables.frames["runs"]]
            if missing:
                raise RecordError(f"{folder / 'runs.csv'} has no column '{missing[0]}'; make the tables again.")
            if tables.frames["runs"].empty:
                raise UsageError(f"{folder / 'runs.csv'} has no rows: there is nothing to compare.")
            return tables
    raise UsageError(f"{results} holds no results: neither tables/runs.csv nor runs.csv is in it.")


def _text(value: object) -> str:
    return "" if value is None or pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value)  # type: ignore[call-overload] # a cell is a scalar


def _joined(a: Tables, b: Tables, table: str, keys: Sequence[str], columns: Sequence[str]) -> pd.DataFrame | None:
    """Return the rows that both have, side by side; None where either has none."""
    left, right = a.optional(table), b.optional(table)
    wanted = {*keys, *columns}
    if left.empty or right.empty or not wanted <= set(left) or not wanted <= set(right):
        return None
    chosen = [*keys, *columns]
    return left[chosen].merge(right[chosen], on=list(keys), suffixes=("_a", "_b"))


def _name(row: dict[Any, Any], keys: Sequence[str]) -> str:
    name = "/".join(str(row[key]) for key in keys if key != "seed")
    return f"{name} seed {row['seed']}" if "seed" in keys else name


def _rows(joined: pd.DataFrame, keys: Sequence[str], column: str) -> tuple[Change, ...]:
    before, after = joined[f"{column}_a"], joined[f"{column}_b"]
    apart = joined[(before != after) & ~(before.isna() & after.isna())]
    return tuple(
        Change(_name(row, keys), _text(row[f"{column}_a"]), _text(row[f"{column}_b"]))
        for row in apart.to_dict("records")
    )


def _verdicts(a: Tables, b: Tables, table: str, keys: Sequence[str], title: str) -> Part:
    joined = _joined(a, b, table, keys, ["verdict"])
    if joined is None:
        return Part(title, f"Not compared: the table {table}.csv is not in both.", ())
    changes = _rows(joined, keys, "verdict")
    return Part(title, f"{len(changes):,} of {len(joined):,} changed.", changes)


def _means(a: Tables, b: Tables) -> Part:
    title = "Mean scores"
    joined = _joined(a, b, "summary", _VARIANT, ["mean", "n"])
    if joined is None:
        return Part(title, "Not compared: the table summary.csv is not in both.", ())
    joined = joined.assign(moved=(joined["mean_b"] - joined["mean_a"]))
    # Means come from files with full precision; a billionth of a point is the order of a sum.
    known = joined["mean_a"].notna() & joined["mean_b"].notna()
    apart = joined[(known & (joined["moved"].abs() > 1e-9)) | (joined["mean_a"].isna() != joined["mean_b"].isna())]
    apart = apart.sort_values("moved", key=lambda moved: -moved.abs(), kind="stable")
    changes = tuple(
        Change(
            _name(row, _VARIANT),
            f"{row['mean_a']:.3f} (n {row['n_a']})",
            f"{row['mean_b']:.3f} (n {row['n_b']}), {row['moved']:+.3f} points",
        )
        for row in apart.to_dict("records")
    )
    largest = f"; the largest moved by {apart['moved'].abs().max():.3f} points" if apart["moved"].notna().any() else ""
    return Part(title, f"{len(changes):,} of {len(joined):,} changed{largest}.", changes)


def _hashes(a: Tables, b: Tables, column: str, what: str) -> Part:
    title = f"Hashes of {what}"
    joined = _joined(a, b, "runs", _RUN, [column])
    if joined is None or joined.empty:
        return Part(title, "Not compared: no run is in both.", ())
    # A dataset has one hash, however many runs were trained on it.
    key, noun = (("dataset",), "dataset") if column == "dataset_sha256" else (_RUN, "run")
    joined = joined.drop_duplicates([*key, *(name for name in joined if str(name).startswith(column))])
    changes = _rows(joined, key, column)
    short = tuple(Change(change.name, change.before[:12], change.after[:12]) for change in changes)
    return Part(title, f"{len(changes):,} of {len(joined):,} {noun}{'' if len(joined) == 1 else 's'} changed.", short)


def _runs(a: Tables, b: Tables) -> Part:
    left, right = ({_name(row, _RUN) for row in tables.get("runs").to_dict("records")} for tables in (a, b))
    changes = [Change(name, "present", "absent") for name in sorted(left - right)]
    changes += [Change(name, "absent", "present") for name in sorted(right - left)]
    return Part("Runs", f"{len(left & right):,} runs are in both, {len(changes):,} in one only.", tuple(changes))


def _values(tables: Tables, table: str, column: str) -> str:
    frame = tables.optional(table)
    return ", ".join(sorted({_text(value) for value in frame[column]})) if column in frame else ""


def _different_values(a: Tables, b: Tables, title: str, table: str, columns: Sequence[str]) -> Part:
    values = [(column, _values(a, table, column), _values(b, table, column)) for column in columns]
    changes = tuple(Change(column.replace("_", " "), one, other) for column, one, other in values if one != other)
    return Part(title, f"{len(changes):,} of {len(columns):,} differ.", changes)


def compare_results(before: Path, after: Path) -> Difference:
    """Compare two results folders.

    Args:
        before: results folder A, or its folder of tables.
        after: results folder B, or its folder of tables.

    Raises:
        TwinbenchError: one of them holds no tables, or others than those of a results folder.
    """
    a, b = tables_of(before), tables_of(after)
    return Difference(
        before=f"{before}: {provenance_of(a).line}",
        after=f"{after}: {provenance_of(b).line}",
        parts=(
            _different_values(a, b, "Machine and versions", "provenance", _VERSIONS),
            _different_values(a, b, "Settings of the runs", "runs", _SETTINGS),
            *(_verdicts(a, b, table, keys, title) for table, keys, title in _VERDICTS),
            _means(a, b),
            *(_hashes(a, b, column, what) for column, what in _HASHES),
            _runs(a, b),
        ),
    )


def as_text(difference: Difference, *, most: int = 20) -> str:
    """Return the comparison as text, with at most so many changes of each kind."""
    lines = [f"A  {difference.before}", f"B  {difference.after}", ""]
    for part in difference.parts:
        lines.append(f"{part.title}: {part.sentence}")
        lines += [
            f"  {change.name}: {change.before or 'none'} -> {change.after or 'none'}" for change in part.changes[:most]
        ]
        if len(part.changes) > most:
            lines.append(f"  ... and {len(part.changes) - most:,} more")
    return "\n".join(lines)
