"""Measure the contestants side by side: all are started, then each trains an epoch in turn, again and again.

A machine that others use slows all of them alike within a round, so it is the ratio within a round that counts; wall
and processor time are both told. Prints a table and writes it as CSV.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import ARCHITECTURE, GEMM_SIZE, GEMM_TIMES, ONE_THREAD
from benchmarks.data import prepared
from twinbench.config import parse_configuration
from twinbench.planning.plan import selected_variants

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = {"cnn": 6400, "mlp": 51_200, "architectures/mlp": 51_200, "architectures/deep_residual_mlp": 12_800}
# Of every other architecture: an epoch of some seconds.
FEW_EXAMPLES = 2560
# Multiply-adds times 2 of forward and backward per image; the first convolution needs no gradient of its input.
CNN_FORWARD = 2 * (26 * 26 * 32 * 9 + 11 * 11 * 64 * 9 * 32 + 1600 * 10)
CNN_FLOPS = 3 * CNN_FORWARD - 2 * 26 * 26 * 32 * 9
GEMM_FLOPS = 2 * GEMM_SIZE**3 * GEMM_TIMES
OTHERS = ("pytorch", "jax")
GOALS = {
    ("cnn", "fit"): 1.15,
    ("cnn", "pytorch"): 1.3,
    ("cnn", "gemm"): 0.7,
    ("mlp", "fit"): 2.5,
    ("mlp", "pytorch"): 1.1,
    ("mlp", "jax"): 1.0,
    ("architectures/plain_cnn", "fit"): 1.6,
    ("architectures/residual_cnn", "fit"): 1.3,
    ("architectures/branching_cnn", "fit"): 1.3,
}


@dataclass
class Contestant:
    """A contestant's process and what it measured: wall and processor seconds of each round."""

    name: str
    network: str
    process: subprocess.Popen[str]
    wall: list[float]
    processor: list[float]

    def answer(self) -> str:
        """Return its next line."""
        assert self.process.stdout is not None  # noqa: S101 # it is a pipe
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        """Let it train once."""
        assert self.process.stdin is not None  # noqa: S101 # it is a pipe
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        wall, processor = map(float, self.answer().split())
        self.wall.append(wall)
        self.processor.append(processor)


def start(name: str, network: str, data: Path, python: str) -> Contestant | None:
    """Start a contestant and wait until it is warm; None, with a note, when its framework is absent."""
    arguments = [
        python,
        "-m",
        "benchmarks.contestants",
        name,
        network,
        str(data),
        str(EXAMPLES.get(network, FEW_EXAMPLES)),
    ]
    paths = {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "CUDA_VISIBLE_DEVICES": "-1"}
    environment = {**os.environ, **ONE_THREAD, **paths}
    process = subprocess.Popen(  # noqa: S603 # fixed programs, no shell
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    contestant = Contestant(name, network, process, [], [])
    said = contestant.answer()
    if said == "ready":
        return contestant
    print(f"{network} {name}: skipped ({said.removeprefix('absent ') or 'it does not start'})", flush=True)
    return None


def measure(network: str, names: list[str], data: Path, repeats: int, other: str) -> list[Contestant]:
    """Measure some contestants in turn."""
    found = [start(name, network, data, other if name in OTHERS else sys.executable) for name in names]
    contestants = [contestant for contestant in found if contestant is not None]
    for number in range(repeats):
        # Turn and turn about, so that none always follows the same.
        for contestant in contestants if number % 2 else reversed(contestants):
            contestant.go()
    for contestant in contestants:
        contestant.process.kill()
        contestant.process.wait()
    return contestants


def rows_of(contestants: list[Contestant]) -> list[dict[str, object]]:
    """Compare the engine with each contestant, round by round."""
    ours = next(contestant for contestant in contestants if contestant.name == "engine")
    rows = []
    for other in contestants:
        images = EXAMPLES.get(other.network, FEW_EXAMPLES)
        row: dict[str, object] = {"network": other.network, "contestant": other.name, "repeats": len(other.wall)}
        for kind in ("wall", "processor"):
            theirs, mine = getattr(other, kind), getattr(ours, kind)
            if other.name == "gemm":
                flops = CNN_FLOPS * images / GEMM_FLOPS
                ratios = [flops * b / a for a, b in zip(mine, theirs, strict=True)]
                row[f"gflops_{kind}"] = round(GEMM_FLOPS / statistics.median(theirs) / 1e9, 1)
            else:
                ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
                row[f"images_per_second_{kind}"] = round(images / statistics.median(theirs))
            row[f"ratio_{kind}"] = round(statistics.median(ratios), 3)
            row[f"lowest_{kind}"], row[f"highest_{kind}"] = round(min(ratios), 3), round(max(ratios), 3)
        goal = GOALS.get((other.network, other.name))
        row["goal"] = goal if goal is not None else ""
        row["reached"] = "" if goal is None else ("yes" if row["ratio_processor"] >= goal else "no")  # type: ignore[operator]
        rows.append(row)
    return rows


def contests() -> dict[str, list[str]]:
    """Return who is measured on which network: two that every framework has, and all that the benchmark trains."""
    planned = selected_variants(parse_configuration({}))
    architectures = dict.fromkeys(variant.architecture for variant in planned)
    return {
        "mlp": ["engine", "fit", "pytorch", "jax"],
        "cnn": ["engine", "fit", "pytorch", "gemm", "convolutions alone", "engine seeded", "engine bfloat16"],
        **{f"{ARCHITECTURE}{name}": ["engine", "fit"] for name in architectures},
    }


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the prepared MNIST, an .npz (default: prepared here)")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--other-python", default=sys.executable, help="interpreter that has PyTorch and JAX")
    parser.add_argument("--output", type=Path, default=Path("results/bench/speed.csv"))
    parser.add_argument("--networks", nargs="+", default=list(contests()), help="measure only these")
    options = parser.parse_args()
    data = options.data or prepared("mnist")
    rows = []
    for network in options.networks:
        rows += rows_of(measure(network, contests()[network], data, options.repeats, options.other_python))
    fields = list(dict.fromkeys(field for row in rows for field in row))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        writer.writerows(rows)
    print(f"{'network':33}{'contestant':21}{'engine is faster by (processor time)':40}{'wall time':26}goal")
    for row in rows:
        cpu = f"{row['ratio_processor']:.2f} ({row['lowest_processor']:.2f} to {row['highest_processor']:.2f})"
        wall = f"{row['ratio_wall']:.2f} ({row['lowest_wall']:.2f} to {row['highest_wall']:.2f})"
        print(f"{row['network']:33}{row['contestant']:21}{cpu:40}{wall:26}{row['goal']} {row['reached']}")
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
