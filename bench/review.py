"""How long `handwright review` takes: python bench/review.py [--n 5]; measure on an idle machine.

Cold: a fresh process on a picture with one hand, 512². Then, models loaded: a picture of ten hands, and the
same with all but one plainly covered, so that both are searched alike: what lies between them is a further
hand's share. One of 256² and one of 4000 × 3000 with one hand each, and what the critic takes of a hand.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from handwright.data.hands import render_hands
from handwright.image import write_png
from handwright.perception.models.download import ensure_models
from handwright.review import open_judge, review_picture
from handwright.review.critic.onnx_critic import open_critic
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import Image

SEED, SIDE = 920_000, 256


def one_hand(count: int) -> list[np.ndarray]:
    """Pictures with one bare hand each."""
    made = (render_hands(SEED, index, SIDE) for index in range(20 * count))
    alone = (m for m in made if len(m.hands) == 1 and not m.hands[0].gloved)
    return [next(alone).pixels for _ in range(count)]


def times(work: Callable[[], object], n: int) -> list[float]:
    """Seconds of n runs, after one that does not count."""
    work()
    taken: list[float] = []
    for _ in range(n):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return taken


def told(taken: list[float]) -> str:
    """Median and range."""
    return f"{1000 * np.median(taken):.0f} ms [{1000 * min(taken):.0f}, {1000 * max(taken):.0f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=5)
    args = parser.parse_args()
    hands = one_hand(10)
    first = cv2.resize(hands[0], (512, 512), interpolation=cv2.INTER_CUBIC)
    row = np.concatenate([np.concatenate(hands[k : k + 5], 1) for k in (0, 5)], 0)
    alone = np.tile(first[:8, :8].mean((0, 1)).astype(np.uint8), (*row.shape[:2], 1))
    alone[:SIDE, :SIDE] = hands[0]
    wall = np.tile(first[:8, :8].mean((0, 1)).astype(np.uint8), (3000, 4000, 1))
    wall[1244:1756, 1744:2256] = first
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.png"
        write_png(path, first)
        command = [sys.executable, "-m", "handwright", "review", str(path)]
        cold = times(lambda: subprocess.run(command, check=False, capture_output=True), args.n)
    print(f"cold, one hand, 512²: {told(cold)}")
    with open_judge(ensure_models().hand_landmarker) as judge:
        found = len(review_picture(Image(row), judge).hands)
        one = times(lambda: review_picture(Image(alone), judge), args.n)
        every = times(lambda: review_picture(Image(row), judge), args.n)
        print(f"one hand, 1280 × 512: {told(one)}; {found} hands: {told(every)}")
        print(f"a further hand: {1000 * (np.median(every) - np.median(one)) / (found - 1):.0f} ms")
        small = times(lambda: review_picture(Image(hands[0]), judge), args.n)
        print(f"one hand, 256²: {told(small)}")
        large = times(lambda: review_picture(Image(wall), judge), args.n)
        print(f"one hand, 4000 × 3000: {told(large)}")
    critic = open_critic()
    if critic is not None:
        region = OrientedSquare((128.0, 128.0), 150.0, -1.5)
        asked = times(lambda: critic.judge(hands[0], [region]), 5 * args.n)
        print(f"the critic, one hand: {told(asked)}")


if __name__ == "__main__":
    main()
