"""What the sides bring along (weights, global state, modules of their own), and what a comparison leaves behind."""

import random
import textwrap

import numpy as np
import pytest

import twinbench
from twinbench.errors import UsageError

HEAD = "import keras\nfrom keras import layers\n\n"


@pytest.fixture
def write(tmp_path):
    """Writes a file of the person's own, in a folder of its own where the name has one."""

    def write(name, code):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HEAD + textwrap.dedent(code))
        return str(path)

    return write


def network(width=5):
    import keras
    from keras import layers

    inputs = keras.Input((6,), name="x")
    hidden = layers.Dense(width, activation="relu", name="hidden")(inputs)
    hidden = layers.BatchNormalization(name="norm")(hidden)
    return keras.Model(inputs, layers.Dense(2, name="out")(hidden))


# -- stored weights ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("name", "verdict", "told"),
    [
        ("out/kernel", "other_weights", ("1 of 6 weight tensors differs", "same model, other weights")),
        ("norm/moving_variance", "other_state", ("1 of 2 states and tables differs", "same weights, other function")),
    ],
)
def test_two_files_of_one_model_with_another_tensor_are_told_apart(tmp_path, ending, name, verdict, told):
    model = network()
    model.save(tmp_path / f"a{ending}")
    variable = next(v for v in model.weights if v.path.endswith(name))
    variable.assign(np.asarray(variable) + 0.25)
    model.save(tmp_path / f"b{ending}")
    report = twinbench.compare(tmp_path / f"a{ending}", tmp_path / f"b{ending}")
    assert report.verdict == report.code == verdict
    assert report.exit_status == 1
    assert told[0] in report.sentence
    assert report.to_dict()["stored"]["relation"] == told[1]
    assert "0.25" in report.sentence
    assert name in report.sentence
    assert "seed noise" not in report.sentence
    assert report.to_dict()["stored"]["differ"] == 1
    with pytest.raises(AssertionError, match=name):
        twinbench.assert_same_model(tmp_path / f"a{ending}", tmp_path / f"b{ending}")


def test_two_files_of_one_model_with_the_same_weights_hold_the_same(tmp_path):
    model = network()
    model.save(tmp_path / "a.keras")
    model.save(tmp_path / "b.h5")
    report = twinbench.compare(tmp_path / "a.keras", tmp_path / "b.h5")
    assert report.verdict == "identical"
    assert "they hold the same weights" in report.sentence
    assert "seed" not in report.sentence


def test_a_file_against_its_builder_says_that_the_stored_weights_were_compared_with_nothing(tmp_path):
    network().save(tmp_path / "a.keras")
    report = twinbench.compare(tmp_path / "a.keras", network)
    assert report.exit_status == 0
    assert "compared with nothing" in report.sentence
    assert "seed noise" not in report.sentence


def test_live_models_with_other_weights_are_accepted_unless_the_same_weights_are_asked_for():
    a, b = network(), network()
    assert twinbench.compare(a, b).verdict == "other_weights"
    twinbench.assert_same_model(a, b)
    with pytest.raises(AssertionError):
        twinbench.assert_same_model(a, b, same_weights=True)
    b.set_weights(a.get_weights())
    twinbench.assert_same_model(a, b, same_weights=True)


def test_saved_weights_are_loaded_into_a_model_of_the_other_side(tmp_path):
    model = network()
    model.save_weights(tmp_path / "a.weights.h5")
    model.save(tmp_path / "a.keras")
    weights = tmp_path / "a.weights.h5"
    assert twinbench.compare(weights, tmp_path / "a.keras").verdict == "identical"
    network().save(tmp_path / "b.keras")
    assert twinbench.compare(tmp_path / "b.keras", weights).verdict == "other_weights"
    assert "compared with nothing" in twinbench.compare(network, weights).sentence
    for other, words in ((weights, "function"), (model, "function"), (lambda: model, "same model")):
        with pytest.raises(UsageError, match=words):
            twinbench.compare(weights, other)


def test_functions_that_load_other_weights_are_told_apart(tmp_path):
    network().save_weights(tmp_path / "a.weights.h5")
    network().save_weights(tmp_path / "b.weights.h5")

    def loading(name):
        def build():
            model = network()
            model.load_weights(tmp_path / name)
            return model

        return build

    assert twinbench.compare(loading("a.weights.h5"), loading("b.weights.h5")).verdict == "other_weights"
    report = twinbench.compare(loading("a.weights.h5"), loading("a.weights.h5"))
    assert report.verdict == "identical"
    assert "hold the same weights" in report.sentence


def test_weights_that_are_loaded_into_a_part_of_a_model_say_nothing_of_the_rest():
    import keras
    from keras import layers

    base = keras.Sequential([keras.Input((4,)), layers.Dense(5)])
    base.trainable = False

    def build():
        return keras.Sequential([keras.Input((4,)), base, layers.Dense(2)])

    before = base.get_weights()
    report = twinbench.compare(build, build)
    assert report.verdict == "identical"
    assert "both functions load or keep are the same" in report.sentence
    assert "they hold the same weights" not in report.sentence
    assert all(np.array_equal(x, y) for x, y in zip(before, base.get_weights(), strict=True))


def test_weights_of_exchanged_branches_are_the_same_weights():
    import keras
    from keras import layers

    def branches(first, second):
        x = keras.Input((4,))
        left, right = layers.Dense(3, name=first)(x), layers.Dense(3, name=second)(x)
        return keras.Model(x, layers.Dense(2, name="out")(layers.Add()([left, right])))

    a, b = branches("p", "q"), branches("q", "p")
    for name in ("p", "q", "out"):
        b.get_layer(name).set_weights(a.get_layer(name).get_weights())
    assert twinbench.compare(a, b).verdict in ("identical", "equivalent")
    b.get_layer("p").set_weights(a.get_layer("q").get_weights())
    assert twinbench.compare(a, b).verdict == "other_weights"


@pytest.mark.parametrize("saved", [True, False])
def test_another_vocabulary_is_told(tmp_path, saved):
    import keras
    from keras import layers

    def build(words):
        ids = keras.Input((3,), dtype="int64")
        lookup = layers.IntegerLookup()
        lookup.adapt(np.array(words))
        found = layers.Embedding(8, 4, embeddings_initializer="ones")(lookup(ids))
        model = keras.Model(ids, layers.Dense(2, kernel_initializer="ones")(layers.Flatten()(found)))
        if not saved:
            return model
        path = tmp_path / f"{'-'.join(map(str, words))}.keras"
        model.save(path)
        return path

    sides = [build([3, 3, 3, 4, 4, 5]), build([3, 5, 5, 5, 4, 4])]
    same = build([3, 3, 3, 4, 4, 5])
    if saved:
        assert twinbench.compare(*sides).verdict == "other_state"
        assert twinbench.compare(sides[0], same).exit_status == 0
    else:
        report = twinbench.compare(lambda: build([3, 3, 3, 4, 4, 5]), lambda: build([3, 5, 5, 5, 4, 4]))
        assert report.code == "preprocessing"
        assert "vocabulary" in report.causes[0].where


# -- global state, and modules of one name -----------------------------------------------------------------------------

PLAIN = """
def build():
    return keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="relu"), layers.Dense(2)])
"""


@pytest.mark.parametrize("at_import", [True, False])
@pytest.mark.parametrize("swapped", [True, False])
def test_a_precision_that_one_side_sets_is_told_and_does_not_reach_the_other(write, at_import, swapped):
    setting = "keras.config.set_dtype_policy('mixed_bfloat16')"
    code = f"{setting}\n{PLAIN}" if at_import else PLAIN.replace("    return", f"    {setting}\n    return")
    files = [f"{write('a.py', code)}:build", f"{write('b.py', PLAIN)}:build"]
    report = twinbench.compare(*(files[::-1] if swapped else files))
    (cause,) = report.causes
    assert (report.verdict, cause.code) == ("different", "precision")
    assert {cause.a, cause.b} == {"mixed_bfloat16", "float32"}
    assert "mixed_bfloat16" in cause.detail
    assert (cause.a == "float32") == swapped


def test_a_model_runs_under_what_its_own_builder_sets():
    import keras
    from keras import layers

    class Reading(layers.Layer):
        def call(self, x):
            return x * keras.config.epsilon()

    def build(epsilon, setting):
        if setting:
            keras.config.set_epsilon(epsilon)
        scaled = Reading() if setting else layers.Rescaling(epsilon)
        return keras.Sequential([keras.Input((6,)), layers.Dense(4), scaled, layers.Dense(2)])

    report = twinbench.compare(lambda: build(0.25, True), lambda: build(0.25, False))
    assert [cause.where for cause in report.causes] == ["global setting: epsilon"]
    assert report.rungs[5].outcome == "pass"
    assert keras.config.epsilon() == 1e-7


SETTINGS = {
    "keras.config.set_floatx('float64')": "float64",
    "keras.config.set_floatx('float16')": "float16",
    "keras.config.set_epsilon(1e-3)": "epsilon",
    "keras.config.set_image_data_format('channels_first')": "image_data_format",
    "keras.config.set_max_epochs(1)": "max_epochs",
    "tf.config.run_functions_eagerly(True)": "run_functions_eagerly",
    "tf.config.experimental.enable_tensor_float_32_execution(True)": "tensor_float_32",
    "os.environ['TF_ENABLE_ONEDNN_OPTS'] = '0'": "TF_ENABLE_ONEDNN_OPTS",
    "os.environ['KERAS_BACKEND'] = 'jax'": "jax",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_global_setting_of_one_side_is_told_and_gone_afterwards(write, setting):
    import keras

    from twinbench.compare.surroundings import GlobalState

    before = GlobalState.capture()
    code = f"import os, random\nimport numpy as np\nimport tensorflow as tf\n{setting}\nnp.random.seed(1)\n{PLAIN}"
    report = twinbench.compare(f"{write('a.py', code)}:build", f"{write('b.py', PLAIN)}:build")
    told = [f"{c.where} {c.a} {c.b}" for c in report.causes] + report.warnings + report.untested
    assert any(SETTINGS[setting] in words for words in told), told
    after = GlobalState.capture()
    for name in ("settings", "environment", "folder", "path", "arguments", "registered"):
        assert getattr(before, name) == getattr(after, name), name
    assert keras.config.floatx() == "float32"
    assert random.getstate() == before.draws[0]
    assert np.array_equal(np.random.get_state()[1], before.draws[1][1])  # noqa: NPY002 - what people's code seeds
    same = twinbench.compare(f"{write('a.py', code)}:build", f"{write('c.py', code)}:build")
    assert same.causes == []


def test_siblings_of_one_name_in_two_folders_are_not_shared(write):
    for folder, activation in (("a", "relu"), ("b", "tanh")):
        write(f"{folder}/parts.py", f"ACTIVATION = '{activation}'\n")
        write(f"{folder}/later.py", "WIDTH = 4\n")
        write(f"{folder}/package/inner.py", f"ACTIVATION = '{activation}'\n")
        code = """
        from parts import ACTIVATION


        def build():
            import later
            from package.inner import ACTIVATION as again

            hidden = layers.Dense(later.WIDTH, activation=ACTIVATION)
            return keras.Sequential([keras.Input((6,)), hidden, layers.Dense(3, activation=again), layers.Dense(2)])
        """
        path = write(f"{folder}/nets.py", code)
    other = path.replace("/b/", "/a/")
    report = twinbench.compare(f"{other}:build", f"{path}:build")
    assert [(cause.code, cause.a, cause.b) for cause in report.causes] == [("arch.activation", "relu", "tanh")] * 2
    assert twinbench.compare(f"{path}:build", f"{path}:build").verdict == "identical"


def test_one_file_for_both_sides_and_both_feeds_is_imported_once(write):
    path = write(
        "both.py",
        PLAIN
        + """
import numpy as np

DATA = np.random.default_rng().normal(size=(40, 6)).astype("float32"), np.arange(40) % 2


def feed():
    return DATA
""",
    )
    report = twinbench.compare(f"{path}:build", f"{path}:build", feed_a=f"{path}:feed", feed_b=f"{path}:feed")
    assert report.causes == []


# -- live models -------------------------------------------------------------------------------------------------------


def test_a_model_by_name_and_a_builder_that_keeps_its_model_are_live_models(write):
    path = write("live.py", """
        import functools

        model = keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="relu"), layers.Dense(2)])
        base = layers.Dense(4, activation="relu")


        def fixed():
            return model


        @functools.cache
        def cached():
            return keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="relu"), layers.Dense(2)])


        def reusing():
            return keras.Sequential([keras.Input((6,)), base, layers.Dense(2)])


        def build():
            return keras.Sequential([keras.Input((6,)), layers.Dense(4, activation="relu"), layers.Dense(2)])
        """)  # fmt: skip
    for name in ("model", "fixed", "cached", "reusing"):
        with pytest.raises(UsageError, match=f"{name}.*(live model|on each call)"):
            twinbench.compare(f"{path}:build", f"{path}:{name}", data="digits", seeds=2)
        assert twinbench.compare(f"{path}:{name}", f"{path}:{name}").verdict == "identical"
    assert twinbench.compare(f"{path}:model", f"{path}:cached").verdict == "other_weights"


def uncompiled():
    return network()


def compiled_never_trained():
    model = network()
    model.compile("adam", "mse")
    return model


def trained():
    import keras

    model = network()
    model.compile(keras.optimizers.Adam(0.01), keras.losses.MeanSquaredError(), metrics=[keras.metrics.R2Score()])
    model.fit(np.ones((8, 6)), np.arange(16.0).reshape(8, 2), verbose=0)
    return model


def frozen():
    model = trained()
    model.get_layer("hidden").trainable = False
    return model


def subclass():
    import keras
    from keras import layers

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(5, activation="relu")
            self.norm = layers.BatchNormalization()
            self.out = layers.Dense(2)
            self.calls = {"count": 0}
            self.seen = np.zeros(3)

        def call(self, x, training=False):
            self.calls["count"] += 1
            self.seen += 1
            return self.out(self.norm(self.hidden(x), training=training))

        def train_step(self, data):
            self.stepped = True
            return super().train_step(data)

    model = Own()
    model(np.zeros((1, 6)))
    model.compile("sgd", "mse")
    return model


def late():
    import keras
    from keras import layers

    return keras.Sequential([layers.Dense(5, activation="relu"), layers.BatchNormalization(), layers.Dense(2)])


def seeded():
    import keras
    from keras import layers

    model = keras.Sequential(
        [keras.Input((6,)), layers.GaussianNoise(0.1, seed=3), layers.Dropout(0.5), layers.Dense(2)]
    )
    model.compile("adam", "mse")
    model.fit(np.ones((8, 6)), np.ones((8, 2)), verbose=0)
    return model


def mixed():
    import keras
    from keras import layers

    policy = "mixed_float16"
    hidden = layers.Dense(4, dtype=policy)
    model = keras.Sequential([keras.Input((6,)), hidden, layers.Dense(2, dtype="float32")])
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()), "mse")
    model.fit(np.ones((8, 6)), np.ones((8, 2)), verbose=0)
    return model


def with_state():
    import keras
    from keras import layers

    class Counting(layers.Layer):
        def build(self, shape):
            self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.steps.assign_add(1.0)
            return x

    x = keras.Input((4, 3), batch_size=2)
    model = keras.Model(x, layers.Dense(1)(Counting()(layers.LSTM(3, stateful=True)(x))))
    model.compile("adam", "mse", metrics=["mae"], weighted_metrics=["mse"])
    model.evaluate(np.ones((4, 4, 3)), np.ones((4, 1)), batch_size=2, verbose=0)
    model.predict(np.ones((4, 4, 3)), batch_size=2, verbose=0)
    return model


def everything(model):
    """All that can be seen of a model, as text: attributes by identity, values bit for bit."""
    import keras

    seen = {}
    waiting = [("model", model)]
    while waiting:
        name, thing = waiting.pop()
        if isinstance(thing, keras.Variable):
            value = "none" if thing._value is None else np.asarray(keras.ops.convert_to_numpy(thing)).tobytes().hex()
            seen[name] = f"{id(thing)} {value} {thing.trainable}"
        elif isinstance(thing, np.ndarray):
            seen[name] = thing.tobytes().hex()
        elif isinstance(thing, list | tuple | dict | set):
            items = dict(thing) if isinstance(thing, dict) else dict(enumerate(thing))
            seen[name] = f"{type(thing).__name__} {[f'{k}: {id(v)}' for k, v in items.items()]}"
            waiting += [(f"{name}[{k}]", v) for k, v in items.items() if name.count("[") + name.count(".") < 7]
        elif type(thing).__module__.startswith(("keras.", __name__)) and hasattr(thing, "__dict__"):
            if f"{id(thing)}" in seen:
                continue
            seen[f"{id(thing)}"] = name
            waiting += [(f"{name}.{k}", v) for k, v in vars(thing).items()]
            seen[name] = f"{type(thing).__name__} {[f'{k}: {id(v)}' for k, v in vars(thing).items()]}"
        elif isinstance(thing, bool | int | float | str | None):
            seen[name] = repr(thing)
    return seen


LIVE = (uncompiled, compiled_never_trained, trained, frozen, subclass, late, seeded, mixed, with_state)


@pytest.mark.parametrize("build", LIVE, ids=lambda build: build.__name__)
def test_a_comparison_leaves_a_live_model_as_it_was(build):
    from twinbench.compare.surroundings import GlobalState

    model, other = build(), build()
    options = {"input_shape": (6,)} if build is late else {}
    feed = (np.ones((8, 4, 3), "float32"), np.ones((8, 1))) if build is with_state else (
        np.random.default_rng(0).normal(size=(8, 6)).astype("float32"), np.ones((8, 2)))  # fmt: skip
    before, state = [everything(one) for one in (model, other)], GlobalState.capture()
    report = twinbench.compare(model, other, feed_a=feed, feed_b=feed, **options)
    after, now = [everything(one) for one in (model, other)], GlobalState.capture()
    assert report.causes == [], report.causes
    assert report.rungs[5].outcome == "pass", report.rungs
    for x, y in zip(before, after, strict=True):
        assert {k: (v, y.get(k)) for k, v in x.items() if y.get(k) != v} == {}
        assert set(x) == set(y)
    for name in ("settings", "keras", "environment", "folder", "path"):
        assert getattr(state, name) == getattr(now, name), name
    assert state.draws[0] == now.draws[0]
    if getattr(model, "compiled", False) and build is not with_state:
        model.fit(np.ones((8, 6)), np.ones((8, 2)), verbose=0)  # its functions are still good


def test_a_live_model_is_put_back_even_where_the_comparison_raises():
    model = trained()
    before = everything(model)

    def broken(stage):
        if "step of training" in stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        twinbench.compare(model, network, progress=broken)
    assert everything(model) == before


# -- what a side may be ------------------------------------------------------------------------------------------------


def test_models_of_text_are_probed_with_words_of_their_own():
    import keras
    from keras import layers

    def build(activation):
        texts = keras.Input((1,), dtype="string")
        vectors = layers.TextVectorization(output_sequence_length=6)
        vectors.adapt(np.array(["one two three", "four one"]))
        hidden = layers.Flatten()(layers.Embedding(9, 4)(vectors(texts)))
        return keras.Model(texts, layers.Dense(3, activation=activation)(hidden))

    assert twinbench.compare(lambda: build("relu"), lambda: build("relu")).rungs[6].outcome == "pass"
    assert twinbench.compare(lambda: build("relu"), lambda: build("tanh")).code == "arch.activation"


def test_what_the_tool_cannot_make_up_is_not_put_on_the_model():
    import keras
    import tensorflow as tf

    class Parsing(keras.layers.Layer):
        def call(self, x):
            return tf.strings.to_number(x)

    def build():
        texts = keras.Input((1,), dtype="string")
        return keras.Model(texts, keras.layers.Dense(2)(Parsing(dtype="float32")(texts)))

    report = twinbench.compare(build, build)
    assert report.verdict == "cannot_tell"
    assert "made up" in report.sentence
    assert "--feed-a" in report.sentence
    feed = (np.array([["1"], ["2"]] * 4, dtype=object), np.zeros((8, 2)))
    assert twinbench.compare(build, build, feed_a=feed, feed_b=feed).verdict == "identical"


def test_a_model_of_keras_2_is_named_as_such():
    from tensorflow.python.keras import Sequential

    for side in (Sequential, Sequential()):
        with pytest.raises(UsageError, match="Keras 2"):
            twinbench.compare(side, network)
