"""The command: what it prints, its exit status, and what a person's code cannot do to it."""

import json
import time

import pytest
from click.testing import CliRunner

from twinbench.cli import main
from twinbench.compare.process import Request, run_apart
from twinbench.errors import UsageError

MODELS = """
import sys
print("imported", flush=True)


def build(activation="relu"):
    import keras
    from keras import layers

    print("a builder that talks")
    sys.stdout.write("and writes\\n")
    return keras.Sequential([keras.Input((6,)), layers.Dense(4, activation=activation), layers.Dense(2)])


def linear():
    import matplotlib.pyplot as plt

    plt.plot([1, 2])
    plt.show()
    return build(None)


def late():
    import keras

    return keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(2)])


def endless():
    while True:
        pass


def leaves():
    import os

    os._exit(7)
"""


@pytest.fixture
def models(tmp_path, monkeypatch):
    path = tmp_path / "models with spaces.py"
    path.write_text(MODELS)
    monkeypatch.setenv("PYTHONPATH", ":".join(["src"]))
    return path


@pytest.fixture
def run():
    def invoke(*arguments):
        return CliRunner().invoke(main, ["compare", *map(str, arguments)])

    return invoke


def test_json_stays_json_when_builders_print_and_plot(models, run):
    result = run(f"{models}:build", f"{models}:linear", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert report["verdict"] == "different"
    assert [cause["code"] for cause in report["causes"]] == ["arch.activation"]
    assert set(report) >= {"same_architecture", "same_function", "rungs", "warnings", "causes", "code"}


def test_text_opens_with_the_verdict_and_ends_with_0_for_equal_models(models, run):
    result = run(f"{models}:build", f"{models}:build")
    assert result.exit_code == 0
    assert result.stdout.index("IDENTICAL") < result.stdout.index("The ladder of sameness")
    assert "\x1b" not in result.stdout


def test_a_builder_that_never_returns_is_stopped(models):
    answer = run_apart(Request(f"{models}:build", f"{models}:endless"), timeout=9)
    assert answer.exit_status == 3
    assert "--timeout" in answer.report["sentence"]


def test_a_builder_that_ends_the_process_is_reported(models):
    answer = run_apart(Request(f"{models}:build", f"{models}:leaves"), timeout=120)
    assert answer.report["verdict"] == "cannot_tell"
    assert "exit status 7" in answer.report["sentence"]


FORKING = """
import os, sys, time

if os.fork() == 0:
    {child}
    time.sleep(60)
    os._exit(0)


def build():
    import keras

    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


def leaves():
    os._exit(7)
"""


@pytest.mark.parametrize("child", ["pass", "os.setsid()", "[os.write(n, b'{\"report\"\\n') for n in range(3, 9)]"])
def test_a_process_that_a_file_forks_holds_up_neither_an_error_of_use_nor_an_answer(tmp_path, child):
    path = tmp_path / "forking.py"
    path.write_text(FORKING.format(child="try:\n        " + child + "\n    except OSError:\n        pass"))
    begin = time.monotonic()
    with pytest.raises(UsageError, match="has no function 'missing'"):
        run_apart(Request(f"{path}:build", f"{path}:missing"), timeout=300)
    if child == "os.setsid()":
        answer = run_apart(Request(f"{path}:build", f"{path}:leaves"), timeout=300)
        assert "exit status 7" in answer.report["sentence"]
    assert time.monotonic() - begin < 55  # the forked process lives for 60 s


@pytest.mark.parametrize(("backend", "words"), [("jax", "package jax is not installed"), ("theano", "does not have")])
def test_a_backend_that_is_not_there_is_named(run, monkeypatch, backend, words):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    result = run("a.py:a", "a.py:b")
    assert result.exit_code == 2
    assert words in result.stderr


def test_a_file_that_fails_to_import_shows_the_person_s_own_lines(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import json\n\ndef helper():\n    return json.loads('{')\n\nhelper()\n")
    with pytest.raises(UsageError) as caught:
        run_apart(Request(f"{path}:build", f"{path}:build"), timeout=120)
    assert "broken.py" in str(caught.value)
    assert "line 4, in helper" in str(caught.value)
    assert "json/decoder.py" not in str(caught.value)


@pytest.mark.parametrize("shape", ["28,x", "", "0,3", "-1"])
def test_a_shape_that_is_none_is_an_error_of_use(run, shape):
    result = run("a.py:a", "a.py:b", "--input-shape", shape)
    assert result.exit_code == 2
    assert "28,28,1" in result.stderr


def test_the_command_does_not_import_tensorflow_itself():
    import subprocess
    import sys

    code = "import sys; import twinbench, twinbench.cli, twinbench.compare.process; print('tensorflow' in sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": "src"}
    )
    assert printed.stdout.strip() == "False"


def test_the_report_is_written_as_a_page_and_a_folder_that_is_no_folder_is_named_first(models, tmp_path):
    page = tmp_path / "report.html"
    result = CliRunner().invoke(main, ["compare", f"{models}:build", f"{models}:linear", "--html", str(page)])
    assert result.exit_code == 1
    assert "DIFFERENT" in result.output
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    started = time.monotonic()
    refused = CliRunner().invoke(main, ["compare", "a.py:a", "b.py:b", "--html", str(page / "report.html")])
    assert refused.exit_code != 0
    assert time.monotonic() - started < 2
