"""Which line of a person's code made each layer of a model, and in which order the layers were made."""

import linecache
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import keras

from twinbench.own_files import is_own


@dataclass(frozen=True)
class Line:
    """A line of a file of the person's own."""

    file: str
    number: int

    @property
    def text(self) -> str:
        """What stands in the line; empty where the file cannot be read."""
        return linecache.getline(self.file, self.number).strip()

    def words(self) -> str:
        """The line as a person looks it up: name of the file and number."""
        return f"{Path(self.file).name}:{self.number}"


@dataclass(frozen=True)
class Made:
    """A layer, its number in the order in which layers were made, and the line that made it."""

    layer: Any
    number: int
    line: Line | None


@contextmanager
def noted_lines(made: dict[int, Made]) -> Iterator[None]:
    """Note every layer (and model) that is made meanwhile, by identity."""
    original = keras.layers.Layer.__new__

    def noting(cls: type, *args: Any, **kwargs: Any) -> Any:
        layer = original(cls, *args, **kwargs)
        made[id(layer)] = Made(layer, len(made), _own_line(sys._getframe(1)))
        return layer

    keras.layers.Layer.__new__ = noting
    try:
        yield
    finally:
        keras.layers.Layer.__new__ = original


def _own_line(frame: FrameType | None) -> Line | None:
    """The innermost line of a person's own file that is being run."""
    while frame is not None:
        file = frame.f_code.co_filename
        if is_own(file):
            return Line(file, frame.f_lineno)
        frame = frame.f_back
    return None
