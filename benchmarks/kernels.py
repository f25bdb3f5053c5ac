"""Where a training step spends its time, kernel by kernel.

    python -m benchmarks.kernels plain_cnn

trains the reference of an architecture as on MNIST, under TensorFlow's profiler, and prints the time of each kind of
kernel in a step. Times are those of the clock: let nothing else run. A kernel of oneDNN begins with `_Mkl`; what XLA
compiled (the optimiser's update, or the whole step) is told as its launches.
"""

import argparse
import os
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks.contestants import ARCHITECTURE, BATCH, ONE_THREAD, engine
from benchmarks.data import images_of

_STEPS = 20
_SHOWN = 30


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architecture")
    parser.add_argument("--data", type=Path, help="the prepared MNIST, an .npz (default: prepared here)")
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)  # before TensorFlow is imported, which reads it
    x, y = images_of(options.data, BATCH * _STEPS)
    epoch = engine(ARCHITECTURE + options.architecture, x, y)
    epoch()
    seconds, calls = profiled(epoch)
    whole = sum(seconds.values())
    step, rate = 1000 * whole / _STEPS, BATCH * _STEPS / whole
    print(f"{options.architecture}: {step:.1f} ms a step of {BATCH} images, {rate:,.0f} images a second")
    for name, value in seconds.most_common(_SHOWN):
        print(f"{name:45}{1000 * value / _STEPS:9.2f} ms{100 * value / whole:7.1f} %{calls[name] / _STEPS:8.1f} calls")


def profiled(epoch: Any) -> tuple[Counter[str], Counter[str]]:
    """Return seconds and calls of each kind of kernel in one epoch, what a kernel calls not counted as its own."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            epoch()
        (path,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    seconds: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines:
            if "tf_" not in line.name:  # the pool that runs kernels, and not the Python that waits for them
                continue
            for name, own in own_times(plane, line):
                seconds[name] += own
                calls[name] += 1
    return seconds, calls


def own_times(plane: Any, line: Any) -> list[tuple[str, float]]:
    """Return the name of each event of a thread, and the seconds in it but not in the events inside it."""
    events = sorted(line.events, key=lambda event: (event.offset_ps, -event.duration_ps))
    inside: defaultdict[int, int] = defaultdict(int)
    open_events: list[int] = []
    for number, event in enumerate(events):
        while (
            open_events and events[open_events[-1]].offset_ps + events[open_events[-1]].duration_ps <= event.offset_ps
        ):
            open_events.pop()
        if open_events:
            inside[open_events[-1]] += event.duration_ps
        open_events.append(number)
    names = [plane.event_metadata[event.metadata_id].name.rpartition(":")[2] for event in events]
    return [
        (name, (event.duration_ps - inside[k]) / 1e12)
        for k, (name, event) in enumerate(zip(names, events, strict=True))
    ]


if __name__ == "__main__":
    main()
