"""scikit-learn's embedded 8x8 digits: the default dataset, which needs no network.

1,797 images of the test set of UCI's "Optical Recognition of Handwritten Digits", values 0 to 16.
"""

import numpy as np

from twinbench.data.source import Source
from twinbench.data.splits import stratified_subset

_TEST_IMAGES = 500


def read_digits() -> Source:
    """Give 1,297 training and 500 test images, stratified, values rescaled from 0..16 to 0..255.

    The split is by a hash of the image's position in scikit-learn's file (`data.splits`), in whose order the
    images stay; value v becomes round(v * 255 / 16), halves rounded up.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = ((digits.images.astype(np.int64) * 255 + 8) // 16).astype(np.uint8)[..., np.newaxis]
    labels = digits.target.astype(np.int64)
    test = stratified_subset(labels, _TEST_IMAGES, purpose=2)
    train = np.setdiff1d(np.arange(len(labels)), test)
    return Source(
        {"x_train": images[train], "y_train": labels[train], "x_test": images[test], "y_test": labels[test]},
        origin="scikit-learn digits",
        version="UCI optdigits, test set",
        class_names=tuple(str(digit) for digit in range(10)),
    )
