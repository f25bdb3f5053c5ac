"""The record of a run: what it was, what came out, what it cost, and on what it ran."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from twinbench.errors import RecordError

FORMAT = 2
# A file may come from elsewhere: nothing is missing, unknown, or of another type.
_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True)
class Outcome:
    """What a run gives, the same on every machine of one type: nothing of time, memory or place.

    Scores are in points (percent), losses in the loss's own unit; what a failed run does not have is None. A field's
    name, type and meaning stand here only: the records' files, the tables and their documentation follow from them.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    dataset: Annotated[str, "name of the dataset"]
    architecture: Annotated[str, "name of the architecture"]
    variant: Annotated[str, "name of the variant, or of the suspect"]
    kind: Annotated[str, "reference, twin, lookalike, suspect, or candidate (your own: nothing is claimed of it)"]
    seed: Annotated[int, "seed of the run"]
    status: Annotated[Literal["ok", "failed"], "ok or failed"]
    reason: Annotated[str, "why the run failed"]
    task: Annotated[str, "classify, regress or reconstruct"]
    score_name: Annotated[str, "accuracy, explained variance, or a metric of the person's own"]
    optimizer: Annotated[str, "optimiser"]
    learning_rate: Annotated[float, "its step size"]
    batch_size: Annotated[int, "images per step"]
    epochs: Annotated[int, "passes over the training images"]
    loss: Annotated[str, "the loss that was minimised"]
    precision: Annotated[str, "float32 or bfloat16 (mixed)"]
    determinism: Annotated[str, "strict, seeded or off"]
    threads: Annotated[int, "CPU threads of the run"]
    init: Annotated[str, "own or matched initial weights"]
    vary: Annotated[str, "streams of randomness that the seed changes"]
    train_examples: Annotated[int, "images trained on"]
    validation_examples: Annotated[int, "images held out"]
    test_examples: Annotated[int, "images tested on, once, at the end"]
    dataset_sha256: Annotated[str, "SHA-256 of the dataset's arrays"]
    parameters: Annotated[int | None, "parameters, each once, counted after a call"] = None
    trainable_parameters: Annotated[int | None, "of these, the ones that training changes"] = None
    non_trainable_parameters: Annotated[int | None, "the others: moving statistics, frozen weights"] = None
    parameters_per_call: Annotated[
        int | None, "a layer's parameters once for every call of it, as someone counts who adds up a drawing"
    ] = None
    keras_count: Annotated[
        int | None,
        "what `count_params()` says of the model as its builder returns it; empty where it refuses, because the model "
        "has not been called yet",
    ] = None
    train_loss: Annotated[float | None, "mean loss over the last epoch, while training"] = None
    validation_loss: Annotated[float | None, "mean loss on the validation images at the end"] = None
    validation_score: Annotated[float | None, "score on the validation images at the end, in points"] = None
    test_loss: Annotated[float | None, "mean loss on the test images"] = None
    test_score: Annotated[
        float | None, "score on the test images, in points: accuracy, explained variance or an own metric, in percent"
    ] = None
    seen_score: Annotated[float | None, "what the person's own metric reads on the test images, in points"] = None
    initial_weights_sha256: Annotated[str | None, "SHA-256 of the weights before training, whatever their order"] = None
    final_weights_sha256: Annotated[str | None, "SHA-256 of the weights after training, whatever their order"] = None


@dataclass(frozen=True)
class Epoch:
    """One epoch."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    epoch: Annotated[int, "epoch, from 1"]
    train_loss: Annotated[float, "mean loss over the epoch, while training"]
    validation_loss: Annotated[float, "mean loss on the validation images after the epoch"]
    validation_score: Annotated[float, "score on the validation images after the epoch, in points"]


@dataclass(frozen=True)
class Cost:
    """What a run took."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    device: Annotated[str, "cpu or gpu"]
    seconds: Annotated[float, "wall time of the run, building and testing included"]
    train_seconds: Annotated[float, "wall time of its epochs; the first run of a variant in a job also compiles"]
    images_per_second: Annotated[float, "training images per second of these epochs"]
    peak_memory_mb: Annotated[float, "peak resident memory of the process during the run, in MiB"]


@dataclass(frozen=True)
class Record:
    """A run's record.

    Attributes:
        key: of its identity.
        identity: all that determines its result.
        outcome: what it gave.
        history: its epochs.
        cost: what it took.
        manifest: the provenance of the process that trained it.
        predictions: the class predicted for every test image (`twinbench.store.predictions`); None of a run that
            failed, and of a reconstruction, which predicts none.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    key: str
    identity: dict[str, Any]
    outcome: Outcome
    history: tuple[Epoch, ...]
    cost: Cost
    manifest: dict[str, Any]
    predictions: str | None
    format: int = FORMAT

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
            return _RECORD.validate_json(text)
        except ValidationError as error:
            mistake = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in mistake["loc"])
            raise RecordError(f"This is not a record of a run: '{place}': {mistake['msg']}.") from error


_RECORD = TypeAdapter(Record)
