"""Autoencoders, VAEs and WGANs: own training steps, losses that layers add, noise of their own."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from . import chain, guilty, innocent

SIZE, CODE = 12, 3
SEEN = ("not_fully_tested",)
"""What is as right of steps that two sides write in different ways: only so many of them are taken."""


class Sampling(layers.Layer):
    """Draws a code; adds the divergence to the loss where it is asked to."""

    def __init__(self, half=0.5, weight=0.0):
        super().__init__()
        self.half, self.weight = half, weight
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, moments):
        mean, log_variance = moments
        if self.weight:
            divergence = -0.5 * ops.mean(1 + log_variance - ops.square(mean) - ops.exp(log_variance))
            self.add_loss(self.weight * divergence)
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(self.half * log_variance) * noise


class Divergence(layers.Layer):
    """Adds the divergence to the loss and hands on what it is given."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def call(self, moments):
        mean, log_variance = moments
        terms = ops.exp(log_variance) + ops.square(mean) - 1 - log_variance
        self.add_loss(self.weight * 0.5 * ops.mean(terms))
        return moments


def vae(weight=0.1, half=0.5, *, apart=False, compiled=False, decoder="relu"):
    """A VAE as a functional model."""

    def build():
        start = keras.Input((SIZE,))
        x = layers.Dense(8, activation="relu")(start)
        moments = [layers.Dense(CODE, name="mean")(x), layers.Dense(CODE, name="log_variance")(x)]
        if apart:
            moments = Divergence(weight)(moments)
        z = Sampling(half, 0.0 if apart else weight)(moments)
        x = layers.Dense(8, activation=decoder, name="decoder")(z)
        model = keras.Model(start, layers.Dense(SIZE, activation="sigmoid")(x))
        if compiled:
            model.compile(keras.optimizers.SGD(0.1), "mse")
        return model

    return build


def stepping(divergence=0.1, written="short", trackers=True):
    """A VAE of its own class with its own `train_step`."""

    class VAE(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder = chain((SIZE,), layers.Dense(8, activation="relu"), layers.Dense(2 * CODE))
            self.sample = Sampling()
            self.decoder = chain((CODE,), layers.Dense(8, activation="relu"), layers.Dense(SIZE, activation="sigmoid"))
            self.tracker = keras.metrics.Mean(name="loss")

        @property
        def metrics(self):
            return [self.tracker] if trackers else []

        def moments(self, x):
            return ops.split(self.encoder(x), 2, axis=-1)

        def call(self, x):
            return self.decoder(self.sample(self.moments(x)))

        def train_step(self, data):
            x = data[0] if isinstance(data, tuple) else data
            with tf.GradientTape() as tape:
                mean, log_variance = self.moments(x)
                again = self.decoder(self.sample([mean, log_variance]))
                if written == "short":
                    error = ops.mean(ops.square(x - again))
                    spread = -0.5 * ops.mean(1 + log_variance - ops.square(mean) - ops.exp(log_variance))
                else:
                    error = ops.mean(keras.losses.mean_squared_error(x, again))
                    spread = ops.mean(0.5 * (ops.exp(log_variance) + mean**2 - 1.0 - log_variance))
                loss = error + divergence * spread
            gradients = tape.gradient(loss, self.trainable_variables)
            if written == "short":
                self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            else:
                self.optimizer.apply(gradients, self.trainable_weights)
            self.tracker.update_state(loss)
            return {"loss": self.tracker.result()}

    def build():
        model = VAE()
        model(np.zeros((1, SIZE), "float32"))
        model.compile(keras.optimizers.SGD(0.1))
        return model

    return build


def rows():
    return np.random.default_rng(0).random((6, SIZE)).astype("float32")


def themselves():
    return {"inputs": rows, "labels": rows}


@innocent(9, inputs=rows)
def a_divergence_added_by_two_layers():
    return vae(), vae(apart=True)


@guilty(2, ("regularization", "compile.loss"), differs=("step", "reported"), inputs=rows)
def a_divergence_that_weighs_more():
    return vae(), vae(weight=2.0)


@guilty(2, ("regularization", "compile.loss"), differs=("step", "reported"), **themselves())
def a_divergence_left_out_of_a_compiled_model():
    return vae(compiled=True), vae(weight=0.0, compiled=True)


@guilty(9, ("arch.hyperparameter", "arch.layer_missing"), differs="training", inputs=rows)
def a_variance_taken_for_a_deviation():
    return vae(), vae(half=1.0)


@guilty(9, "arch.activation", "decoder", differs="inference", inputs=rows)
def another_activation_behind_the_noise():
    return vae(), vae(decoder="gelu")


@innocent(2, also=SEEN, inputs=rows)
def a_step_of_a_vae_in_two_spellings():
    return stepping(), stepping(written="long")


@guilty(2, "training_loop", "train_step", differs="step", inputs=rows)
def a_step_of_a_vae_that_forgets_the_divergence():
    return stepping(), stepping(divergence=0.0)


class Noise(layers.Layer):
    """Gaussian noise in training, drawn by the layer itself."""

    def __init__(self, deviation=0.3, always=False):
        super().__init__()
        self.deviation, self.always = deviation, always
        self.seed_generator = keras.random.SeedGenerator(5)

    def call(self, x, training=False):
        if training or self.always:
            x = x + keras.random.normal(ops.shape(x), 0.0, self.deviation, seed=self.seed_generator)
        return x


def denoising(noise=None, **options):
    def build():
        model = chain(
            (SIZE,),
            (noise or (lambda: Noise(**options)))(),
            layers.Dense(CODE, activation="relu"),
            layers.Dense(SIZE, activation="sigmoid"),
        )
        model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy")
        return model

    return build


@innocent(9, **themselves())
def noise_of_a_layer_of_their_own():
    return denoising(), denoising(lambda: layers.GaussianNoise(0.3, seed=5))


@guilty(9, ("arch.hyperparameter", "arch.layer_missing", "mode.bn_dropout"), differs="training", **themselves())
def noise_of_their_own_that_is_stronger():
    return denoising(), denoising(deviation=0.9)


@guilty(9, ("mode.bn_dropout", "arch.layer_missing", "arch.hyperparameter"), differs="inference", **themselves())
def noise_of_their_own_that_never_stops():
    return denoising(), denoising(always=True)


def wgan(written="short", clip=0.05, critics=2):
    """A critic and a generator in turns; the critic's weights are clipped."""

    class WGAN(keras.Model):
        def __init__(self):
            super().__init__()
            self.generator = chain((CODE,), layers.Dense(8, activation="relu"), layers.Dense(SIZE))
            self.critic = chain((SIZE,), layers.Dense(8, activation="leaky_relu"), layers.Dense(1))
            self.critic_optimizer = keras.optimizers.SGD(0.05)
            self.seed_generator = keras.random.SeedGenerator(1)

        def call(self, x):
            return self.critic(x)

        def noise(self, x):
            return keras.random.normal((ops.shape(x)[0], CODE), seed=self.seed_generator)

        def train_step(self, data):
            x = data[0] if isinstance(data, tuple) else data
            for _ in range(critics):
                made = self.generator(self.noise(x), training=True)
                with tf.GradientTape() as tape:
                    if written == "short":
                        loss = ops.mean(self.critic(made, training=True)) - ops.mean(self.critic(x, training=True))
                    else:
                        scores = self.critic(ops.concatenate([made, x], axis=0), training=True)
                        false, true = ops.split(scores, 2, axis=0)
                        loss = ops.mean(false) - ops.mean(true)
                variables = self.critic.trainable_variables
                self.critic_optimizer.apply(tape.gradient(loss, variables), variables)
                for variable in variables if clip else ():
                    variable.assign(ops.clip(variable, -clip, clip))
            noise = self.noise(x)
            with tf.GradientTape() as tape:
                wanted = -ops.mean(self.critic(self.generator(noise, training=True), training=True))
            variables = self.generator.trainable_variables
            self.optimizer.apply(tape.gradient(wanted, variables), variables)
            return {"critic": loss, "generator": wanted}

    def build():
        model = WGAN()
        model(np.zeros((1, SIZE), "float32"))
        model.compile(keras.optimizers.SGD(0.05))
        return model

    return build


@innocent(2, also=SEEN, inputs=rows)
def a_step_of_a_wgan_in_two_spellings():
    return wgan(), wgan("long")


@guilty(2, "training_loop", "train_step", differs="step", inputs=rows)
def a_critic_that_is_not_clipped():
    return wgan(), wgan(clip=0.0)


@guilty(2, "training_loop", "train_step", differs="step", inputs=rows)
def a_critic_trained_less_often():
    return wgan(clip=0.0), wgan(clip=0.0, critics=1)


# -- labels without a second axis ------------------------------------------------------------------------------------


def regression(step=None):
    """One output; trained with Keras's own step or with one that subtracts labels from predictions."""

    def train_step(self, data):
        x, y = data[:2]
        y = ops.cast(y, "float32")
        if step == "careful":
            y = ops.reshape(y, (-1, 1))
        with tf.GradientTape() as tape:
            loss = ops.mean(ops.square(y - self(x, training=True)))
        self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        return {"loss": loss}

    def build():
        start = keras.Input((SIZE,))
        end = layers.Dense(1, name="price")(layers.Dense(8, activation="relu", name="hidden")(start))
        kind = type("Regression", (keras.Model,), {"train_step": train_step} if step else {})
        model = kind(start, end)
        model.compile(keras.optimizers.SGD(0.05), "mse")
        return model

    return build


def prices(flat):
    generator = np.random.default_rng(9)
    x = generator.random((60, SIZE)).astype("float32")
    y = (x.sum(-1) + generator.normal(size=60)).astype("float32")

    def feed():
        for start in range(0, 60, 20):
            yield x[start : start + 20], y[start : start + 20] if flat else y[start : start + 20, None]

    return feed


@guilty(3, "training_loop", "train_step", differs="step")
def flat_labels_subtracted_from_a_column():
    return regression(), regression("careless"), prices(flat=True), prices(flat=True)


@guilty(3, "training_loop", "train_step", differs="step", labels=lambda: np.arange(6) / 3)
def a_step_that_only_fits_labels_in_a_column():
    """Without a feed too: `fit` hands on labels as they are given, and most people give them flat."""
    return regression(), regression("careless")


@innocent(3, also=SEEN)
def labels_in_a_column_subtracted_from_a_column():
    return regression(), regression("careless"), prices(flat=False), prices(flat=False)


@innocent(3, also=SEEN)
def flat_labels_put_into_a_column():
    return regression(), regression("careful"), prices(flat=True), prices(flat=True)


@innocent(3)
def flat_labels_and_labels_in_a_column():
    """Keras's own losses take both for the same."""
    return regression(), regression(), prices(flat=True), prices(flat=False)
