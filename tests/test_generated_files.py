"""Files that are made from the code say what the code says (`make docs` makes them again)."""

from pathlib import Path

from twinbench.analysis.outputs import TABLES
from twinbench.analysis.reference import tables_reference
from twinbench.report.captions import captions

ROOT = Path(__file__).resolve().parents[1]


def test_the_captions_are_those_of_the_catalogues() -> None:
    folder = ROOT / "workflow" / "report"
    assert {path.name: path.read_text() for path in folder.glob("*_*.rst")} == captions()


def test_the_reference_of_the_tables_names_their_columns() -> None:
    assert (ROOT / "docs" / "tables.md").read_text() == tables_reference()


def test_every_table_and_each_of_its_columns_is_described_and_every_name_that_it_shows_is_a_column() -> None:
    for table in TABLES:
        assert table.caption.endswith(".")
        assert len(set(table.names)) == len(table.names)
        assert all(column.meaning for column in table.columns), table.name
        assert {*table.shown.split(), *table.latex.split()} <= set(table.names)
