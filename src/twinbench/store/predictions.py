"""The class that a run predicts for every test image, as it stands in records: small, and comparable without images.

What is kept is the predicted class minus the true one, modulo the number of classes, in the order of the test images:
one byte an image (four beyond 256 classes), nearly all of them 0 and so compressed to a few hundred bytes for 10,000
images. Two runs give an image the same class where their bytes are equal, and the right one where the byte is 0.
"""

import base64
import binascii
import zlib

import numpy as np
from numpy.typing import NDArray

from twinbench.errors import RecordError

_ONE_BYTE = 256


def pack(predicted: NDArray[np.int64], labels: NDArray[np.int64], classes: int) -> str:
    """Return the text that a record keeps.

    Args:
        predicted: `(n,)`, predicted classes, from 0 to `classes - 1`.
        labels: `(n,)`, the true ones.
        classes: how many there are.
    """
    offsets = (predicted - labels) % classes
    return base64.b64encode(zlib.compress(offsets.astype("u1" if classes <= _ONE_BYTE else "<u4").tobytes())).decode()


def unpack(text: str, images: int) -> NDArray[np.unsignedinteger]:
    """Return the predicted classes minus the true ones, modulo the number of classes: `(images,)`.

    Raises:
        RecordError: this is not what `pack` returned for so many images.
    """
    try:
        content = zlib.decompress(base64.b64decode(text, validate=True))
    except (binascii.Error, zlib.error) as error:
        raise RecordError(f"The predictions of a run are damaged ({error}).") from error
    if images == 0 or len(content) not in (images, 4 * images):
        raise RecordError(f"The predictions of a run are {len(content):,} bytes long, for {images:,} test images.")
    return np.frombuffer(content, "u1" if len(content) == images else "<u4")


def predicted_classes(text: str, labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Return the classes `(n,)` that a run predicts, from what its record keeps and the true labels `(n,)`.

    Raises:
        RecordError: the predictions are not of so many images.
    """
    return (unpack(text, len(labels)).astype(np.int64) + labels) % classes
