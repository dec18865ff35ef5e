"""The service that `serve_load.py` starts, and the requests that it sends: good, bad and huge ones."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image as PILImage

from handwright.data.hands import render_one_hand

KEY = "a-key-of-the-load-test"
MAX_BYTES, MAX_PIXELS = 4_000_000, 1_000_000
PATIENCE_S = 300


@dataclass(frozen=True)
class Sent:
    """An answer."""

    status: int
    body: Any
    seconds: float


@dataclass(frozen=True)
class Ask:
    """One request of the mix."""

    name: str
    path: str
    body: bytes
    wanted: tuple[int, ...]  # Statuses that are right
    method: str = "POST"
    weight: int = 1
    headers: dict[str, str] | None = None  # None: with the key, as JSON
    huge: bool = False


@dataclass
class Service:
    """A running service."""

    address: str
    process: subprocess.Popen[bytes] = field(repr=False)

    def memory_mb(self) -> dict[str, float]:
        """Resident memory of the server, and of its workers together, in MB."""
        workers = [pid for pid in _children(self.process.pid) if _resident_mb(pid) > 30]
        return {
            "server": _resident_mb(self.process.pid),
            "workers": sum(map(_resident_mb, workers)),
        }


@contextmanager
def running(workers: int) -> Generator[Service]:
    """`handwright serve` on a free port of loopback, until the end of the block."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [
        sys.executable, "-m", "handwright", "serve", "--port", str(port), "--workers", str(workers),
        "--rate", "0",
        "--max-bytes", str(MAX_BYTES), "--max-pixels", str(MAX_PIXELS), "--max-queue", "16", "--keep", "60",
    ]  # fmt: skip
    environment = {**os.environ, "HANDWRIGHT_API_KEYS": KEY}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        service = Service(f"http://127.0.0.1:{port}", process)
        try:
            for _ in range(PATIENCE_S):
                try:
                    if send(service, "GET", "/healthz").status == 200:
                        break
                except OSError:
                    if process.poll() is not None:
                        raise
                time.sleep(1)
            yield service
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def send(
    service: Service, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Sent:
    """Send one request and wait for its answer.

    Raises:
        OSError: The connection ended before there was one.
    """
    given = {"x-api-key": KEY, "content-type": "application/json"} if headers is None else headers
    request = urllib.request.Request(service.address + path, body, given, method=method)
    begun = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            status, data = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, data = error.code, error.read()
    took = time.monotonic() - begun
    try:
        return Sent(status, json.loads(data), took)
    except ValueError:
        return Sent(status, data[:200], took)


def mix(seed: int, *, huge: bool = True) -> list[Ask]:
    """Good, bad and huge requests; the pictures depend on the seed."""
    good = _png(PILImage.fromarray(render_one_hand(930_000 + seed, 256).pixels))
    bomb = _png(PILImage.new("L", (4000, 4000)))
    wait, keyless = "?wait=280", {"content-type": "application/json"}
    asks = [
        Ask("refine", f"/v1/refine{wait}", _body(good, seed=seed), (200,), weight=4),
        Ask("review", f"/v1/review{wait}", _body(good), (200,), weight=4),
        Ask("hands", f"/v1/hands{wait}", _body(good), (200,), weight=3),
        Ask("plan", "/v1/generate", b'{"text": "a woman waving", "plan": true}', (200,), weight=2),
        Ask("health", "/healthz", b"", (200,), method="GET", weight=2),
        Ask("cut", f"/v1/refine{wait}", _body(good[: len(good) // 2]), (422,), weight=2),
        Ask("no picture", f"/v1/review{wait}", _body(b"no picture at all"), (422,), weight=2),
        Ask("bomb", f"/v1/review{wait}", _body(bomb), (422,), weight=1),
        Ask("not json", "/v1/refine", b"{" * 50, (422,), weight=2),
        Ask("deep json", "/v1/refine", b"[" * 100_000, (422,)),
        Ask("wrong field", "/v1/review", _body(good, colour=1), (422,), weight=2),
        Ask("file name", "/v1/refine", _body(good, mask="/etc/passwd"), (422,)),
        Ask("pose is a path", "/v1/generate", b'{"text": "a", "pose": "/etc/passwd"}', (422,)),
        Ask("no key", "/v1/refine", _body(good), (401,), weight=2, headers=keyless),
        Ask("wrong key", "/metrics", b"", (401,), method="GET", headers={"x-api-key": "wrong"}),
        Ask("no job", "/v1/jobs/none", b"", (404,), method="GET"),
    ]  # fmt: skip
    if huge:
        asks.append(Ask("huge", "/v1/refine", b"x" * (MAX_BYTES + 1_000_000), (413,), weight=2, huge=True))
    return asks


def wait_for(service: Service) -> float | None:
    """Seconds from the cancelling of a running job until the next one runs; None: none came to run in time.

    Two jobs are sent; the first is cancelled once it runs, and the second one's start is the service's own.
    Jobs of other clients may run between the two, so the next job of anybody counts: the queue is read from
    the place of the second.
    """
    picture = _png(PILImage.fromarray(render_one_hand(930_555, 512).pixels))
    body = _body(picture, all=True, candidates=16)
    places: list[str] = []
    for _ in range(2):
        sent = send(service, "POST", "/v1/refine", body)
        if sent.status != 202:
            for place in places:
                send(service, "DELETE", place)
            return None
        places.append(f"/v1/jobs/{sent.body['id']}")
    first, second = places
    took = None
    if _until(service, first, lambda job: job["status"] != "queued") == "running":
        time.sleep(0.3)
        before = send(service, "GET", second).body
        send(service, "DELETE", first)
        begun = time.monotonic()
        ahead = before.get("position") or 0
        if (
            _until(
                service,
                second,
                lambda job: job["status"] != "queued" or (job["position"] or 0) < ahead,
                10,
            )
            is not None
        ):
            took = time.monotonic() - begun
    send(service, "DELETE", second)
    return took


def _until(service: Service, place: str, right: Any, seconds: float = PATIENCE_S) -> str | None:
    """The status of a job once it is as wanted; None: not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job = send(service, "GET", place).body
        if isinstance(job, dict) and "status" in job and right(job):
            return job["status"]
        time.sleep(0.05)
    return None


def _png(picture: PILImage.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def _body(picture: bytes, **options: Any) -> bytes:
    return json.dumps({"picture": b64encode(picture).decode(), "options": options}).encode()


def _children(pid: int) -> list[int]:
    """Every process below one."""
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        own = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except OSError:
        return []
    return own + [more for one in own for more in _children(one)]


def _resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
