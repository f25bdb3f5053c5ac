"""The digest of a variant's code changes with what the variant computes, and with nothing else."""

import re
from pathlib import Path

import pytest

from twinbench.architectures import architectures, catalogue, find_variant, source, suspects

FOLDER = catalogue.FOLDER


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Returns a function that copies the package, changes one file of it, and gives the digests of all variants."""
    number = iter(range(100))

    def digests(file: str = "mlp.py", old: str = "", new: str = "") -> dict[str, str]:
        root = tmp_path / str(next(number))
        folder = root / "twinbench" / "architectures"
        folder.mkdir(parents=True)
        for path in FOLDER.glob("*.py"):
            (folder / path.name).write_text(path.read_text())
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1) if old else text)
        monkeypatch.setattr(source, "PACKAGE_ROOT", root)
        monkeypatch.setattr(source, "_VOCABULARY", {folder / "declaration.py", folder / "recipe.py"})
        found = {}
        variants = [*(v for a in architectures().values() for v in a.variants), *suspects()]
        for variant in variants:
            found[f"{variant.kind[:4]}:{variant.architecture}/{variant.name}"] = source.source_digest(
                folder / variant.path.name, variant.name
            )
        return found

    return digests


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    image = Input(input_shape)\n", "    # A comment.\n    image = Input(input_shape)\n"),
        ('"""A subclass of keras.Model: the graph exists only while `call` runs."""', '"""Other words."""'),
        ('layers.Dense(128, activation="relu")', "layers.Dense( 128 ,activation='relu' )"),
        ("TASK = ", "UNUSED = 3\n\n\ndef nobody_calls_this() -> None:\n    pass\n\n\nTASK = "),
        ("@twin\ndef sequential(", "\n\n\n@twin\ndef sequential("),
    ],
    ids=["comment", "docstring", "formatting", "unused code", "blank lines"],
)
def test_a_cosmetic_change_changes_no_digest(copied, old: str, new: str) -> None:
    assert changed(copied(), copied("mlp.py", old, new)) == set()


def test_a_changed_layer_changes_the_variant_that_holds_it_alone(copied) -> None:
    after = copied("mlp.py", "x = layers.Dense(128,", "x = layers.Dense(129,")
    assert changed(copied(), after) == {"refe:mlp/functional"}


def test_a_changed_class_changes_the_variants_that_use_it(copied) -> None:
    after = copied("branching_cnn.py", "layers.Conv2D(16, 3", "layers.Conv2D(17, 3")
    assert "refe:branching_cnn/functional" in changed(copied(), after)
    after = copied("branching_cnn.py", "self.narrow = layers.Conv2D(16", "self.narrow = layers.Conv2D(17")
    assert changed(copied(), after) == {"twin:branching_cnn/sequential_composite", "twin:branching_cnn/subclass"}


def test_a_changed_constant_changes_the_variants_that_name_it(copied) -> None:
    after = copied("residual_cnn.py", "WIDTH = 16", "WIDTH = 17")
    expected = {name for name in copied() if ":residual_cnn/" in name}
    assert changed(copied(), after) == expected


def test_a_change_in_another_file_reaches_the_suspect_that_imports_it(copied) -> None:
    after = copied("plain_cnn.py", "    head = layers.Dense(classes)\n", "    head = layers.Dense(classes, name='h')\n")
    assert changed(copied(), after) == {"look:plain_cnn/functional_reordered", "susp:plain_cnn/construction_order"}


def test_the_digest_of_a_variant_is_a_sha256() -> None:
    assert re.fullmatch("[0-9a-f]{64}", find_variant("mlp", "sequential").digest)
    with pytest.raises(KeyError):
        find_variant("mlp", "no_such_variant")
