"""The page of findings in the documentation, from tables."""

from pathlib import Path

import pandas as pd

from twinbench.report.findings import findings
from twinbench.report.tables import Tables


def test_every_verdict_and_every_suspect_is_copied_from_the_tables(tables_folder: Path) -> None:
    page = findings(Tables.read(tables_folder))
    claims = pd.read_csv(tables_folder / "claims.csv")
    for claim, statement, verdict in claims[["claim", "statement", "verdict"]].itertuples(index=False):
        row = next(line for line in page.splitlines() if line.startswith(f"| {claim} "))
        assert [cell.strip() for cell in row.split("|")[2:4]] == [statement, verdict]
    for suspect in pd.read_csv(tables_folder / "suspects.csv")["suspect"]:
        assert f"| {suspect} " in page
