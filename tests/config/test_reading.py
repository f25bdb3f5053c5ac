"""A good configuration is read; a bad one is refused in a sentence for each mistake, and never with a traceback."""

import os
import subprocess
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from twinbench.config import Configuration, parse_configuration, read_configuration
from twinbench.errors import ConfigurationError


def test_nothing_gives_the_defaults():
    assert parse_configuration({}) == Configuration()


@pytest.mark.parametrize(
    ("given_", "key", "value"),
    [
        ({"datasets": "digits"}, "datasets", "digits"),
        ({"datasets": [{"source": "mnist", "name": "digits"}]}, "datasets", "digits"),
        ({"datasets": {"name": "mnist"}}, "datasets", "mnist"),
        ({"datasets": "emnist/balanced:3.1.0"}, "datasets", "emnist-balanced"),
        ({"datasets": "some folder/my images.npz"}, "datasets", "my-images"),
    ],
)
def test_a_dataset_may_be_a_text_or_a_group_of_keys(given_, key, value):
    assert [dataset.name for dataset in getattr(parse_configuration(given_), key)] == [value]


def test_a_configuration_that_sets_the_resamples_of_the_former_bootstrap_is_still_read():
    given_ = {"confidence": 0.9, "resamples": 999}
    assert parse_configuration({"statistics": given_}) == parse_configuration({"statistics": {"confidence": 0.9}})


def test_numbers_that_yaml_takes_for_text_are_numbers(tmp_path):
    (tmp_path / "c.yaml").write_text("training:\n  learning_rate: 1e-3\n")
    assert read_configuration(tmp_path / "c.yaml").training.learning_rate == 0.001


def test_determinism_off_means_off_though_yaml_takes_it_for_false(tmp_path):
    (tmp_path / "c.yaml").write_text("training:\n  determinism: off\n")
    assert read_configuration(tmp_path / "c.yaml").training.determinism == "off"


_SEEDS = "it must be a number of seeds from 1 to 100000, a list of different whole numbers from 0, or settle."
_JOB = "it must be 'architecture', 'variant' or a whole number of at least 1"
# In these, @ stands for "in the configuration;".
_REFUSED = [
    ({"seeds": 0}, f"'seeds' is 0 @ {_SEEDS}"),
    ({"seeds": []}, f"'seeds' is [] @ {_SEEDS}"),
    ({"seeds": [1, 1]}, f"'seeds' is [1, 1] @ {_SEEDS}"),
    ({"seeds": ["a", 2]}, f"""'seeds' is ["a", 2] @ {_SEEDS}"""),
    ({"seeds": None}, f"'seeds' is null @ {_SEEDS}"),
    ({"training": {"job_size": 0}}, f"'training.job_size' is 0 @ {_JOB}."),
    (
        {"training": {"job_size": "varient"}},
        f"""'training.job_size' is "varient" @ {_JOB}; did you mean 'variant'?""",
    ),
    ({"training": {"learning_rate": -1}}, "'training.learning_rate' is -1 @ it must be greater than 0."),
    (
        {"training": {"learning_rate": float("nan")}},
        "'training.learning_rate' is NaN @ it must be a finite number.",
    ),
    ({"training": {"epochs": 0}}, "'training.epochs' is 0 @ it must be at least 1."),
    ({"training": {"epochs": 1.5}}, "'training.epochs' is 1.5 @ it must be a whole number."),
    ({"training": {"epochs": "many"}}, """'training.epochs' is "many" @ it must be a whole number."""),
    ({"training": {"threads": None}}, "'training.threads' is null @ it must be a whole number."),
    ({"training": {"batch_size": [1]}}, "'training.batch_size' is [1] @ it must be a whole number."),
    ({"training": {"validation_fraction": 1}}, "'training.validation_fraction' is 1 @ it must be less than 1."),
    ({"statistics": {"confidence": "high"}}, """'statistics.confidence' is "high" @ it must be a number."""),
    (
        {"training": {"optimizer": "Adm"}},
        """'training.optimizer' is "Adm" @ it must be one of adam, adamw, sgd, rmsprop, nadam, """
        "adagrad, adadelta; did you mean 'adam'?",
    ),
    ({"training": {"vary": "init"}}, """'training.vary' is "init" @ it must be a list."""),
    (
        {"training": {"vary": ["ini"]}},
        """'training.vary[0]' is "ini" @ it must be one of init, order, dropout, split; """
        "did you mean 'init'?",
    ),
    ({"datasets": []}, "'datasets' is [] @ it must name at least one."),
    ({"datasets": [{}]},
        "'datasets[0].source' is missing in the configuration: add it, `digits`, the name of an image-classification "
        "dataset of tensorflow-datasets (`mnist`, `emnist/balanced`), a path to an `.npz` with x_train, y_train, "
        "x_test, y_test, or a function that returns these arrays, `file.py:load`.",
    ),
    (
        {"datasets": ["digits", "digits"]},
        """'datasets' is ["digits", "digits"] @ two datasets are called 'digits': """
        "give one of them another `name`.",
    ),
    (
        {"datasets": ["digits", "mnsit"]},
        """'datasets[1]' is "mnsit" @ tensorflow-datasets has no dataset of that name; """
        "did you mean 'mnist'?",
    ),
    (
        {"datasets": ["emnist/balenced"]},
        """'datasets[0]' is "emnist/balenced" @ emnist has no 'balenced', it has balanced, byclass, """
        "bymerge, digits, letters, mnist; did you mean 'balanced'?",
    ),
    (
        {"datasets": ["$(touch x)"]},
        """'datasets[0].source' is "$(touch x)" @ it must be 'digits', a tensorflow-datasets name """
        "such as 'mnist' or 'emnist/balanced', a path that ends in '.npz', or a function as file.py:load.",
    ),
    (
        {"datasets": [{"source": "digits", "name": "../up"}]},
        """'datasets[0].name' is "../up" @ it must be made of at most 80 letters, digits, '_', '-' and '.', """
        "and start with a letter or digit.",
    ),
    (
        {"datasets": [{"source": "digits", "nam": "x"}]},
        """Unknown key "nam" in 'datasets[0]' @ valid keys are data_dir, inputs, labels, manual_dir, name, source, """
        "test_split, train_examples, train_split; did you mean 'name'?",
    ),
    ({"architectures": []}, "'architectures' is [] @ it must name at least one."),
    (
        {"architectures": ["mlp; rm -rf x"]},
        """'architectures[0]' is "mlp; rm -rf x" @ it may be made of letters, digits and _ - . / * ? """
        "only, or be the path of a .py file.",
    ),
    ({"output": ""}, """'output' is "" @ it must not be empty."""),
    ({"output": None}, "'output' is null @ it must be text."),
    (
        {"figures": None},
        "'figures' is null @ it must have keys or be left out; valid keys are context, palette, "
        "width, formats.",
    ),
    (
        {"dataset": ["digits"]},
        'Unknown key "dataset" @ valid keys are architectures, datasets, figures, measurements, '
        "output, seeds, statistics, store, suspects, training; did you mean 'datasets'?",
    ),
    (
        {"epochs": 3},
        'Unknown key "epochs" @ valid keys are architectures, datasets, figures, measurements, '
        "output, seeds, statistics, store, suspects, training; did you mean 'training.epochs'?",
    ),
    (
        {"output": "a{b}"},
        """'output' is "a{b}" @ it must have no { and no } in it: """
        "Snakemake takes what is between them for a wildcard.",
    ),
    ({"store": "a\nb"}, """'store' is "a\\nb" @ it must be a path, which has no '\\n' in it."""),
    (
        {"output": "~nobody-of-this-name/x"},
        """'output' is "~nobody-of-this-name/x" @ it names a home folder that there is not: write the whole path.""",
    ),
    ({1: 2}, "A key in the configuration is 1; keys must be text: put it in quotes."),
    ([1], "The configuration must be a mapping of keys to values, not [1]."),
]  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), _REFUSED, ids=[str(content)[:50] for content, _ in _REFUSED])
def test_a_mistake_is_one_sentence_with_key_value_and_what_is_valid(content, sentence):
    with pytest.raises(ConfigurationError) as refused:
        parse_configuration(content)
    assert str(refused.value) == sentence.replace(" @ ", " in the configuration; ")


def test_a_tilde_is_the_home_folder_as_in_a_shell(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert parse_configuration({"output": "~/results", "store": "a~b"}).output == "/home/somebody/results"
    assert parse_configuration({"store": "a~b"}).store == "a~b"


@pytest.mark.parametrize("value", [True, False, [1, True]])
@pytest.mark.parametrize("key", ["epochs", "learning_rate", "job_size"])
def test_a_truth_value_is_not_taken_for_a_number(key, value):
    with pytest.raises(ConfigurationError, match=rf"'training.{key}' is .* true or false"):
        parse_configuration({"training": {key: value}})


def test_every_mistake_is_told_at_once():
    content = {"seeds": 0, "training": {"epochs": -1, "optimiser": "sgd"}, "figures": {"width": "wide"}}
    with pytest.raises(ConfigurationError) as refused:
        parse_configuration(content)
    assert len(str(refused.value).splitlines()) == 4


def test_the_file_is_named(tmp_path):
    path = tmp_path / "my config.yaml"
    path.write_text("seeds: 0\n")
    with pytest.raises(ConfigurationError, match=rf"'seeds' is 0 in {path}, line 1; it must"):
        read_configuration(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"seeds: 3\ntraining:\n  epochs: [1\n", r"c\.yaml is not valid YAML at line 4, column 1: "),
        (b"seeds: 3\n\ttraining: 1\n", r"c\.yaml is not valid YAML at line 2, column 1: "),
        (b"seeds: !!python/object/apply:os.getcwd []\n", r"c\.yaml is not valid YAML at line 1, column 8: .*tag"),
        (b"output: 2024-99-99\n", r"c\.yaml is not valid YAML: month must be in"),
        (b"output: '\x00'\n", r"c\.yaml is not valid YAML: unacceptable character"),
        (b"\xff\xfe\xfa", r"c\.yaml is not text in UTF-8"),
        (b"[" * 500, r"c\.yaml is not valid YAML"),
        (b"? [a, b]\n: 1\n", r"c\.yaml is not valid YAML at line 1"),
        (b"just text", r'c\.yaml must be a mapping of keys to values, not "just text"'),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_place(tmp_path, text, sentence):
    (tmp_path / "c.yaml").write_bytes(text)
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        read_configuration(tmp_path / "c.yaml")
    assert "\n" not in str(refused.value)


def test_an_empty_file_gives_the_defaults(tmp_path):
    (tmp_path / "c.yaml").write_text("# nothing yet\n")
    assert read_configuration(tmp_path / "c.yaml") == Configuration()


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"nowhere.yaml cannot be read: No such file"):
        read_configuration(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        read_configuration(tmp_path)


def test_a_configuration_that_contains_itself_is_refused():
    content: dict = {"datasets": []}
    content["datasets"].append(content["datasets"])
    content["training"] = content
    with pytest.raises(ConfigurationError, match="datasets"):
        parse_configuration(content)


def test_an_unknown_dataset_of_tensorflow_datasets_is_refused_without_importing_it():
    code = """
import sys
from twinbench.config import parse_configuration
from twinbench.errors import ConfigurationError
try:
    parse_configuration({"datasets": ["cifar11", "mnits"]})
except ConfigurationError as error:
    print(error)
sys.exit(any(name in sys.modules for name in ("tensorflow", "tensorflow_datasets", "numpy", "pandas")))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0
    first, second = done.stdout.splitlines()
    assert first.endswith("did you mean 'cifar10'?")
    assert second.endswith("did you mean 'mnist'?")


_KEYS = st.sampled_from([
    *Configuration.model_fields, *(key for section in ("training", "statistics", "measurements", "figures")
    for key in Configuration.model_fields[section].annotation.model_fields), "source", "name", "manual_dir",
])  # fmt: skip
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-2, 4), st.floats(), st.text(max_size=8), st.dates(),
    st.sampled_from(["digits", "mnist", "a.npz", "emnist/x", "*", "adam", "init", "off", "variant", "svg", "\ud800"]),
    st.binary(max_size=4), st.just(10**400),
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_KEYS, inner, max_size=5)
        | st.dictionaries(
            st.one_of(_KEYS, st.text(max_size=5), st.integers(), st.none(), st.just((1, 2))), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(_VALUES)
def test_any_value_is_a_configuration_or_a_sentence(value):
    _configuration_or_sentence(lambda: parse_configuration(value))


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_any_mapping_is_a_configuration_or_a_sentence(value):
    _configuration_or_sentence(lambda: parse_configuration(value))


@given(st.one_of(st.text(), st.text(alphabet="ab:-[]{}&*!|>%@'\"#,? \n\t0"), _VALUES.map(repr)))
def test_any_text_in_a_file_is_a_configuration_or_a_sentence(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    _configuration_or_sentence(lambda: read_configuration(path))


def _configuration_or_sentence(read):
    try:
        configuration = read()
    except ConfigurationError as error:
        sentence = str(error)
        assert sentence.endswith((".", "?"))
        assert sentence.encode("utf-8")
    else:
        assert Configuration.model_validate(configuration.model_dump()) == configuration


@given(st.builds(dict, seeds=st.integers(1, 50) | st.lists(st.integers(0, 99), min_size=1, max_size=5, unique=True),
                 output=st.text("abcäöü /", min_size=1, max_size=9).filter(str.strip)))  # fmt: skip
def test_a_good_configuration_survives_being_written_and_read(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "good.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert read_configuration(path) == parse_configuration(content)
