"""Why each kind of cause matters for the score, and the change that would fix it."""

from __future__ import annotations

from twinbench.compare.report import Cause
from twinbench.sameness.difference import Difference

WHY = {
    "arch.disconnected": "A layer whose result is dropped neither computes nor learns: the network is smaller.",
    "arch.layer_missing": "Without this layer the network has another capacity and computes another function.",
    "arch.input_shape": "The network reads the axes of its input in another meaning, or loses digits of its values.",
    "arch.wiring": "The same layers, connected in another way, compute another function.",
    "arch.activation": "Without the right non-linearity layers collapse into one linear map, or saturate.",
    "arch.shared_layer": "Sharing decides how many weights there are and how often each is trained.",
    "arch.hyperparameter": "The layer has another size, reach or behaviour.",
    "precision": "Fewer digits in weights, activations or gradients: small updates are lost.",
    "compile.loss": "Training minimises another quantity, so it ends in another place.",
    "compile.optimizer": "Other step sizes reach another loss in the same number of epochs.",
    "compile.metric": "The models may be equally good: the number that is read is another one.",
    "mode.trainable": "Weights that are not trained stay as they started.",
    "mode.bn_dropout": "Normalisation or dropout runs in the wrong mode, in training or in inference.",
    "masking": "Padding is treated as data on one side, so it leaks into the result.",
    "preprocessing": "The networks see inputs of another range or form, for which their initial weights are not made.",
    "data": "The models do not see the same examples.",
    "training_loop": "One step of training does not do the same thing.",
    "init": "Training starts somewhere else; too wide or too narrow a start slows it or stops it.",
    "regularization": "What is added to the loss pulls the weights elsewhere.",
}

FIX = {
    "arch.disconnected": "Pass the result of this layer on: reassign the variable, and read it in the next call.",
    "arch.layer_missing": "Add the layer to the model that lacks it.",
    "arch.input_shape": "Give both models the same input shape and dtype.",
    "arch.wiring": "Connect the layer to the same source in both models.",
    "arch.activation": "Set the same activation on both sides.",
    "arch.shared_layer": "Call one layer object wherever weights are to be shared, and a new one elsewhere.",
    "arch.hyperparameter": "Set it to the same value on both sides, and remember the default where it was left out.",
    "precision": "Set the same dtype policy and floatx on both sides, before the first layer is made.",
    "compile.loss": "Compile both with the same loss; on outputs without softmax or sigmoid it needs from_logits=True.",
    "compile.optimizer": "Compile both with the same optimiser object settings; a string takes the defaults.",
    "compile.metric": "Use the same metric object, one that fits the labels.",
    "mode.trainable": "Set trainable alike on both sides, before compile, and keep weights as attributes of a layer.",
    "mode.bn_dropout": "Let `call` take `training` and hand it on; do not fix it to a value.",
    "masking": "Carry the mask along: mask_zero or Masking, and layers instead of bare operations in between.",
    "preprocessing": "Scale the inputs in exactly one place, and in the same way on both sides.",
    "data": "Feed both models from the same, shuffled source.",
    "training_loop": "Make the overridden method do what the built-in one does, or override it on both sides.",
    "init": "Give every layer its own initialiser object with the same settings on both sides.",
    "regularization": "Give the regulariser to the layer's constructor, alike on both sides.",
}


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
    return Cause(code, where, a, b, detail, explains, why or WHY[code], fix or FIX[code])
