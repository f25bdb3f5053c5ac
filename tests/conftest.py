"""What many tests share: the embedded digits, the real MNIST, the smallest benchmark, and a browser."""

import hashlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from tests import bad_variants

from twinbench.config import Dataset, Training
from twinbench.data import prepare
from twinbench.training.runtime import start_tensorflow

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_ROOT = Path(__file__).resolve().parents[1]
_USING_TENSORFLOW = {"architectures", "compare", "data", "measurement", "sameness", "tests", "training"}


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A shell's background job does not hear Ctrl-C, nor does what it starts, unless someone listens again."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def one_thread(request: pytest.FixtureRequest) -> None:
    """TensorFlow takes its threads once in a process: one and strict, as by default, whichever test comes first."""
    if any(item.path.parent.name in _USING_TENSORFLOW for item in request.session.items):
        start_tensorflow(Training())


@pytest.fixture
def bad_architecture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The only architecture that there is has variants that fail in many ways; its name."""
    import twinbench.architectures
    from twinbench.architectures import catalogue

    folder = tmp_path / "architectures"
    folder.mkdir()
    path = bad_variants.write(folder)
    monkeypatch.setattr(catalogue, "FOLDER", folder)
    monkeypatch.setattr(twinbench.architectures, "__path__", [*twinbench.architectures.__path__, str(folder)])
    catalogue.architectures.cache_clear()
    yield path.stem
    catalogue.architectures.cache_clear()
    sys.modules.pop("twinbench.architectures.bad", None)


@pytest.fixture(scope="session")
def digits_npz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prepared digits; the manifest is beside it."""
    npz = tmp_path_factory.mktemp("digits") / "digits.npz"
    prepare(Dataset.model_validate("digits"), npz, npz.with_suffix(".json"))
    return npz


@pytest.fixture(scope="session")
def mnist_files() -> Path:
    """The folder of MNIST's four original files: TWINBENCH_MNIST, or `../shared/datasets/mnist`."""
    folder = Path(os.environ.get("TWINBENCH_MNIST") or _ROOT.parent / "shared" / "datasets" / "mnist")
    if not (folder / "train-images-idx3-ubyte.gz").is_file():
        message = f"MNIST's original files are not in {folder}; set TWINBENCH_MNIST to their folder."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def mnist_npz(mnist_files: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real MNIST, prepared once; kept in pytest's cache for as long as the code that prepares it is the same."""
    sources = sorted((_ROOT / "src" / "twinbench" / "data").glob("*.py"))
    key = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    kept = pytestconfig.cache.mkdir("mnist")
    npz = kept / key / "mnist.npz"
    with FileLock(kept.with_suffix(".lock")):  # tests run in several processes
        if not npz.with_suffix(".json").exists():
            for stale in kept.iterdir():
                shutil.rmtree(stale)
            dataset = Dataset.model_validate({"source": "mnist", "manual_dir": str(mnist_files)})
            prepare(dataset, npz, npz.with_suffix(".json"), cache=tmp_path_factory.mktemp("mnist"))
    return npz


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium, which opens the pages."""
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next((path for name in names if (path := shutil.which(name))), None)
    if chromium is None:
        message = "There is no Chromium: install the package `chromium`."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    quiet = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-dev-shm-usage",
    ]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=[*quiet, "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the smallest whole benchmark was run."""
    from tests.workflow.conftest import ROOT, run_snakemake

    # Shared by the processes that run the tests; its name has a space and letters other than ASCII's.
    shared = tmp_path_factory.getbasetemp()
    folder = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "a smoke run, für alle"
    with FileLock(folder.with_name("smoke.lock")):
        if not folder.exists():
            folder.mkdir()
            profile = ("--workflow-profile", str(ROOT / "workflow" / "profiles" / "default"))
            smallest = ("--cores", "2", "--configfile", str(ROOT / "config" / "smoke.yaml"))
            finished = run_snakemake(folder, *smallest, *profile)
            assert finished.returncode == 0, finished.stdout
    return folder
