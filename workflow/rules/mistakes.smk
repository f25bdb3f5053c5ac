"""A mistake is said in a sentence, without Snakemake's frame around it; each file is checked where its lines are known."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from twinbench.config import check_configuration_file
from twinbench.errors import TwinbenchError


def refuse(mistake):
    """End with a sentence."""
    print(f"twinbench: {mistake}", file=sys.stderr)
    sys.exit(1)


if workflow.is_main_process:
    for file in (Path(workflow.basedir) / "config" / "config.yaml", *workflow.config_settings.configfiles):
        try:
            check_configuration_file(Path(file))
        except TwinbenchError as mistake:
            refuse(mistake)
