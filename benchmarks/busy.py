"""Measure claim C7 ten times while a second process keeps the machine busy, and print its verdict each time.

    python -m benchmarks.busy results/data/digits.npz

`docs/statistics.md` has what came out.
"""

import multiprocessing
import sys
from pathlib import Path
from typing import Final

_TIMES: Final = 10
_NETWORKS: Final = ("mlp", "plain_cnn", "shared_views")


def keep_busy() -> None:
    """Compute for ever."""
    while True:
        sum(range(10**6))


def measure(npz: Path) -> tuple[str, str]:
    """Return verdict and reasons of one measurement."""
    from twinbench.analysis.claims import decide_claims
    from twinbench.analysis.costs import api_costs
    from twinbench.config import Configuration
    from twinbench.measurement.costs import measure_costs

    configuration = Configuration.model_validate({"architectures": list(_NETWORKS), "suspects": []})
    table = api_costs(measure_costs(configuration, npz), confidence=configuration.statistics.confidence)
    claim = decide_claims({"api_costs": table}).set_index("claim").loc["C7"]
    return str(claim["verdict"]), str(claim["because"])


def main() -> None:
    """Print what came out."""
    other = multiprocessing.get_context("spawn").Process(target=keep_busy, daemon=True)
    other.start()
    verdicts = []
    for _ in range(_TIMES):
        verdict, because = measure(Path(sys.argv[1]))
        verdicts.append(verdict)
        print(f"{verdict}: {because}", flush=True)
    print(f"{len(set(verdicts))} verdict(s) in {_TIMES} measurements.")


if __name__ == "__main__":
    main()
