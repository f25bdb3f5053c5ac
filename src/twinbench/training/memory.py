"""Peak memory of this process, measured run by run."""

import contextlib
import resource
import sys
from pathlib import Path


def forget_peak() -> None:
    """Start measuring the peak anew, where the system allows it (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mb() -> float:
    """Peak resident memory in MiB since `forget_peak`, or since the process began where that is not possible."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    kibibytes = 1024 if sys.platform == "darwin" else 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / kibibytes / 1024
