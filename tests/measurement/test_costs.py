import pandas as pd
import pytest

from twinbench.analysis.claims import decide_claims
from twinbench.analysis.costs import api_costs
from twinbench.config import Configuration
from twinbench.measurement.columns import COUNTS, QUANTITIES


@pytest.fixture(scope="module")
def costs(digits_npz) -> pd.DataFrame:
    from twinbench.measurement.costs import measure_costs

    configuration = Configuration.model_validate(
        {"architectures": ["mlp", "shared_views/functional_unshared"], "measurements": {"cost_repeats": 3}}
    )
    return api_costs(measure_costs(configuration, digits_npz), confidence=0.95)


def test_each_twin_and_its_reference_have_a_row_for_each_quantity(costs):
    assert set(costs["variant"]) == {"functional", "sequential", "sequential_deferred", "subclass"}
    assert set(costs["architecture"]) == {"mlp"}
    assert costs.groupby("variant")["quantity"].nunique().eq(len(QUANTITIES)).all()


def test_lookalikes_have_no_rows(costs):
    assert set(costs["kind"]) == {"reference", "twin"}


def test_the_operations_of_a_step_are_those_of_its_matrix_products(costs):
    flops = costs[costs["quantity"] == "flops"].set_index("variant")["mean"]
    # Forward: 64x128 and 128x10, two operations a multiplication, 32 images; backward: both again for the weights,
    # and the second for its input. The rest (biases, activation, loss) is a few operations an image and unit.
    products = 2 * 32 * (64 * 128 + 128 * 10) + 2 * 32 * (64 * 128 + 128 * 10) + 2 * 32 * 128 * 10
    assert products < flops["functional"] < 1.1 * products
    assert set(flops) == {flops["functional"]}


def test_equal_graphs_are_told_apart_in_no_count(costs):
    rows = costs[costs["quantity"].isin(COUNTS) & (costs["kind"] == "twin")]
    assert set(rows["quantity"]) == set(COUNTS)
    assert rows["verdict"].eq("none").all()
    assert rows["difference_percent"].eq(0).all()


def test_a_step_that_does_more_has_larger_counts():
    import tensorflow as tf

    from twinbench.measurement.counting import count_step

    @tf.function
    def once(x):
        return x @ x

    @tf.function
    def twice_and_a_detour(x):
        detour = tf.identity(tf.exp(x)) + 1.0  # 2 operations and 2 tensors more, held beside the first product
        return x @ x + detour

    x = tf.ones((256, 256))
    first, second = (count_step(function.get_concrete_function(x).graph) for function in (once, twice_and_a_detour))
    assert (first["operations"], second["operations"]) == (1, 4)
    assert (first["tensor_mb"], second["tensor_mb"]) == (0.25, 1.0)
    assert (first["peak_tensor_mb"], second["peak_tensor_mb"]) == (0.25, 0.75)


def test_what_no_result_depends_on_is_not_counted_and_unknown_shapes_give_no_size():
    import tensorflow as tf

    from twinbench.measurement.counting import count_step

    @tf.function
    def idle(x):
        tf.exp(x)
        return tf.unique(x)[0] * 2.0

    counts = count_step(idle.get_concrete_function(tf.ones(8)).graph)
    assert counts["operations"] == 2
    assert set(counts) == {"operations", "flops"}


def test_every_repetition_is_a_build_of_its_own(costs):
    times = costs[~costs["quantity"].isin(COUNTS)]
    assert times["n"].eq(3).all()


def test_times_are_positive_and_repeated_as_configured(costs):
    steps = costs[costs["quantity"] == "step_ms"]
    assert steps["n"].eq(3).all()
    assert steps["mean"].gt(0).all()
    assert costs[costs["quantity"] == "build_s"]["mean"].gt(0).all()


def test_the_claim_reads_the_table_that_is_measured(costs):
    because = decide_claims({"api_costs": costs}).set_index("claim").loc["C7", "because"]
    assert "floating-point operations equal in all 2 twins" in because


def test_nothing_to_compare_gives_an_empty_table(digits_npz):
    from twinbench.measurement.costs import measure_costs

    configuration = Configuration.model_validate({"architectures": ["mlp/functional"], "suspects": []})
    assert measure_costs(configuration, digits_npz).empty
