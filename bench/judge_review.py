"""The whole review, finder and geometry included, on hands whose truth is known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from handwright.metrics.estimate import rate_estimate
from handwright.perception.detect.landmarker import Landmarker
from handwright.perception.detect.search import find_hands
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.review.judge import Judge, review_picture
from handwright.types import HandObservation, Image
from judge_asked import Asked
from judge_sets import Picture
from judge_tables import share, table

SAME = 0.5
"""A find is a hand whose middle is nearer to its own than this share of its size."""

FORM = ("finger_count", "joint_bending")
VERDICTS = ("pass", "fail", "cannot tell", "not found")


def verdicts(judge: Judge, pictures: Iterable[Picture], *, given: bool) -> Counter[str]:
    """What the review says of the form of each picture's first hand.

    Args:
        judge: Finder and critic.
        pictures: With landmarks.
        given: The hand is given to the review; otherwise it must be found.
    """
    said: Counter[str] = Counter()
    for picture in pictures:
        points = picture.landmarks_px[0]
        assert points is not None
        side = picture.truths[0].side or "right"
        hand = HandObservation(
            landmarks_px=points, depth_px=np.zeros(21), side=side, score=0.9, found_by="file"
        )
        review = review_picture(Image(picture.read()), judge, hands=[hand] if given else None)
        own = [one for one in review.hands if is_same(one.bbox_xyxy_px, picture.regions[0])]
        told = {own[0].checks[name].verdict for name in FORM} if own else set()
        said["not found" if not own else next(v for v in ("fail", "cannot tell", "pass") if v in told)] += 1
    return said


def is_same(box: Sequence[float], region: OrientedSquare) -> bool:
    """Whether a box is that of a region's hand."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return bool(np.hypot(x - region.center_px[0], y - region.center_px[1]) < SAME * region.size_px)


def verdict_table(rows: Sequence[tuple[str, Counter[str]]]) -> list[str]:
    """Shares of each verdict, by group."""
    lines: list[list[object]] = []
    for name, said in rows:
        told = [word for word in VERDICTS for _ in range(said[word])]
        if told:
            shares = (share(rate_estimate(v, np.array([word == v for word in told]))) for v in VERDICTS)
            lines.append([name, len(told), *shares])
    return table(("hands", "N", *VERDICTS), lines)


def refound(pictures: Iterable[Picture], landmarker: Landmarker) -> list[Picture]:
    """The same pictures with regions as the finder gives them; hands that it does not find are left out."""
    again: list[Picture] = []
    for picture in pictures:
        found = [
            OrientedSquare.of(hand.landmarks_px)
            for hand in find_hands(picture.read(), landmarker=landmarker, threads=1)
        ]
        of_hand = [next((f for f in found if _near(f, region)), None) for region in picture.regions]
        kept = [k for k, region in enumerate(of_hand) if region is not None]
        if kept:
            again.append(
                Picture(
                    picture.key,
                    picture.read,
                    tuple(region for region in of_hand if region is not None),
                    tuple(picture.truths[k] for k in kept),
                    tuple(picture.landmarks_px[k] for k in kept),
                )
            )
    return again


def place_table(rows: Sequence[tuple[str, Asked]]) -> list[str]:
    """What is called of hands at one kind of places, and how far these are off."""
    lines: list[list[object]] = []
    for name, hands in rows:
        parts = [hands.of(lambda t: t.malformed is False), hands.of(lambda t: t.malformed)]
        shares = [[len(of), share(rate_estimate("", of.called)) if len(of) else "–"] for of in parts]
        place, size, turn = spread(hands)
        off = f"{place:.3f} hand sizes, {100 * size:.1f} % in size, {math.degrees(turn):.1f}°"
        lines.append([name, *shares[0], *shares[1], off])
    return table(("place", "N good", "called wrong", "N defects", "called", "spread about the truth"), lines)


def spread(hands: Asked) -> tuple[float, float, float]:
    """How far places are off the true ones: in hand sizes, in the logarithm of size, in radians.

    Standard deviations as the median deviation tells them; hands without landmarks are left out.
    """
    off: list[tuple[float, float, float, float]] = []
    for picture, k in hands.where:
        points = picture.landmarks_px[k]
        if points is not None:
            asked, true = picture.regions[k], OrientedSquare.of(points)
            gap = (np.array(asked.center_px) - true.center_px) / true.size_px
            turn = (asked.toward_rad - true.toward_rad + np.pi) % (2 * np.pi) - np.pi
            off.append((gap[0], gap[1], np.log(asked.size_px / true.size_px), turn))
    x, y, size, turn = 1.4826 * np.median(np.abs(np.array(off)), axis=0)
    return float((x + y) / 2), float(size), float(turn)


def _near(found: OrientedSquare, region: OrientedSquare) -> bool:
    gap = np.hypot(found.center_px[0] - region.center_px[0], found.center_px[1] - region.center_px[1])
    return bool(gap < SAME * region.size_px and 0.5 < found.size_px / region.size_px < 2)
