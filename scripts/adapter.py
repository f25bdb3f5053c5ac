"""What every script shares: twinbench on the path, its log in the rule's log, its mistakes in one sentence.

Snakemake puts this folder on the path of each script. `run(main)` calls `main(snakemake)`; a mistake that the user can
mend is printed as its sentence and exits with 2, with the traceback in the log alone.
"""

import logging
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from twinbench.errors import TwinbenchError  # the path is set above


def run(main: Callable[[Any], None], snakemake: Any) -> None:
    """Call a script's `main` with Snakemake's object."""
    path = Path(str(snakemake.log[0]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as log:
        logging.basicConfig(
            level=logging.INFO,
            format="%(asctime)s %(levelname)s %(message)s",
            datefmt="%H:%M:%S",
            stream=log,
            force=True,
        )
        logging.captureWarnings(capture=True)
        try:
            main(snakemake)
        except TwinbenchError as error:
            traceback.print_exc(file=log)
            print(f"twinbench: {error}", file=sys.stderr)
            sys.exit(2)
        except BaseException:
            traceback.print_exc(file=log)
            raise
