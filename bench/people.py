"""How well a detector sees the raised hands of rendered people.

``python bench/people.py [--n 120] [--seed 5] [--size 512]``: of all raised hands wholly in the picture, and
of those that are sharp with 18 of their 21 landmarks or more in view, the share that MediaPipe finds, its
mean error as a share of hand size, the share of right sides, with intervals; CPU time a picture.
"""

from __future__ import annotations

import argparse
import time

import cv2
import numpy as np

from handwright.data.hands.sample import HandTruth
from handwright.data.people import PersonPicture, render_person
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.types import HandObservation
from measures import bootstrap, mean

FOUND_WITHIN, SEEN = 0.25, 18


def raised(picture: PersonPicture) -> list[HandTruth]:
    """The raised hands that are wholly in the picture."""
    sides = [held.side for held in picture.setup.someone.stance.hands if held.doing == "raised"]
    side_px = len(picture.pixels)
    inside = [((t.keypoints_px >= 0) & (t.keypoints_px < side_px)).all() for t in picture.hands]
    return [t for t, whole in zip(picture.hands, inside, strict=True) if whole and t.hand.side in sides]


def look(truth: HandTruth, seen: list[HandObservation]) -> tuple[bool, float, bool]:
    """Whether the hand is found, the error as a share of its size, whether its side is right."""
    size = float(np.ptp(truth.keypoints_px, axis=0).max())
    errors = [np.linalg.norm(s.landmarks_px - truth.keypoints_px, axis=1).mean() / size for s in seen]
    best = int(np.argmin(errors)) if errors else -1
    if best < 0 or errors[best] > FOUND_WITHIN:
        return False, float("nan"), False
    return True, float(errors[best]), seen[best].side == truth.hand.side


def tell(name: str, rows: list[tuple[bool, float, bool]]) -> None:
    table = np.array(rows, float)
    hit = table[table[:, 0] > 0]
    for measure, column in (
        ("found", table[:, :1]),
        ("error / size", hit[:, 1:2]),
        ("right side", hit[:, 2:]),
    ):
        value, low, high = (float(np.squeeze(v)) for v in bootstrap(column, mean))
        print(f"{name}, {measure}: {100 * value:.1f} % [{100 * low:.1f}, {100 * high:.1f}], N {len(column)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=120)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows, clear, spent = [], [], []
    with HandLandmarker() as landmarker:
        for index in range(options.n):
            start = time.process_time()
            picture = render_person(options.seed, index, options.size)
            spent.append(time.process_time() - start)
            seen = list(landmarker.detect(picture.pixels))
            shot = picture.setup.shot
            for truth in raised(picture):
                rows.append(look(truth, seen))
                if truth.visible.sum() >= SEEN and shot.motion_px < 1 and shot.defocus_px < 0.5:
                    clear.append(rows[-1])
    tell("raised hands", rows)
    tell("clearly seen", clear)
    print(f"CPU seconds a picture of {options.size} px, median: {np.median(spent):.2f}")


if __name__ == "__main__":
    main()
