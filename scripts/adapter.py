"""What every script shares: twinbench on the path, its log in the rule's log, its mistakes in one sentence.

Snakemake puts this folder on the path of each script. `run(main, snakemake)` calls `main(snakemake)`; a mistake that
the user can mend is printed as its sentence and exits with 2, with the traceback in the log alone.
"""

import logging
import os
import platform
import sys
import traceback
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from twinbench.errors import TwinbenchError  # the path is set above


def run(main: Callable[[Any], None], snakemake: Any) -> None:
    """Call a script's `main` with Snakemake's object."""
    path = Path(str(snakemake.log[0]))
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="replace")
    # A second attempt adds to the log, so that it says what became of the first.
    with path.open("a", encoding="utf-8") as log:
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
        logging.info("%s begins on %s, process %d", date.today().isoformat(), platform.node(), os.getpid())
        try:
            main(snakemake)
        except TwinbenchError as error:
            traceback.print_exc()
            print(f"twinbench: {error}", file=terminal)
            sys.exit(2)
        except BaseException:
            traceback.print_exc()
            print(f"twinbench: {snakemake.rule} failed; the traceback is in {path}.", file=terminal)
            sys.exit(1)
