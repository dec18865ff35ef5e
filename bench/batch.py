"""Pictures per core-hour of `handwright batch`, and what more workers give.

    python bench/batch.py [--n 160] [--task refine] [--seed 0] [--cost-per-hour 0.05] [--gpus 0] [--page FILE]

Rendered pictures of one hand, 512²; one worker, then two, each on one core, on an idle machine; the start of
the cluster and of the workers (until the first result) is counted apart. The simulation to 1,000 workers has
the measured seconds of every picture (drawn again with replacement), a queue in the order of arrival, the
measured share of a picture that is spent beside its worker (driver), and counts starting up. With --gpus each
worker has so many GPUs and the diffusing painter, the rate is one of GPUs, and so is the cost.
"""

import argparse
import heapq
import json
import os
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import cv2
import numpy as np

from fuzz import replace_between
from handwright.data.hands import render_hands
from handwright.image import write_png
from handwright.workflow import Request
from handwright.workflow.batch.cluster import BatchOptions, run_batch

SIDE = 512


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=160, help="pictures")
    parser.add_argument("--task", default="refine", choices=("refine", "review", "hands"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cost-per-hour", type=float, default=0.05, help="of a core, or of a GPU")
    parser.add_argument("--gpus", type=float, default=0.0, help="of each worker")
    parser.add_argument("--page", type=Path, help="put the tables into this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for k in range(options.n):
            made = render_hands(930_000 + options.seed, k, 256)
            pixels = cv2.resize(made.pixels, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
            (folder / "in").mkdir(exist_ok=True)
            write_png(folder / "in" / f"{k:04}.png", pixels)
        found = {workers: measured(folder, options, workers) for workers in (1, 2)}
    text = "\n".join(tables(found, options))
    print(text)
    if options.page is not None:
        replace_between(options.page, "<!-- cost -->", "<!-- /cost -->", text)


def tables(found: dict[int, tuple[float, float, list[float]]], options: argparse.Namespace) -> Generator[str]:
    """The lines of both tables."""
    unit = "GPU" if options.gpus else "core"
    yield f"{options.task}, {options.n} pictures of {SIDE}², seed {options.seed}, {os.cpu_count()} cores"
    yield ""
    yield f"| workers | start s | pictures/s after it | pictures a {unit}-hour | slope |"
    yield "|---|---|---|---|---|"
    for workers, (start, rate, _) in found.items():
        hourly = 3600 * rate / workers / (options.gpus or 1)
        yield f"| {workers} | {start:.1f} | {rate:.2f} | {hourly:.0f} | {rate / found[1][1]:.2f} |"
    start, rate, seconds = found[2]
    beside = max(2 / rate - float(np.mean(seconds)), 0) / 2  # of a picture, in the driver and between
    yield ""
    yield f"Simulated, 1,000,000 pictures, {options.cost_per_hour:g} an hour of a {unit}:"
    yield ""
    yield "| workers | hours | of ideal | cost |"
    yield "|---|---|---|---|"
    for workers in (1, 2, 10, 100, 1000):
        hours = simulated(1_000_000, workers, seconds, beside, start, options.seed) / 3600
        ideal = 1_000_000 * float(np.mean(seconds)) / workers / 3600
        cost = hours * workers * (options.gpus or 1) * options.cost_per_hour
        yield f"| {workers} | {hours:.2f} | {100 * ideal / hours:.0f} % | {cost:.0f} |"


def measured(folder: Path, given: argparse.Namespace, workers: int) -> tuple[float, float, list[float]]:
    """Seconds until the first result, pictures a second after it, and each picture's own seconds."""
    sink = folder / f"out-{workers}"
    began = time.time()
    options = BatchOptions(task=given.task, workers=workers, gpus=given.gpus)
    request = Request(painter="diffuse", device="cuda") if given.gpus else Request()
    run_batch([str(folder / "in")], str(sink), request, options)
    records = list(sink.glob("records/*.json"))
    written = sorted(path.stat().st_mtime for path in records)  # Ray passes results on in blocks
    seconds = [float(sum(json.loads(path.read_text())["entry"]["seconds"].values())) for path in records]
    return written[0] - began, (len(written) - 1) / (written[-1] - written[0]), seconds


def simulated(
    count: int, workers: int, seconds: list[float], beside: float, start: float, seed: int
) -> float:
    """Seconds until all pictures are done: one queue, ``workers`` servers, one driver that hands them out."""
    drawn = np.random.default_rng(seed).choice(seconds, count)
    free = [start] * workers
    driver = start
    last = 0.0
    for one in drawn:
        driver = max(driver, free[0]) + beside / max(workers, 2)  # hand-outs overlap with work
        ends = driver + one
        heapq.heapreplace(free, ends)
        last = max(last, ends)
    return last


if __name__ == "__main__":
    main()
