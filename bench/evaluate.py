"""What `handwright evaluate` costs: bench/evaluate.py SHARDS -o DIR [--n N] [--extractor NAME] [--hands M].

Makes two folders of N pictures of 256 px from `handwright synth` shards: the pictures themselves, then crops
of them, each at another place and size, turned over by halves and with its own brightness, so that all files
differ; those of FAKE are a little blurred. Half are PNG, half JPEG. Then runs the command line as a user
does, in a process of its own, and reports wall time, CPU time and the largest memory that it held; and once
more on the first M pictures of each with --metrics det, for the time that looking for hands takes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from itertools import count, islice
from pathlib import Path

import cv2
import numpy as np

from handwright.data.shards import Member, index_shard

SIDE = 256
SETS = ("real", "fake")
BLUR_PX = 0.8


def pictures(shards: Path) -> list[Member]:
    """Every picture of every shard."""
    indices = [index_shard(shard) for shard in sorted(shards.glob("*.tar"))]
    return [
        parts["image.jpg"] for index in indices for parts in index.samples.values() if "image.jpg" in parts
    ]


def jittered(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A crop of 80–100 % of the picture, perhaps turned over, with another brightness, at 256 px."""
    side = int(rng.uniform(0.8, 1.0) * min(pixels.shape[:2]))
    y, x = (int(rng.integers(0, have - side + 1)) for have in pixels.shape[:2])
    crop = cv2.resize(pixels[y : y + side, x : x + side], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    lit = np.clip(crop.astype(np.float32) * rng.uniform(0.85, 1.15), 0, 255).astype(np.uint8)
    return lit[:, ::-1] if rng.random() < 0.5 else lit


def make_sets(shards: Path, output: Path, n: int) -> None:
    """Both folders, whole pictures first; what is there already stays."""
    members = pictures(shards)
    if not members:
        sys.exit(f"{shards} holds no pictures; make some with `handwright synth --kind hands -o {shards}`")
    draws = ((members[k % len(members)], k // len(members)) for k in count())
    for name, chosen in zip(SETS, (islice(draws, n), islice(draws, n)), strict=True):
        folder = output / f"{name}-{n}"
        folder.mkdir(parents=True, exist_ok=True)
        for k, (member, turn) in enumerate(chosen):
            file = folder / f"{k:05d}{('.png', '.jpg')[k % 2]}"
            if file.exists():
                continue
            pixels = cv2.imdecode(np.frombuffer(member.read(), np.uint8), cv2.IMREAD_COLOR)
            pixels = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            if turn:
                pixels = jittered(pixels, np.random.default_rng([SETS.index(name), k]))
            if name == "fake":
                pixels = cv2.GaussianBlur(pixels, (0, 0), BLUR_PX)
            cv2.imwrite(str(file), pixels)


def first_of(folder: Path, n: int, output: Path) -> Path:
    """A folder of links to the first pictures."""
    output.mkdir(parents=True, exist_ok=True)
    for file in islice(sorted(folder.iterdir()), n):
        link = output / file.name
        if not link.exists():
            link.symlink_to(file.resolve())
    return output


def measure(real: Path, fake: Path, *options: str) -> tuple[float, float]:
    """Run the command line; print its cost and its figures, return wall and CPU seconds."""
    command = [sys.executable, "-m", "handwright", "evaluate", str(real), str(fake), "--json", *options]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = json.loads(done.stdout)
    print(
        f"N {told['fake']} against {told['real']} {' '.join(options)}: {wall:.1f} s wall, {cpu:.1f} s CPU, "
        f"at most {after.ru_maxrss / 2**20:.2f} GiB, {len(os.sched_getaffinity(0))} cores"
    )
    for e in told["estimates"]:
        print(f"  {e['name']} {e['value']:.4g} [{e['low']:.4g}, {e['high']:.4g}]")
    return wall, cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shards", type=Path, help="folder that `handwright synth` wrote")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--extractor", default="hw-v2")
    parser.add_argument("--hands", type=int, default=100, metavar="M")
    args = parser.parse_args()
    make_sets(args.shards, args.output, args.n)
    real, fake = (args.output / f"{name}-{args.n}" for name in SETS)
    measure(real, fake, "--extractor", args.extractor)
    if args.hands:
        few = [first_of(folder, args.hands, args.output / f"{folder.name}-few") for folder in (real, fake)]
        wall, cpu = measure(*few, "--extractor", args.extractor, "--metrics", "det")
        each = 1000 / (2 * args.hands)
        print(f"looking for hands: {each * wall:.0f} ms wall, {each * cpu:.0f} ms CPU a picture")


if __name__ == "__main__":
    main()
