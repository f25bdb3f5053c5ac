"""A mistake in a file is told with file, line, key and what to do; what YAML would read in another way is refused."""

import pytest

from twinbench.config import read_configuration
from twinbench.config.reading import check_configuration_file
from twinbench.errors import ConfigurationError

_MISTAKES = {
    "a key that is there twice": (
        "seeds: 2\nsuspects: []\nseeds: 3\n",
        ["at line 3", "the key 'seeds' is already set in line 1", "remove one"],
    ),
    "a key that is there twice in a group": ("training:\n  epochs: 2\n  epochs: 3\n", ["line 3", "'epochs'", "line 2"]),
    "a key that is there twice in JSON": ('{"seeds": 2,\n\t"seeds": 3}', ["line 2", "'seeds'", "line 1"]),
    "octal seeds": ("seeds: [01, 010]\n", ["line 1", "YAML reads 01 as 1 (octal)", "without leading zeros"]),
    "a number to the base 60": ("seeds: 1:30\n", ["YAML reads 1:30 as 90 (base 60)"]),
    "too many epochs": ("training:\n  epochs: 1.0e+20\n", ["'training.epochs'", "line 2", "too large"]),
    "a hundred thousand epochs and one": ("training: {epochs: 100001}\n", ["line 1", "at most 100000"]),
    "too many threads": ("training:\n  threads: 1000\n", ["'training.threads' is 1000", "line 2", "at most 512"]),
    "an empty output": ("seeds: 1\noutput: ''\n", ["'output'", "line 2", "must not be empty"]),
    "a blank output": ("output: ' '\n", ["'output'", "line 1", "must not be empty"]),
    "an output without a value": ("output:\n", ["'output' is null", "line 1", "must be text"]),
    "a dataset without a source": ("datasets: [{name: x}]\n", ["'datasets[0].source' is missing", "line 1", "`.npz`"]),
    "an address for a source": (
        "datasets:\n- digits\n- https://example.org/mine.npz\n",
        ["'datasets[1].source'", "line 3", "is an address: download the file"],
    ),
    "a pattern without quotes": ("architectures: [*/sequential]\n", ["line 1", "put a pattern in quotes"]),
    "an unknown alias": ("seeds: 1\narchitectures: [*_cnn]\n", ["line 2", "put a pattern in quotes"]),
    "a tab": ("training:\n\tepochs: 1\n", ["line 2", "indent with spaces"]),
    "an unknown key": ("seeds: 1\ntraining:\n  epoch: 3\n", ["\"epoch\" in 'training'", "line 3", "'epochs'?"]),
    "an unknown dataset": ("datasets:\n- digits\n- mnsit\n", ["'datasets[1]'", "line 3", "'mnist'?"]),
    "an encoding": (b"# one\noutput: r\xe9sultats\n", ["not text in UTF-8", "line 2", "save the file"]),
}


@pytest.mark.parametrize(("text", "words"), _MISTAKES.values(), ids=_MISTAKES)
def test_a_mistake_in_a_file_names_file_line_and_key_and_says_what_to_do(tmp_path, text, words):
    path = tmp_path / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    for read in (read_configuration, check_configuration_file):
        with pytest.raises(ConfigurationError) as refused:
            read(path)
        for word in (str(path), *words):
            assert word in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        '{\n\t"seeds": [3, 0],\n\t"training": {"epochs": 10}\n}',
        "\ufeffseeds: [0x3, 0]\ntraining: {epochs: 1_0}\n",
        "training: &short\n  epochs: 10\nseeds: [3, 0]\n",
    ],
    ids=["JSON with tabs", "byte order mark", "anchor"],
)
def test_what_is_clear_is_read(tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    configuration = read_configuration(tmp_path / "mine.yaml")
    assert (configuration.seeds, configuration.training.epochs) == ([3, 0], 10)
