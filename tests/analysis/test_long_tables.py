from pathlib import Path

import pandas as pd
import pytest

from twinbench.analysis.files import write_tables
from twinbench.analysis.outputs import COSTS, TABLES


@pytest.mark.parametrize(("rows", "cut"), [(2000, False), (2001, True)])
def test_a_table_too_long_to_read_is_whole_in_the_csv_and_says_so_elsewhere(
    rows: int, cut: bool, tmp_path: Path
) -> None:
    tables = {table.name: pd.DataFrame(columns=table.names) for table in TABLES}
    tables["costs"] = COSTS.frame({"run": f"r{number}"} for number in range(rows))
    write_tables(tables, tmp_path)
    assert len(pd.read_csv(tmp_path / "costs.csv")) == rows
    for ending in ("md", "html"):
        text = (tmp_path / f"costs.{ending}").read_text()
        assert ("The first 2,000 of 2,001 rows; costs.csv has all." in text) is cut
        assert "r1999" in text
