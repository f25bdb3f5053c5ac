"""Networks from outside the package: found by their places, read as text, keyed by the code that they reach."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from twinbench.architectures import architectures, catalogue, source
from twinbench.architectures.importing import adapted
from twinbench.architectures.places import bring, unseen
from twinbench.config import parse_configuration
from twinbench.errors import ConfigurationError
from twinbench.planning.plan import make_plan, selected_variants
from twinbench.planning.stages import configuration_of, settings_of

NETS = '''"""Two networks."""
import keras
from blocks import head
import {installed}

WIDTH = 8


def functional(input_shape, classes):
    """The Functional API."""
    image = keras.Input(input_shape)
    return keras.Model(image, head(classes)(keras.layers.Flatten()(image)))


def sequential(input_shape):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(WIDTH)])


def fixed(*, units=10):
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(units)])
'''
BLOCKS = "from keras import layers\ndef head(n):\n    return layers.Dense(n)\ndef tail(n):\n    return n\n"
NETWORK = {"name": "my_net", "reference": "nets.py:functional", "variants": ["nets.py:sequential", "nets:fixed"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a person's own, in which they work."""
    (tmp_path / "nets.py").write_text(NETS.format(installed="click"))
    (tmp_path / "blocks.py").write_text(BLOCKS)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    catalogue._brought.clear()
    forget()


def forget() -> None:
    """Read every file anew, as another process would."""
    for cached in (architectures, catalogue._digest, source.parse, source._module, source._content):
        cached.cache_clear()


def chosen(*entries: object, **settings: object):
    return parse_configuration({"architectures": list(entries), "suspects": [], **settings})


def keys(folder: Path, *entries: object) -> dict[str, str]:
    """The key of every run as another process would find it."""
    forget()
    plan = make_plan(chosen(*(entries or (NETWORK,)), seeds=1))
    return {run.variant: plan.key(run) for run in plan.runs}


def test_builders_are_selected_by_their_places_beside_the_packages_own(folder: Path) -> None:
    variants = selected_variants(chosen("mlp/sequential", NETWORK))
    assert [(v.architecture, v.name, v.kind) for v in variants] == [
        ("mlp", "functional", "reference"),
        ("mlp", "sequential", "twin"),
        ("my_net", "functional", "reference"),
        ("my_net", "sequential", "candidate"),
        ("my_net", "fixed", "candidate"),
    ]
    assert variants[2].sentence == "The Functional API."
    assert {v.architecture for v in selected_variants(chosen("*"))}.isdisjoint({"my_net"})


def test_a_file_with_marks_is_an_architecture_wherever_it_lies(folder: Path) -> None:
    (folder / "wide.py").write_text(
        "from twinbench.architectures.declaration import reference, twin\nTASK = 'classify'\n"
        "@reference\ndef a(s, c): pass\n@twin\ndef b(s, c): pass\n"
    )
    variants = selected_variants(chosen(str(folder / "wide.py")))
    assert [(v.architecture, v.name, v.kind) for v in variants] == [("wide", "a", "reference"), ("wide", "b", "twin")]


def test_a_stage_finds_the_networks_in_its_settings(folder: Path) -> None:
    configuration = chosen("mlp/subclass", NETWORK)
    variants = selected_variants(configuration)
    for stage in ("ladder", "measure", "tables"):
        again = configuration_of(settings_of(stage, configuration, variants))
        assert selected_variants(again) == variants


@pytest.mark.parametrize(
    ("file", "old", "new", "trained"),
    [
        ("nets.py", "WIDTH = 8", "WIDTH = 9", {"sequential"}),
        ("nets.py", "units=10", "units=11", {"fixed"}),
        ("blocks.py", "layers.Dense(n)", "layers.Dense(n, use_bias=False)", {"functional"}),
        ("blocks.py", "return n\n", "return n + 1\n", set()),
        ("nets.py", '"""The Functional API."""', '"""Another sentence."""  # and a comment', set()),
        ("nets.py", "import click", "import rich", {"functional", "sequential", "fixed"}),
    ],
)
def test_a_change_concerns_exactly_the_builders_that_reach_it(
    folder: Path, file: str, old: str, new: str, trained: set[str]
) -> None:
    before = keys(folder)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    after = keys(folder)
    assert {name for name in before if before[name] != after[name]} == trained


def test_a_folder_that_moves_is_the_same_code(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(folder)
    (folder / "elsewhere").mkdir()
    for name in ("nets.py", "blocks.py"):
        (folder / name).rename(folder / "elsewhere" / name)
    monkeypatch.chdir(folder / "elsewhere")
    assert keys(folder) == before


def test_a_result_below_a_folder_is_no_part_of_its_code(folder: Path) -> None:
    path = folder / "nets.py"
    path.write_text(path.read_text() + "HERE = __file__\n\ndef placed():\n    return HERE\n")
    network = {**NETWORK, "variants": ["nets.py:placed"]}
    before = keys(folder, network)
    (folder / "results").mkdir()
    (folder / "results" / "runs.csv").write_text("1")
    assert keys(folder, network) == before
    (folder / "weights.bin").write_text("1")
    assert keys(folder, network)["placed"] != before["placed"]


_WRONG = {
    "no file": ({"reference": "absent.py:f"}, ["names absent.py:f", "there is no file absent.py"]),
    "no module": ({"reference": "no.module:f"}, ["there is no module 'no.module'"]),
    "no function": ({"reference": "nets.py:functionel"}, ["has no 'functionel'", "did you mean 'functional'?"]),
    "too much": ({"variants": ["odd.py:greedy"]}, ["odd.py:3: 'greedy' takes a, b, c", "give the others defaults"]),
    "twice": ({"variants": ["nets.py:functional"]}, ["nets.py:functional 2 times"]),
    "a name that is taken": ({"name": "mlp"}, ["'mlp', which is one of twinbench's own"]),
    "no name for files": ({"name": "my net"}, ["'architectures[0].name' is \"my net\"", "at most 80 letters"]),
    "no place": ({"variants": ["nets.py"]}, ["architectures[0].variants[0]", "file.py:function"]),
    "no variants": ({"variants": []}, ["'architectures[0].variants' is []", "must name at least one"]),
    "a key": ({"variant": ["nets.py:fixed"]}, ["Unknown key \"variant\" in 'architectures[0]'", "'variants'?"]),
    "no Python": ({"variants": ["odd.py:broken"]}, ["odd.py"]),
    "a broken neighbour": ({"variants": ["near.py:f"]}, ["bad.py:1:"]),
}


@pytest.mark.parametrize(("change", "words"), _WRONG.values(), ids=_WRONG)
def test_what_cannot_be_built_is_refused_before_anything_runs(
    folder: Path, change: dict[str, object], words: list[str]
) -> None:
    (folder / "odd.py").write_text("\n\ndef greedy(a, b, c): pass\n" + ("def broken(:" if "no Py" in words else ""))
    (folder / "bad.py").write_text("def f(:\n")
    (folder / "near.py").write_text("from bad import f\n")
    with pytest.raises(ConfigurationError) as refused:
        make_plan(chosen({**NETWORK, **change}))
    for word in words:
        assert word in str(refused.value)


def test_two_builders_of_one_name_are_told_apart_by_their_files(folder: Path) -> None:
    (folder / "other.py").write_text(NETS.format(installed="rich"))
    network = {"name": "both", "reference": "nets.py:fixed", "variants": ["other.py:fixed"]}
    assert [v.name for v in selected_variants(chosen(network))] == ["nets_fixed", "other_fixed"]
    for name in ("new", "old", "older/new"):
        (folder / name).mkdir(parents=True)
        (folder / name / "nets.py").write_text(NETS.format(installed="rich"))
    network = {"name": "both", "reference": "old/nets.py:fixed", "variants": ["new/nets.py:fixed"]}
    assert [v.name for v in selected_variants(chosen(network))] == ["old_nets_fixed", "new_nets_fixed"]
    with pytest.raises(ConfigurationError, match="two builders that would be called 'new_nets_fixed'"):
        bring(chosen({**network, "reference": "older/new/nets.py:fixed"}))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("return open('weights').read()", "may read a file (open in nets.py)"),
        ("import time\n    return time.time()", "may read the clock (time in nets.py)"),
        ("import os\n    return os.environ['WIDTH']", "may read the environment (environ in nets.py)"),
        ("return keras.applications.VGG16()", "may take something from the network (applications in nets.py)"),
        ("keras.utils.set_random_seed(1)", "sets a seed of its own (set_random_seed in nets.py)"),
        ("return WIDTH", ""),
    ],
)
def test_state_outside_the_code_is_warned_of(folder: Path, body: str, words: str) -> None:
    path = folder / "nets.py"
    path.write_text(f"{path.read_text()}\ndef doubtful():\n    {body}\n")
    sentences = list(unseen(chosen({**NETWORK, "variants": ["nets.py:doubtful"]})))
    assert words in sentences[0] if words else not sentences, sentences


def test_a_builder_gets_what_it_takes() -> None:
    for builder, expected in (
        (lambda: (), ()),
        (lambda input_shape, classes: (input_shape, classes), ((8, 8, 1), 10)),
        (lambda s, n: (s, n), ((8, 8, 1), 10)),
        (lambda shape: (shape,), ((8, 8, 1),)),
        (lambda num_classes, shape: (num_classes, shape), (10, (8, 8, 1))),
        (lambda s, classes=3, width=7: (s, classes, width), ((8, 8, 1), 10, 7)),
        (lambda *, units=5, input_shape=(1,): (units, input_shape), (5, (8, 8, 1))),
    ):
        assert adapted(builder)((8, 8, 1), 10) == expected
