"""The smallest whole benchmark, from data to report."""

import re
import shutil
import zipfile
from pathlib import Path

import pandas as pd
from tests.workflow.conftest import ROOT, run_snakemake

SMOKE = ("--cores", "2", "--configfile", str(ROOT / "config" / "smoke.yaml"))


def _jobs(output: str) -> dict[str, int]:
    """The counts of Snakemake's table of jobs."""
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", output, flags=re.MULTILINE)}


def test_a_smoke_run_records_every_run_once(smoke: Path) -> None:
    runs = pd.read_csv(smoke / "results/smoke/tables/runs.csv")
    assert len(runs) == 24
    assert not runs.duplicated(["dataset", "architecture", "variant", "seed"]).any()
    assert (runs["status"] == "ok").all()


def test_twins_end_with_the_weights_of_their_reference(smoke: Path) -> None:
    runs = pd.read_csv(smoke / "results/smoke/tables/runs.csv").set_index(["architecture", "variant", "seed"])
    final = runs["final_weights_sha256"]
    for architecture in ("mlp", "plain_cnn"):
        for seed in (1, 2):
            reference = final[architecture, "functional", seed]
            for twin in ("sequential", "sequential_deferred", "subclass"):
                assert final[architecture, twin, seed] == reference
            assert final[architecture, "functional_reordered", seed] != reference


def test_the_published_examples_fail_where_they_were_found_to_fail(smoke: Path) -> None:
    ladder = pd.read_csv(smoke / "results/smoke/tables/ladder.csv")
    published = ladder[(ladder["architecture"] == "published_autoencoder") & (ladder["outcome"] == "fail")]
    assert published.set_index("variant")["rung"].to_dict() == {"sequential_c3a": 2, "functional_c3b": 1}


def test_every_promised_file_is_there_and_not_empty(smoke: Path) -> None:
    listed = run_snakemake(smoke, "--summary", *SMOKE).stdout
    files = [line.split("\t")[0] for line in listed.splitlines() if line.startswith("results/")]
    assert len(files) > 40
    assert [name for name in files if (smoke / name).stat().st_size == 0] == []


def test_running_again_does_nothing(smoke: Path) -> None:
    again = run_snakemake(smoke, *SMOKE)
    assert again.returncode == 0, again.stdout
    assert "Nothing to be done" in again.stdout


def _without_data(results: Path) -> None:
    shutil.rmtree(results / "figures")
    for image_file in (results / "data").glob("*.npz"):
        image_file.unlink()


def test_deleted_figures_come_back_without_data_and_training(smoke: Path, tmp_path: Path) -> None:
    shutil.copytree(smoke, tmp_path / "moved")
    _without_data(tmp_path / "moved/results/smoke")
    profile = ("--workflow-profile", str(ROOT / "workflow" / "profiles" / "default"))
    drawn = run_snakemake(tmp_path / "moved", "figures", *SMOKE, *profile)
    assert drawn.returncode == 0, drawn.stdout
    assert set(_jobs(drawn.stdout)) == {"draw", "figures", "total"}
    assert "(100%) done" in drawn.stdout  # without a terminal, a line for each job and no bars
    assert (tmp_path / "moved/results/smoke/figures/accuracy-digits.svg").is_file()


def test_a_figure_that_is_asked_for_is_drawn_alone_with_the_bytes_that_it_has_among_all(
    smoke: Path, tmp_path: Path
) -> None:
    shutil.copytree(smoke, tmp_path / "moved")
    figures = tmp_path / "moved/results/smoke/figures"
    _without_data(tmp_path / "moved/results/smoke")
    one = "results/smoke/figures/accuracy-digits.svg"
    drawn = run_snakemake(tmp_path / "moved", one, *SMOKE)
    assert drawn.returncode == 0, drawn.stdout
    assert set(_jobs(drawn.stdout)) == {"draw_one", "total"}
    assert {path.stem for path in figures.iterdir()} == {"accuracy-digits"}
    rest = run_snakemake(tmp_path / "moved", "figures", *SMOKE)
    assert set(_jobs(rest.stdout)) == {"draw", "figures", "total"}
    drawn_at_first = smoke / "results/smoke/figures"
    assert sorted(path.name for path in figures.iterdir()) == sorted(path.name for path in drawn_at_first.iterdir())
    for path in figures.iterdir():
        assert path.read_bytes() == (drawn_at_first / path.name).read_bytes()
    assert "Nothing to be done" in run_snakemake(tmp_path / "moved", one, *SMOKE).stdout


def test_results_without_the_notes_of_how_they_were_made_are_made_again_and_nothing_is_trained(
    smoke: Path, tmp_path: Path
) -> None:
    shutil.copytree(smoke / "results", tmp_path / "results")
    _without_data(tmp_path / "results/smoke")
    store = tmp_path / "results/smoke/store"
    before = {path: path.read_bytes() for path in store.rglob("*.json")}
    again = run_snakemake(tmp_path, "figures", *SMOKE)
    assert again.returncode == 0, again.stdout
    assert "is made again, with the finished runs from the store" in again.stdout.replace("\n", " ")
    assert {path: path.read_bytes() for path in store.rglob("*.json")} == before
    for table in ("runs", "comparisons", "ladder"):
        file = f"results/smoke/tables/{table}.csv"
        assert (tmp_path / file).read_bytes() == (smoke / file).read_bytes()
    assert (tmp_path / "results/smoke/figures/accuracy-digits.svg").is_file()


def test_another_job_size_finds_every_run_in_the_store(smoke: Path, tmp_path: Path) -> None:
    store = smoke / "results/smoke/store"
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*.json")}
    finished = run_snakemake(
        tmp_path, "tables", *SMOKE, "--config", f"store={store}", "output=other", 'training={"job_size":3}'
    )
    assert finished.returncode == 0, finished.stdout
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*.json")} == before
    ours, theirs = (folder / "tables/runs.csv" for folder in (smoke / "results/smoke", tmp_path / "other"))
    assert theirs.read_bytes() == ours.read_bytes()


def test_snakemakes_own_report_holds_every_figure_and_table_with_its_caption(smoke: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.zip"
    finished = run_snakemake(smoke, *SMOKE, "--report", str(path))
    assert finished.returncode == 0, finished.stdout
    with zipfile.ZipFile(path) as archive:
        text = "".join(
            archive.read(name).decode(errors="replace")
            for name in archive.namelist()
            if name.endswith((".js", ".html"))
        )
    assert "Twins should pass every test" in text
    assert "It isn't the API" in text  # the description that it opens on
    # Snakemake sorts the categories by their names.
    assert all(name in text for name in ('"01 The page"', '"02 What costs points"', '"03 Are the models'))
    assert "Mean test score of each variant over its seeds" in text
