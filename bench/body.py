"""The 133 points and masks of people against exact truth: python bench/body.py [--n N] [--seed S] [--size S].

On rendered people: the share that is found; per part (body, feet, face, hands, all 133) the mean error and
PCK as fractions of the person's shoulder width, over points that are in the picture, and over those that are
seen; intersection over union of the mask; CPU time of one thread. A person who is not found counts as a mask
of 0, and in PCK as wrong points; mean errors are of points that were estimated. Intervals are bootstrap 95 %,
drawn by picture.

Shoulder width is the true shoulders' distance in three dimensions, as long as it would be from the front.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from handwright.data.people import PersonPicture, render_person
from handwright.data.people.figure.hand_graft import TO_CAMERA
from handwright.data.people.figure.mesh_cutting import bone
from handwright.metrics.estimate import bootstrap_counts, interval
from handwright.perception.body.estimate import Body, BodyEstimator
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands

PARTS = {
    "body (17)": slice(0, 17),
    "feet (6)": slice(17, 23),
    "face (68)": slice(23, 91),
    "hands (42)": slice(91, 133),
    "all (133)": slice(0, 133),
}
THRESHOLDS = (0.05, 0.1, 0.2)
SEEN = 0.9  # Visibility of a point of the truth that is in plain view; hidden ones have 0.5


@dataclass(frozen=True, eq=False)
class Measured:
    """One picture.

    Attributes:
        found: Somebody was found where the person is.
        error: [133] distance of each point in shoulder widths; inf where it was not estimated.
        inside, seen: bool [133] the point is in the picture; it is in plain view.
        iou: Of the mask.
        framing: How much of the person is in the picture.
        ms: CPU time without, and of, the search for hands.
    """

    found: bool
    error: np.ndarray
    inside: np.ndarray
    seen: np.ndarray
    iou: float
    framing: str
    ms: tuple[float, float]


def shoulder_px(picture: PersonPicture) -> float:
    """Shoulder width in pixels, as if it were seen from the front at the shoulders' distance."""
    someone = picture.setup.someone
    heads = someone.stance.bones.heads_m @ TO_CAMERA + someone.place_m
    left, right = (heads[bone(f"upperarm01.{side}")] for side in "LR")
    return float(someone.hands[0].camera.focal_px * np.linalg.norm(left - right) / ((left + right) / 2)[2])


def measure(picture: PersonPicture, bodies: list[Body], ms: tuple[float, float]) -> Measured:
    """Compare the person whose mask fits best."""
    truth = picture.person.wholebody
    inside = truth[:, 2] > 0
    ious = [float((b.mask & picture.mask).sum() / (b.mask | picture.mask).sum()) for b in bodies]
    best = int(np.argmax(ious)) if ious else -1
    error = np.full(133, np.inf)
    found = best >= 0 and ious[best] > 0
    if found:
        pose = bodies[best].pose
        apart = np.linalg.norm(pose.points_px - truth[:, :2], axis=1) / shoulder_px(picture)
        error = np.where(pose.known, apart, np.inf)
    return Measured(
        found,
        error,
        inside,
        inside & (truth[:, 2] >= SEEN),
        ious[best] if found else 0.0,
        picture.setup.framing,
        ms,
    )


def people(count: int, seed: int, size: int) -> Iterator[Measured]:
    """Rendered people, measured."""
    with HandLandmarker() as landmarker, BodyEstimator(landmarker) as estimate:
        estimate(np.zeros((64, 64, 3), np.uint8))
        for index in range(count):
            picture = render_person(seed, index, size)
            start = time.process_time()
            hands = find_hands(picture.pixels, landmarker=landmarker, threads=1)
            middle = time.process_time()
            bodies = estimate(picture.pixels, hands)
            end = time.process_time()
            yield measure(picture, bodies, (1000 * (end - middle), 1000 * (middle - start)))


def lines(rows: list[Measured]) -> Iterator[str]:
    """The table."""
    draws = np.concatenate([np.ones((1, len(rows))), bootstrap_counts(len(rows), 1000, 0).T])
    error = np.stack([row.error for row in rows])

    def of(share: np.ndarray, weight: np.ndarray) -> tuple[float, str]:
        with np.errstate(invalid="ignore", divide="ignore"):
            values = draws @ share / (draws @ weight)
        low, high = interval(values[1:])
        return float(values[0]), f"[{low:.3f}, {high:.3f}]"

    ones = np.ones(len(rows))
    for name, values in (("found", [r.found for r in rows]), ("mask IoU", [r.iou for r in rows])):
        value, spread = of(np.array(values, float), ones)
        yield f"| {name} | | {len(rows)} | {value:.3f} {spread} |"
    yield (
        "| part | points | N | estimated | mean error | "
        + " | ".join(f"PCK@{limit:g}" for limit in THRESHOLDS)
        + " |"
    )
    for kind in ("inside", "seen"):
        counted = np.stack([getattr(row, kind) for row in rows])
        for name, part in PARTS.items():
            there, apart = counted[:, part], error[:, part]
            known = there & np.isfinite(apart)
            total = there.sum(1).astype(float)
            share, _ = of(known.sum(1).astype(float), total)
            mean, spread = of(np.where(known, apart, 0).sum(1), known.sum(1).astype(float))
            pck = [of((there & (apart <= limit)).sum(1).astype(float), total) for limit in THRESHOLDS]
            columns = " | ".join(f"{value:.3f} {around}" for value, around in pck)
            yield f"| {name} | {kind} | {int(total.sum())} | {share:.3f} | {mean:.3f} {spread} | {columns} |"
    for which, name in enumerate(("people, points and masks", "search for hands")):
        ms = np.array([row.ms[which] for row in rows])
        yield f"{name}: {np.median(ms):.0f} ms CPU a picture (median), {np.quantile(ms, 0.9):.0f} (90 %)"
    for framing in sorted({row.framing for row in rows}):
        chosen = [row.iou for row in rows if row.framing == framing]
        yield f"{framing}: {len(chosen)} pictures, mask IoU {np.mean(chosen):.3f}, worst {min(chosen):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=200, help="pictures")
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--size", type=int, default=512, help="side in pixels")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    print("\n".join(lines(list(people(options.n, options.seed, options.size)))))


if __name__ == "__main__":
    main()
