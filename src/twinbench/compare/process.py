"""Runs a comparison, or a check, in a process of its own, which can be stopped whatever the person's code does in it.

The person's builders may print, plot, exit, loop for ever or take the interpreter down. The child's standard output
goes to standard error, plots to nowhere, and its answer comes back through a pipe of its own. This module is light: the
parent never imports TensorFlow.
"""

import contextlib
import importlib.util
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from twinbench.errors import UsageError


@dataclass(frozen=True)
class Request:
    """What is asked of the child: the sides and options as they stand on the command line.

    A request of another kind has a `question` of its own, which `twinbench.compare.worker` answers.
    """

    question: ClassVar[str] = "compare"

    a: str
    b: str
    input_shape: list[list[int | None]] | None = None
    feed_a: str | None = None
    feed_b: str | None = None
    step_a: str | None = None
    step_b: str | None = None
    data: str | None = None
    seeds: int = 5
    output: str = "study"
    settings: tuple[str, ...] = ()
    width: int = 90
    colour: bool = False
    html: bool = False
    fix: bool = False

    def unanswered(self, sentence: str) -> "Answer":
        """The answer where the child gave none."""
        report = {
            "schema": 2,
            "a": self.a,
            "b": self.b,
            "verdict": "cannot_tell",
            "code": "cannot_tell",
            "sentence": sentence,
            "same_architecture": False,
            "same_function": None,
            "causes": [],
            "rungs": [],
            "warnings": [sentence],
            "tests": [],
            "untested": ["Everything."],
            "noise": "",
            "seeds": None,
            "fixes": None,
            "stored": None,
        }
        return Answer(report, f"A: {self.a}\nB: {self.b}\n\nCANNOT TELL  {sentence}", 3)


@dataclass(frozen=True)
class CheckRequest:
    """What is asked of the child about one model."""

    question: ClassVar[str] = "check"

    model: str
    feed: str | None = None
    input_shape: list[list[int | None]] | None = None
    epochs: int = 2
    train: bool = True
    width: int = 90
    colour: bool = False

    def unanswered(self, sentence: str) -> "Answer":
        """The answer where the child gave none."""
        report = {
            "schema": 1,
            "model": self.model,
            "verdict": "cannot_tell",
            "sentence": sentence,
            "warnings": [],
            "notes": [],
            "fit_against_evaluate": [],
            "repeatability": None,
            "tests": [],
            "untested": ["Everything."],
        }
        return Answer(report, f"CANNOT TELL  {sentence}", 3)


@dataclass(frozen=True)
class RoundtripRequest:
    """What is asked of the child about a model that is saved and loaded."""

    question: ClassVar[str] = "roundtrip"

    model: str
    ending: str = ".keras"
    input_shape: list[list[int | None]] | None = None
    width: int = 90

    def unanswered(self, sentence: str) -> "Answer":
        """The answer where the child gave none."""
        report = {"schema": 1, "model": self.model, "verdict": "not_fully_tested", "sentence": sentence, "losses": []}
        report |= {"loads": "", "warnings": [], "comparison": None}
        return Answer(report, f"NOT FULLY TESTED  {sentence}", 3)


_BACKENDS = ("tensorflow", "jax", "torch", "numpy", "openvino")

_POLL_SECONDS = 0.2
"""How often the parent looks whether the child still lives, while it waits for a message."""


@dataclass(frozen=True)
class Answer:
    """The report as plain data and as text, the exit status that belongs to it, and a page where one was asked for."""

    report: dict[str, Any]
    text: str
    exit_status: int
    page: str = ""


def run_apart(
    request: Request | CheckRequest | RoundtripRequest,
    timeout: float,
    progress: Callable[[str], None] = lambda stage: None,
) -> Answer:
    """Answer a request in a child process.

    Args:
        request: What to compare.
        timeout: Seconds after which the child and everything it started are killed.
        progress: Called with the name of each stage as it begins.

    Raises:
        UsageError: The child found an error of use; the sentence is its own. Or a package is missing.
    """
    wanted = _wanted_backend()
    reading, writing = os.pipe()
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "PYTHONUNBUFFERED": "1"}
    environment |= {"MPLBACKEND": "Agg", "KERAS_BACKEND": "tensorflow"}
    asked = json.dumps(asdict(request) | {"backend": wanted, "question": request.question})
    command = [sys.executable, "-m", "twinbench.compare.worker", str(writing), asked]
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and module, arguments never reach a shell
        command, stdin=subprocess.DEVNULL, pass_fds=(writing,), env=environment, start_new_session=True
    )
    os.close(writing)
    try:
        messages, in_time = _read(reading, child, time.monotonic() + timeout, progress)
        if in_time:
            child.wait(timeout=30)
    except subprocess.TimeoutExpired:
        pass  # it has answered; whatever still runs in it is killed below
    finally:
        os.close(reading)
        _kill(child)
    stage = next((message["stage"] for message in reversed(messages) if "stage" in message), "starting")
    for message in messages:
        if "error" in message:
            raise UsageError(message["error"])
        if "report" in message:
            return Answer(message["report"], message["text"], message["exit_status"], message.get("page", ""))
    if not in_time:
        return request.unanswered(f"It cannot be told: stopped after {timeout:g} s (--timeout) while {stage}.")
    return request.unanswered(f"It cannot be told: the process ended ({_ending(child.returncode)}) while {stage}.")


def _wanted_backend() -> str:
    """The backend on which the person's Keras runs: the environment's, else that of Keras's own file of settings."""
    backend, origin = os.environ.get("KERAS_BACKEND", ""), "KERAS_BACKEND"
    if not backend:
        path = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
        origin = str(path)
        with contextlib.suppress(OSError, ValueError, AttributeError):
            backend = str(json.loads(path.read_text()).get("backend") or "")
    backend = backend or "tensorflow"
    advice = "The comparison runs on TensorFlow: KERAS_BACKEND=tensorflow twinbench compare ..."
    if backend not in _BACKENDS:
        raise UsageError(f"{origin} names the backend '{backend}', which Keras does not have. {advice}")
    if importlib.util.find_spec(backend) is None:
        raise UsageError(f"{origin} names the backend {backend}, and the package {backend} is not installed. {advice}")
    if importlib.util.find_spec("tensorflow") is None:
        raise UsageError("The package tensorflow is not installed, and the comparison runs on it: install tensorflow.")
    return backend


def _read(
    descriptor: int, child: subprocess.Popen[bytes], deadline: float, progress: Callable[[str], None]
) -> tuple[list[dict[str, Any]], bool]:
    """Read lines of JSON until an answer, the child's end, or the deadline; say whether it was in time.

    The end of the pipe alone would not do: a process that the person's code forked may hold it open.
    """
    buffer = b""
    messages: list[dict[str, Any]] = []
    selector = selectors.DefaultSelector()
    selector.register(descriptor, selectors.EVENT_READ)
    while not any("error" in message or "report" in message for message in messages):
        left = deadline - time.monotonic()
        ended = child.poll() is not None
        if selector.select(0 if ended else min(_POLL_SECONDS, max(left, 0))):
            chunk = os.read(descriptor, 1 << 16)
            *lines, buffer = (buffer + chunk).split(b"\n")
            for message in _messages(lines):
                messages.append(message)
                if "stage" in message:
                    progress(message["stage"])
            if not chunk:
                break
        elif ended:
            break
        elif left <= 0:
            return messages, False
    return messages, True


def _messages(lines: list[bytes]) -> list[dict[str, Any]]:
    messages = []
    for line in lines:
        with contextlib.suppress(ValueError):  # what other code wrote into the pipe is no message
            message = json.loads(line)
            messages += [message] if isinstance(message, dict) else []
    return messages


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the child and all that it started; they share a process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _ending(status: int | None) -> str:
    if status is not None and status < 0:
        return f"signal {signal.Signals(-status).name}"
    return f"exit status {status}"
