import pandas as pd
import pytest

from twinbench.config import Configuration
from twinbench.measurement.columns import DETERMINISM_REPETITIONS


@pytest.fixture(scope="module")
def measured(digits_npz) -> pd.DataFrame:
    from twinbench.measurement.determinism import measure_determinism

    configuration = Configuration.model_validate(
        {"architectures": ["mlp", "plain_cnn/functional"], "measurements": {"cost_repeats": 3}}
    )
    return measure_determinism(configuration, digits_npz)


def test_each_reference_is_timed_with_and_without_deterministic_operations(measured):
    assert list(measured.columns) == DETERMINISM_REPETITIONS.names
    counts = measured.groupby(["architecture", "quantity"])["repetition"].nunique()
    assert counts.to_dict() == {(a, q): 3 for a in ("mlp", "plain_cnn") for q in ("strict_ms", "seeded_ms")}
    assert measured["value"].gt(0).all()


def test_the_configured_level_is_left_behind(digits_npz):
    from tensorflow.python.framework.config import is_op_determinism_enabled

    from twinbench.measurement.determinism import measure_determinism

    settings = {"architectures": ["mlp/functional"], "suspects": [], "measurements": {"cost_repeats": 3}}
    for level, deterministic in (
        ("seeded", False),
        ("strict", True),
    ):  # strict last: other tests of this process want it
        training = {"training": {"determinism": level}}
        measure_determinism(Configuration.model_validate(settings | training), digits_npz)
        assert is_op_determinism_enabled() is deterministic


def test_each_step_runs_at_its_own_level(digits_npz):
    from tensorflow.python.framework.config import is_op_determinism_enabled

    from twinbench.architectures import architectures
    from twinbench.data import load
    from twinbench.measurement.determinism import step_at
    from twinbench.measurement.steps import batch_of

    data = load(digits_npz)
    batch = batch_of(data, 8)
    reference = architectures()["mlp"].reference
    steps = {level: step_at(level, reference, batch, data) for level in ("seeded", "strict")}
    for level, step in steps.items():
        step(*batch)
        assert is_op_determinism_enabled() is (level == "strict")
