"""Run the Dockerfile and compose.yaml without Docker, in a clean root: container_check.py ROOT [--keep].

For machines where `docker build` cannot run. As root, on Debian: ROOT, a new folder, becomes a minimal system
(debootstrap, fetched but not installed). Then the steps are read from the Dockerfile itself and run in it
through chroot: RUN as the user, in the folder and with the variables that hold at that line; COPY from here.
Last, in a network of its own that has nothing but loopback: ENTRYPOINT with CMD, and every service of
compose.yaml with its command, read-only root, tmpfs, volumes and secrets, each until its health check passes,
one /v1/review of a picture (the page: its first page), and SIGTERM.

What differs from Docker: the base is Debian with its own release of Python instead of python:3.12-slim; no
image layers, cgroups, capabilities or seccomp; pip's settings on this machine are seen inside.
"""

from __future__ import annotations

import argparse
import base64
import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CONTEXT = Path(__file__).parents[1]
KEY = "a-key-for-this-check-only"
PICTURE = CONTEXT / "src/handwright/apps/web/examples/six-fingers.jpg"
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE_S = 180.0


@dataclass
class Image:
    """What the steps so far say of the container."""

    root: Path
    variables: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    user: str = "root"
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def ids(self) -> tuple[int, int, str]:
        """Number of user and group, and the home folder."""
        for line in (self.root / "etc/passwd").read_text().splitlines():
            name, _, user, group, _, home, _ = line.split(":")
            if name == self.user:
                return int(user), int(group), home
        raise SystemExit(f"USER {self.user}: there is no such user in the image")

    def environment(self) -> dict[str, str]:
        """Variables of a process."""
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        return {**pip, **self.variables, "HOME": self.ids()[2]}

    def start(self, command: list[str]) -> subprocess.Popen[str]:
        """A process in the container, as its user."""
        user, group, _ = self.ids()
        words = ["chroot", f"--userspec={user}:{group}", "--groups=", str(self.root), "/bin/sh", "-c",
                 f"cd {shlex.quote(self.folder)} && exec {shlex.join(command)}"]  # fmt: skip
        return subprocess.Popen(words, env=self.environment(), text=True)

    def run(self, command: list[str]) -> None:
        """The same to its end."""
        code = self.start(command).wait()
        if code:
            raise SystemExit(f"failed with {code}: {shlex.join(command)}")


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Name and text of each step of a Dockerfile, continued lines joined."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in lines.replace("\\\n", " ").splitlines():
        if line.strip():
            name, _, rest = line.strip().partition(" ")
            yield name.upper(), rest.strip()


def build(image: Image, steps: Iterator[tuple[str, str]], arguments: dict[str, str]) -> None:
    """Run the steps.

    Raises:
        SystemExit: A step fails, or is one that this script does not know.
    """
    known: dict[str, str] = {}
    for name, text in steps:
        began = time.perf_counter()
        match name:
            case "FROM" | "EXPOSE":
                pass
            case "ARG":
                key, _, default = text.partition("=")
                known[key] = arguments.get(key, default)
            case "ENV":
                image.variables |= dict(word.split("=", 1) for word in shlex.split(text))
            case "USER":
                image.user = text
            case "WORKDIR":
                image.folder = text
                inside(image.root, text).mkdir(parents=True, exist_ok=True)
            case "COPY":
                *sources, target = text.split()
                copy(sources, inside(image.root, target))
            case "RUN":
                words = [f"{key}={value}" for key, value in known.items()]
                image.run(["env", *words, "/bin/sh", "-c", text])
            case "HEALTHCHECK":
                image.health = json.loads(re.sub(r"^.*?CMD\s*", "", text))
            case "ENTRYPOINT":
                image.entrypoint = json.loads(text)
            case "CMD":
                image.command = json.loads(text)
            case _:
                raise SystemExit(f"{name}: this script does not know that step")
        print(f"[{time.perf_counter() - began:6.1f} s] {name} {text[:90]}", flush=True)


def inside(root: Path, path: str) -> Path:
    """A path of the container, seen from here."""
    return root / path.lstrip("/")


def copy(sources: list[str], target: Path) -> None:
    """COPY of files into a folder, and of the contents of a folder."""
    target.mkdir(parents=True, exist_ok=True)
    for source in (CONTEXT / name for name in sources):
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target, ignore=ignored, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)


def base_system(root: Path, suite: str) -> None:
    """A minimal Debian with a Python whose pip installs into /usr/local, as the official images have it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        subprocess.run(["apt-get", "download", "-qq", "debootstrap"], cwd=folder, check=True)
        subprocess.run(["dpkg", "-x", str(next(folder.glob("*.deb"))), "tool"], cwd=folder, check=True)
        os.environ["DEBOOTSTRAP_DIR"] = str(folder / "tool/usr/share/debootstrap")
        command = [folder / "tool/usr/sbin/debootstrap", "--variant=minbase",
                   "--include=ca-certificates,python3,python3-venv", suite, root]  # fmt: skip
        log = folder / "log"
        with log.open("w") as out:
            if subprocess.run(command, stdout=out, stderr=out).returncode:
                raise SystemExit(log.read_text()[-2000:])
    Image(root).run(["python3", "-m", "venv", "/usr/local"])


def mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def kernel_files(root: Path) -> list[str]:
    """What the kernel shows in every container: /proc, /dev and, read-only, /sys; where they are mounted.

    Without /sys MediaPipe's memory allocator finds no processors and aborts.
    """
    mount("-t", "proc", "proc", str(root / "proc"))
    mount("--rbind", "/dev", str(root / "dev"))
    mount("-t", "sysfs", "-o", "ro", "sysfs", str(root / "sys"))
    return [str(root / name) for name in ("proc", "dev", "sys")]


def outer_files(root: Path) -> None:
    """What is lent while an image is built: the kernel's files, names of hosts, pip's settings."""
    kernel_files(root)
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    named = re.findall(r"(?:^|[\s'\"=]|file://)(/[^\s'\"]+)", told.stdout)
    settings = ["/etc/resolv.conf", "/etc/hosts", "/etc/pip.conf", "/etc/xdg/pip", *named]
    settings += [os.environ.get(name, "") for name in ("PIP_CERT", "PIP_FIND_LINKS", "PIP_CONFIG_FILE")]
    for path in dict.fromkeys(name for name in settings if name and Path(name).exists()):
        place = inside(root, path)
        if Path(path).is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        mount("--bind", path, str(place))
        mount("-o", "remount,bind,ro", str(place))


def answer(url: str, body: Any = None) -> bytes:
    """What a server of the container answers."""
    headers = {"x-api-key": KEY, "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
        return reply.read()


def healthy(image: Image, health: list[str], server: subprocess.Popen[str]) -> None:
    """Wait until the health check passes."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if server.poll() is not None:
            raise SystemExit(f"the server ended with {server.returncode}")
        if image.start(["/bin/sh", "-c", f"{shlex.join(health)} 2>/dev/null"]).wait() == 0:
            return
        time.sleep(0.5)
    raise SystemExit("the health check did not pass")


def serve(image: Image, title: str, command: list[str], health: list[str]) -> None:
    """Start, wait for health, ask once, end by SIGTERM."""
    began = time.perf_counter()
    server = image.start([*image.entrypoint, *command])
    healthy(image, health, server)
    ready = time.perf_counter() - began
    if "web" in command:
        told = f"first page {len(answer('http://127.0.0.1:8733/'))} bytes"
    else:
        picture = base64.b64encode(PICTURE.read_bytes()).decode()
        result = json.loads(answer("http://127.0.0.1:8732/v1/review?wait=120", {"picture": picture}))
        told = f"/v1/review: {result['status']}, {result['result']['pictures'][0]['verdict']}"
    running = Path(f"/proc/{server.pid}/status").read_text()
    user = re.search(r"^Uid:\s+(\d+)", running, re.MULTILINE)
    server.send_signal(signal.SIGTERM)
    code = server.wait(60)
    print(
        f"{title}: healthy after {ready:.1f} s as user {user and user[1]}; {told}; SIGTERM: {code}",
        flush=True,
    )


def compose(image: Image) -> None:
    """Every service of compose.yaml: what it mounts, read-only root, its command and health check."""
    setup = yaml.safe_load((CONTEXT / "compose.yaml").read_text("utf-8"))
    root = image.root
    for place in ("run/secrets", "tmp"):
        (root / place).mkdir(parents=True, exist_ok=True)
    for name in setup["secrets"]:
        (root / "run/secrets" / name).write_text(KEY + "\n")
    for name, service in setup["services"].items():
        with tempfile.TemporaryDirectory() as folder:
            mounted: list[str] = []
            if service.get("read_only"):
                mount("--bind", str(root), str(root))
                mount("-o", "remount,bind,ro", str(root))
                mounted = [*kernel_files(root), str(root)]
                if image.start(["/bin/sh", "-c", "2>/dev/null >written"]).wait() == 0:
                    raise SystemExit(f"compose.yaml, {name}: the root is not read-only")
            for place in service.get("tmpfs", []):
                mount("-t", "tmpfs", "-o", "mode=1777", "none", str(inside(root, place)))
                mounted.insert(0, str(inside(root, place)))
            for number, volume in enumerate(service.get("volumes", [])):
                place, copied = inside(root, volume.split(":")[1]), Path(folder) / str(number)
                subprocess.run(["cp", "-a", str(place), str(copied)], check=True)
                mount("--bind", str(copied), str(place))
                mounted.insert(0, str(place))
            test = service["healthcheck"]["test"][1:] if "healthcheck" in service else image.health
            serve(image, f"compose.yaml, {name}", service["command"], test)
            for place in mounted:
                subprocess.run(["umount", "-l", place], check=True)


def own_network() -> None:
    """Leave the machine's network: what listens on every address is then reached from here alone."""
    if ctypes.CDLL(None, use_errno=True).unshare(
        0x40000000
    ):  # CLONE_NEWNET; os.unshare comes with Python 3.12
        raise SystemExit(f"no network of its own: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def run_inside(image: Image) -> None:
    """The image as `docker run` starts it, then compose's services."""
    image.variables["HANDWRIGHT_API_KEYS"] = KEY
    serve(image, "Dockerfile", image.command, image.health)
    del image.variables["HANDWRIGHT_API_KEYS"]
    compose(image)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", type=Path, help="a new folder; removed at the end")
    parser.add_argument("--suite", default="bookworm", help="Debian release of the base")
    parser.add_argument("--extras", help="build argument EXTRAS")
    parser.add_argument("--keep", action="store_true", help="do not remove the root")
    args = parser.parse_args()
    if os.environ.get("HANDWRIGHT_CHECK") != "inside":  # mounts that end with this process
        os.environ["HANDWRIGHT_CHECK"] = "inside"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    root = args.root.resolve()
    if not (root / "usr/local/bin/pip").exists():
        base_system(root, args.suite)
    outer_files(root)
    image = Image(root)
    steps = instructions((CONTEXT / "Dockerfile").read_text("utf-8"))
    build(image, steps, {"EXTRAS": args.extras} if args.extras else {})
    own_network()
    run_inside(image)
    print("all steps ran", flush=True)
    if not args.keep:
        lent = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        for place in reversed([name for name in lent if name.startswith(f"{root}/")]):
            subprocess.run(["umount", "-l", place], check=True)
        subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)


if __name__ == "__main__":
    main()
