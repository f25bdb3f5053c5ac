"""What cannot be had is refused before the start, in a sentence with what to do; what can be had is not."""

import numpy as np
import pytest
from click.testing import CliRunner

from twinbench.cli import main
from twinbench.config import parse_configuration
from twinbench.errors import ConfigurationError
from twinbench.planning.feasible import check_feasible


def _arrays(**changes):
    images = np.zeros((40, 6, 6, 1), np.uint8)
    return {
        "x_train": images, "y_train": np.arange(40) % 2, "x_test": images[:8], "y_test": np.arange(8) % 2, **changes
    }  # fmt: skip


_LOW = np.zeros((40, 3, 16, 16), np.uint8)
_UNFIT = {
    "a missing file": ({"datasets": ["gone.npz"]}, ["gone.npz does not exist", "`source`"]),
    "a file that is no archive": ({"datasets": ["text.npz"]}, ["text.npz is not an .npz file", "numpy.savez"]),
    "validation images": ({"datasets": ["val.npz"]}, ["val.npz has 'x_val'", "would not be used", "x_validation"]),
    "weights": ({"datasets": ["weights.npz"]}, ["'w_train' in weights.npz", "not all of them 0"]),
    "channels first": ({"datasets": ["low.npz"]}, ["'x_train' in low.npz", "channels first", "transpose(0, 2, 3, 1)"]),
    "too large a part of a file": (
        {"datasets": [{"source": "good.npz", "train_examples": 41}]},
        ["'train_examples' of dataset 'good' is 41", "at most 40"],
    ),
    "too large a part of the digits": (
        {"datasets": [{"source": "digits", "train_examples": 1298}]},
        ["'train_examples' of dataset 'digits' is 1298", "at most 1297"],
    ),
    "too large a part of a download": (
        {"datasets": [{"source": "mnist", "train_examples": 60001}]},
        ["'train_examples' of dataset 'mnist' is 60001", "at most 60000"],
    ),
    "too large a batch": (
        {"datasets": ["good.npz"], "training": {"batch_size": 37}},
        ["'training.batch_size' is 37", "dataset 'good' has 36 images", "at most"],
    ),
    "too small a validation split": (
        {"datasets": ["good.npz"], "training": {"validation_fraction": 0.01}},
        ["'training.validation_fraction' is 0.01", "holds out 0 of the 40", "at least 1"],
    ),
    "no folder of original files": (
        {"datasets": [{"source": "mnist", "manual_dir": "nowhere"}]},
        ["'manual_dir' of dataset 'mnist' is nowhere", "not a folder"],
    ),
    "a file for the output": ({"output": "text.npz"}, ["text.npz is a file", "`output`"]),
    "a file above the store": ({"store": "text.npz/store"}, ["text.npz is a file", "`store`"]),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("good.npz", **_arrays())
    np.savez("val.npz", **_arrays(x_val=np.zeros(3)))
    np.savez("weights.npz", **_arrays(w_train=np.zeros(40)))
    np.savez("low.npz", **_arrays(x_train=_LOW, x_test=_LOW[:8]))
    (tmp_path / "text.npz").write_text("no archive")
    return tmp_path


@pytest.mark.parametrize(("content", "words"), _UNFIT.values(), ids=_UNFIT)
def test_what_cannot_be_had_is_refused_with_what_to_do(folder, content, words):
    with pytest.raises(ConfigurationError) as refused:
        check_feasible(parse_configuration(content))
    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"datasets": ["good.npz"], "training": {"batch_size": 36}},
        {"datasets": [{"source": "good.npz", "train_examples": 20}], "training": {"batch_size": 18}},
        {"datasets": ["mnist", {"source": "digits", "train_examples": 1297}]},
        {"datasets": ["rock_paper_scissors"], "training": {"batch_size": 100000}},
        {"output": "not/there", "store": "nor/there"},
    ],
)
def test_what_can_be_had_is_not_refused(folder, content):
    check_feasible(parse_configuration(content))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("plan --config seeds", ["--config seeds", "KEY=VALUE"]),
        ("plan --config training.epochs=2", ["a key has no dot", "training='{epochs: 2}'"]),
        ("plan --config seeds=0", ["'seeds' is 0 in --config"]),
        ("plan --config seeds=[010]", ["--config seeds=[010]", "YAML reads 010 as 8 (octal)"]),
        ("plan --config datasets=gone.npz", ["gone.npz does not exist"]),
        ("plan --configfile gone.yaml", ["gone.yaml cannot be read", "Check its name"]),
        ("plan --configfile .", ["cannot be read", "name a file"]),
        ("store ls gone", ["There is no store in gone"]),
        ("store verify --store gone", ["There is no store in gone"]),
    ],
)
def test_a_command_says_what_to_do(folder, arguments, words):
    refused = CliRunner().invoke(main, arguments.split())
    assert refused.exit_code == 2
    assert refused.output.startswith("twinbench: ")
    for word in words:
        assert word in refused.output


def test_a_setting_of_plan_joins_the_files_group(folder):
    (folder / "mine.yaml").write_text("training: {epochs: 3}\nseeds: 2\narchitectures: mlp\nsuspects: []\n")
    arguments = ["plan", "--configfile", "mine.yaml", "--config", "training={job_size: variant}", "--config", "seeds=4"]
    planned = CliRunner().invoke(main, arguments)
    assert planned.exit_code == 0, planned.output
    assert "20" in planned.output
    assert "5 jobs of 1 core each" in planned.output
