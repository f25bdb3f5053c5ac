"""The digest of a variant's code changes with what the variant computes, and with nothing else."""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from twinbench.architectures import architectures, catalogue, find_variant, suspects
from twinbench.architectures.source import _module, parse, source_digest

FOLDER = catalogue.FOLDER
NET = '''"""A file with one variant, which is written to be watched, and its neighbour."""
from math import floor as rounded
from lab.unused import nothing
import lab.scale as scale
from lab import depth
from lab.constants import WIDTH as width
from lab.everything import *
from twinbench.architectures.declaration import suspect, twin
from . import relative
from .pieces.block import block
from lab.parts.shape import SHAPE
from lab.hooks import Hooked, MADE

def decorated(function):
    return lambda: function() + [STEP]

STEP = 1
MARGIN = 1
MARGIN = MARGIN + 1
STATE = {}
STATE["gain"] = 2
SHIFTS = [1]
SHIFTS.append(5)
BIAS = 0
BIAS += 3
try:
    PADDING = int("4")
except ValueError:
    PADDING = 0
for position in (1, 2):
    LAST = position
if len(SHIFTS) > 1:
    MODE = "long"
with open(__file__) as opened:
    OPENED = 7
SEED = 0
HIDDEN = 11

def unused(extra=(FROM_DEFAULT := 12)):
    return extra

class Made(Hooked):
    size = 13

with open(__file__[:-6] + "size.txt") as opened:
    FROM_FILE = opened.read()

def warm_up():
    global SEED
    SEED = 9

warm_up()

class Base:
    size = 6
    def __init__(self):
        self.kind = "base"

class Layer(Base):
    """A layer."""
    def describe(self, times=MARGIN):
        """Say."""
        return [self.size, self.kind, times]

@decorated
def helper():
    return [BIAS]

@suspect(cause="init", changes="what it changes")
def functional(extra=len(SHIFTS)):
    """What it shows."""
    # A comment.
    return [rounded(2.5), scale.SCALE, depth.DEPTH, width, FROM_STAR, relative.SIZE, block(), MARGIN, STATE, SHIFTS,
            PADDING, LAST, MODE, OPENED, SEED, Layer().describe(), helper(), extra,
            SHAPE, MADE, FROM_DEFAULT, FROM_FILE]

@twin
def neighbour():
    return 1
'''
FILES = {
    "lab/__init__.py": "",
    "lab/net.py": NET,
    "lab/scale.py": "SCALE = 3\n",
    "lab/depth.py": "from lab.constants import DEPTH\n",
    "lab/constants.py": "WIDTH = 5\nDEPTH = 6\nSPARE = 7\n",
    "lab/everything.py": "FROM_STAR = 8\n",
    "lab/unused.py": "import lab.constants\nlab.constants.WIDTH += 1\ndef nothing():\n    return 0\n",
    "lab/relative.py": "SIZE = 9\n",
    "lab/pieces/__init__.py": "from lab import scale\nscale.SCALE += 1\n",
    "lab/pieces/block.py": "def block():\n    from ..inner import INNER\n    return INNER\n",
    "lab/inner.py": "INNER = 10\n",
    "lab/parts/shape.py": "SHAPE = 14\n",
    "lab/hooks.py": "MADE = []\nclass Hooked:\n    def __init_subclass__(cls):\n        MADE.append(cls.size)\n",
    "lab/size.txt": "15",
}
# File, text, what it becomes: an edit that changes what the function returns.
EFFECTIVE = {
    "another name under the same alias": ("net", "import floor as rounded", "import ceil as rounded"),
    "another module under the same alias": ("net", "import lab.scale as scale", "import lab.scaled as scale"),
    "a constant of a module that is imported under an alias": ("scale", "SCALE = 3", "SCALE = 4"),
    "a constant that a module object hands on": ("constants", "DEPTH = 6", "DEPTH = 7"),
    "another constant under the same alias": ("net", "import WIDTH as width", "import SPARE as width"),
    "a constant that is imported under an alias": ("constants", "WIDTH = 5", "WIDTH = 6"),
    "a constant of a star import": ("everything", "FROM_STAR = 8", "FROM_STAR = 9"),
    "a name that a star import brings anew": ("everything", "FROM_STAR = 8", "FROM_STAR = 8\nrounded = str"),
    "a constant of a relative import": ("relative", "SIZE = 9", "SIZE = 8"),
    "a function of a relative import": ("pieces/block", "return INNER", "return [INNER]"),
    "an import inside a function": ("inner", "INNER = 10", "INNER = 11"),
    "what a module does that is imported for nothing else": ("unused", "+= 1", "+= 2"),
    "what a package does when its module is imported": ("pieces/__init__", "+= 1", "+= 2"),
    "the first of two assignments": ("net", "MARGIN = 1", "MARGIN = 2"),
    "the second of two assignments": ("net", "MARGIN + 1", "MARGIN + 2"),
    "an assignment to an item": ("net", '"gain"] = 2', '"gain"] = 3'),
    "a call that changes a constant": ("net", "append(5)", "append(6)"),
    "an assignment in place": ("net", "BIAS += 3", "BIAS += 4"),
    "a constant under try": ("net", 'int("4")', 'int("5")'),
    "a constant under for": ("net", "(1, 2)", "(1, 3)"),
    "a constant under if": ("net", '"long"', '"longer"'),
    "a condition": ("net", "len(SHIFTS) > 1", "len(SHIFTS) > 0 and (MODE := 'x') and False"),
    "a constant under with": ("net", "OPENED = 7", "OPENED = 8"),
    "a global that a function sets": ("net", "SEED = 9", "SEED = 8"),
    "a call at import that is no longer made": ("net", "\nwarm_up()\n", "\n"),
    "an attribute of a base class": ("net", "size = 6", "size = 7"),
    "a method of a base class": ("net", '"base"', '"basis"'),
    "a method": ("net", "self.size, self.kind", "self.kind, self.size"),
    "a default of a method": ("net", "times=MARGIN", "times=SEED"),
    "a default": ("net", "extra=len(SHIFTS)", "extra=BIAS"),
    "a decorator that is no mark": ("net", "function() + [STEP]", "function() + [STEP, STEP]"),
    "a constant that only a decorator uses": ("net", "STEP = 1", "STEP = 2"),
    "a decorator that is left out": ("net", "@decorated\ndef helper", "def helper"),
    "the function itself": ("net", "return [rounded(2.5)", "return [rounded(3.5)"),
    "a statement at the end that replaces what is used": ("net", "    return 1\n", "    return 1\n\nblock = list\n"),
    "a constant in a folder without an __init__": ("parts/shape", "14", "15"),
    "a class that registers itself with a base of another file": ("net", "size = 13", "size = 14"),
    "a name that a default sets": ("net", ":= 12", ":= 13"),
    "a file that is read": ("size.txt", "15", "16"),
    "an attribute that is set on a class later": ("net", "    return 1\n", "    return 1\n\nBase.size = 0\n"),
}  # fmt: skip
HARMLESS = {
    "a comment": ("net", "# A comment.", "# Another comment."),
    "the function's docstring": ("net", '"""What it shows."""', '"""Something else."""'),
    "a method's docstring": ("net", '"""Say."""', '"""Tell."""'),
    "a class's docstring": ("net", '"""A layer."""', '"""A kind of layer."""'),
    "the module's docstring": ("net", '"""A file with', '"""One file with'),
    "formatting": ("net", "return [rounded(2.5), scale.SCALE,", "return [ rounded( 2.5 ) ,\n\n  scale.SCALE ,"),
    "the words of a mark": ("net", 'changes="what it changes"', 'changes="reworded"'),
    "another mark": ("net", '@suspect(cause="init", changes="what it changes")', "@twin"),
    "a comment in another file": ("constants", "WIDTH = 5", "WIDTH = 5  # wide"),
}


def write(root: Path, edits: tuple[tuple[str, str, str], ...] = (), net: str = NET) -> Path:
    """Write the scratch package, edited; returns the file of the variant."""
    files = {**FILES, "lab/net.py": net, "lab/scaled.py": "SCALE = 33\n"}
    for name, old, new in edits:
        file = f"lab/{name}" if "." in name else f"lab/{name}.py"
        assert files[file].count(old) >= 1
        files[file] = files[file].replace(old, new, 1)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root / "lab/net.py"


def run(path: Path) -> Any:
    """What the variant gives, imported anew."""
    root = str(path.parents[1])
    for name in [name for name in sys.modules if name.split(".")[0] == "lab"]:
        del sys.modules[name]
    sys.path.insert(0, root)
    importlib.invalidate_caches()
    try:
        return importlib.import_module("lab.net").functional()
    finally:
        sys.path.remove(root)


@pytest.mark.parametrize("edit", EFFECTIVE.values(), ids=EFFECTIVE)
def test_an_edit_that_changes_the_result_changes_the_digest(tmp_path: Path, edit: tuple[str, str, str]) -> None:
    before, after = write(tmp_path / "before"), write(tmp_path / "after", (edit,))
    assert run(before) != run(after)
    assert source_digest(before, "functional") != source_digest(after, "functional")


@pytest.mark.parametrize("edit", HARMLESS.values(), ids=HARMLESS)
def test_an_edit_of_words_and_form_changes_no_digest(tmp_path: Path, edit: tuple[str, str, str]) -> None:
    before, after = write(tmp_path / "before"), write(tmp_path / "after", (edit,))
    assert run(before) == run(after)
    assert source_digest(before, "functional") == source_digest(after, "functional")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def neighbour():\n    return 1", "def neighbour():\n    return 2"),
        ("@twin\ndef neighbour", "@twin\ndef third():\n    return neighbour\n\n@twin\ndef neighbour"),
        ("HIDDEN = 11", "HIDDEN = 11\nSPARE = 12"),
        ("from math import floor", "import json\nfrom math import pi\nfrom math import floor"),
    ],
    ids=["another variant", "a new variant", "a constant that nothing uses", "an import that nothing uses"],
)
def test_what_the_function_does_not_use_is_left_out(tmp_path: Path, old: str, new: str) -> None:
    before, after = write(tmp_path / "before"), write(tmp_path / "after", (("net", old, new),))
    assert run(before) == run(after)
    assert source_digest(before, "functional") == source_digest(after, "functional")
    assert source_digest(before, "neighbour") == source_digest(after, "neighbour") or "return 2" in new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from keras.layers import ReLU as Act", "from keras.layers import Softmax as Act"),
        ("from keras.layers import ReLU as Act", "from keras.activations import ReLU as Act"),
        ("from keras.layers import ReLU as Act", "from keras.layers import *\nfrom keras.layers import ReLU as Act"),
        ("import keras.layers as l", "import keras.ops as l"),
        ("TASK", "keras.config.set_floatx('float64')\nTASK"),
        ("TASK", "keras.mixed_precision.set_global_policy('mixed_float16')\nTASK"),
        ("TASK", "_ = keras.config.set_epsilon(1e-3)\nTASK"),
        ("TASK", "layers.Dense.units = 3\nTASK"),
        ("TASK", "import a_package_that_changes_keras\nTASK"),
        ("TASK", "@keras.saving.register_keras_serializable()\nclass Unused: pass\nTASK"),
        ("TASK", "def unused(a=keras.utils.set_random_seed(1)): pass\nTASK"),
        ("TASK", "class Unused:\n    done = print(1)\nTASK"),
        ("TASK", "from __future__ import annotations\nTASK"),
        ("TASK", "class Listed(dict, metaclass=type): pass\nTASK"),
    ],
)
def test_what_keras_is_told_and_asked_for_counts_wherever_it_stands(tmp_path: Path, old: str, new: str) -> None:
    text = (
        "import keras\nimport keras.layers as l\nfrom keras import layers\nfrom keras.layers import ReLU as Act\n"
        "TASK = 'classify'\n\ndef functional(s, c):\n    return [l.Dense(c), Act()]\n"
    )
    assert old in text
    (tmp_path / "before.py").write_text(text)
    (tmp_path / "after.py").write_text(text.replace(old, new, 1))
    digests = []
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
        digests.append(source_digest((tmp_path / f"{name}.py").rename(tmp_path / name / "net.py"), "functional"))
    assert digests[0] != digests[1]


@pytest.mark.parametrize("hidden", ['globals()["HIDDEN"]', 'getattr(sys.modules[__name__], "HID" + "DEN")'])
def test_a_name_that_only_a_string_names_is_covered(tmp_path: Path, hidden: str) -> None:
    net = f"import sys\nHIDDEN = 11\ndef functional():\n    return {hidden}\n"
    before = write(tmp_path / "before", net=net)
    after = write(tmp_path / "after", (("net", "11", "12"),), net)
    assert run(before) != run(after)
    assert source_digest(before, "functional") != source_digest(after, "functional")


def test_a_module_that_is_imported_by_a_name_in_a_string_is_covered(tmp_path: Path) -> None:
    net = "from importlib import import_module as load\ndef functional():\n    return load('lab.' + 'inner').INNER\n"
    before = write(tmp_path / "before", net=net)
    after = write(tmp_path / "after", (("inner", "10", "11"),), net)
    assert run(before) != run(after)
    assert source_digest(before, "functional") != source_digest(after, "functional")


def test_the_order_of_functions_does_not_count_and_that_of_assignments_does(tmp_path: Path) -> None:
    first, second = "def a():\n    return X\n", "def functional():\n    return a()\n"
    digests = []
    for number, text in enumerate(
        (f"X = 1\nX = 2\n{first}{second}", f"X = 1\nX = 2\n{second}{first}", f"X = 2\nX = 1\n{first}{second}")
    ):
        (tmp_path / str(number)).mkdir()
        path = tmp_path / str(number) / "net.py"
        path.write_text(text)
        digests.append(source_digest(path, "functional"))
    assert digests[0] == digests[1] != digests[2]


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Returns a function that copies the package, changes one file of it, and gives the digests of all variants."""
    number = iter(range(100))

    def digests(file: str = "mlp.py", old: str = "", new: str = "") -> dict[str, str]:
        folder = tmp_path / str(next(number)) / "twinbench" / "architectures"
        folder.mkdir(parents=True)
        (folder.parent / "__init__.py").touch()
        for path in FOLDER.glob("*.py"):
            (folder / path.name).write_text(path.read_text())
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1) if old else text)
        with monkeypatch.context() as patched:
            patched.setattr(catalogue, "FOLDER", folder)
            patched.setattr(catalogue, "SUSPECTS_FILE", folder / "suspects.py")
            for listing in (catalogue.architectures, catalogue.suspects):
                listing.cache_clear()
            try:
                variants = [*(v for a in architectures().values() for v in a.variants), *suspects()]
                return {f"{v.kind[:4]}:{v.architecture}/{v.name}": v.digest for v in variants}
            finally:
                for listing in (catalogue.architectures, catalogue.suspects):
                    listing.cache_clear()

    return digests


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


def test_a_changed_layer_changes_the_variant_that_holds_it_alone(copied) -> None:
    after = copied("mlp.py", "x = layers.Dense(128,", "x = layers.Dense(129,")
    assert changed(copied(), after) == {"refe:mlp/functional"}


def test_a_changed_class_changes_the_variants_that_use_it(copied) -> None:
    after = copied("branching_cnn.py", "self.narrow = layers.Conv2D(16", "self.narrow = layers.Conv2D(17")
    assert changed(copied(), after) == {"twin:branching_cnn/sequential_composite", "twin:branching_cnn/subclass"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("WIDTH = 16", "WIDTH = 17"),
        ('TASK = "classify"', 'TASK = "reconstruct"'),
        ('TASK = "classify"', 'TASK = "classify"\nCOMPILER = "xla"'),
    ],
)
def test_a_constant_of_all_and_a_setting_of_the_architecture_change_all_its_variants(copied, old, new) -> None:
    before = copied()
    after = copied("residual_cnn.py", old, new)
    assert changed(before, after) == {name for name in before if ":residual_cnn/" in name}


def test_a_changed_reference_changes_every_suspect(copied) -> None:
    before = copied()
    after = copied("plain_cnn.py", "x = layers.Dropout(0.25)(x)", "x = layers.Dropout(0.6)(x)")
    expected = {name for name in before if name.startswith("susp:")} | {"refe:plain_cnn/functional"}
    assert changed(before, after) == expected


def test_a_change_in_another_file_reaches_the_suspect_that_imports_it(copied) -> None:
    after = copied("plain_cnn.py", "    head = layers.Dense(classes)\n", "    head = layers.Dense(classes, name='h')\n")
    assert changed(copied(), after) == {"look:plain_cnn/functional_reordered", "susp:plain_cnn/construction_order"}


def test_a_reworded_suspect_and_its_neighbour_are_left_alone(copied) -> None:
    before = copied()
    after = copied("suspects.py", 'changes="the batch is eight times as large"', 'changes="larger batches"')
    assert changed(before, after) == set()
    after = copied("suspects.py", "batch_factor=8", "batch_factor=16")
    assert changed(before, after) == {"susp:plain_cnn/larger_batch"}


def test_the_digest_of_a_variant_is_a_sha256() -> None:
    assert re.fullmatch("[0-9a-f]{64}", find_variant("mlp", "sequential").digest)
    with pytest.raises(KeyError):
        find_variant("mlp", "no_such_variant")
    with pytest.raises(KeyError):
        source_digest(FOLDER / "mlp.py", "no_such_function")


def test_modules_that_are_found_by_a_changed_path_are_covered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by `sys.path`, below the file; one by PYTHONPATH, elsewhere."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    digests = set()
    for size, depth in ((1, 1), (2, 1), (2, 2)):
        net = tmp_path / f"{size}{depth}" / "net.py"
        (net.parent / "vendored").mkdir(parents=True)
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        (net.parent / "vendored" / "sizes_of_a_lab.py").write_text(f"SIZE = {size}\n")
        (tmp_path / "elsewhere" / "depths_of_a_lab.py").write_text(f"DEPTH = {depth}\n")
        net.write_text(
            "from sizes_of_a_lab import SIZE\nimport depths_of_a_lab as d\ndef f():\n    return SIZE, d.DEPTH\n"
        )
        parse.cache_clear()
        _module.cache_clear()
        digests.add(source_digest(net, "f"))
    assert len(digests) == 3


def test_docstrings_count_where_they_are_read(tmp_path: Path) -> None:
    net = NET.replace("return 1\n", "return functional.__doc__\n")
    edit = ("net", '"""What it shows."""', '"""Something else."""')
    before, after = write(tmp_path / "before", net=net), write(tmp_path / "after", (edit,), net=net)
    assert source_digest(before, "neighbour") != source_digest(after, "neighbour")
