"""Checkpoints of a run in training: everything that the next epoch needs, sealed in one file."""

import dataclasses
import io
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twinbench.errors import RecordError
from twinbench.training.building import State
from twinbench.training.record import Epoch
from twinbench.training.sealed import read_sealed, write_sealed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A run after some of its epochs.

    Attributes:
        history: the epochs so far.
        state: the program's variables.
        initial_weights_sha256: of the run's initial weights.
        seconds: wall time spent so far.
        train_seconds: of it, in training epochs.
    """

    history: tuple[Epoch, ...]
    state: State
    initial_weights_sha256: str
    seconds: float
    train_seconds: float


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; a power cut may lose it, which reading notices.

    Raises:
        DataError: the file cannot be written.
    """
    header = {
        "history": [dataclasses.asdict(epoch) for epoch in checkpoint.history],
        "initial_weights_sha256": checkpoint.initial_weights_sha256,
        "seconds": checkpoint.seconds,
        "train_seconds": checkpoint.train_seconds,
    }
    arrays = {f"variable_{position}": value for position, value in enumerate(checkpoint.state)}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, header=np.array(json.dumps(header)), **arrays)
    write_sealed(path, buffer.getvalue(), durable=False)


def load_checkpoint(path: Path, expected: State) -> Checkpoint | None:
    """Read a checkpoint; None when there is none, or a damaged one, which is named in the log.

    Args:
        path: the file.
        expected: values of the shapes and dtypes that the state must have.
    """
    try:
        with np.load(io.BytesIO(read_sealed(path)), allow_pickle=False) as arrays:
            header = json.loads(str(arrays["header"]))
            state = [arrays[f"variable_{position}"] for position in range(len(arrays.files) - 1)]
        if [(value.shape, value.dtype) for value in state] != [(value.shape, value.dtype) for value in expected]:
            raise RecordError(f"{path} is a checkpoint of another model.")
        return Checkpoint(
            history=tuple(Epoch(**epoch) for epoch in header["history"]),
            state=state,
            initial_weights_sha256=header["initial_weights_sha256"],
            seconds=header["seconds"],
            train_seconds=header["train_seconds"],
        )
    except FileNotFoundError:
        return None
    except (RecordError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s The run starts over.", error)
        return None
