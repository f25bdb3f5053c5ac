"""The profile for Kubernetes: what its executor plugin asks of the API with it, held against the API's schema.

No cluster is there. The plugin talks to a server here, which takes what it is sent and says that the job failed.
"""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

_ROOT = Path(__file__).resolve().parents[2]
_PROFILE = _ROOT / "workflow" / "profiles" / "kubernetes"
# A training job asks for the same: workflow/rules/train.smk.
_WORKFLOW = """
rule train:
    output: "records"
    threads: 2
    resources:
        gpu=lambda wildcards: 0,
        mem_mb=lambda wildcards, attempt: 900 * attempt,
        runtime=30,
    shell: "touch {output}"
"""


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    """The extra `kubernetes`, in a folder: in the environment it would slow every start of Snakemake down."""
    if shutil.which("rsync") is None:
        message = "The storage on disk, which stands in for S3, needs rsync: install the package `rsync`."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("plugins")
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["optional-dependencies"]["kubernetes"], "snakemake-storage-plugin-fs==1.1.3"]
    uv = [Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--python", sys.executable]
    subprocess.run([*uv, "--target", folder, *wanted], check=True)
    return folder


class _Server(http.server.BaseHTTPRequestHandler):
    def _answer(self, code, content):
        text = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _sent(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")

    def do_POST(self):
        sent = self._sent()
        self.server.sent.append((self.path, sent))
        self._answer(201, sent)

    def do_DELETE(self):
        self._sent()
        self._answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def do_GET(self):
        if self.path.partition("?")[0].endswith("/pods"):
            self._answer(200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []})
        else:
            self._answer(200, {"kind": "Job", "apiVersion": "batch/v1", "metadata": {}, "status": {"failed": 1}})

    def log_message(self, *_):
        pass


def _submit(folder, plugins, *arguments):
    """Let Snakemake submit the job with the profile; returns the job that the API was sent."""
    (folder / "Snakefile").write_text(_WORKFLOW, encoding="utf-8")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        server.sent = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        access = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
            "users": [{"name": "me", "user": {}}],
        }
        (folder / "kubeconfig").write_text(yaml.safe_dump(access), encoding="utf-8")
        # No S3 is here: a folder stands in for it. Everything else is the profile's.
        storage = ("--default-storage-provider", "fs", "--default-storage-prefix", str(folder / "storage"))
        quick = ("--retries", "0", "--seconds-between-status-checks", "1")
        finished = subprocess.run(
            [sys.executable, "-m", "snakemake", "--profile", _PROFILE, *storage, *quick, *arguments],
            cwd=folder,
            check=False,
            env={**os.environ, "KUBECONFIG": str(folder / "kubeconfig"), "PYTHONPATH": str(plugins)},
            capture_output=True,
            text=True,
        )
        server.shutdown()
    jobs = [sent for path, sent in server.sent if path == "/apis/batch/v1/namespaces/default/jobs"]
    assert len(jobs) == 1, finished.stdout + finished.stderr
    return {"apiVersion": "batch/v1", "kind": "Job", **jobs[0]}


def test_a_job_on_the_cpu_is_valid_and_has_the_image_and_the_memory_that_the_rule_estimates(tmp_path, plugins):
    job = _submit(tmp_path, plugins)
    kubernetes_validate.validate(job, kubernetes_validate.latest_version(), strict=True)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    profile = yaml.safe_load((_PROFILE / "config.yaml").read_text(encoding="utf-8"))
    assert container["image"] == profile["container-image"]
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"] == "900M"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "0"
    job["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"] = ["memory"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, kubernetes_validate.latest_version(), strict=True)


def test_a_job_on_a_card_is_valid_and_is_limited_to_as_many_cards_as_it_requests(tmp_path, plugins):
    job = _submit(tmp_path, plugins, "--set-resources", "train:gpu=1", "train:gpu_manufacturer=nvidia")
    kubernetes_validate.validate(job, kubernetes_validate.latest_version(), strict=True)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    # The schema allows a request without a limit; the API does not, for cards.
    assert container["resources"]["requests"]["nvidia.com/gpu"] == "1"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_the_job_of_one_pod_in_the_documentation_is_valid():
    page = (_ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
    job = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    kubernetes_validate.validate(job, kubernetes_validate.latest_version(), strict=True)
