"""Tables, figures and page from what is finished, while the rest still trains."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twinbench.analysis.files import write_tables
from twinbench.analysis.frozen import frozen_runs
from twinbench.analysis.tables import make_tables
from twinbench.config import Configuration
from twinbench.errors import UsageError
from twinbench.planning.forecast import known_manifests, recorded_runs
from twinbench.planning.plan import Plan, Run, make_plan
from twinbench.report.figures import draw_all
from twinbench.report.page import build_page
from twinbench.training.job import named
from twinbench.training.output import write_records

_MEASURED = {
    "ladder": "ladder/{}.csv",
    "gradients": "measurements/{}/gradients.csv",
    "costs of the APIs": "measurements/{}/api_costs.csv",
    "costs of determinism": "measurements/{}/determinism_costs.csv",
}
_MOST = 6


@dataclass(frozen=True)
class SoFar:
    """What was made: the page, and a sentence or two on what it lacks (empty where it lacks nothing)."""

    page: Path
    lacking: str


def report_so_far(configuration: Configuration, output: Path) -> SoFar:
    """Make tables, figures and page of the finished runs in a folder of their own.

    Raises:
        UsageError: no run of the plan is finished.
    """
    plan = make_plan(configuration)
    manifests = known_manifests(configuration)
    records = {run: named(record, run) for run, record in recorded_runs(configuration, plan, manifests)}
    unprepared = "".join(
        f" {dataset.name} is not prepared, or to be prepared anew: none of its runs counts as finished."
        for dataset in configuration.datasets
        if dataset.name not in manifests
    )
    if not records:
        raise UsageError(
            f"No run of this configuration is finished in {configuration.store_folder}: start it with snakemake, and "
            f"ask again when the first runs are done.{unprepared}"
        )
    output.mkdir(parents=True, exist_ok=True)
    trained = output / "runs.parquet"
    write_records(trained, list(records.values()))
    results = Path(configuration.output)
    datasets = {run.dataset for run in records}
    paths = {
        what: [path for name in datasets if (path := results / place.format(name)).is_file()]
        for what, place in _MEASURED.items()
    }
    ladders, gradients, costs, determinism = paths.values()
    tables = make_tables(
        configuration,
        record_files=[trained],
        manifest_files=[results / "data" / f"{name}.json" for name in datasets],
        ladder_files=ladders,
        gradient_files=gradients,
        cost_files=costs,
        determinism_files=determinism,
        complete=False,
    )
    write_tables(tables, output / "tables")
    draw_all(output / "tables", output / "figures", configuration.figures)
    unmeasured = [what for what, files in paths.items() if len(files) < len(configuration.datasets)]
    missing = [run for run in plan.runs if run not in records]
    frozen = frozen_runs(plan, missing, tables["comparisons"]) if configuration.looks else set()
    lacking = _lacking(plan, len(records), [run for run in missing if run not in frozen], unmeasured) + unprepared
    page = build_page(
        output / "tables", output / "report.html", configuration.figures, output / "figures", lacking=lacking
    )
    return SoFar(page, lacking)


def _lacking(plan: Plan, finished: int, missing: Sequence[Run], unmeasured: list[str]) -> str:
    """Return what is missing, in a sentence or two; empty where nothing is."""
    open_runs = Counter(f"{run.architecture} on {run.dataset}" for run in missing)
    sentences = []
    if open_runs:
        places = [f"{place} ({count})" for place, count in open_runs.most_common(_MOST)]
        rest = len(open_runs) - len(places)
        most = "at most " if plan.jobs[0].look else ""
        sentences.append(
            f"{finished:,} of {most}{finished + len(missing):,} runs are finished, and all that follows rests on "
            f"these. Still to train: {', '.join(places)}{f' and {rest} more' if rest > 0 else ''}."
        )
    if unmeasured:
        sentences.append(f"Not measured everywhere yet: {', '.join(unmeasured)}.")
    return " ".join(sentences)
