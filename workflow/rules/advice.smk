"""What to do after a failure."""

import re
from pathlib import Path


def advice_after(logs):
    """What to do after a failure, from what Snakemake's log files say of it; on a full disk there are none."""
    lines = [Path(log).read_text(encoding="utf-8", errors="replace") for log in logs if Path(log).is_file()]
    said = "Finished runs are kept; start snakemake again to go on."
    # A signal ended Python, or its shell says so with 128 and the signal's number.
    if re.search(
        r"died with <Signals\.SIG(KILL|ABRT|SEGV|BUS)|exit status 1(34|35|37|39)\.",
        "".join(lines),
    ):
        return (
            "A job was killed by the system, most often because the memory ran out: end other programs, or let fewer "
            f"jobs run at a time (--cores). {said}"
        )
    return said
