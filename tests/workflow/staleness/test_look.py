"""The law of `law` for what decides how many seeds there are: a look is taken again after what it rests on changed."""

from collections.abc import Iterator

import pytest
from tests.workflow.staleness.law import Change, Law, edited, rules_run, setting

pytestmark = pytest.mark.timeout(1800)

SETTLE = {"architectures": ["plain_cnn/sequential_wide"], "suspects": [], "seeds": {"first": 2, "most": 4}}
CHANGES = [
    setting("statistics.equivalence_margin", 0.9, "look"),
    setting("statistics.confidence", 0.9, "look"),
    setting("seeds", {"first": 2, "most": 8}, "look"),
    edited("analysis/settling.py", "weights = [1.0,", "weights = [1.5,", "look"),
    edited("analysis/comparisons.py", "\n\n\n", "\n\n\nTWO = 2\n\n\n", "look"),
    Change("scipy 99.0", lambda law: law.with_version("scipy", "99.0"), "look"),
    setting("training.epochs", 2, "train look"),
    Change("other images", lambda law: law.images(seed=1), "data train look"),
]
HARMLESS = [
    setting("training.checkpoint_every", 3, ""),
    setting("measurements.ladder_steps", 2, ""),
    setting("figures.palette", "muted", ""),
    edited("analysis/settling.py", '"""', '"""Once more: ', ""),
    edited("planning/estimate.py", "\nimport", "\nimport colorsys\nimport", ""),
]


@pytest.fixture(scope="module")
def law(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Law]:
    """A folder in which a comparison was settled, or looked at to the last."""
    law = Law(tmp_path_factory.mktemp("looks"))
    law.configure(**SETTLE)
    law._undo.clear()
    law.snakemake("runs")
    assert (law.used / "results/looks/images/1.json").is_file()
    yield law
    law.close()


@pytest.mark.parametrize("change", [*CHANGES, *HARMLESS], ids=lambda change: change.name)
def test_a_look_is_taken_again_after_what_it_rests_on_changed_and_after_nothing_else(change: Change, law: Law) -> None:
    change.apply(law)
    try:
        output = law.snakemake("--dry-run", "runs")
    finally:
        law.undo()
    assert rules_run(output) == set(change.reruns.split()), output[-3000:]
