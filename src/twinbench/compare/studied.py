"""The process in which `compare --data` trains both sides as a study does: its runs, its store, its statistics.

Usage: `python -m twinbench.compare.studied REQUEST FILE`, as `twinbench.compare.trained` starts it. A run depends on
how TensorFlow was started, so that it is not trained in the process that compares. The answer goes into the file.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from twinbench.errors import TwinbenchError, benchmark_needed


def study(models: list[str], data: str, seeds: int, output: str, settings: list[str]) -> dict[str, Any]:
    """Return the scores of both sides by seed and the row of the table `comparisons`, training what the store lacks.

    Raises:
        TwinbenchError: A model, the dataset or a setting cannot be used, or a package of the benchmark is missing.
    """
    with benchmark_needed(), tempfile.TemporaryDirectory() as folder:
        from twinbench.analysis.intervals import binomial_se, observed_std
        from twinbench.analysis.tables import compare_records
        from twinbench.architectures.places import bring
        from twinbench.data import prepare
        from twinbench.planning.feasible import prepared_manifests
        from twinbench.planning.plan import make_plan
        from twinbench.planning.stages import dataset_key
        from twinbench.planning.study import study_configuration
        from twinbench.store.runs import RunStore
        from twinbench.training.job import train_runs
        from twinbench.training.output import write_records

        _, configuration = study_configuration(models, data=data, seeds=seeds, output=output, settings=settings)
        bring(configuration)
        (dataset,) = configuration.datasets
        key = dataset_key(dataset)
        if key in prepared_manifests(configuration):
            npz = Path(configuration.output) / "data" / f"{dataset.name}.npz"
        else:
            npz = Path(folder) / "data.npz"
            prepare(dataset, npz, npz.with_suffix(".json"), key=key)
        records = train_runs(
            make_plan(configuration).runs, configuration, npz, RunStore(Path(configuration.store_folder))
        )
        write_records(Path(folder) / "runs.parquet", records)
        _, runs, compared = compare_records(configuration, [Path(folder) / "runs.parquet"], [npz.with_suffix(".json")])
        scores = [runs.loc[runs["kind"] == kind, "test_score"] for kind in ("reference", "candidate")]
        tested = int(runs["test_examples"].dropna().max()) if runs["test_examples"].notna().any() else 0
        first = scores[0].dropna()
        return {
            "epochs": int(runs["epochs"].iloc[0]),
            "scores": [side.dropna().tolist() for side in scores],
            "between_seeds": [observed_std(side.dropna().to_numpy()) for side in scores],
            "tested": tested,
            "binomial_se": binomial_se(min(max(first.mean(), 0.1), 99.9), tested) if len(first) else None,
            "comparison": json.loads(compared.to_json(orient="records"))[0],
            "failures": sorted(set(runs.loc[runs["status"] == "failed", "reason"])),
        }


def main() -> int:
    """Answer one request; return the exit status."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        answer = study(**json.loads(sys.argv[1]))
    except TwinbenchError as error:
        answer = {"error": str(error)}
    Path(sys.argv[2]).write_text(json.dumps(answer), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
