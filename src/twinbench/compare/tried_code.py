"""Tries own code that two sides wrote in different ways on inputs of every size, and after many calls."""

from collections.abc import Sequence

import numpy as np

from twinbench.compare.advice import make_cause
from twinbench.compare.report import Cause
from twinbench.errors import first_cause
from twinbench.sameness.evidence import Evidence
from twinbench.sameness.localise import harmless_differences
from twinbench.sameness.own_code import own_callables, own_layers, told_apart, updates_state
from twinbench.sameness.own_state import COUNTS, follow
from twinbench.sameness.probes import Comparison, excite, kept
from twinbench.sameness.randomness import without_noise
from twinbench.sameness.scales import compare_every_size, undecided, written_otherwise
from twinbench.sameness.subjects import Pair


def try_own_code(
    pair: Pair, arrays: Sequence[np.ndarray], fed: Sequence[Sequence[np.ndarray]], evidence: Evidence
) -> list[str]:
    """Probe two models further that agree so far, where own code differs, and put what differs into the evidence.

    Args:
        pair: The models.
        arrays: Probe inputs, one array for each input.
        fed: Batches that the models are trained on, as further probes.
        evidence: What probing showed.

    Returns:
        What no probe decides, in words.
    """
    if not evidence.same_throughout:
        return []
    try:
        with kept(pair.a, pair.b):
            excite(pair, arrays, 11)
            return _tried(pair, arrays, fed, evidence)
    except Exception as error:
        return [f"own code could not be tried on inputs of other sizes: {first_cause(error)}"]


def _tried(
    pair: Pair, arrays: Sequence[np.ndarray], fed: Sequence[Sequence[np.ndarray]], evidence: Evidence
) -> list[str]:
    words = []
    modes = (False,) if evidence.noise else (False, True)  # own noise cannot be silenced
    following = follow(pair, arrays, modes)
    apart: tuple[Comparison, bool] | None = None
    if following.apart is not None:
        apart, evidence.counted = following.apart[:2], (" and ".join(following.places), following.apart[2])
    elif following.places:
        places = ", ".join(following.places[:3])
        words.append(f"state that calls change ({places}) was followed up to a count of {COUNTS[-1]:,}")
    if following.unfollowed:
        words.append(f"state that calls change ({', '.join(following.unfollowed[:3])}) was not followed")
    if apart is None and written_otherwise(pair):
        with without_noise(pair.a.model, pair.b.model):
            far = compare_every_size(pair, arrays, fed, modes)
            if not isinstance(far, str):
                apart = far[:2]
                evidence.harmless = harmless_differences(pair, far[2]) if len(pair.differences) > 1 else []
            else:
                evidence.tried_far = True
                words += [far] * bool(far) + undecided(pair, arrays, fed)
    if apart is not None:
        evidence.training = apart[0] if apart[1] else evidence.training
        evidence.inference = evidence.inference if apart[1] else apart[0]
    return words


def tried_on_samples(pair: Pair) -> list[str]:
    """Own code that two sides wrote in different ways and that no graph shows, so that it was only tried, in words."""
    models = pair.a.model, pair.b.model
    words = told_apart(*(own_callables(model) for model in models))
    layers = told_apart(*(own_layers(model) for model in models))
    if any(one.graph is not None and one.graph.own_gradients for one in (pair.a, pair.b)):
        words += [f"gradient of {layer}" for layer in layers]
    if any(updates_state(model) for model in models):
        words += [f"state of {layer}" for layer in layers]
    return words


def counting_cause(place: str, count: int) -> Cause:
    """The cause of models that agree until a count of calls is reached."""
    detail = f"the two agree at first, and no longer once the count stands at {count:,}"
    words = "acts in one way", "acts otherwise"
    return make_cause("arch.hyperparameter", f"state that calls change: {place}", *words, detail=detail)
