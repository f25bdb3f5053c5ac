"""`twinbench plan` and the estimates that jobs ask for."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from twinbench.cli import main
from twinbench.config import Configuration, parse_configuration
from twinbench.data.manifest import read_manifest
from twinbench.planning.estimate import Estimator
from twinbench.planning.forecast import make_forecast
from twinbench.planning.keys import identify
from twinbench.planning.plan import make_plan
from twinbench.store.record import Cost, Outcome, Record
from twinbench.store.runs import RunStore


@pytest.fixture
def folder(tmp_path: Path, digits_npz: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder in which the digits are prepared."""
    (tmp_path / "results/data").mkdir(parents=True)
    (tmp_path / "results/data/digits.json").write_bytes(digits_npz.with_suffix(".json").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(**keys: Any) -> Configuration:
    return parse_configuration({"architectures": ["mlp", "plain_cnn"], "suspects": [], "seeds": 2, **keys})


def record_all(configuration: Configuration, architecture: str, seconds: float) -> None:
    """Put a record of every run of an architecture into the store, each of which took that long."""
    store = RunStore(Path(configuration.store_folder))
    for run in make_plan(configuration).runs:
        if run.architecture != architecture:
            continue
        manifest = read_manifest(Path(configuration.output) / "data" / f"{run.dataset}.json")
        identity = identify(run.definition, run.seed, configuration.training, manifest, "cpu")
        outcome = Outcome(
            dataset=run.dataset, architecture=architecture, variant=run.variant, kind="twin", seed=run.seed,
            status="ok", reason="", task="classify", score_name="accuracy", optimizer="adam", learning_rate=0.002,
            batch_size=32,
            epochs=15, loss="", precision="float32", determinism="strict", threads=1,
            init="own", vary="init", train_examples=1293, validation_examples=144, test_examples=360,
            dataset_sha256=manifest.sha256,
        )  # fmt: skip
        cost = Cost("cpu", seconds, seconds, 1.0, 3000.0)
        store.add(Record(identity.key, identity.content, outcome, (), cost, {}, None))


def test_a_forecast_counts_what_is_planned_and_what_is_recorded(folder: Path) -> None:
    configuration = configured()
    record_all(configuration, "mlp", 2.0)
    forecast = make_forecast(configuration, cores=2)
    rows = {row.group: row for row in forecast.rows}
    assert (rows["mlp"].runs, rows["mlp"].recorded, rows["mlp"].jobs, rows["mlp"].hours) == (10, 10, 0, 0)
    assert (rows["plain_cnn"].recorded, rows["plain_cnn"].jobs) == (0, 1)
    assert rows["plain_cnn"].hours > 0
    assert forecast.measured == 10
    assert forecast.unprepared == ()


def test_an_estimate_is_of_the_epochs_and_batches_of_the_recipe(folder: Path) -> None:
    by_recipe, explicit, fewer = (
        make_forecast(configured(architectures=["mnist_mlp"], training=training), cores=1)
        for training in ({}, {"epochs": 20, "batch_size": 128}, {"epochs": 10})
    )
    assert (by_recipe.wall_hours, by_recipe.disk_mb) == (explicit.wall_hours, explicit.disk_mb)
    assert by_recipe.wall_hours > fewer.wall_hours
    assert by_recipe.disk_mb > fewer.disk_mb


def test_other_settings_find_nothing_recorded(folder: Path) -> None:
    record_all(configured(), "mlp", 2.0)
    forecast = make_forecast(configured(training={"epochs": 7}), cores=2)
    assert sum(row.recorded for row in forecast.rows) == 0


def test_an_estimate_follows_what_recorded_runs_took(folder: Path) -> None:
    configuration = configured()
    (run,) = [run for run in make_plan(configuration).runs if run.variant == "subclass" and run.architecture == "mlp"][
        :1
    ]
    other = next(run for run in make_plan(configuration).runs if run.architecture == "plain_cnn")
    before = Estimator(configuration).run_seconds(other)
    record_all(configuration, "mlp", 50.0)
    assert Estimator(configuration).run_seconds(run) == pytest.approx(50.0, rel=0.1)
    # A machine that takes longer for one architecture is taken to be slow for the others too.
    assert Estimator(configuration).run_seconds(other) > 3 * before
    job = make_plan(configuration).job("digits", "mlp")
    assert Estimator(configuration).job(job).memory_mb == 3000.0


def test_more_cores_take_less_time_down_to_the_longest_job(folder: Path) -> None:
    configuration = configured(training={"job_size": "variant"})
    one, two, many = (make_forecast(configuration, cores).wall_hours for cores in (1, 2, 1000))
    assert one > 1.5 * two
    plan, estimator = make_plan(configuration), Estimator(configuration)
    assert many == pytest.approx(max(estimator.job(job).seconds for job in plan.jobs) / 3600)


def test_an_unprepared_dataset_of_unknown_size_is_said_to_be_a_guess(folder: Path) -> None:
    forecast = make_forecast(configured(datasets=["digits", "mine.npz", "mnist"]), cores=2)
    assert forecast.guessed == ("mine",)
    assert forecast.unprepared == ("mine", "mnist")


def test_the_command_prints_the_table_and_the_sums(folder: Path) -> None:
    (folder / "small.yaml").write_text("architectures: [mlp]\nsuspects: []\nseeds: 2\n")
    printed = CliRunner().invoke(main, ["plan", "--configfile", "small.yaml", "--cores", "2"])
    assert printed.exit_code == 0
    assert "1 job of 1 core each" in printed.output.replace("\n", " ")
    assert "mlp" in printed.output


def test_the_command_tells_a_missing_configuration_in_a_sentence(folder: Path) -> None:
    printed = CliRunner().invoke(main, ["plan", "--configfile", "none.yaml"])
    assert printed.exit_code == 2
    assert "The configuration none.yaml cannot be read" in printed.output
