import numpy as np
import pandas as pd
import pytest

from twinbench.analysis.claims import decide_claims
from twinbench.architectures.catalogue import architectures
from twinbench.config import Configuration


@pytest.fixture(scope="module")
def gradients(digits_npz) -> pd.DataFrame:
    from twinbench.measurement.gradients import measure_gradients

    configuration = Configuration.model_validate(
        {
            "datasets": ["digits"],
            "architectures": ["deep_residual_mlp", "mlp"],
            "seeds": [7],
            "measurements": {"gradient_depths": [1, 3]},
        }
    )
    return measure_gradients(configuration, digits_npz)


def norms(table: pd.DataFrame, variant: str, column: str = "gradient_norm") -> np.ndarray:
    return table[table["variant"] == variant].sort_values(["depth", "seed", "step", "layer_index"])[column].to_numpy()


def test_the_columns_are_the_documented_ones(gradients):
    from twinbench.measurement.columns import GRADIENTS

    assert list(gradients.columns) == GRADIENTS.names


def test_only_architectures_that_can_be_built_at_any_depth_are_measured(gradients):
    assert set(gradients["architecture"]) == {"deep_residual_mlp"}
    assert set(gradients["depth"]) == {1, 3}


def test_the_configured_seeds_come_first_and_are_filled_up(gradients):
    assert list(gradients["seed"].unique()) == [7, 1, 2, 3, 4]


def test_every_layer_is_there_in_the_order_of_its_depth(gradients):
    for depth, rows in gradients.groupby("depth"):
        # The first dense layer, one in each block, the normalisation and the head.
        assert sorted(rows["layer_index"].unique()) == list(range(depth + 3))
    last = gradients.loc[gradients.groupby(["variant", "depth"])["layer_index"].idxmax(), "layer"]
    assert last.str.contains("dense").all()


def test_a_twin_has_the_references_norms_at_every_step(gradients):
    twin, reference = norms(gradients, "sequential_composite"), norms(gradients, "functional")
    assert np.all(reference > 0)
    np.testing.assert_allclose(twin, reference, rtol=1e-4)


def test_without_the_skip_the_same_weights_give_other_gradients(gradients):
    lookalike, reference = norms(gradients, "sequential_no_skip"), norms(gradients, "functional")
    assert len(lookalike) == len(reference)
    assert not np.allclose(lookalike, reference, rtol=0.05)


def test_the_first_update_of_adam_is_the_learning_rate_for_each_weight(gradients):
    # Adam's first step is the rate times the gradient's sign, so its norm is the rate times the root of the size.
    first = gradients[(gradients["step"] == 0) & (gradients["layer_index"] == 1)]
    np.testing.assert_allclose(first["update_norm"], 0.002 * np.sqrt(64 * 64 + 64), rtol=0.05)


def test_seeds_give_different_initial_weights_and_so_different_norms(gradients):
    chosen = gradients[(gradients["variant"] == "functional") & (gradients["step"] == 0) & (gradients["depth"] == 3)]
    assert chosen[chosen["layer_index"] == 0]["gradient_norm"].nunique() == 5


def test_measuring_again_gives_the_same_numbers(gradients, digits_npz):
    from twinbench.measurement.gradients import measure_gradients

    configuration = Configuration.model_validate(
        {
            "architectures": ["deep_residual_mlp/functional"],
            "seeds": [7],
            "measurements": {"gradient_depths": [1]},
        }
    )
    again = measure_gradients(configuration, digits_npz)
    before = gradients[(gradients["variant"] == "functional") & (gradients["depth"] == 1)]
    np.testing.assert_array_equal(again["gradient_norm"], before["gradient_norm"])


def test_the_claim_reads_the_table_that_is_measured(gradients):
    claim = decide_claims({"gradients": gradients}).set_index("claim").loc["C5"]
    assert "deep_residual_mlp/sequential_composite equal in every layer" in claim["because"]
    assert claim["verdict"] == "refuted"


def test_which_architectures_take_blocks_is_read_from_their_builders():
    from twinbench.architectures.recipe import recipe_of
    from twinbench.measurement.gradients import takes_blocks

    having = {name for name, one in architectures().items() if takes_blocks(recipe_of(one.reference))}
    assert having == {"residual_cnn", "deep_residual_mlp"}


def test_nothing_to_measure_gives_an_empty_table(digits_npz):
    from twinbench.measurement.columns import GRADIENTS
    from twinbench.measurement.gradients import measure_gradients

    configuration = Configuration.model_validate({"architectures": ["mlp"], "suspects": []})
    table = measure_gradients(configuration, digits_npz)
    assert table.empty
    assert list(table.columns) == GRADIENTS.names
