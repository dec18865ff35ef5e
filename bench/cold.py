"""How long `handwright refine` takes from a cold start, and how much memory: one hand, 1024² and 4000 × 3000.

`python bench/cold.py [--n 5] [--painter NAME]`: median wall seconds and peak resident memory of fresh
processes, kernels compiled before. The large picture holds the small one in its middle; another holds it
twice, side by side, and one holds it beside more of its backdrop: what two hands take longer than one in a
frame of that size is a further hand's, the rest of what they take longer than the small picture the larger
frame's. Measure on an idle machine and compare the ratio.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))

SEED = 9
CHECK = """
import sys
from handwright.apps.cli.main import main
try:
    main(sys.argv[1:])
finally:
    assert "torch" not in sys.modules or "draw" not in sys.argv
"""


def pictures(folder: Path) -> list[Path]:
    """The pictures, rendered."""
    from handwright.data.hands import render_one_hand
    from handwright.hand.defects import Defect

    picture = render_one_hand(SEED, 1024, Defect.EXTRA)
    small, backdrop = picture.pixels, np.clip(picture.setup.place.linear, 0, 1)
    ground = np.tile(small[:8, :8].mean((0, 1)).astype(np.uint8), (3000, 4000, 1))
    ground[988:2012, 1488:2512] = small
    twice = np.concatenate([small, small[:, ::-1]], 1)
    beside = np.concatenate([small, (255 * backdrop ** (1 / 2.2)).astype(np.uint8)], 1)
    paths = [folder / name for name in ("1024.png", "4000.png", "two_hands.png", "one_of_two.png")]
    for path, pixels in zip(paths, (small, ground, twice, beside), strict=True):
        Image.fromarray(pixels).save(path)
    return paths


def run_once(path: Path, painter: str) -> tuple[float, float]:
    """Wall seconds and peak MiB of one fresh process; fails when drawing imported torch."""
    start = time.perf_counter()
    command = [
        sys.executable,
        "-c",
        CHECK,
        "refine",
        str(path),
        "-o",
        str(path.with_suffix(".out.png")),
        "--force",
        *("--hand", "1"),
        *(("--hand", "2") if path.stem == "two_hands" else ()),
        "--painter",
        painter,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) > 1:
        raise SystemExit(process.stderr.read().decode() if process.stderr else "failed")
    return time.perf_counter() - start, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=5)
    parser.add_argument("--painter", default="draw")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        paths = pictures(Path(name))
        run_once(paths[0], args.painter)
        runs = {path.stem: [run_once(path, args.painter) for _ in range(args.n)] for path in paths}
    for stem, measured in runs.items():
        seconds, mebibytes = np.array(measured).T
        print(
            f"{args.painter}, {stem}: N = {args.n}, median {np.median(seconds):.2f} s"
            f" [{seconds.min():.2f}, {seconds.max():.2f}], peak {mebibytes.max():.0f} MiB"
        )
    small, large, two, one = (np.median([m[0] for m in told]) for told in runs.values())
    print(f"ratio {large / small:.2f}, a further hand {two - one:.2f} s")
    print(f"the same and a frame twice as large {two - small:.2f} s")


if __name__ == "__main__":
    main()
