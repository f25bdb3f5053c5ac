"""A limit on the time of a run, which ends even code that would never return."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A call that takes the first for an error of its own gets another.
_AGAIN_SECONDS = 5.0


class OutOfTime(BaseException):  # no error: nobody's `except Exception` is to take it
    """A run has exceeded its limit."""


@contextmanager
def time_limit(minutes: float | None) -> Iterator[None]:
    """Raise `OutOfTime` inside once so many minutes have passed; a step in compiled code is ended first.

    Only the main thread of a process gets signals; elsewhere there is no limit.
    """
    if minutes is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, 60 * minutes, _AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
