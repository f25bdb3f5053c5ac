"""The record of a run: what it was, what came out, what it cost, and on what it ran."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from twinbench.errors import RecordError

FORMAT = 1
# A file may come from elsewhere: nothing is missing, unknown, or of another type.
_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Outcome:
    """What a run gives, the same on every machine of one type: nothing of time, memory or place.

    Scores are in points (percent), losses in the loss's own unit; what a failed run does not have is None.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    dataset: str
    architecture: str
    variant: str
    kind: str
    seed: int
    status: Literal["ok", "failed"]
    reason: str
    task: str
    score_name: str
    optimizer: str
    learning_rate: float
    batch_size: int
    epochs: int
    loss: str
    precision: str
    determinism: str
    threads: int
    init: str
    vary: str
    train_examples: int
    validation_examples: int
    test_examples: int
    dataset_sha256: str
    parameters: int | None = None
    trainable_parameters: int | None = None
    non_trainable_parameters: int | None = None
    parameters_per_call: int | None = None
    keras_count: int | None = None
    train_loss: float | None = None
    validation_loss: float | None = None
    validation_score: float | None = None
    test_loss: float | None = None
    test_score: float | None = None
    seen_score: float | None = None
    initial_weights_sha256: str | None = None
    final_weights_sha256: str | None = None


@dataclass(frozen=True)
class Epoch:
    """One epoch: its number from 1, mean training loss, and loss and score (points) on the validation images."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    epoch: int
    train_loss: float
    validation_loss: float
    validation_score: float


@dataclass(frozen=True)
class Cost:
    """What a run took.

    Attributes:
        device: `cpu` or `gpu`.
        seconds: wall time of the whole run.
        train_seconds: wall time of its training epochs.
        images_per_second: training images per second of the training epochs.
        peak_memory_mb: peak resident memory of the process during the run, MiB.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    device: str
    seconds: float
    train_seconds: float
    images_per_second: float
    peak_memory_mb: float


@dataclass(frozen=True)
class Record:
    """A run's record; `key` is that of its identity, `manifest` the provenance of the process that trained it."""

    key: str
    identity: dict[str, Any]
    outcome: Outcome
    history: tuple[Epoch, ...]
    cost: Cost
    manifest: dict[str, Any]

    def to_json(self) -> str:
        """Return the record as JSON; floats keep every bit."""
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """Read a record.

        Raises:
            RecordError: it is not a record, or one of another format.
        """
        try:
            content = json.loads(text)
            written = content["format"]
            if written != FORMAT:
                raise RecordError(
                    f"The record has format {written} and this version of twinbench reads format {FORMAT}: "
                    "read it with the version that wrote it, or let the run be trained again."
                )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise RecordError(f"This is not a record of a run: {type(error).__name__}: {error}.") from error
        try:
            # JSON again, not what was read of it: only there may a tuple be written as a list.
            return _File.model_validate_json(text).record
        except ValidationError as error:
            mistake = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in mistake["loc"])
            raise RecordError(f"This is not a record of a run: '{place}': {mistake['msg']}.") from error


class _File(BaseModel):
    """A record as it stands in a file."""

    model_config = _STRICT

    format: int
    key: str
    identity: dict[str, Any]
    outcome: Outcome
    history: tuple[Epoch, ...]
    cost: Cost
    manifest: dict[str, Any]

    @property
    def record(self) -> Record:
        return Record(self.key, self.identity, self.outcome, self.history, self.cost, self.manifest)
