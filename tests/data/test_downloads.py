"""Downloads that fail, by the real download code of tensorflow-datasets against a server on this machine."""

import http.server
import shutil
import subprocess
import threading

import pytest
from tests.data.original_files import idx_files, register

from twinbench.config import Dataset
from twinbench.data import Limits, load, prepare
from twinbench.errors import DataError

_LIMITS = Limits(connect_seconds=1, stall_seconds=0.5, retries=1)
_FILE = "train-images-idx3-ubyte.gz"


class _Server(http.server.ThreadingHTTPServer):
    """Serves the files of a small KMNIST; `fault` is what happens to the training images."""

    daemon_threads = True
    fault = "none"

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = idx_files()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/kmnist/"
        self.asked = []
        self.over = threading.Event()


class _Handler(http.server.BaseHTTPRequestHandler):
    """One request; as a proxy it gets the whole address as its path."""

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        name = self.path.rsplit("/", 1)[-1]
        content = server.files[name]
        fault = server.fault if name == _FILE else "none"
        if fault == "stalls at once":
            server.over.wait(10)
            return
        if fault == "drips its head":
            self._drip(b"HTTP/1.1 200 OK\r\nX-Endless: " + bytes(1000).replace(b"\0", b"x"))
            return
        if fault.startswith("redirects") and (fault == "redirects for ever" or "/elsewhere/" not in self.path):
            self.send_response(302)
            # Another host than the one that was asked, as the client sees it.
            self.send_header("Location", f"http://localhost:{server.server_address[1]}/elsewhere/{name}")
            self.end_headers()
            return
        status = int(fault) if fault.isdigit() else 200
        if fault == "fails once":
            status = 503 if server.asked.count(self.path) == 1 else 200
        if fault in {"other bytes", "redirects to other bytes"}:
            content = content[:-1] + b"\1"
        self.send_response(status)
        length = {"promises less": len(content) - 10, "promises more": len(content) + 10}.get(fault, len(content))
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if fault == "drips":
            self._drip(content)
            return
        if fault in {"cut", "stalls in the middle"}:
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            if fault != "cut":
                server.over.wait(10)
            return
        self.wfile.write(content)

    def _drip(self, content):
        """Send a byte every 50 ms, so that no two are far apart."""
        for byte in content:
            if self.server.over.wait(0.05):
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch):
    from tensorflow_datasets.image_classification import mnist

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = _Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    register(monkeypatch, mnist.KMNIST, running.url, running.files)
    yield running
    running.over.set()
    running.shutdown()
    running.server_close()
    thread.join()


def _prepare(folder, cache=None, **section):
    dataset = Dataset.model_validate({"source": "kmnist", **section})
    return prepare(dataset, folder / "k.npz", folder / "k.json", cache=cache or folder / "cache", limits=_LIMITS)


def test_a_download_is_verified_and_prepared(tmp_path, server):
    manifest = _prepare(tmp_path)
    assert sum(manifest.train_counts) == 60
    assert len(server.asked) == 4
    assert load(tmp_path / "k.npz", tmp_path / "k.json").sha256 == manifest.sha256


def test_what_is_downloaded_once_is_not_downloaded_again(tmp_path, server):
    first = _prepare(tmp_path)
    shutil.rmtree(tmp_path / "cache" / "kmnist" / "prepared")
    assert _prepare(tmp_path) == first
    assert len(server.asked) == 4


def test_a_server_that_fails_once_is_asked_again(tmp_path, server):
    server.fault = "fails once"
    _prepare(tmp_path)
    assert len(server.asked) == 5


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("403", r"the server 127\.0\.0\.1 answered 403 \(forbidden\)"),
        ("404", r"the server 127\.0\.0\.1 answered 404 \(not found\)"),
        ("500", r"the server 127\.0\.0\.1 answered 500"),
        ("stalls at once", r"the server 127\.0\.0\.1 stalled"),
        ("stalls in the middle", r"the server 127\.0\.0\.1 stalled"),
        ("drips", r"the server 127\.0\.0\.1 is too slow \(\d+ bytes in \d s\)"),
        ("drips its head", r"the server 127\.0\.0\.1 stalled"),
        ("cut", "the connection broke in the middle of a file"),
        ("promises more", "the connection broke in the middle of a file"),
        ("redirects for ever", "the address leads to another, and that to another, without an end"),
    ],
)
def test_a_failed_download_says_why_and_how_to_do_without(tmp_path, server, fault, reason):
    server.fault = fault
    with pytest.raises(DataError, match=rf"'kmnist' \(kmnist\) could not be downloaded: {reason}\. ") as refused:
        _prepare(tmp_path)
    sentence = str(refused.value)
    assert all(server.url + name in sentence for name in server.files)
    assert "set 'manual_dir' of this dataset" in sentence
    assert not (tmp_path / "k.npz").exists()
    server.fault = "none"
    assert sum(_prepare(tmp_path).train_counts) == 60  # and nothing is left behind that would be in the way


def test_a_redirect_to_another_host_is_followed_and_the_checksum_decides(tmp_path, server):
    server.fault = "redirects"
    assert sum(_prepare(tmp_path).train_counts) == 60
    assert any("/elsewhere/" in address for address in server.asked)


@pytest.mark.parametrize("fault", ["other bytes", "redirects to other bytes", "promises less"])
def test_other_bytes_than_the_checksum_says_are_refused_and_not_kept(tmp_path, server, fault):
    server.fault = fault
    with pytest.raises(
        DataError, match=rf"other bytes than the original for {server.url}{_FILE} \(SHA-256 .*manual_dir"
    ):
        _prepare(tmp_path)
    assert not (tmp_path / "k.npz").exists()
    assert not list((tmp_path / "cache").rglob("*.tmp.*"))
    server.fault = "none"
    assert sum(_prepare(tmp_path).train_counts) == 60


def test_without_a_network_the_sentence_says_what_to_fetch(tmp_path, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match=r"the server 127\.0\.0\.1 could not be reached\. .*fetch http://127"):
        _prepare(tmp_path)


def test_a_proxy_is_used_when_the_environment_names_one(tmp_path, server, monkeypatch):
    from tensorflow_datasets.image_classification import mnist

    elsewhere = "http://images.example.invalid/kmnist/"
    register(monkeypatch, mnist.KMNIST, elsewhere, server.files)
    monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/kmnist/"))
    monkeypatch.setenv("NO_PROXY", "")
    _prepare(tmp_path)
    assert sorted(server.asked) == sorted(elsewhere + name for name in server.files)


def test_a_proxy_that_is_not_there_is_named_as_the_reason(tmp_path, server, monkeypatch):
    from tensorflow_datasets.image_classification import mnist

    register(monkeypatch, mnist.KMNIST, "http://images.example.invalid/kmnist/", server.files)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(DataError, match="the proxy could not be reached"):
        _prepare(tmp_path)


def test_a_prepared_folder_needs_no_network(tmp_path, server):
    first = _prepare(tmp_path)
    server.fault = "500"
    assert _prepare(tmp_path) == first
    assert len(server.asked) == 4


def test_the_transport_of_requests_is_put_back(tmp_path, server):
    import requests.adapters

    plain = requests.adapters.HTTPAdapter
    server.fault = "404"
    with pytest.raises(DataError):
        _prepare(tmp_path)
    assert requests.adapters.HTTPAdapter is plain


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 32 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", folder], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_named_when_the_arrays_are_written(small_disk):
    with pytest.raises(DataError, match=rf"The disk is full: {small_disk}/d.npz cannot be written; .*`output`"):
        prepare(Dataset.model_validate("digits"), small_disk / "d.npz", small_disk / "d.json")
    assert list(small_disk.iterdir()) == []


def test_a_full_disk_is_named_when_a_download_is_written(tmp_path, server, small_disk):
    with pytest.raises(DataError, match=rf"\(kmnist\): The disk is full: {small_disk}"):
        _prepare(tmp_path, cache=small_disk)


def test_what_was_there_before_survives_a_full_disk(small_disk):
    section = {"source": "digits", "train_examples": 10}
    (small_disk / "d.npz").write_bytes(b"before")
    with pytest.raises(DataError, match="disk is full"):
        prepare(Dataset.model_validate(section), small_disk / "d.npz", small_disk / "d.json")
    assert (small_disk / "d.npz").read_bytes() == b"before"


def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    target = tmp_path / "file" / "d.npz"
    with pytest.raises(DataError, match=rf"{target} cannot be written \(its folder is a file\)"):
        prepare(Dataset.model_validate("digits"), target, tmp_path / "d.json")
