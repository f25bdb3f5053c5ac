"""What every script shares: twinbench on the path, its log in the rule's log, its mistakes in one sentence.

Snakemake puts this folder on the path of each script. `run(main, snakemake)` calls `main(snakemake)`; a mistake that
the user can fix is printed as its sentence and exits with 2. The log, which the default profile shows when a job
fails, has that sentence too; the traceback is in a file beside it.
"""

import contextlib
import logging
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
os.environ["KERAS_BACKEND"] = "tensorflow"  # on which alone the engine trains, whatever else is said

from twinbench.data.files import cannot_write  # the path is set above
from twinbench.errors import TwinbenchError, memory_ran_out
from twinbench.planning.stages import check_unchanged, code_of


class Progress(logging.Handler):
    """Shows on the terminal, now and then, which run a job is at and how long it still takes."""

    EVERY_SECONDS = 15.0

    def __init__(self, terminal: Any) -> None:
        super().__init__(logging.INFO)
        self.terminal, self.last = terminal, time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line of the log that says which run it is about, unless one was printed a moment ago."""
        line, now = record.getMessage(), time.monotonic()
        if line.startswith("run ") and now - self.last > self.EVERY_SECONDS:
            self.last = now
            with contextlib.suppress(OSError, ValueError):
                print(" ".join(line.split()), file=self.terminal)


def run(main: Callable[[Any], None], snakemake: Any) -> None:
    """Call a script's `main` with Snakemake's object."""
    path = Path(str(snakemake.log[0]))
    # By line: what logging holds on to is not flushed when Python ends.
    terminal = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="replace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A second attempt adds to the log, so that it says what became of the first.
        log = path.open("a", encoding="utf-8")
    except OSError as error:
        print(f"twinbench: {cannot_write(path, error)}", file=terminal)
        sys.exit(2)
    with log:
        # TensorFlow's own lines come from C++ and know only the descriptor.
        os.dup2(log.fileno(), 2)
        logging.basicConfig(
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(message)s",
            datefmt="%H:%M:%S",
            stream=sys.stderr,
            force=True,
        )
        logging.captureWarnings(capture=True)
        logging.getLogger("twinbench.training").addHandler(Progress(terminal))
        logging.info("%s begins on %s, process %d", date.today().isoformat(), platform.node(), os.getpid())
        try:
            if hasattr(snakemake.params, "code"):
                check_unchanged(snakemake.params.code, code_of(snakemake.params.stage))
            main(snakemake)
        except BaseException as error:
            sentence = _sentence(error, snakemake)
            if sentence:
                # Through logging, which lives on where the disk of the log is full.
                logging.error("%s", sentence)
                with contextlib.suppress(OSError):
                    path.with_suffix(".traceback").write_text(traceback.format_exc(), encoding="utf-8")
                print(f"twinbench: {sentence}", file=terminal)
                sys.exit(2)
            logging.error("%s failed.", snakemake.rule, exc_info=True)
            print(f"twinbench: {snakemake.rule} failed; the traceback is in {path}.", file=terminal)
            sys.exit(1)


def _sentence(error: BaseException, snakemake: Any) -> str:
    """What to tell the user; empty for what is nobody's mistake but the program's."""
    if isinstance(error, TwinbenchError):
        return str(error)
    if memory_ran_out(error):
        return (
            f"The memory ran out in {snakemake.rule}: end other programs, or let fewer jobs run at a time (--cores). "
            "What is finished is kept; start snakemake again to go on."
        )
    if isinstance(error, KeyboardInterrupt):
        return f"{snakemake.rule} was stopped; what is finished is kept, and snakemake goes on from there."
    return ""
