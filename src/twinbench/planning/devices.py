"""Which kind of device this process trains on, and which card it has to itself; told without importing TensorFlow.

On a machine with several cards each job gets its own by a lease: a lock on a file of this machine, which the kernel
gives free when the process ends, however it ends. (A lock on a local file: unlike the store's files, a lease is of no
concern to other machines.) A scheduler that hands out cards says so in CUDA_VISIBLE_DEVICES, and the leases keep to it.
"""

import contextlib
import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from twinbench.data.files import cannot_write
from twinbench.errors import DataError

logger = logging.getLogger(__name__)

_DRIVER = Path("/proc/driver/nvidia/gpus")
_POLL_SECONDS = 1.0


def visible_cards(driver: Path = _DRIVER) -> list[str]:
    """Return the NVIDIA cards that this process may use, by the names that CUDA_VISIBLE_DEVICES gives them.

    Args:
        driver: the folder in which the driver lists its cards.
    """
    if not driver.is_dir():
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [str(number) for number in range(len(list(driver.iterdir())))]
    names = [name.strip() for name in visible.split(",")]
    return [] if "-1" in names else [name for name in names if name]


def device_type() -> Literal["cpu", "gpu"]:
    """Return `gpu` when an NVIDIA card is there and CUDA_VISIBLE_DEVICES does not hide it."""
    return "gpu" if visible_cards() else "cpu"


@contextlib.contextmanager
def lease_card(
    cards: Sequence[str], *, jobs_per_card: int = 1, folder: Path | None = None, poll_seconds: float = _POLL_SECONDS
) -> Iterator[str | None]:
    """Hold a card while the block runs, waiting for one where all are taken; None where there is no card.

    In the block, CUDA_VISIBLE_DEVICES names that card alone: TensorFlow must not have been started before.

    Args:
        cards: the cards to choose from; the ones with the fewest jobs are taken first.
        jobs_per_card: how many jobs may share a card.
        folder: where the leases lie, on a disk of this machine (default: in the system's temporary folder).
        poll_seconds: between two looks at taken cards.

    Yields:
        The card's name.

    Raises:
        DataError: the folder of the leases cannot be written.
    """
    if not cards:
        yield None
        return
    folder = folder or Path(tempfile.gettempdir()) / f"twinbench-cards-{os.getuid()}"
    places = [(card, folder / f"{card}.{place}") for place in range(jobs_per_card) for card in cards]
    waiting = False
    while (held := _first_free(places)) is None:
        if not waiting:
            logger.info("All %d places on the GPUs are taken: waiting for one.", len(places))
            waiting = True
        time.sleep(poll_seconds)
    card, descriptor = held
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = card
    # Otherwise CUDA numbers the cards by speed, and the driver by slot.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    logger.info("This job trains on GPU %s.", card)
    try:
        yield card
    finally:
        if before is None:
            del os.environ["CUDA_VISIBLE_DEVICES"]
        else:
            os.environ["CUDA_VISIBLE_DEVICES"] = before
        os.close(descriptor)


def _first_free(places: Sequence[tuple[str, Path]]) -> tuple[str, int] | None:
    """The first card with a free place, and the descriptor whose closing gives it back."""
    for card, path in places:
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DataError(cannot_write(path, error, "TMPDIR")) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            continue
        return card, descriptor
    return None
