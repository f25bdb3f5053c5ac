"""What a table is: its columns, each with type and meaning, and where it is shown.

A table is declared once, and the files, their checks, the documentation, the captions and the page follow from that.
Imports no pandas until rows are at hand, so that a workflow can ask for names while it is being parsed.
"""

import dataclasses
import importlib
import types
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from twinbench.errors import RecordError

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "whole", "number", "flag"]


@dataclass(frozen=True)
class Column:
    """One column, in which any value may be missing.

    Attributes:
        kind: what its values are.
        name: in the files.
        meaning: in the documentation, and on the page where someone points at the heading.
        heading: on the page; the name, in words, where this is empty.
    """

    kind: Kind
    name: str
    meaning: str
    heading: str = ""

    @property
    def title(self) -> str:
        """Its heading on the page."""
        return self.heading or self.name.replace("_", " ")


text: Final = partial(Column, "text")
whole: Final = partial(Column, "whole")
number: Final = partial(Column, "number")
flag: Final = partial(Column, "flag")


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: stem of its files.
        columns: in the order of its files.
        category: section of Snakemake's report.
        caption: what its rows are, in a sentence.
        title: on the page.
        shown: names of the columns that the page shows, in its order; all of them where this is empty.
        latex: names of the columns of the LaTeX file; without any there is no such file.
        short: whether it is short enough to be written for reading whatever the number of runs.
        made_by: what to do where it is missing.
    """

    name: str
    columns: tuple[Column, ...]
    category: str = ""
    caption: str = ""
    title: str = ""
    shown: str = ""
    latex: str = ""
    short: bool = True
    made_by: str = ""

    @property
    def names(self) -> list[str]:
        """Names of its columns, in their order."""
        return [column.name for column in self.columns]

    @property
    def formats(self) -> tuple[str, ...]:
        """Endings of its files."""
        return ("csv", "md", *(("tex",) if self.latex else ()), *(("html",) if self.short else ()))

    def on_page(self) -> list[Column]:
        """Return the columns that the page shows, in its order."""
        by_name = {column.name: column for column in self.columns}
        return [by_name[name] for name in self.shown.split()] or list(self.columns)

    def frame(self, rows: "Iterable[dict[Any, Any]] | pd.DataFrame") -> "pd.DataFrame":
        """Return rows as this table: its columns in their order, whole numbers whole though some are missing."""
        pandas = importlib.import_module("pandas")
        frame = pandas.DataFrame(rows if hasattr(rows, "columns") else list(rows), columns=self.names)
        counts = [column.name for column in self.columns if column.kind == "whole"]
        broken = [name for name in counts if frame[name].dtype.kind != "i"]
        result: pd.DataFrame = frame.astype(dict.fromkeys(broken, "Int64"))
        return result

    def text_columns(self) -> dict[str, type[str]]:
        """Return the columns to read as text whatever they look like: a variant may be called `1e5`."""
        return {column.name: str for column in self.columns if column.kind == "text"}

    def check(self, frame: "pd.DataFrame", place: object, *, complete: bool, remedy: str) -> None:
        """Refuse a table that is not as declared; columns beyond the declared ones are none of our business.

        Args:
            frame: the table.
            place: its file.
            complete: whether every declared column must be there.
            remedy: what to do about it.

        Raises:
            RecordError: a column is missing, or holds other things than it should.
        """
        for column in self.columns:
            if column.name not in frame:
                if complete:
                    raise RecordError(f"{place} has no column '{column.name}'; {remedy}.")
                continue
            values = frame[column.name].dropna()
            if column.kind in ("whole", "number") and len(values) and values.dtype.kind not in "iuf":
                raise RecordError(f"The column '{column.name}' of {place} holds other things than numbers; {remedy}.")


_KINDS: Final[dict[type, Kind]] = {int: "whole", float: "number", bool: "flag"}


def columns_of(record: type, names: str = "") -> tuple[Column, ...]:
    """Return the fields of a dataclass as columns, their meaning from `Annotated[type, meaning]`.

    Args:
        record: the dataclass.
        names: of the fields, in the order wanted; all of them where this is empty.
    """
    hints = get_type_hints(record, include_extras=True)
    chosen = names.split() or [field.name for field in dataclasses.fields(record)]
    return tuple(_column(name, hints[name]) for name in chosen)


def _column(name: str, annotation: Any) -> Column:
    bare, meaning = get_args(annotation) if get_origin(annotation) is Annotated else (annotation, "")
    value = get_args(bare)[0] if isinstance(bare, types.UnionType) else bare
    return Column(_KINDS.get(value, "text"), name, meaning)
