"""What is declared of a table once holds for its files, their checks and its documentation."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pandas as pd
import pytest

from twinbench.analysis.files import read_csv, write_tables
from twinbench.analysis.outputs import TABLES
from twinbench.errors import RecordError
from twinbench.table import Column, Table, columns_of, number, text, whole

SEEDS = Table(
    "seeds",
    columns=(text("variant", "name", "which"), whole("n", "seeds"), number("mean_score", "mean")),
    category="Seeds",
    caption="Seeds of each variant.",
    shown="mean_score variant",
)


def test_a_field_of_a_record_is_a_column_with_its_type_and_meaning():
    @dataclass
    class Run:
        status: Annotated[Literal["ok", "failed"], "how it ended"]
        epochs: Annotated[int | None, "passes"] = None
        score: Annotated[float, "points"] = 0.0

    assert columns_of(Run, "score epochs") == (Column("number", "score", "points"), Column("whole", "epochs", "passes"))
    assert columns_of(Run)[0] == Column("text", "status", "how it ended")


def test_rows_become_the_declared_columns_and_whole_numbers_stay_whole_though_some_are_missing():
    frame = SEEDS.frame([{"n": 3, "mean_score": 98.0, "more": 1}, {"variant": "subclass"}])
    assert frame.to_csv(index=False) == "variant,n,mean_score\n,3,98.0\nsubclass,,\n"
    assert list(SEEDS.frame([])) == ["variant", "n", "mean_score"]


def test_the_page_shows_the_chosen_columns_in_its_order_and_else_all():
    assert [column.title for column in SEEDS.on_page()] == ["mean score", "which"]
    assert [column.name for column in Table("t", SEEDS.columns, "", "").on_page()] == SEEDS.names


def test_names_stay_text_and_only_an_empty_field_is_missing(tmp_path):
    path = tmp_path / "seeds.csv"
    path.write_text("variant,n,mean_score\n1e5,1,2\nNA,,\n", encoding="utf-8")
    frame = read_csv(path, SEEDS, complete=True, remedy="run again")
    assert frame["variant"].tolist() == ["1e5", "NA"]
    assert frame["n"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("variant,n\na,1\n", "has no column 'mean_score'; run again"),
        (
            "variant,n,mean_score\na,many,1\n",
            "The column 'n' of .*seeds.csv holds other things than numbers; run again",
        ),
        ("", "has no column 'variant'; run again"),
    ],
)
def test_a_file_that_is_not_as_declared_is_refused_with_its_column(tmp_path, content, sentence):
    path = tmp_path / "seeds.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RecordError, match=sentence):
        read_csv(path, SEEDS, complete=True, remedy="run again")


def test_a_table_with_a_column_that_is_not_declared_is_never_written(tmp_path):
    tables = {table.name: pd.DataFrame(columns=table.names) for table in TABLES}
    with pytest.raises(ValueError, match="summary has the columns"):
        write_tables(tables | {"summary": tables["summary"].assign(median=1.0)}, tmp_path)
    with pytest.raises(RecordError, match=r"'mean' of .*summary\.csv holds other things than numbers"):
        write_tables(tables | {"summary": tables["summary"].assign(mean=["high"])}, tmp_path)
