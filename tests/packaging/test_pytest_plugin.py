"""The fixtures and the mark, in a project that knows of twinbench only that its wheel is installed."""

import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_TESTS = """
import keras

def build(activation):
    return lambda: keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation), keras.layers.Dense(2)])

def test_same(assert_same_model):
    assert_same_model(build("relu"), build("relu"))

def test_different(assert_same_model):
    assert_same_model(build("relu"), build("tanh"))

@keras.saving.register_keras_serializable()
class Scale(keras.layers.Layer):
    def __init__(self, factor=1.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs):
        return inputs * self.factor

    def get_config(self):
        return super().get_config()

def test_survives(assert_survives_saving):
    assert_survives_saving(build("relu"))

def test_forgets_its_factor(assert_survives_saving):
    assert_survives_saving(keras.Sequential([keras.Input((4,)), Scale(2.0), keras.layers.Dense(2)]))

def test_of_something_else():
    pass
"""


def test_a_project_that_installs_the_wheel_has_the_fixture(tmp_path):
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path, _ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    # Beside the packages of this environment, and before them.
    installed = tmp_path / "installed"
    install = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--target", installed, wheel]
    subprocess.run(install, check=True)
    project = tmp_path / "project"
    project.mkdir()
    (project / "test_rewriting.py").write_text(_TESTS, encoding="utf-8")
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "-m",
            "twinbench",
            "--strict-markers",
        ],
        cwd=project,
        check=False,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    assert "2 failed, 2 passed, 1 deselected" in finished.stdout, finished.stdout + finished.stderr
    said = " ".join(finished.stdout.split())
    assert "relu in A, tanh in B" in said
    assert "operation Mul 'scale" in said
