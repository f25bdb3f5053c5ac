"""The child process of a comparison or check: reads a request, and writes its answer to a pipe.

Usage: `python -m twinbench.compare.worker DESCRIPTOR REQUEST`, as `twinbench.compare.process` starts it.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from twinbench.errors import TwinbenchError


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep TensorFlow's start-up notices, which no setting silences, off the terminal."""
    error = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(error, 2)
        os.close(error)
        os.close(nowhere)


def main(arguments: list[str]) -> int:
    """Answer one request; return the exit status of the process."""
    os.set_inheritable(int(arguments[0]), False)
    pipe = os.fdopen(int(arguments[0]), "w", buffering=1)
    request = json.loads(arguments[1])
    os.dup2(2, 1)  # whatever a builder prints goes to standard error
    answering = os.getpid()

    def send(**message: Any) -> None:
        if os.getpid() == answering:  # a process that the person's code forks has nothing to say
            pipe.write(json.dumps(message) + "\n")
            pipe.flush()

    send(stage="importing TensorFlow")
    with _quiet():
        try:
            import keras
            import tensorflow as tf
        except ImportError as error:
            send(error=f"Keras and TensorFlow cannot be imported: {error}")
            return 2
        os.environ["KERAS_BACKEND"] = request["backend"]  # as the person's own code sees it

        tf.get_logger().setLevel("ERROR")  # its advice on retracing is of no use here
        keras.ops.zeros((1,))  # starts the devices, which is when TensorFlow writes its notices

    try:
        answer = ANSWERS[request["question"]](request, lambda stage: send(stage=stage))
    except TwinbenchError as error:
        send(error=str(error))
        return 2
    except Exception:
        traceback.print_exc()
        raise
    send(**answer)
    return int(answer["exit_status"])


def _compared(request: dict[str, Any], progress: Callable[[str], None]) -> dict[str, Any]:
    from twinbench.compare.api import compare
    from twinbench.compare.render import as_text

    shapes = request["input_shape"]
    report = compare(
        request["a"],
        request["b"],
        input_shape=shapes[0] if shapes and len(shapes) == 1 else shapes,
        data=request["data"],
        seeds=request["seeds"],
        output=request["output"],
        settings=request["settings"],
        names=(request["a"], request["b"]),
        feed_a=request["feed_a"],
        feed_b=request["feed_b"],
        step_a=request["step_a"],
        step_b=request["step_b"],
        fix=request["fix"],
        progress=progress,
    )
    text = as_text(report, request["width"], colour=request["colour"])
    page = {"page": report.to_html()} if request["html"] else {}
    return {"report": report.to_dict(), "text": text, "exit_status": report.exit_status, **page}


def _checked(request: dict[str, Any], progress: Callable[[str], None]) -> dict[str, Any]:
    from twinbench.compare.check.api import check
    from twinbench.compare.check.render import as_text

    shapes = request["input_shape"]
    report = check(
        request["model"],
        feed=request["feed"],
        input_shape=shapes[0] if shapes and len(shapes) == 1 else shapes,
        epochs=request["epochs"],
        train=request["train"],
        name=request["model"],
        progress=progress,
    )
    text = as_text(report, request["width"], colour=request["colour"])
    return {"report": report.to_dict(), "text": text, "exit_status": report.exit_status}


def _saved_and_loaded(request: dict[str, Any], progress: Callable[[str], None]) -> dict[str, Any]:
    from twinbench.compare.survival import roundtrip

    shapes = request["input_shape"]
    result = roundtrip(
        request["model"],
        ending=request["ending"],
        input_shape=shapes[0] if shapes and len(shapes) == 1 else shapes,
        progress=progress,
    )
    return {"report": result.to_dict(), "text": result.text(request["width"]), "exit_status": result.exit_status}


Answering = Callable[[dict[str, Any], Callable[[str], None]], dict[str, Any]]

ANSWERS: dict[str, Answering] = {"compare": _compared, "check": _checked, "roundtrip": _saved_and_loaded}
"""What answers each question: its report as plain data and as text, and the exit status."""


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(status)  # without waiting for threads of the person's code
