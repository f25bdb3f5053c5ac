"""Of each layer that a builder makes, the line of the person's own is known."""

from twinbench.compare.imported import Places
from twinbench.compare.sides import both_sides

BUILDER = """
import keras
from keras import layers


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(
            3, activation="relu")

    def call(self, x):
        return self.dense(x)


def build():
    return keras.Sequential([
        keras.Input((4,)),
        layers.Bidirectional(layers.LSTM(2)) if False else layers.Dense(5, name="first"),
        Block(),
    ])
"""


def test_the_line_that_made_a_layer_is_known_also_within_a_block(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(BUILDER)
    side, other = both_sides(f"{path}:build", f"{path}:build", ("A", "B"), Places())
    model = side.first_model()
    lines = {layer.name: side.line_of(layer) for layer in (model.get_layer("first"), model.layers[-1].dense)}
    assert [line.words() for line in lines.values()] == ["own.py:19", "own.py:9"]
    assert [line.text for line in lines.values()][1] == "self.dense = layers.Dense("
    assert other.line_of(model.layers[0]) is None
