"""TensorFlow takes five seconds to import: only what trains or inspects models may do it."""

import subprocess
import sys

import pytest

WITHOUT_TENSORFLOW = [
    "twinbench",
    "twinbench.cli",
    "twinbench.config",
    "twinbench.planning.plan",
    "twinbench.data",
    "twinbench.architectures",
    "twinbench.training.job",
    "twinbench.store.runs",
    "twinbench.training.output",
    "twinbench.training.reproduction",
    "twinbench.planning.pruning",
    "twinbench.analysis.tables",
    "twinbench.report.catalogue",
    "twinbench.report.figures",
]


def test_only_training_and_inspecting_imports_tensorflow() -> None:
    program = (
        f"import importlib, sys\n"
        f"for name in {WITHOUT_TENSORFLOW}:\n"
        f"    importlib.import_module(name)\n"
        f"    assert not {{'tensorflow', 'keras'}} & set(sys.modules), name\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize(
    "name", ["twinbench", "twinbench.planning.plan", "twinbench.report.catalogue", "twinbench.analysis.outputs"]
)
def test_what_the_workflow_reads_imports_no_pandas(name: str) -> None:
    program = f"import sys, {name}\nassert not {{'pandas', 'matplotlib', 'scipy'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
