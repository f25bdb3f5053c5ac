"""Which kind of device this process trains on, told without importing TensorFlow."""

import os
from pathlib import Path
from typing import Literal

_DRIVER = Path("/proc/driver/nvidia/gpus")


def device_type() -> Literal["cpu", "gpu"]:
    """Return `gpu` when an NVIDIA card is there and CUDA_VISIBLE_DEVICES does not hide it."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    hidden = visible is not None and visible.strip() in ("", "-1")
    return "gpu" if not hidden and _DRIVER.is_dir() and any(_DRIVER.iterdir()) else "cpu"
