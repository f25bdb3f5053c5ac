"""The law of `law` for code and versions: networks, a module of every stage, libraries, the engine's number."""

import os
import time
from collections.abc import Iterator

import pytest
from tests.workflow.staleness.law import Change, Law, edited

pytestmark = pytest.mark.timeout(1800)

ALL_BUT_DATA = "train ladder measure tables"
EVERYTHING = "data train ladder measure tables"
PLAIN_CNN = "architectures/plain_cnn.py"
WIDE = "layers.Dense(9), layers.Dense(classes)])"
# In inference, while it is traced, and nowhere before.
RAISES = """layers.Dense(9), Moody(), layers.Dense(classes)])


class Moody(layers.Layer):
    def call(self, inputs, training=False):
        if not training and not hasattr(inputs, "numpy") and inputs.shape[0] is None:
            raise ValueError("not in this mood")
        return inputs
"""


def _version(package: str, reruns: str, *, trains: bool = False) -> Change:
    return Change(f"{package} 99.0", lambda law: law.with_version(package, "99.0"), reruns, trains)


def _choose_the_wide(law: Law) -> None:
    law.edit(f"src/twinbench/{PLAIN_CNN}", WIDE, RAISES)
    law.configure(architectures=["plain_cnn/sequential", "plain_cnn/sequential_wide"])


BATCHES = {
    "a layer": [
        edited("architectures/sizes.py", "6", "5", ALL_BUT_DATA, trains=True),
        edited(PLAIN_CNN, "\nTASK =", '\nRECIPE = {"batch_size": 16}\nTASK =', ALL_BUT_DATA, trains=True),
        edited(PLAIN_CNN, "RATE = 0.25", "RATE = 0.5", ALL_BUT_DATA, trains=True),
        edited(PLAIN_CNN, "import ReLU as", "import Softmax as", ALL_BUT_DATA, trains=True),
        edited(PLAIN_CNN, "layers.ReLU())]", "layers.ELU())]", ALL_BUT_DATA, trains=True),
        edited(PLAIN_CNN, "\nTASK =", "\nlayers.Dense(1)\nTASK =", ALL_BUT_DATA, trains=True),
    ],
    "a mark, a suspect, a variant that raises": [
        edited(
            PLAIN_CNN,
            "@twin\ndef sequential(",
            '@lookalike(differs="function")\ndef sequential(',
            "ladder measure tables",
        ),
        edited(
            "architectures/suspects.py",
            "    return recipe\n",
            "    return replace(recipe, batch_factor=2)\n",
            "train tables",
            trains=True,
        ),
        edited("architectures/suspects.py", 'changes="nothing"', 'changes="nothing at all"', "tables"),
        Change("a variant that raises in inference", _choose_the_wide, ALL_BUT_DATA, trains=True),
    ],
    "the engine and the data": [
        edited(
            "training/feed.py",
            "        return shuffled\n",
            "        return shuffled[::-1]\n",
            "train measure tables",
            trains=True,
        ),
        edited(
            "training/program.py", "100 * correct / count", "99 * correct / count", "train measure tables", trains=True
        ),
        edited(
            "data/conversion.py",
            "return np.ascontiguousarray(array,",
            "return 255 - np.ascontiguousarray(array,",
            EVERYTHING,
            trains=True,
        ),
        edited("training/engine.json", '"engine": ', '"engine": 1', ALL_BUT_DATA, trains=True),
        _version("keras", ALL_BUT_DATA, trains=True),
        Change(
            "a variable that TensorFlow reads",
            lambda law: law.set_variable("TF_ENABLE_ONEDNN_OPTS", "0"),
            ALL_BUT_DATA,
            trains=True,
        ),
    ],
    "the other stages": [
        edited("training/output.py", "RUN_DIGITS = 16", "RUN_DIGITS = 12", "train tables"),
        edited("measurement/published.py", "Conv2D(64, 3", "Conv2D(48, 3", "ladder tables"),
        edited("measurement/gradients.py", "float(np.linalg.norm(", "2 * float(np.linalg.norm(", "measure tables"),
        edited("analysis/files.py", "_LONGEST = 2000", "_LONGEST = 5", "tables"),
        edited("analysis/summary.py", '"failed": len(runs) - scores.size', '"failed": len(runs)', "tables"),
        edited(
            "config/model.py",
            "return list(self.seeds)",
            "return [*self.seeds]",
            EVERYTHING,
        ),
        _version("pandas", "ladder measure tables"),
        _version("scipy", "ladder tables"),
    ],
}
HARMLESS = [
    edited(PLAIN_CNN, '"""The Functional API."""', '"""The Functional API, in other words."""', ""),
    edited(PLAIN_CNN, "\nTASK =", "\n# A comment.\nTASK =", ""),
    edited(
        PLAIN_CNN,
        "for layer in (layers.Dense(sizes.HIDDEN), layers",
        "for layer in (layers.Dense( sizes.HIDDEN ),layers",
        "",
    ),
    edited(PLAIN_CNN, "layers.Dense(9)", "layers.Dense(8)", ""),
    edited("training/feed.py", "        return shuffled", "        # A comment.\n        return shuffled", ""),
    edited("training/program.py", '"""Evaluate the model in inference mode.', '"""Evaluate the model.', ""),
    edited("training/locks.py", "beat_seconds: float = 5.0", "beat_seconds: float = 4.0", "train tables"),
    edited("architectures/suspects.py", 'changes="nothing"', 'changes="not a thing"', "tables"),
    edited("analysis/summary.py", '"""', '"""Once more: ', ""),
    edited("planning/estimate.py", "\nimport", "\nimport colorsys\nimport", ""),
]
# What is drawn from the tables: the rules that would run for the whole benchmark.
DRAWN = [
    edited("report/page/templates/page.html.j2", "</body>", "<!-- changed --></body>", "report"),
    edited("report/page/templates/page.css", "body", "body, body", "report"),
    edited("html/templates/base.css", "body", "body, body", "report"),
    edited("report/figures/style.py", "\nfrom ", "\nimport colorsys\nfrom ", "draw report"),
    edited("analysis/summary.py", '"failed": len(runs) - scores.size', '"failed": len(runs)', "tables draw report"),
    Change("figures.palette", lambda law: law.configure(figures={"palette": "muted"}), "draw report"),
    _version("seaborn", "draw report"),
]


def _touch_the_package(law: Law) -> None:
    # Not the scripts: Snakemake itself runs a stage again whose script is newer than its results.
    for path in (law.copy / "src").rglob("*.py"):
        os.utime(path, (time.time() + 60, time.time() + 60))


@pytest.fixture(scope="module")
def folder_in_use(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Law]:
    """A folder in which the whole benchmark was run once."""
    law = Law(tmp_path_factory.mktemp("code"))
    law.targets = ("tables", "figures", "report")
    law.holds_after([Change("nothing yet", lambda law: None, "", trains=True)])
    law.targets = ("tables",)
    law.keep()
    yield law
    law.close()


@pytest.fixture
def law(folder_in_use: Law) -> Law:
    """The folder as it was after that run."""
    folder_in_use.restore()
    return folder_in_use


def test_a_change_of_what_draws_draws_again(law: Law, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(law, "targets", ("tables", "figures", "report"))
    for change in DRAWN:
        law.looks_ahead(change)
    DRAWN[0].apply(law)
    assert "rule report" in law.snakemake()
    assert "<!-- changed -->" in (law.used / "results/report.html").read_text()


def test_what_cannot_change_a_result_trains_nothing(law: Law) -> None:
    for change in HARMLESS:
        law.looks_ahead(change)
    law.holds_after(HARMLESS)


def test_touched_code_does_nothing(law: Law) -> None:
    law.looks_ahead(Change("touched files", _touch_the_package, ""))


WHILE_IT_RUNS = {
    "train ladder measure": (BATCHES["a layer"][0], f"src/twinbench/{PLAIN_CNN}", b"RATE = 0.25", b"RATE = 0.75"),
    "tables": (BATCHES["the other stages"][3], "src/twinbench/analysis/summary.py", b"- scores.size", b"- 0"),
}


@pytest.mark.parametrize("rules", WHILE_IT_RUNS)
def test_what_is_edited_while_snakemake_runs_makes_nothing(rules: str, law: Law) -> None:
    """Made by the edited code and noted under that before, it would pass for up to date once the edit is taken back."""
    change, file, old, new = WHILE_IT_RUNS[rules]
    path = law.copy / file
    change.apply(law)
    assert old in path.read_bytes()
    edit = f"    p = Path({str(path)!r}); p.write_bytes(p.read_bytes().replace({old!r}, {new!r}))\n"
    law.edit("Snakefile", "    check_folders()\n", f"    check_folders()\n{edit}")
    law.snakemake("--keep-going", "tables", status=1)
    for rule in rules.split():
        logs = [path for path in (law.used / "results/logs").rglob("*.log") if rule in (path.parent.name, path.stem)]
        logs += (law.used / "results/logs" / rule).rglob("*.log")
        assert any("was changed after snakemake had started: start" in path.read_text() for path in logs), rule


@pytest.mark.parametrize("batch", BATCHES)
def test_a_change_leaves_nothing_stale(batch: str, law: Law) -> None:
    for change in BATCHES[batch]:
        law.looks_ahead(change)
    law.holds_after(BATCHES[batch])
