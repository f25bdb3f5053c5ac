"""The contestants of the speed benchmark: one process each, which trains an epoch whenever it is told to.

`python -m benchmarks.contestants NAME NETWORK DATA EXAMPLES` prepares and warms up, prints `ready`, and then, for each
line it reads, trains on EXAMPLES images once and prints the wall and the processor seconds that it took. It ends with
status 3 when its framework is not installed. Each is written as its own guide shows it, for one thread: whoever starts
it sets ONE_THREAD in its environment, which libraries read when they are imported.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    # XLA's own pool takes no other switch.
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}

BATCH = 128
RATE = 0.001
# Before the name of an architecture, whose reference is then the network.
ARCHITECTURE = "architectures/"
Epoch = Callable[[], None]


def recipe_for(network: str) -> Any:
    """Return how a network is built and trained: one of this benchmark, or the reference of an architecture."""
    from twinbench.architectures import architectures
    from twinbench.architectures.recipe import Recipe, recipe_of

    if network.startswith(ARCHITECTURE):
        return recipe_of(architectures()[network.removeprefix(ARCHITECTURE)].reference)
    return Recipe(keras_network(network), "classify", "crossentropy on logits", "accuracy")


def compilation_for(network: str) -> Any:
    """Return how this engine compiles a network on MNIST."""
    from twinbench.architectures import architectures
    from twinbench.training.compilation import choose_compilation

    if network.startswith(ARCHITECTURE):
        return choose_compilation(architectures()[network.removeprefix(ARCHITECTURE)], 54_000, 10)
    return "xla" if network == "mlp" else "fused"


def keras_network(network: str) -> Callable[[tuple[int, ...], int], Any]:
    """Return the builder of a network of the benchmark."""
    from keras import Input, Sequential, layers

    def build(input_shape: tuple[int, ...], classes: int) -> Any:
        if network == "mlp":
            hidden = [layers.Flatten(), layers.Dense(128, activation="relu")]
        else:
            hidden = [
                layers.Conv2D(32, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(64, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
            ]
        return Sequential([Input(input_shape), *hidden, layers.Dense(classes)])

    return build


def single_threaded_tensorflow() -> Any:
    """Return TensorFlow, set to one thread."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return tf


def engine(network: str, x: Any, y: Any, **settings: Any) -> Epoch:
    """Train with this engine, compiled as it compiles this kind of network on MNIST."""
    from twinbench.config import Training
    from twinbench.data.loading import LoadedDataset
    from twinbench.training.building import build_model
    from twinbench.training.runtime import start_tensorflow
    from twinbench.training.seeds import epoch_order, streams

    training = Training(batch_size=BATCH, learning_rate=RATE, **settings)
    start_tensorflow(training)
    from twinbench.training.feed import Images
    from twinbench.training.program import Program

    recipe = recipe_for(network)
    data = LoadedDataset({"x_train": x, "y_train": y}, name="mnist", classes=10, sha256="")
    model, _ = build_model(recipe, data, streams(1, training.vary))
    program = Program(model, recipe, training, compilation_for(network), Images.of(data, "train"))
    epochs = iter(range(1, 1_000_000))
    return lambda: void(program.train_epoch(epoch_order(1, next(epochs), len(x))))


def engine_bfloat16(network: str, x: Any, y: Any) -> Epoch:
    """Train with this engine in mixed precision."""
    return engine(network, x, y, precision="bfloat16")


def engine_seeded(network: str, x: Any, y: Any) -> Epoch:
    """Train with this engine without deterministic operations."""
    return engine(network, x, y, determinism="seeded")


def fit(network: str, x: Any, y: Any) -> Epoch:
    """Train with `model.fit` as the Keras guide shows it."""
    single_threaded_tensorflow()
    import keras

    recipe = recipe_for(network)
    model = recipe.build(x.shape[1:], 10)
    images = x.astype("float32") / 255
    if recipe.task == "reconstruct":
        model.compile(optimizer=keras.optimizers.Adam(RATE), loss=keras.losses.MeanSquaredError())
        targets = images
    else:
        model.compile(
            optimizer=keras.optimizers.Adam(RATE),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        targets = y
    return lambda: void(model.fit(images, targets, batch_size=BATCH, epochs=1, verbose=0))


def pytorch(network: str, x: Any, y: Any) -> Epoch:
    """Train with PyTorch, eager, convolutions in the channels-last layout."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    images = torch.from_numpy(x).permute(0, 3, 1, 2).float().div(255)
    labels = torch.from_numpy(y)
    if network == "mlp":
        model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    else:
        model = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(1600, 10),
        )  # fmt: skip
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    criterion = nn.CrossEntropyLoss()

    def epoch() -> None:
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            criterion(model(images[batch]), labels[batch]).backward()
            optimizer.step()

    return epoch


def jax_compiled(network: str, x: Any, y: Any) -> Epoch:
    """Train with JAX, the whole epoch in one compiled program, Adam written out."""
    import jax
    import jax.numpy as jnp

    if network != "mlp":
        raise ImportError("only the MLP is compared with JAX")
    images, labels = jnp.asarray(x.reshape(len(x), -1)), jnp.asarray(y)
    first, second = jax.random.split(jax.random.PRNGKey(0))
    weights = {
        "w1": jax.random.normal(first, (784, 128)) * 0.05, "b1": jnp.zeros(128),
        "w2": jax.random.normal(second, (128, 10)) * 0.1, "b2": jnp.zeros(10),
    }  # fmt: skip
    zeros = jax.tree.map(jnp.zeros_like, weights)

    def loss(w: Any, images: Any, labels: Any) -> Any:
        hidden = jax.nn.relu(images @ w["w1"] + w["b1"])
        logits = jax.nn.log_softmax(hidden @ w["w2"] + w["b2"])
        return -jnp.take_along_axis(logits, labels[:, None], axis=1).mean()

    def step(state: Any, batch: Any) -> Any:
        w, m, v, t = state
        pixels = images[batch].astype(jnp.float32) / 255
        g = jax.grad(loss)(w, pixels, labels[batch])
        t = t + 1
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
        rate = RATE * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = jax.tree.map(lambda a, b, c: a - rate * b / (jnp.sqrt(c) + 1e-7), w, m, v)
        return (w, m, v, t), None

    compiled = jax.jit(lambda state, batches: jax.lax.scan(step, state, batches)[0])
    state = [(weights, zeros, zeros, jnp.zeros(()))]
    random = np.random.default_rng(0)

    def epoch() -> None:
        order = random.permutation(len(x))[: len(x) // BATCH * BATCH].reshape(-1, BATCH)
        state[0] = jax.block_until_ready(compiled(state[0], jnp.asarray(order)))

    return epoch


def gemm(network: str, x: Any, y: Any) -> Epoch:
    """Multiply matrices with the same library: what one thread of this processor can do in float32."""
    tf = single_threaded_tensorflow()
    a = tf.random.uniform((GEMM_SIZE, GEMM_SIZE))

    @tf.function
    def multiply() -> Any:
        return tf.reduce_sum([tf.reduce_sum(tf.matmul(a, a + float(k))) for k in range(GEMM_TIMES)])

    return lambda: void(float(multiply()))


def convolutions(network: str, x: Any, y: Any) -> Epoch:
    """Run only the convolutions of each training step, forward and backward, on tensors that are there already.

    What the step takes if all the rest were free: the bound that TensorFlow's own kernels set.
    """
    tf = single_threaded_tensorflow()
    normal = tf.random.stateless_normal
    inputs = [normal((BATCH, *shape), (1, 1)) for shape in ((28, 28, 1), (13, 13, 32))]
    kernels = [normal(shape, (2, 2)) for shape in ((3, 3, 1, 32), (3, 3, 32, 64))]
    gradients = [normal((BATCH, *shape), (3, 3)) for shape in ((26, 26, 32), (11, 11, 64))]
    valid: dict[str, Any] = {"strides": [1, 1, 1, 1], "padding": "VALID"}

    @tf.function
    def step() -> Any:
        made = []
        for image, kernel, gradient in zip(inputs, kernels, gradients, strict=True):
            made.append(tf.raw_ops.Conv2D(input=image, filter=kernel, **valid))
            made.append(
                tf.raw_ops.Conv2DBackpropFilter(input=image, filter_sizes=kernel.shape, out_backprop=gradient, **valid)
            )
        made.append(
            tf.raw_ops.Conv2DBackpropInput(
                input_sizes=inputs[1].shape, filter=kernels[1], out_backprop=gradients[1], **valid
            )
        )
        return made

    def epoch() -> None:
        for _ in range(len(x) // BATCH):
            step()

    return epoch


GEMM_SIZE, GEMM_TIMES = 1536, 12
CONTESTANTS = {
    "engine": engine,
    "engine bfloat16": engine_bfloat16,
    "engine seeded": engine_seeded,
    "fit": fit,
    "pytorch": pytorch,
    "jax": jax_compiled,
    "gemm": gemm,
    "convolutions alone": convolutions,
}


def void(result: object) -> None:
    """Drop a result."""


def main(name: str, network: str, data: str, examples: str) -> None:
    """Obey the benchmark."""
    with np.load(Path(data)) as arrays:
        x, y = arrays["x_train"][: int(examples)], arrays["y_train"][: int(examples)]
    try:
        epoch = CONTESTANTS[name](network, x, y)
    except ImportError as error:
        print(f"absent {error}", flush=True)
        sys.exit(3)
    epoch()
    epoch()
    print("ready", flush=True)
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        epoch()
        print(time.perf_counter() - wall, time.process_time() - processor, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
