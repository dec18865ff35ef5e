"""A study killed twice and resumed against one run at once: python bench/resume_reproduce.py [--work DIR].

Both run the same small study on the embedded family, each in a process of its own. One is sent SIGKILL when
about a third and about two thirds of its units are there. What is compared is every unit's record but for the
seconds it took, every crop byte for byte, and the page but for the table of times.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from handwright.refine.settings import diffusion_settings
from handwright.reproduce import Study, reproduce_handrefiner
from handwright.reproduce.handrefiner.study import Scale

SMALL = Scale(
    table=1, harmonise=1, boxed=1, reference=3, phase=1, judged=1, spoiled=1, strengths=(0.0, 0.5, 1.0)
)
_TIMES = re.compile(r"## What a strategy costs.*?## Phase", re.DOTALL)


def one(folder: Path) -> None:
    """Run, or go on with, the study of a folder."""
    diffusion = diffusion_settings("diffuse", {})
    assert diffusion is not None
    reproduce_handrefiner(Study(SMALL, diffusion), folder / "page" / "page.md", "small", folder / "work")


def started(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, "--one", str(folder)])


def units(folder: Path) -> int:
    return sum(1 for _ in (folder / "work").rglob("*.json"))


def killed(folder: Path, at: int) -> None:
    """Run until so many units are there, then SIGKILL."""
    process = started(folder)
    while units(folder) < at and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.wait()
    print(f"killed with {units(folder)} units; page there: {(folder / 'page' / 'page.md').exists()}")


def left(folder: Path) -> dict[str, object]:
    """All that a study leaves, without the time it took."""
    told: dict[str, object] = {}
    for path in sorted(path for path in folder.rglob("*.*") if path.is_file()):
        data: object = path.read_bytes()
        if path.suffix == ".json":
            data = json.loads(path.read_text())
            data.pop("seconds", None)
        elif path.suffix == ".md":
            data = _TIMES.sub("", path.read_text())
        told[str(path.relative_to(folder))] = data
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--work", type=Path)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one)
        return
    work = options.work or Path(tempfile.mkdtemp())
    whole, parts = work / "whole", work / "parts"
    if started(whole).wait():
        raise SystemExit("the run at once failed")
    for share in (1, 2):
        killed(parts, units(whole) * share // 3)
    if started(parts).wait():
        raise SystemExit("the resumed run failed")
    ours, theirs = left(whole), left(parts)
    differ = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    print(f"{len(ours)} files, {units(whole)} units; differ: {', '.join(differ) or 'none'}")
    raise SystemExit(bool(differ))


if __name__ == "__main__":
    main()
