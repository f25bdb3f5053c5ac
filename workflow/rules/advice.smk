"""What is said at the start, at the end, and after a failure."""

import re
from pathlib import Path

from twinbench.durations import duration
from twinbench.planning.forecast import make_forecast


def first_words():
    """How many runs and jobs are to come, about how long they take, and which log to follow."""
    if PROVIDER:  # what is there is known when the jobs look
        return f"twinbench: {len(PLAN.runs):,} runs are planned; those on {PLACE} are not trained again."
    cores = workflow.resource_settings.cores or workflow.resource_settings.nodes or 1
    frozen = None
    if CONFIGURATION.looks:
        from twinbench.analysis.frozen import frozen_so_far as frozen  # pandas only where it is needed
    forecast = make_forecast(CONFIGURATION, cores, frozen)
    runs, recorded, jobs = (sum(getattr(row, name) for row in forecast.rows) for name in ("runs", "recorded", "jobs"))
    if not jobs:
        return f"twinbench: all {runs:,} runs are recorded; tables, figures and page are made where they are not up to date."
    anew = "".join(
        f" {name} is prepared first: none of its runs counts as recorded yet." for name in forecast.unprepared
    )
    most = "at most " if anew else ""
    time = duration(3600 * forecast.wall_hours, rough=True)
    if forecast.first_look:
        return (
            f"twinbench: looks at {', '.join(map(str, CONFIGURATION.looks))} seeds, {forecast.first_look[0]:,} runs at the "
            f"first; at most {runs - recorded:,} of {runs:,} runs to train, and about {time} on {cores:,} "
            f"core{'' if cores == 1 else 's'}.{anew} Follow them: tail -f {OUTPUT}/logs/train/*/*.log"
        )
    guess = "" if forecast.measured else " (a first guess, which may be wrong by a factor of three)"
    return (
        f"twinbench: {most}{runs - recorded:,} of {runs:,} runs to train, in {jobs:,} job{'' if jobs == 1 else 's'}: about "
        f"{time} on {cores:,} core{'' if cores == 1 else 's'}{guess}.{anew} Follow them: tail -f {OUTPUT}/logs/train/*/*.log"
    )


def last_words():
    """The answer, and where everything is."""
    from twinbench.report.ending import ending  # pandas, which only the end needs

    return ending(Path(OUTPUT), PLACE)


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
