"""A fresh process that loads a saved model and runs it: `python -m twinbench.compare.loading FILE INPUTS CODE`.

FILE is loaded in safe mode. INPUTS is a JSON file with one array per input, CODE the place of the person's
function, whose file is imported first, or empty. The last line of standard output is the answer as JSON: the outputs,
or the error.
"""

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> None:
    """Load a file and print what it computes."""
    path, inputs, code = arguments
    print(json.dumps(_answer(Path(path), Path(inputs), code)), flush=True)


def _answer(path: Path, inputs: Path, code: str) -> dict[str, Any]:
    import keras
    import numpy as np

    from twinbench.errors import first_cause
    from twinbench.sameness.signature import call_model, signature_of

    try:
        with ExitStack() as stack:
            if code:
                from twinbench.compare.imported import Places

                stack.enter_context(Places().named(code)[1].entered())
            model = keras.saving.load_model(path, safe_mode=True)
    except Exception as error:
        return {"error": first_cause(error)}
    given = json.loads(inputs.read_text())
    signature = signature_of(model)
    if given is None or signature is None:
        return {"outputs": None}
    try:
        arrays = [keras.ops.convert_to_tensor(np.array(values, dtype=dtype)) for dtype, values in given]
        outputs = keras.tree.flatten(call_model(model, signature.pack(arrays), training=False))
        return {"outputs": [np.asarray(keras.ops.cast(one, "float32")).tolist() for one in outputs]}
    except Exception as error:
        return {"error": f"it loads, and raises on a batch: {first_cause(error)}"}


if __name__ == "__main__":
    main(sys.argv[1:])
