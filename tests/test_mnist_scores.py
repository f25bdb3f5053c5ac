"""The real MNIST, through tensorflow-datasets and the engine, to the scores that these networks are known for."""

from pathlib import Path

import pytest

from twinbench.config import parse_configuration
from twinbench.planning.plan import make_plan
from twinbench.store.runs import RunStore
from twinbench.training.job import train_runs


@pytest.mark.parametrize(("architecture", "epochs", "least"), [("plain_cnn", 3, 98.5), ("mlp", 5, 97.0)])
def test_a_reference_learns_mnist(
    mnist_npz: Path, tmp_path: Path, architecture: str, epochs: int, least: float
) -> None:
    configuration = parse_configuration(
        {
            "datasets": ["mnist"],
            "architectures": [f"{architecture}/functional"],
            "suspects": [],
            "seeds": 1,
            "training": {"epochs": epochs, "batch_size": 128},
        }
    )
    (record,) = train_runs(make_plan(configuration).runs, configuration, mnist_npz, RunStore(tmp_path))
    assert record.outcome.status == "ok"
    assert record.outcome.test_examples == 10_000
    assert record.outcome.test_score >= least
