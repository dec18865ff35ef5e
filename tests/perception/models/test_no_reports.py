"""What MediaPipe and ONNX Runtime would report to their publishers by themselves is not sent."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from handwright.errors import MissingModelError
from handwright.perception.models import mediapipe_tasks

NETWORKS = """
from pathlib import Path
import handwright
path = next(Path(handwright.__file__).parent.rglob("*.onnx"))
"""
AS_PUBLISHED = """
import onnxruntime
onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
"""
AS_WE_OPEN_IT = """
from handwright.perception.models.onnx_session import open_session
open_session(path)
"""
HAND_TASK = """
import certifi, sys
trusted = sys.argv[1]
certifi.where = lambda: trusted  # the publisher's server is the test's
from mediapipe.tasks.python import BaseOptions
from handwright.perception.models import mediapipe_tasks
from handwright.perception.models.download import ensure_models
if sys.argv[2] == "as published":
    mediapipe_tasks._without_reports = lambda options: options
mediapipe_tasks.open_task("HandLandmarker", ensure_models().hand_landmarker, "").close()
sys.stdin.read()  # until the test has seen what came
"""


def files_after(script, folder):
    """Names below the cache folder of a fresh process that ran the script."""
    unset = ("CI", "ORT_DISABLE_TELEMETRY", "ORT_RUNNING_UNIT_TESTS")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"HOME": str(folder), "XDG_CACHE_HOME": str(folder), "https_proxy": "http://127.0.0.1:9"}
    subprocess.run([sys.executable, "-W", "ignore", "-c", NETWORKS + script], env=environment, check=True)
    return [path.name for path in folder.rglob("*") if "onnxruntime" in str(path)]


@pytest.mark.skipif(sys.platform != "linux", reason="reports of ONNX Runtime for Linux")
def test_onnx_runtime_prepares_no_reports(tmp_path):
    (tmp_path / "published").mkdir()
    (tmp_path / "ours").mkdir()
    if not files_after(AS_PUBLISHED, tmp_path / "published"):
        pytest.skip("this ONNX Runtime reports nothing")
    assert files_after(AS_WE_OPEN_IT, tmp_path / "ours") == []


class Publisher:
    """A proxy that stands for every server, with a certificate of its own; keeps what is sent to it."""

    def __init__(self, certificate, key):
        self.asked, self.ended, self.received = threading.Event(), threading.Event(), b""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                with connection:
                    connection.settimeout(60)
                    self._answer(connection)

    def _answer(self, connection):
        connection.recv(4096)
        self.asked.set()
        with contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            with self._context.wrap_socket(connection, server_side=True) as inner:
                self.received += inner.recv(4096)
        self.ended.set()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def reported(folder, how):
    """What the publisher of a hand task gets; None if it was not asked."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=play.googleapis.com", "-addext", "subjectAltName=DNS:play.googleapis.com",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    publisher = Publisher(certificate, key)
    environment = {**os.environ, "https_proxy": publisher.url, "no_proxy": "", "NO_PROXY": ""}
    command = [sys.executable, "-W", "ignore", "-c", HAND_TASK, str(certificate), how]
    child = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        asked = publisher.asked.wait(60) and publisher.ended.wait(60)
    finally:
        child.communicate(b"")
        publisher.close()
    assert child.returncode == 0
    return publisher.received if asked else None


@pytest.mark.models
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl for a certificate")
def test_mediapipe_sends_nothing_to_its_publisher(tmp_path):
    if not reported(tmp_path, "as published"):
        pytest.skip("this MediaPipe reports nothing")
    assert not reported(tmp_path, "as handwright opens it")


def test_where_processors_cannot_be_counted_it_is_said_before_mediapipe_aborts(monkeypatch):
    monkeypatch.setattr(mediapipe_tasks, "_PROCESSORS", Path("/nowhere/possible"))
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(MissingModelError, match=r"/nowhere/possible is missing.*mount /sys"):
        mediapipe_tasks.import_mediapipe.__wrapped__()
