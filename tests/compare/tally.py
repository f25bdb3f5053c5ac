"""Counts how the pairs of the corpus fare: explained, unexplained, falsely blamed, falsely reassured, by mechanism.

`python -m tests.compare.tally` prints the table and ends with 1 where a pair was falsely blamed or reassured;
arguments choose pairs by a part of their names, `--swapped` compares B with A.
"""

import ast
import importlib
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

SMALL = ("convolutional", "dense", "recurrent", "subclassed", "several", "training", "feeding")
REALISTIC = (
    "attention",
    "images",
    "sequences",
    "towers",
    "compiling",
    "generative",
    "graphs",
    "stored",
    "held",
    "surroundings",
    "feeds",
    "text",
    "tokens",
    "corners",
    "own_code",
    "parting",
    "fixing",
)
MECHANISMS = {
    0: "small models",
    1: "stored weights",
    2: "what was given and not tested",
    3: "the person's own labels",
    4: "global state",
    5: "models of a module",
    6: "live models",
    7: "training on a dataset",
    8: "weights without a partner",
    9: "operations of several outputs, random ones",
    10: "names of inputs, outputs, states",
    11: "own losses, metrics, optimiser settings",
    12: "what feeds hold",
    13: "logits and probabilities, order of causes",
    14: "text",
    15: "differences that cancel, drag others along, or hide",
    16: "processes left behind",
    17: "code of their own: far out, late, backwards",
    18: "what each side holds, tensor by tensor",
    19: "texts, tokens, nested inputs and outputs",
    20: "where values first differ",
    21: "fixes that are made on a copy",
}
OUTCOMES = ("explained", "wrongly explained", "unexplained", "falsely blamed", "falsely reassured")
SHAPES = {
    "softmax_along_the_wrong_axis": (3, 7),
    "layers_made_in_another_order": (7,),
    "each_branch_reads_the_input_instead_of_a_chain": (6, 6, 2),
}
"""Shapes for the pairs in which neither model knows its own."""


def names(files=(*SMALL, *REALISTIC)):
    """`file:function` of every pair, without importing them."""
    for file in files:
        for statement in ast.parse((Path(__file__).parent / "corpus" / f"{file}.py").read_text()).body:
            if isinstance(statement, ast.FunctionDef) and statement.decorator_list:
                yield f"{file}:{statement.name}"


def load(name):
    """The pair of a name."""
    file, _, function = name.partition(":")
    return getattr(importlib.import_module(f"tests.compare.corpus.{file}"), function)


def compared(pair, folder, *, swapped=False):
    """The report on a pair, and what the comparison changed that is none of its business."""
    from twinbench.compare import compare

    a, b, *feeds = pair.sides(folder)
    if swapped:
        a, b, *feeds = b, a, *feeds[::-1]
    options = {"input_shape": SHAPES.get(pair.name), **pair.options}
    before = state_of(a, b)
    try:
        report = compare(a, b, **dict(zip(("feed_a", "feed_b"), feeds, strict=False)), **options)
        changed = [name for name, value in state_of(a, b).items() if value != before[name]]
    finally:
        restore(before)
    return report, changed


def state_of(*sides):
    """What a comparison must leave alone: Keras's settings, and everything of a live model."""
    import keras
    import tensorflow as tf

    state = {
        "dtype policy": keras.config.dtype_policy().name,
        "floatx": keras.config.floatx(),
        "image data format": keras.config.image_data_format(),
        "epsilon": keras.config.epsilon(),
        "eager mode": tf.config.functions_run_eagerly(),
    }
    for letter, side in zip("ab", sides, strict=True):
        if isinstance(side, keras.Model):
            optimizer = getattr(side, "optimizer", None)
            state |= {
                f"{letter}: weights": [w.numpy().tobytes() for w in side.weights],
                f"{letter}: optimizer": optimizer and [optimizer, *(v.numpy().tobytes() for v in optimizer.variables)],
                f"{letter}: compiled": (
                    side.compiled,
                    repr(getattr(side, "loss", None)),
                    repr(side.get_compile_config()),
                ),
                f"{letter}: trainable": [w.trainable for w in side.weights],
            }
    return state


def restore(state):
    import keras
    import tensorflow as tf

    keras.config.set_dtype_policy(state["dtype policy"])
    keras.config.set_floatx(state["floatx"])
    keras.config.set_image_data_format(state["image data format"])
    keras.config.set_epsilon(state["epsilon"])
    tf.config.run_functions_eagerly(state["eager mode"])


def outcome(pair, report):
    """How a comparison fared with a pair."""
    if report.verdict in pair.verdicts:
        if pair.equal:
            return "falsely blamed" if report.causes else "explained"
        return "explained" if rightly_explained(pair, report) else "wrongly explained"
    if report.verdict in ("cannot_tell", "not_fully_tested"):
        return "unexplained"
    if pair.equal:
        return "falsely blamed"
    return "falsely reassured" if report.verdict in ("identical", "equivalent") else "wrongly explained"


def rightly_explained(pair, report):
    """Whether the first cause has the right code and place, and stands alone where nothing else differs."""
    if report.verdict in ("other_weights", "other_state"):
        return all(word.lower() in report.sentence.lower() for word in pair.words)
    if not report.code.startswith(pair.codes):
        return False
    place = " ".join(cause.where for cause in report.causes if cause.code == report.code).lower()
    blamed = [cause for cause in report.causes if cause.explains_lower_score]
    return all(word.lower() in place for word in pair.words) and not (pair.alone and len(blamed) > 1)


def said(report):
    """What a report says, in a line."""
    causes = "; ".join(f"{c.code} {c.where} ({c.a} | {c.b})" for c in report.causes[:4])
    return f"{report.verdict}: {causes or report.sentence}"


def main(arguments):
    import warnings

    warnings.filterwarnings("ignore")
    swapped = "--swapped" in arguments
    parts = [argument for argument in arguments if not argument.startswith("--")]
    chosen = [name for name in names() if not parts or any(part in name for part in parts)]
    counts, failing = defaultdict(Counter), []
    with tempfile.TemporaryDirectory() as folder:
        for k, name in enumerate(chosen):
            pair = load(name)
            (place := Path(folder) / str(k)).mkdir()
            start = time.perf_counter()
            try:
                report, changed = compared(pair, place, swapped=swapped)
                result, words = outcome(pair, report), said(report)
                if changed:
                    words += f" -- CHANGED: {', '.join(changed)}"
            except Exception as error:
                result, words, changed = "unexplained", f"{type(error).__name__}: {error}"[:400], []
            counts[pair.mechanism][result] += 1
            if result != "explained" or changed:
                failing.append((pair.mechanism, name, result, words))
            if "--times" in arguments:
                print(f"{time.perf_counter() - start:6.1f} s  {result:18} {name}", flush=True)
    for mechanism, name, result, words in sorted(failing):
        print(f"{mechanism:2}  {result:18} {name}\n      {words}")
    print(f"\n{'mechanism':52}" + "".join(f"{word:>18}" for word in OUTCOMES))
    for mechanism, row in sorted(counts.items()):
        print(f"{mechanism:2}  {MECHANISMS[mechanism]:48}" + "".join(f"{row[word]:18}" for word in OUTCOMES))
    total = sum(counts.values(), Counter())
    print(f"{'all':52}" + "".join(f"{total[word]:18}" for word in OUTCOMES))
    return int(bool(total["falsely blamed"] or total["falsely reassured"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
