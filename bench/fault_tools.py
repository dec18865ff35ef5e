"""What the scenes of ``faults.py`` share: pictures, a warm process, what an undisturbed run makes, checks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image as PILImage

from handwright.apps.cli.main import run
from handwright.data.hands import render_hands
from handwright.image import write_png
from handwright.memory import end_where_threads_cannot_start
from handwright.perception.models.download import default_cache_dir
from handwright.types import HandObservation

Files = Mapping[str, bytes]

PICTURE = 1
"""The number of a rendered picture of one hand, which is refined; the other picture is noise, which stays."""

LONGEST_S = 600.0
"""A command that takes longer counts as hanging; small pictures take seconds. Chosen by eye."""


@dataclass
class Row:
    """One fault in one place."""

    fault: str
    where: str
    trials: int = 0
    wrong: list[str] = field(default_factory=list[str])  # What was not as promised
    seen: Counter[str] = field(default_factory=Counter[str])  # How trials ended
    not_run: str = ""  # Why there are none
    failed: set[str] = field(default_factory=set[str])  # Trials in which something was not as promised

    def note(self, trial: str, wrong: Iterable[str]) -> None:
        """Say what was not as promised in a trial."""
        for what in wrong:
            self.failed.add(trial)
            self.wrong.append(f"{trial}: {what}")


@dataclass
class Started:
    """A command in a forked process."""

    pid: int
    folder: Path
    code: int | None = None

    def wait(self, longest: float = LONGEST_S) -> int:
        """Its exit code, or minus the signal that ended it; one that hangs for so many seconds is ended."""
        deadline = time.monotonic() + longest
        while self.code is None:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.code = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            else:
                time.sleep(0.01)
        return self.code

    def kill(self) -> bool:
        """Send kill -9; whether the command was still running."""
        os.kill(self.pid, signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    @property
    def errors(self) -> str:
        """What it wrote to stderr."""
        return (self.folder / "stderr").read_text("utf-8", "replace")


class Bench:
    """A warm process that forks a child for each command.

    Args:
        root: A folder of its own.
        seed: Of the pictures.
        side: Their side in pixels.
    """

    def __init__(self, root: Path, seed: int, side: int = 128) -> None:
        self.root, self.inputs = root, root / "in"
        self._number = 0
        self.inputs.mkdir(parents=True)
        shutil.copytree(default_cache_dir(), root / "cache", ignore=shutil.ignore_patterns("records"))
        os.environ["HANDWRIGHT_CACHE"] = str(root / "cache")
        write_png(self.inputs / "hand.png", render_hands(940_000 + seed, PICTURE, side).pixels)
        noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
        write_png(self.inputs / "noise.png", noise)
        self._sources = files_in(self.inputs)
        warm_up()
        began = time.monotonic()
        self.whole = whole = self.new()
        if self.refine(whole).wait() != 0:
            raise SystemExit("the pictures cannot be refined in a forked process")
        self.seconds = time.monotonic() - began
        self.expected = files_in(whole / "out")
        self.reported = set(files_in(whole / "report"))

    def new(self) -> Path:
        """A new folder for a trial."""
        self._number += 1
        folder = self.root / f"{self._number:04}"
        (folder / "tmp").mkdir(parents=True)
        return folder

    def command(self, out: Path, report: Path) -> list[str]:
        """The command line that is disturbed."""
        return ["refine", str(self.inputs), "-o", str(out), "--report", str(report), "--all"]

    def refine(self, folder: Path, prepare: Callable[[], object] = lambda: None) -> Started:
        """``handwright refine`` of the pictures, with results and report below a folder."""
        return fork(self.command(folder / "out", folder / "report"), folder, prepare)

    def torn(self, out: Path, report: Path) -> list[str]:
        """What is wrong with the files that carry a final name, and with the inputs, after a disturbance."""
        wrong = [
            f"{name} is torn or another's"
            for name, data in files_in(out).items()
            if not name.endswith(".part") and self.expected.get(name) != data
        ]
        wrong += [f"{path.name} cannot be read" for path in unreadable(report)]
        return wrong + ["an input was changed"] * (files_in(self.inputs) != self._sources)

    def unfinished(self, folder: Path, out: Path, report: Path) -> list[str]:
        """What a run that ended well has not made, or has left over."""
        wrong = self.torn(out, report)
        if files_in(out) != self.expected:
            wrong.append(f"results are {sorted(files_in(out))}, not those of the undisturbed run")
        if report.exists() and set(files_in(report)) != self.reported:
            wrong.append(f"the report differs by {sorted(set(files_in(report)) ^ self.reported)}")
        left = [*(folder / "tmp").iterdir(), *(self.root / "cache").rglob("*.part")]
        return wrong + [f"{path.name} was left over" for path in left]


def warm_up() -> None:
    """Load the kernels, without MediaPipe: a process that has its threads must not be forked."""
    import handwright.refine.pipeline
    import handwright.review.judge  # noqa: F401 - loaded, so that children need not
    from handwright.perception.fit.hand_fit import fit_hand

    points = np.linspace((10.0, 10.0), (100.0, 90.0), 21) + np.random.default_rng(0).normal(0, 5, (21, 2))
    seen = HandObservation(
        landmarks_px=points, depth_px=np.zeros(21), side="right", score=0.9, found_by="picture"
    )
    fit_hand(seen, 128, 128)
    kinds = {thread.name for thread in threading.enumerate()} - {"MainThread"}
    if kinds:
        raise SystemExit(f"threads run that a fork would lose: {kinds}")


def fork(arguments: list[str], folder: Path, prepare: Callable[[], object] = lambda: None) -> Started:
    """Run a command of the command line in a forked process; it writes to files of the folder."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Started(pid, folder)
    code = 99
    try:
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "tmp")
        end_where_threads_cannot_start()  # as the command line does
        prepare()
        code = run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def unreadable(folder: Path) -> list[Path]:
    """Files with a final name that are not whole: pictures are decoded, JSON parsed."""
    return [path for path in folder.rglob("*") if path.is_file() and not _is_whole(path)]


def _is_whole(path: Path) -> bool:
    try:
        if path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
        elif path.suffix in (".png", ".jpg"):
            with PILImage.open(path) as picture:
                picture.load()
        elif path.suffix == ".html":
            return path.read_text("utf-8").rstrip().endswith("</html>")
    except (OSError, ValueError, SyntaxError):
        return False
    return True


def not_in_one_line(text: str) -> list[str]:
    """What is wrong with what a command wrote to stderr: each line is one of ours, none a traceback."""
    lines = text.splitlines()
    wrong = "Traceback" in text or "internal error" in text or not lines
    return [f"stderr: {text[-400:]!r}"] if wrong else []
