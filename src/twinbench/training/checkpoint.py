"""Checkpoints of a run in training: everything that the next epoch needs, sealed in one file."""

import dataclasses
import io
import json
import logging
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from twinbench.errors import RecordError
from twinbench.store.record import Epoch
from twinbench.store.sealed import read_sealed, write_sealed
from twinbench.training.building import State

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
            header = _Header.model_validate_json(str(arrays["header"]))
            state = [arrays[f"variable_{position}"] for position in range(len(arrays.files) - 1)]
        if [(value.shape, value.dtype) for value in state] != [(value.shape, value.dtype) for value in expected]:
            raise RecordError(f"{path} is a checkpoint of another model.")
        return Checkpoint(header.history, state, header.initial_weights_sha256, header.seconds, header.train_seconds)
    except FileNotFoundError:
        return None
    except RecordError as error:
        logger.warning("%s The run starts over.", error)
        return None
    except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        logger.warning("%s is not a checkpoint of this version. The run starts over.", path)
        return None


class _Header(BaseModel):
    """What a checkpoint says beside its arrays; from elsewhere, it may say anything."""

    model_config = ConfigDict(extra="forbid", strict=True)

    history: tuple[Epoch, ...]
    initial_weights_sha256: str
    seconds: float
    train_seconds: float
