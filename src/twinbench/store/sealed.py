"""Files that carry their own checksum: whole and right, or noticed."""

import hashlib
from pathlib import Path

from twinbench.data.files import replacing
from twinbench.errors import RecordError

_MAGIC = b"twinbench-sealed-1 sha256="
_HEADER_LENGTH = len(_MAGIC) + 64 + 1


def write_sealed(path: Path, payload: bytes, *, durable: bool = True) -> None:
    """Write `payload` to `path` behind a line with its SHA-256, atomically.

    Args:
        path: the file.
        payload: what to write.
        durable: wait until it is on the disk; without, a power cut may lose it (and reading will notice).

    Raises:
        DataError: the file cannot be written (a full disk, no permission).
    """
    with replacing(path, durable=durable) as file:
        file.write(_header(payload))
        file.write(payload)


def read_sealed(path: Path) -> bytes:
    """Return the payload of a sealed file.

    Raises:
        FileNotFoundError: there is no such file.
        RecordError: it cannot be read, or is not what was written.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror}.") from error
    header, payload = content[:_HEADER_LENGTH], content[_HEADER_LENGTH:]
    if header != _header(payload):
        raise RecordError(f"{path} is damaged: its content does not match its checksum.")
    return payload


def _header(payload: bytes) -> bytes:
    return _MAGIC + hashlib.sha256(payload).hexdigest().encode() + b"\n"
