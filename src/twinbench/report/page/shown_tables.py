"""A table as the page shows it: what matters first, the rest on demand, the whole file to download."""

import base64
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from twinbench.analysis.outputs import BY_NAME
from twinbench.analysis.record_tables import RUNS
from twinbench.report.figures.suspects import grouped_suspects
from twinbench.report.tables import Tables
from twinbench.table import Column, Table, text

# More rows than this help nobody on a page; the download has them all.
LONGEST: Final = 400
# Bytes of CSV that are carried inside the page; a larger file stays in its folder.
LARGEST_DOWNLOAD: Final = 600_000
MOST_SIDE_BY_SIDE: Final = 4


# The columns that are always shown, most useful first; the others of the table's view are shown on demand.
_FIRST: Final = {
    "suspects": "suspect mean_difference ci_low ci_high verdict changes",
    "ladder": "variant rung name outcome value",
    "summary": "variant mean std n failed",
    "comparisons": "variant mean_difference ci_low ci_high verdict n",
    "agreement": "variant compared_with disagreement lowest highest",
    "noise_floor": "variant gap_0.1 gap_0.5 gap_1 std",
    "parameters": "variant parameters difference_to_reference parameters_per_call keras_count",
    "gradients": "variant depth layer_index step gradient_norm update_norm",
    "api_costs": "variant quantity difference_percent difference_low difference_high verdict",
    "determinism_costs": "architecture difference_percent difference_low difference_high verdict",
    "seeds_needed": "variant verdict n power_difference seeds_difference seeds_equivalence",
    "runs": "variant seed reason",
}
# What only a plan's reader needs, and which would look like advice.
_NEVER: Final = {"seeds_needed": {"config_line", "sentence", "cautious_seeds"}}
_VERDICTS: Final = ("different", "different but within the margin", "undecided", "equivalent")


def _by_verdict(frame: pd.DataFrame) -> pd.DataFrame:
    places = frame["verdict"].map({verdict: place for place, verdict in enumerate(_VERDICTS)}).fillna(len(_VERDICTS))
    sizes = -frame["mean_difference"].abs().fillna(0)
    return frame.assign(_place=places, _size=sizes).sort_values(["_place", "_size"], kind="stable")


def _by_cost(frame: pd.DataFrame) -> pd.DataFrame:
    sizes = frame["difference_percent"].abs().fillna(-1)
    return frame.assign(_clear=~frame["verdict"].isin(["more", "less"]), _size=-sizes).sort_values(
        ["_clear", "_size"], kind="stable"
    )


_SORTED: Final[Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]]] = {
    "suspects": grouped_suspects,
    "comparisons": _by_verdict,
    "ladder": lambda frame: frame.sort_values("outcome", key=lambda names: names.ne("fail"), kind="stable"),
    "parameters": lambda frame: frame.sort_values(
        "difference_to_reference", key=lambda counts: -counts.abs().fillna(0).astype(float), kind="stable"
    ),
    "noise_floor": lambda frame: frame.sort_values("gap_0.5", ascending=False, kind="stable"),
    "gradients": lambda frame: frame.sort_values(["layer_index", "depth"], kind="stable"),
    "api_costs": _by_cost,
    "determinism_costs": _by_cost,
    "seeds_needed": lambda frame: frame.sort_values("verdict", key=lambda names: names.ne("undecided"), kind="stable"),
}


@dataclass(frozen=True)
class Cell:
    """One cell: what is read, and for a number, what is sorted by."""

    text: str
    number: str = ""


@dataclass(frozen=True)
class Heading:
    """One column: its name, whether it holds numbers, what it means, and whether it is shown on demand only."""

    name: str
    number: bool
    meaning: str
    more: bool = False


@dataclass(frozen=True)
class ShownRow:
    """One row: its place on the page, empty where nothing links to it, and its cells."""

    anchor: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class ShownTable:
    """What the template needs of a table.

    Attributes:
        name: stem of its file.
        title: in words.
        headings: its columns.
        rows: its rows.
        total: rows of the whole table.
        note: what is left out; empty when nothing is.
        download: data URI of the CSV file; empty when it is too large.
        anchors: place on the page of each row that is cited, by `dataset architecture/variant`.
    """

    name: str
    title: str
    headings: Sequence[Heading]
    rows: Sequence[ShownRow]
    total: int
    note: str
    download: str
    anchors: Mapping[str, str] = field(default_factory=dict)

    @property
    def more(self) -> int:
        """How many columns are shown on demand only."""
        return sum(heading.more for heading in self.headings)


def readable(value: Any) -> str:
    """Return a number as people read it: whole numbers with separators, others with four significant digits."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}" if abs(value) >= 10_000 else f"{int(value)}"
    return f"{value:.3g}" if abs(value) < 0.1 else f"{value:,.2f}"


def _cell(value: Any, numeric: bool) -> Cell:
    if numeric:
        text = readable(value)
        return Cell(text, repr(float(value)) if text else "")
    return Cell("" if value is None or value is pd.NA or value != value else str(value))  # noqa: PLR0124 # NaN is the only value unequal to itself


def data_uri(csv: str) -> str:
    """Return a CSV text as a data URI."""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(csv.encode()).decode()


def _is_number(column: Column) -> bool:
    return column.kind in ("whole", "number")


def _named(frame: pd.DataFrame) -> list[str]:
    """Return what evidence calls each row: `digits mlp/sequential`."""
    if not {"dataset", "architecture", "variant"} <= set(frame):
        return [""] * len(frame)
    keys = zip(frame["dataset"], frame["architecture"], frame["variant"], strict=True)
    return [f"{dataset} {architecture}/{variant}" for dataset, architecture, variant in keys]


def _columns(name: str, table: Table, frame: pd.DataFrame) -> list[tuple[Column, bool]]:
    """Return the columns that the page shows, in its order, each with whether it is shown on demand only."""
    known = {column.name: column for column in table.columns if column.name in frame}
    first = [known[column] for column in _FIRST.get(name, "").split() if column in known]
    if not first:
        return [(column, False) for column in table.on_page() if column.name in frame]
    if len(frame["dataset"].unique()) > 1:
        first.insert(1, known["dataset"])
    hidden = {column.name for column in first} | _NEVER.get(name, set())
    hidden |= {"architecture"} if any(column.name == "variant" for column in first) else set()
    others = [column for column in table.on_page() if column.name in frame and column.name not in hidden]
    return [*((column, False) for column in first), *((column, True) for column in others)]


def _shown(
    name: str, table: Table, frame: pd.DataFrame, csv: str, *, place: str = "", cited: Collection[str] = ()
) -> ShownTable:
    columns = _columns(name, table, frame)
    ordered = _SORTED[name](frame) if name in _SORTED else frame
    names = _named(ordered)
    anchors: dict[str, str] = {}
    places = list(range(min(LONGEST, len(ordered))))
    for number, row in enumerate(names):
        if row in cited and row not in anchors:
            anchors[row] = f"{name}-{len(anchors) + 1}"
            if number >= LONGEST:  # a row that is cited is shown, however long the table
                places.append(number)
    top = ordered.iloc[places]
    if "architecture" in top and any(column.name == "variant" for column, _ in columns):
        top = top.assign(variant=top["architecture"].astype(str) + "/" + top["variant"].astype(str))
    # Column by column: far faster than row by row, and each column keeps its own type.
    cells = [[_cell(value, _is_number(column)) for value in top[column.name].tolist()] for column, _ in columns]
    left = dict(anchors)
    rows = [
        ShownRow(left.pop(names[number], ""), row) for number, row in zip(places, zip(*cells, strict=True), strict=True)
    ]
    notes = []
    if len(frame) > len(top):
        notes.append(f"{len(top):,} of {len(frame):,} rows are shown.")
    if len(csv) > LARGEST_DOWNLOAD:
        notes.append(f"The whole table is too large to carry here; it is {place}.")
    return ShownTable(
        name=name,
        title=table.title,
        headings=[Heading(column.title, _is_number(column), column.meaning, more) for column, more in columns],
        rows=rows,
        total=len(frame),
        note=" ".join(notes),
        download=data_uri(csv) if len(csv) <= LARGEST_DOWNLOAD else "",
        anchors=anchors,
    )


def shown_table(tables: Tables, name: str, cited: Collection[str] = ()) -> ShownTable:
    """Return one of the tables of the folder; `cited` rows, as `dataset architecture/variant`, can be linked to.

    Raises:
        NothingToShowError: there is no such table, or it has no rows.
    """
    frame = tables.get(name)
    path = Path(tables.folder) / f"{name}.csv"
    return _shown(name, BY_NAME[name], frame, path.read_text(encoding="utf-8"), place=str(path), cited=cited)


def machines_table(tables: Tables) -> ShownTable:
    """Return the machines and versions, a column for each where they are few enough to be read side by side.

    Raises:
        NothingToShowError: there is no such table, or it has no rows.
    """
    shown = shown_table(tables, "provenance")
    frame = tables.get("provenance")
    if len(frame) > MOST_SIDE_BY_SIDE:
        return shown
    aside = frame.astype(str).replace("nan", "").set_index("manifest").T.rename_axis("what").reset_index()
    columns = tuple(text(str(name), "") for name in aside)
    turned = _shown("provenance", replace(BY_NAME["provenance"], columns=columns), aside, "")
    return replace(turned, download=shown.download)


def failed_table(tables: Tables) -> ShownTable | None:
    """Return the runs that failed; None where none did."""
    failed = tables.failed
    if failed.empty:
        return None
    shown = _shown("runs", RUNS, failed, failed.to_csv(index=False), place="not in a file")
    return replace(shown, name="failed")
