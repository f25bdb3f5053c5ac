"""What one variant raises is its own finding, and takes no other's rungs away."""

from pathlib import Path

import pandas as pd
import pytest
from tests import bad_variants

from twinbench.data import load


def climbed(npz: Path) -> pd.DataFrame:
    from twinbench.architectures import architectures
    from twinbench.measurement.ladder import climb_all

    rows = pd.DataFrame(climb_all(architectures()["bad"].variants, load(npz), steps=3))
    assert all(list(rungs["rung"]) == list(range(1, 9)) for _, rungs in rows.groupby("variant"))
    return rows.set_index(["variant", "rung"])


# The first rung that a variant fails, and what its sentence says.
FAILS = {
    "raises": (1, "Building it raises ValueError: no such layer (bad.py, in raises)"),
    "exits": (1, "Building it raises SystemExit: enough (bad.py, in exits)"),
    "returns_none": (1, "the builder returns None instead of a keras.Model"),
    "returns_text": (1, "the builder returns an object of type str"),
    "gives_images": (2, "it gives (21, 8, 8, 3) instead of (21, 10)"),
    "gives_two": (2, "it gives a list of [(21, 10), (21, 10)] instead of (21, 10)"),
    "gives_a_dict": (2, "it gives a dict of [(21, 10)] instead of (21, 10)"),
    "gives_three_classes": (2, "it gives (21, 3) instead of (21, 10)"),
    "breaks_on_several": (2, "ValueError: one image at a time (bad.py, in call)"),
    "grows": (3, "Dense"),
    "not_a_number": (3, "Mul"),
    "breaks_in_training": (6, "In training mode it raises RuntimeError: not while training (bad.py, in call)"),
    "breaks_on_the_last_batch": (6, "whole batches only"),
    "breaks_when_saved": (3, "It raises ValueError: not to be saved (bad.py, in variables)"),
}


def test_every_bad_variant_fails_on_a_rung_with_its_authors_reason(bad_architecture: str, digits_npz: Path) -> None:
    rows = climbed(digits_npz)
    # The ladder compiles nothing for inference; a layer that breaks there is found in training.
    for good in ("sequential", "breaks_in_traced_inference"):
        assert (rows.loc[good]["outcome"] == "pass").all()
    for variant, (rung, words) in FAILS.items():
        failed = rows.loc[variant][rows.loc[variant]["outcome"] == "fail"]
        assert failed.index[0] == rung, variant
        assert words in failed["sentence"].iloc[0]
    assert (rows.loc["not_a_number"]["outcome"][5:] == "fail").all()
    assert "In training it raises RuntimeError: not while training" in rows.loc["breaks_in_training", 8]["sentence"]


def test_a_reference_that_fails_leaves_every_rung_open_and_says_so(
    bad_architecture: str, digits_npz: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib

    bad = importlib.import_module(f"twinbench.architectures.{bad_architecture}")
    for broken in ("raises", "gives_two"):
        monkeypatch.setattr(bad, "functional", getattr(bad, broken))
        rows = climbed(digits_npz)
        assert (rows["outcome"] == "not applicable").all()
        assert rows["sentence"].str.contains(bad_variants.REASONS[broken], regex=False).all()
