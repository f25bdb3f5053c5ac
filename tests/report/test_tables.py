from pathlib import Path

import pytest

from twinbench.errors import RecordError
from twinbench.report.provenance import provenance_of, span
from twinbench.report.tables import NothingToShowError, Tables


def _write(folder: Path, **tables: str) -> Tables:
    for name, text in {"runs": "dataset,seed,status,kind\ndigits,1,ok,twin\n", **tables}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return Tables.read(folder)


def test_names_that_look_like_numbers_or_like_nothing_stay_as_they_are(tmp_path: Path) -> None:
    tables = _write(tmp_path, summary="dataset,variant,mean\ndigits,1e5,\ndigits,NA,2\ndigits,007,3\n")
    assert list(tables.get("summary")["variant"]) == ["1e5", "NA", "007"]
    assert tables.get("summary")["mean"].isna().tolist() == [True, False, False]


def test_a_table_of_another_version_is_named_with_the_column_that_it_lacks(tmp_path: Path) -> None:
    tables = _write(tmp_path)
    assert list(tables.frames) == ["runs"]
    with pytest.raises(RecordError, match=r"runs\.csv has no column 'run'; make the tables again"):
        Tables.read(tmp_path, complete=True)


def test_a_folder_without_runs_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"has no runs\.csv"):
        Tables.read(tmp_path)


def test_a_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "claims.csv").write_bytes(b"\xff\xfe\x00\x81,\n")
    with pytest.raises(RecordError, match=r"claims\.csv is not a table"):
        _write(tmp_path)


def test_a_table_that_is_missing_and_one_without_rows_are_told_apart(tmp_path: Path) -> None:
    tables = _write(tmp_path, ladder="dataset,rung\n", gradients="")
    for name, sentence in {
        "claims": "There is no table claims.csv",
        "ladder": "has no rows",
        "gradients": "no rows",
    }.items():
        with pytest.raises(NothingToShowError, match=sentence):
            tables.get(name)


@pytest.mark.parametrize(
    ("seeds", "text"),
    [([1], "1"), ([1, 2, 3], "1-3"), ([1, 2, 5], "1-2, 5"), (list(range(0, 40, 2)), "0, 2, 4, 6, 8, ... (20 seeds)")],
)
def test_seeds_are_named_in_brief(seeds: list[int], text: str) -> None:
    assert span(seeds) == text


def test_several_machines_and_changes_beside_the_commit_are_said(tmp_path: Path) -> None:
    manifests = "git_commit,git_dirty,cpu,gpu\n0123456789ab,True,A,\n0123456789ab,False,B,\n"
    line = provenance_of(_write(tmp_path, provenance=manifests)).line
    assert "commit 0123456789+" in line
    assert line.endswith("A and 1 more")
    assert provenance_of(_write(tmp_path, provenance="cpu\nA\n")).commit == "unknown"
