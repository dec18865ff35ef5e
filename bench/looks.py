"""What a limit on the look of a hand would cost and bring: python bench/looks.py PHOTOS [--n N].

The review has none. If a hand passed only where P(looks malformed) were below a limit: the shares of hands
that then passed, of those that are found, for several limits: in training photographs, whose
hands are sound (one in seven by hash, the first N), and of the labelled hands of image generators of the
split *train* (folder ai_hands), both labels agreeing. The classifier has learnt these generated hands, so
what it brings there is too good; bench/real.py has the split *test*. Wilson 95 %.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PIL import Image as PILImage

from handwright.data.labelled_pictures import box_of, labelled_pictures, read_pixels
from handwright.metrics.estimate import wilson
from handwright.perception.detect.views import box_iou
from handwright.perception.models.download import ensure_models
from handwright.review import review_picture
from handwright.review.checklist import HandReview
from handwright.review.judge import Judge, open_judge
from handwright.training.streams.photographs import training_photographs
from handwright.types import Image

LIMITS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
ONE_IN, NEAR, LARGEST_PX = 7, 0.2, 1536

Seen = tuple[bool, float]
"""Whether a hand passes, and P(looks malformed)."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("--n", type=int, default=160)
    options = parser.parse_args()
    with open_judge(ensure_models().hand_landmarker) as judge:
        rows: dict[str, list[Seen]] = {"photographs": list(photographed(options.photos, options.n, judge))}
        for label, seen in generated(options.photos / "ai_hands", options.n, judge):
            rows.setdefault(f"generated, {label}", []).append(seen)
    print(table(rows))


def photographed(photos: Path, count: int, judge: Judge) -> Iterator[Seen]:
    """The hands of training photographs."""
    chosen = (one for one in training_photographs(photos) if int(one.sha256[-8:], 16) % ONE_IN == 3)
    for photo in islice(chosen, count):
        picture = PILImage.fromarray(photo.pixels)
        picture.thumbnail((LARGEST_PX, LARGEST_PX))
        for hand in review_picture(Image(np.asarray(picture).copy()), judge).hands:
            if hand.prediction is not None:
                yield seen_of(hand)


def generated(folder: Path, count: int, judge: Judge) -> Iterator[tuple[str, Seen]]:
    """The label of each labelled hand that is found, with what is seen of it."""
    for line in islice(labelled_pictures(folder, "train"), count):
        found = review_picture(Image(read_pixels(folder, line)), judge).hands
        for hand in line["hands"]:
            near = [one for one in found if box_iou(one.bbox_xyxy_px, box_of(hand["box"])) > NEAR]
            if near and hand["label"] == (hand.get("second") or {}).get("label"):
                best = max(near, key=lambda one: box_iou(one.bbox_xyxy_px, box_of(hand["box"])))
                yield hand["label"], seen_of(best)


def seen_of(hand: HandReview) -> Seen:
    """What a limit is held against."""
    look = 0.0 if hand.prediction is None else hand.prediction.appearance
    return hand.verdict == "pass", look


def table(rows: dict[str, list[Seen]]) -> str:
    """Shares that pass, a row for each limit."""
    names = sorted(name for name in rows if "unclear" not in name)
    lines = [
        "| limit | " + " | ".join(f"{name} (N {len(rows[name])})" for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    for limit in (*LIMITS, 2.0):
        cells: list[str] = []
        for name in names:
            count = sum(passes and look < limit for passes, look in rows[name])
            low, high = wilson(count, len(rows[name]))
            cells.append(f"{count / len(rows[name]):.3f} [{low:.3f}, {high:.3f}]")
        lines.append(f"| {'none' if limit > 1 else limit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
