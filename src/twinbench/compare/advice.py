"""Why each kind of cause matters for the score, and the change that would fix it."""

from twinbench.compare.report import Cause
from twinbench.sameness.graph import Difference

ADVICE = {
    "compile.loss": (
        "Training minimises another quantity, so it ends in another place.",
        "Compile both with the same loss; on outputs without softmax or sigmoid it needs from_logits=True.",
    ),
    "data": ("The models do not see the same examples.", "Feed both models from the same, shuffled source."),
    "arch.input_shape": (
        "The network reads the axes of its input in another meaning, or loses digits of its values.",
        "Give both models the same input shape and dtype.",
    ),
    "arch.disconnected": (
        "A layer whose result is dropped neither computes nor learns: the network is smaller.",
        "Pass the result of this layer on: reassign the variable, and read it in the next call.",
    ),
    "init": (
        "Training starts somewhere else; too wide or too narrow a start slows it or stops it.",
        "Give every layer its own initialiser object with the same settings on both sides.",
    ),
    "training_loop": (
        "One step of training does not do the same thing.",
        "Make the overridden method do what the built-in one does, or override it on both sides.",
    ),
    "arch.layer_missing": (
        "Without this layer the network has another capacity and computes another function.",
        "Add the layer to the model that lacks it.",
    ),
    "arch.wiring": (
        "The same layers, connected in another way, compute another function.",
        "Connect the layer to the same source in both models.",
    ),
    "mode.trainable": (
        "Weights that are not trained stay as they started.",
        "Set trainable alike on both sides, before compile, and keep weights as attributes of a layer.",
    ),
    "arch.activation": (
        "Without the right non-linearity layers collapse into one linear map, or saturate.",
        "Set the same activation on both sides.",
    ),
    "arch.shared_layer": (
        "Sharing decides how many weights there are and how often each is trained.",
        "Call one layer object wherever weights are to be shared, and a new one elsewhere.",
    ),
    "arch.hyperparameter": (
        "The layer has another size, reach or behaviour.",
        "Set it to the same value on both sides, and remember the default where it was left out.",
    ),
    "precision": (
        "Fewer digits in weights, activations or gradients: small updates are lost.",
        "Set the same dtype policy and floatx on both sides, before the first layer is made.",
    ),
    "masking": (
        "Padding is treated as data on one side, so it leaks into the result.",
        "Carry the mask along: mask_zero or Masking, and layers instead of bare operations in between.",
    ),
    "preprocessing": (
        "The networks see inputs of another range or form, for which their initial weights are not made.",
        "Scale the inputs in exactly one place, and in the same way on both sides.",
    ),
    "mode.bn_dropout": (
        "Normalisation or dropout runs in the wrong mode, in training or in inference.",
        "Let `call` take `training` and hand it on; do not fix it to a value.",
    ),
    "compile.optimizer": (
        "Other step sizes reach another loss in the same number of epochs.",
        "Compile both with the same optimiser object settings; a string takes the defaults.",
    ),
    "regularization": (
        "What is added to the loss pulls the weights elsewhere.",
        "Give the regulariser to the layer's constructor, alike on both sides.",
    ),
    "compile.metric": (
        "The models may be equally good: the number that is read is another one.",
        "Use the same metric object, one that fits the labels.",
    ),
}
"""Every code of a cause with why it matters and what would fix it, most damaging first: where the benchmark's suspect
of a code has a clear effect on the score, in the order of these effects (`docs/findings.md`); the others stand between
them by judgement."""

CODES = tuple(ADVICE)


def cause_of(difference: Difference, *, explains: bool = True, fix: str = "") -> Cause:
    """A structural difference as a cause, with why it matters and what to do."""
    return make_cause(
        difference.code,
        difference.where,
        difference.a,
        difference.b,
        detail=difference.detail,
        explains=explains,
        fix=fix,
    )


def make_cause(
    code: str, where: str, a: str, b: str, *, detail: str, explains: bool = True, why: str = "", fix: str = ""
) -> Cause:
    """A cause with the reason and remedy that belong to its code, unless better ones are given."""
    return Cause(code, where, a, b, detail, explains, why or ADVICE[code][0], fix or ADVICE[code][1])
