"""How well a detector sees the rendered hands, and how fast they are made.

``python bench/synth.py [--n 200] [--seed 5]``: of open, empty, bare, sharp hands with all 21 landmarks
visible, the share that MediaPipe finds, its mean error as a share of hand size, and the share of right sides,
with bootstrap intervals over pictures; then pictures per second on one core, files included.
"""

from __future__ import annotations

import argparse
import time

import cv2
import numpy as np

from handwright.data.hands import HandPicture
from handwright.data.hands.sample import render_setup
from handwright.data.hands.setup import draw_setup
from handwright.data.synthesise import KINDS, World
from handwright.perception.detect.landmarker import HandLandmarker
from measures import bootstrap, mean

SIZE, FOUND_WITHIN = 256, 0.25


def clean(picture: HandPicture) -> bool:
    """One bare, empty, sharp hand, every landmark visible."""
    setup = picture.setup
    sharp = setup.shot.motion_px < 1 and setup.shot.defocus_px < 0.5
    bare = setup.dress.glove is None and setup.thing is None and len(picture.hands) == 1
    return bool(sharp and bare and picture.hands[0].visible.all())


def look(picture: HandPicture, landmarker: HandLandmarker) -> tuple[bool, float, bool]:
    """Whether the hand is found, the error as a share of its size, whether its side is right."""
    truth = picture.hands[0]
    size = float(np.ptp(truth.keypoints_px, axis=0).max())
    seen = landmarker.detect(picture.pixels)
    errors = [np.linalg.norm(s.landmarks_px - truth.keypoints_px, axis=1).mean() / size for s in seen]
    best = int(np.argmin(errors)) if errors else -1
    if best < 0 or errors[best] > FOUND_WITHIN:
        return False, float("nan"), False
    return True, float(errors[best]), seen[best].side == truth.hand.side


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows, index = [], 0
    with HandLandmarker() as landmarker:
        while len(rows) < options.n:
            rng = np.random.default_rng([options.seed, index, 44])
            picture = render_setup(draw_setup(rng, SIZE, showing=True), rng, SIZE)
            if clean(picture):
                rows.append(look(picture, landmarker))
                found = sum(r[0] for r in rows)
                print(f"\r{found} of {len(rows)} found, {index + 1} pictures", end="", flush=True)
            index += 1
    table = np.array(rows, float)
    print()
    hit = table[table[:, 0] > 0]
    for name, column in (("found", table[:, :1]), ("error / size", hit[:, 1:2]), ("right side", hit[:, 2:])):
        value, low, high = (float(np.squeeze(v)) for v in bootstrap(column, mean))
        print(f"{name}: {100 * value:.1f} % [{100 * low:.1f}, {100 * high:.1f}], N {len(column)}")
    start = time.perf_counter()
    for k in range(40):
        KINDS["hands"](World("hands", options.seed, SIZE), k, ())
    print(f"{40 / (time.perf_counter() - start):.1f} pictures a second on one core")


if __name__ == "__main__":
    main()
