"""Set up TensorFlow in this process, once, before anything is trained."""

import gc
import logging
import os
import sys
from typing import Any

from twinbench.config import TrainingSection
from twinbench.errors import UsageError

logger = logging.getLogger(__name__)


def start_tensorflow(training: TrainingSection) -> Any:
    """Import TensorFlow with the configured threads, determinism and precision, and return the module.

    Threads and determinism belong to a process; they may be asked for again, and only as they are.

    Raises:
        UsageError: TensorFlow already runs in this process with other threads.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    first = "tensorflow" not in sys.modules
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"  # on which alone the engine trains, whatever else is said
    import keras
    import tensorflow as tf

    if first:
        gc.freeze()  # what an import leaves stays: no need to look through it after every variant

    try:
        tf.config.threading.set_intra_op_parallelism_threads(training.threads)
        # One operation at a time: runs side by side use the cores better than one run's small operations do.
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        running = tf.config.threading.get_intra_op_parallelism_threads()
        if running != training.threads:
            raise UsageError(
                f"TensorFlow already runs with {running or 'all'} threads in this process, "
                f"and training.threads is {training.threads}: train in a process of its own."
            ) from None
    if training.determinism == "strict":
        tf.config.experimental.enable_op_determinism()
        tf.config.experimental.enable_tensor_float_32_execution(False)
    for card in tf.config.list_physical_devices("GPU"):
        if training.gpu_memory_mb is None:
            tf.config.experimental.set_memory_growth(card, True)
        else:
            limit = tf.config.LogicalDeviceConfiguration(memory_limit=training.gpu_memory_mb)
            tf.config.set_logical_device_configuration(card, [limit])
    keras.utils.set_random_seed(0)  # strict operations want TensorFlow's own seed set; runs are seeded by `building`
    # Whatever ~/.keras/keras.json says: it is no part of a run's key.
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("mixed_bfloat16" if training.precision == "bfloat16" else "float32")
    return tf
