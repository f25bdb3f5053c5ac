"""The container image, built by `make image` on a Debian made here, gives the results of a run outside it, bit for bit.

Needs root, and Debian's buildah and debootstrap: `make test-image`.
It takes ten to 25 minutes on two cores, and 8 GB of disk for a while.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from twinbench.report.difference import compare_results

pytestmark = [pytest.mark.image, pytest.mark.timeout(3600)]
_ROOT = Path(__file__).resolve().parents[2]
_NEEDED = ("buildah", "debootstrap", "unshare")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def _run(*command, **options):
    finished = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    assert finished.returncode == 0, (finished.stdout + finished.stderr)[-5000:]
    return finished.stdout.strip()


@pytest.fixture(scope="module")
def buildah():
    """A storage of images that is gone afterwards; returns what runs buildah in it, and its environment."""
    missing = [program for program in _NEEDED if shutil.which(program) is None]
    if missing or os.geteuid() != 0:
        message = f"building the image needs root, and {', '.join(missing) or 'nothing more'}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with tempfile.TemporaryDirectory(prefix="twinbench-image-") as folder:
        storage = f'[storage]\ndriver = "overlay"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/images"\n'
        configuration = Path(folder) / "storage.conf"
        configuration.write_text(storage, encoding="utf-8")
        # Chroot asks least of the machine: no namespaces, no control groups.
        environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(configuration), "BUILDAH_ISOLATION": "chroot"}

        def run(*command, program=("buildah",)):
            return _run(*program, *command, env=environment, cwd=_ROOT)

        run.environment = environment
        run.folder = Path(folder)
        yield run
        run("rm", "--all")
        run("rmi", "--all", "--force")


@pytest.fixture(scope="module")
def base(buildah):
    """Debian with Python, which stands in for the base that the Containerfile names."""
    mirror, release = _run("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)").splitlines()[0].split()
    system = buildah.folder / "debian"
    packages = "--include=ca-certificates,python3,python3-venv"
    _run("debootstrap", "--variant=minbase", packages, release, system, mirror)
    shutil.copy(_CERTIFICATES, system / _CERTIFICATES.relative_to("/"))  # this machine may trust more than Debian
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, str(system))
    buildah("config", "--env", f"SSL_CERT_FILE={_CERTIFICATES}", "--env", f"PIP_CERT={_CERTIFICATES}", container)
    buildah("commit", "--quiet", container, "localhost/twinbench-base")
    buildah("rm", container)
    shutil.rmtree(system)
    return "localhost/twinbench-base"


@pytest.fixture(scope="module")
def container(buildah, base):
    """The image of the target `cpu`."""
    buildah("image", "BUILDER=buildah", f"BASE={base}", "BUILD_FLAGS=--network host", program=("make",))
    return buildah("from", "localhost/twinbench:cpu")


def test_the_image_runs_its_locked_software_as_a_user_who_cannot_change_it(buildah, container):
    script = "id -u; twinbench --version; uname -s; touch /opt/twinbench/file /opt/environment/file 2>&1 || true"
    user, version, _, *refused = buildah("run", container, "--", "sh", "-c", script).splitlines()
    assert user == "1000"
    assert version.startswith("twinbench, version ")
    assert [line.endswith("Permission denied") for line in refused] == [True, True]
    listed = buildah("run", container, "--", "python", "-m", "pip", "list", "--format", "freeze").splitlines()
    locked = (_ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    ours = ("twinbench==", "pip==", "setuptools==")
    assert [line for line in listed if not line.startswith(ours) and f"\n{_name(line)} " not in locked] == []


def _name(pin):
    name, _, version = pin.partition("==")
    return f"{name.lower().replace('_', '-').replace('.', '-')}=={version}"


def test_the_smallest_benchmark_without_a_network_gives_the_results_of_a_run_outside(buildah, container, smoke):
    work = buildah.folder / "work"
    work.mkdir(mode=0o777)
    work.chmod(0o777)
    snakemake = ("snakemake", "--cores", "2", "--directory", "/work", "--configfile", "config/smoke.yaml")
    # A network namespace of its own has no way out.
    buildah("run", "-v", f"{work}:/work", container, "--", *snakemake, program=("unshare", "--net", "buildah"))
    difference = compare_results(smoke / "results" / "smoke", work / "results" / "smoke")
    # Times are measured, and the verdicts on them may differ.
    timed = ("Machine and versions", "Verdicts on the costs", "Verdicts on the claims")
    parts = {part.title: part.changes for part in difference.parts if part.title not in timed}
    assert {title for title in parts if title.startswith("Hashes")} == {
        "Hashes of the data",
        "Hashes of the initial weights",
        "Hashes of the final weights",
    }
    assert {title: changes for title, changes in parts.items() if changes} == {}
