"""How runs are trained: what a configuration says of it, what an architecture's file does, and what comes of both."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, field_validator

from twinbench.config.callbacks import checked
from twinbench.config.section import Section

Stream = Literal["init", "order", "dropout", "split"]
Optimizer = Literal["adam", "adamw", "sgd", "rmsprop", "nadam", "adagrad", "adadelta"]


class TrainingRecipe(Section):
    """What an architecture's file may set of its training, and a configuration in its place; None where it does not."""

    epochs: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="passes over the training images (default: the architecture's recipe, else 15)",
    )
    batch_size: int | None = Field(
        default=None, ge=1, description="images per step (default: the architecture's recipe, else 32)"
    )
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="the optimiser's step size (default: the recipe's, where its optimiser is used, else 0.002)",
    )
    optimizer: Optimizer | None = Field(
        default=None,
        description="a Keras optimiser; its other settings are Keras's defaults (default: the architecture's recipe, "
        "else adam)",
    )


class TrainingSection(TrainingRecipe):
    """How every run is trained, as far as the configuration says it."""

    validation_fraction: float = Field(
        default=0.1, gt=0, lt=1, description="share of the training images that is held out, the same for every run"
    )
    threads: int = Field(
        default=1, ge=1, le=512, description="CPU threads per run; part of the result, since sums change with it"
    )
    determinism: Literal["strict", "seeded", "off"] = Field(
        default="strict",
        description="`strict`: seeded, and every operation deterministic; `seeded`: seeded only; "
        "`off`: initial weights and order are drawn anew in every run",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="`bfloat16`: mixed precision, faster on CPUs with AVX512-BF16"
    )
    init: Literal["own", "matched"] = Field(
        default="own", description="`own`: each variant draws its initial weights; `matched`: it gets the reference's"
    )
    vary: list[Stream] = Field(
        default=["init", "order", "dropout"],
        max_length=4,
        description="what the seed changes; a stream that is left out is held at seed 0; `split`: which training "
        "images are held out, the same for every run without it",
    )
    job_size: Literal["architecture", "variant"] | int = Field(
        default="architecture",
        description="what one process trains: all runs of an architecture, of a variant, or at most this many runs",
    )
    checkpoint_every: int = Field(
        default=1, ge=1, description="epochs between checkpoints: the most that a killed run loses"
    )
    checkpoint_seconds: float = Field(
        default=2.0, ge=0, allow_inf_nan=False, description="seconds that a checkpoint must be worth to be written"
    )
    callbacks: list[dict[str, dict[str, Any]]] = Field(
        default=[],
        description="for networks of your own, after each epoch: `EarlyStopping` and `ReduceLROnPlateau` with Keras's "
        "settings, and Keras's learning-rate schedules (`CosineDecay`, ...) with an epoch as step; each a name, or a "
        "name with its settings",
    )
    class_weight: Literal["balanced"] | dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = Field(
        default=None,
        description="for networks of your own, how much a training example counts by its class: a number for each "
        "class by its name (1 where it is left out), or `balanced`: the rarer the more",
    )
    minutes: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="the most that a run may take: one that exceeds it is a failed run (default: no limit)",
    )
    jobs_per_gpu: int = Field(default=1, ge=1, description="how many jobs may share one GPU")
    gpu_memory_mb: int | None = Field(
        default=None, ge=256, description="memory of the GPU that a job may take (default: what it comes to need)"
    )

    @field_validator("job_size")
    @classmethod
    def _positive_job(cls, size: str | int) -> str | int:
        if isinstance(size, int) and size < 1:
            raise ValueError("must be 'architecture', 'variant' or a whole number of at least 1")
        return size

    @field_validator("callbacks", mode="before")
    @classmethod
    def _known_callbacks(cls, entries: Any) -> Any:
        entries = entries if isinstance(entries, list) else [entries]
        return [checked(entry) for entry in entries]

    @field_validator("class_weight", mode="before")
    @classmethod
    def _names_are_text(cls, weights: Any) -> Any:
        """YAML reads the names of classes 0, 1, ... as numbers."""
        return {str(name): weight for name, weight in weights.items()} if isinstance(weights, Mapping) else weights

    @field_validator("vary")
    @classmethod
    def _each_once(cls, streams: list[Stream]) -> list[Stream]:
        if len(set(streams)) != len(streams):
            raise ValueError("names a stream twice")
        return sorted(streams, key=get_args(Stream).index)

    def resolved(self, recipe: TrainingRecipe) -> "Training":
        """Return how the runs of an architecture are trained.

        A value of this section goes before the recipe's, and that before the default. A recipe's rate is one for its
        optimiser: where this section sets another optimiser and no rate, the rate is the default.

        Args:
            recipe: what the architecture's file sets.
        """
        values = {name: value for name, value in recipe if value is not None}
        if self.optimizer not in (None, values.get("optimizer", Training.model_fields["optimizer"].default)):
            values.pop("learning_rate", None)
        values |= {name: value for name, value in self if value is not None}
        training = Training.model_validate(values)
        for name in type(self).model_fields.keys() - self.__dict__.keys():  # what a stage may not read, it may not
            del training.__dict__[name]
        return training


class Training(TrainingSection):
    """How the runs of one architecture are trained; all of it, with the seed, determines a run's result."""

    epochs: int = Field(default=15, ge=1, le=100_000)
    batch_size: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=0.002, gt=0, allow_inf_nan=False)
    optimizer: Optimizer = "adam"
