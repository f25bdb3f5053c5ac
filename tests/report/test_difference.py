from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from tests.report.synthetic import HOSTILE

from twinbench.cli import main
from twinbench.errors import UsageError
from twinbench.report.difference import Difference, Part, as_text, compare_results


def _results(folder: Path, source: Path, **changes: pd.DataFrame) -> Path:
    """A results folder with the tables of another, some of them changed."""
    tables = folder / "tables"
    tables.mkdir(parents=True)
    for name in ("runs", "summary", "comparisons", "suspects", "claims", "provenance"):
        if name in changes:
            changes[name].to_csv(tables / f"{name}.csv", index=False)
        else:
            (tables / f"{name}.csv").write_bytes((source / f"{name}.csv").read_bytes())
    return folder


def _table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=[""])


def _part(difference: Difference, title: str) -> Part:
    return next(part for part in difference.parts if part.title == title)


@pytest.fixture
def before(tables_folder: Path, tmp_path: Path) -> Path:
    return _results(tmp_path / "a", tables_folder)


@pytest.fixture
def after(tables_folder: Path, tmp_path: Path) -> Path:
    """One mean, one verdict, one claim, one hash, a setting and the processor changed; one run is gone."""
    summary, claims = _table(tables_folder, "summary"), _table(tables_folder, "claims")
    runs, comparisons = _table(tables_folder, "runs"), _table(tables_folder, "comparisons")
    summary.loc[0, "mean"] += 0.25
    claims.loc[claims["claim"] == "C8", "verdict"] = HOSTILE
    comparisons.loc[0, "verdict"] = "different"
    runs.loc[3, "final_weights_sha256"] = "f" * 64
    runs["batch_size"] = 64
    provenance = _table(tables_folder, "provenance").assign(cpu="another")
    return _results(
        tmp_path / "b",
        tables_folder,
        summary=summary,
        claims=claims,
        runs=runs.iloc[:-1],
        comparisons=comparisons,
        provenance=provenance,
    )


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["report-diff", *map(str, arguments)])


def test_results_do_not_differ_from_themselves(before: Path) -> None:
    difference = compare_results(before, before)
    assert difference.same
    assert not any(part.changes for part in difference.parts)
    assert _run(before, before, "--exit-code").exit_code == 0


def test_changed_verdicts_means_hashes_settings_and_runs_are_each_named(before: Path, after: Path) -> None:
    difference = compare_results(before, after)
    assert not difference.same
    mean = _part(difference, "Mean scores")
    assert len(mean.changes) == 1
    assert "+0.250 points" in mean.changes[0].after
    assert [change.name for change in _part(difference, "Verdicts on the claims").changes] == ["C8"]
    comparison = _part(difference, "Verdicts on the comparisons").changes
    assert [(change.before, change.after) for change in comparison] == [("identical", "different")]
    weights = _part(difference, "Hashes of the final weights").changes
    assert [change.after for change in weights] == ["f" * 12]
    assert weights[0].name.endswith("seed 4")
    assert not _part(difference, "Hashes of the initial weights").changes
    assert [change.name for change in _part(difference, "Settings of the runs").changes] == ["batch size"]
    assert [(change.before, change.after) for change in _part(difference, "Runs").changes] == [("present", "absent")]
    assert [change.name for change in _part(difference, "Machine and versions").changes] == ["cpu"]


def test_another_machine_alone_is_no_difference_in_the_results(
    before: Path, tables_folder: Path, tmp_path: Path
) -> None:
    moved = _table(tables_folder, "provenance").assign(cpu="another")
    difference = compare_results(before, _results(tmp_path / "c", tables_folder, provenance=moved))
    assert difference.parts[0].changes
    assert difference.same


def test_the_command_prints_the_changes_and_signals_them_when_asked(before: Path, after: Path) -> None:
    result = _run(before, after)
    assert result.exit_code == 0
    assert "Verdicts on the comparisons: 1 of" in result.output
    assert "identical -> different" in result.output
    assert _run(before, after, "--exit-code").exit_code == 1


def test_a_table_that_only_one_has_is_said_and_not_compared(before: Path, after: Path) -> None:
    (after / "tables" / "suspects.csv").unlink()
    assert "suspects.csv is not in both" in as_text(compare_results(before, after))


def test_a_long_list_of_changes_is_cut_in_the_text_and_says_so(before: Path, after: Path) -> None:
    assert "... and 1 more" in as_text(compare_results(before, after), most=0)


def test_a_folder_without_results_is_refused_in_a_sentence(before: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no results"):
        compare_results(before, tmp_path / "nowhere")
    result = _run(before, tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "holds no results" in result.output


def test_the_comparison_is_a_page_with_every_string_escaped(before: Path, after: Path, tmp_path: Path) -> None:
    assert _run(before, after, "--html", tmp_path / "difference.html").exit_code == 0
    html = (tmp_path / "difference.html").read_text(encoding="utf-8")
    assert "Mean scores" in html
    assert HOSTILE not in html
    assert "&lt;script&gt;" in html


def test_the_changed_hash_of_a_dataset_is_named_once(before: Path, tables_folder: Path, tmp_path: Path) -> None:
    runs = _table(tables_folder, "runs").assign(dataset_sha256="f" * 64)
    part = _part(compare_results(before, _results(tmp_path / "c", tables_folder, runs=runs)), "Hashes of the data")
    assert part.sentence == "1 of 1 dataset changed."
    assert [change.name for change in part.changes] == ["digits"]
