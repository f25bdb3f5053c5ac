"""Whatever an own layer does with tensors, its model is traced, or is said not to be."""

import keras
import pytest
from keras import layers, ops

from twinbench.sameness.signature import signature_from_shapes
from twinbench.sameness.subjects import subject


class Own(layers.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.seed = keras.random.SeedGenerator(1)

    def build(self, shape):
        self.kernel = self.add_weight(shape=(4, 4), name="kernel")
        self.built = True

    def call(self, x):
        return self.function(self, x)


def sampled(layer, x):
    mean, spread = ops.split(ops.matmul(x, layer.kernel), 2, axis=-1)
    return mean + ops.exp(spread) * keras.random.normal(ops.shape(mean), seed=layer.seed)


OPERATIONS = {
    "split": lambda layer, x: ops.concatenate(ops.split(x, 2, axis=-1)[::-1], axis=-1),
    "unstack": lambda layer, x: ops.add(*ops.unstack(ops.reshape(x, (-1, 2, 2)), axis=1)),
    "top_k": lambda layer, x: ops.top_k(x, 3)[0] + ops.cast(ops.top_k(x, 3)[1], "float32"),
    "meshgrid": lambda layer, x: x + ops.sum(ops.meshgrid(ops.arange(4.0), ops.arange(4.0))[1], 0),
    "while": lambda layer, x: ops.while_loop(
        lambda k, y: k < 2, lambda k, y: (k + 1, ops.matmul(y, layer.kernel)), (0, x)
    )[1],
    "cond": lambda layer, x: ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: ops.matmul(x, layer.kernel)),
    "scan": lambda layer, x: ops.scan(lambda s, v: (s + v, s + v), ops.zeros_like(x[0]), x)[1],
    "map": lambda layer, x: ops.map(lambda row: row * 2, x),
    "random": sampled,
    "dropout": lambda layer, x: keras.random.dropout(x, 0.3, seed=layer.seed),
}


def model_of(function):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.own = Own(function)

        def call(self, x):
            return self.own(x)

    return Model()


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_own_layer_with_any_operation_is_traced(name):
    traced = subject(model_of(OPERATIONS[name]), signature_from_shapes([(4,)]))
    assert traced.untraced == ""
    assert traced.graph.outputs[0][0] not in traced.graph.inputs
    assert not any("seed_generator" in variable.path for variable in traced.graph.variables())


def test_python_that_branches_on_values_is_said_to_be_untraced():
    branching = subject(model_of(lambda layer, x: x * 2 if float(ops.sum(x)) > 0 else x), signature_from_shapes([(4,)]))
    assert branching.graph is None
    assert branching.untraced


def test_loops_with_other_bodies_are_other_operations():
    graphs = []
    for factor in (2.0, 3.0):
        body = lambda layer, x, f=factor: ops.while_loop(lambda k, y: k < 2, lambda k, y: (k + 1, y * f), (0, x))[1]  # noqa: E731
        graphs.append(subject(model_of(body), signature_from_shapes([(4,)])).graph)
    assert graphs[0].nodes[-1].settings != graphs[1].nodes[-1].settings
