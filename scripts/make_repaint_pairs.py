"""Hands before and after repainting, to be judged blind: scripts/make_repaint_pairs.py PICTURES.jsonl -o DIR.

PICTURES.jsonl holds a line a picture: ``file``, ``source`` (where it comes from) and ``group`` (pictures of
one group are never split between training and test). Every hand of a picture is repainted whatever the review
finds, by painters and seeds drawn at random. Of the candidates at most ``PER_HAND`` a hand are kept, accepted
or not, as crops beside a line of DIR/pairs.jsonl. Of a line with ``boxes`` the hands in these are drawn with
``BOXED_SEED``, and the first candidate is kept; of one with ``sound`` all hands, where nothing but P(worse)
refuses it. A second run goes on where the first was stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PIL import Image as PILImage

from handwright.data.photographs import decode_photo
from handwright.refine.pipeline import open_engine, refine_picture
from handwright.refine.settings import RefineSettings
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.types import Image

PAINTERS, SHARES, PER_HAND = ("draw", "harmonise", "diffuse"), (0.6, 0.2, 0.2), 2
"""Painters, how often each is drawn, and how many candidates of a hand are kept."""

BOXED_SEED = 5  # Of hands in boxes, and of sound ones
LOOK = "look worse"  # Reason of the rule that goes by P(worse)

ROOM, LEAST_PX, MOST_HANDS = 2.4, 40, 4
"""Side of a crop in sizes of what it must show; smallest hands; hands of a picture that are taken."""


def pairs_of(picture, line, folder, engine):
    """Repaint the hands of a picture; yields a line a kept candidate."""
    if "boxes" in line or line.get("sound"):
        boxes = tuple(tuple(map(float, box)) for box in line.get("boxes", ()))
        settings = RefineSettings(
            painter="draw", seed=BOXED_SEED, candidates=1, boxes=boxes, all_hands=not boxes, budget_s=0.01
        )
        for hand in refine_picture(Image(picture), settings, engine).hands:
            first = hand.candidates[0] if hand.candidates else None
            if first is None or not first.inside.any():
                continue
            free = all(LOOK in why for why in first.rejection_reasons)
            if boxes or (free and hand.observation.size_px >= LEAST_PX):
                yield pair(picture, hand, first, line, "draw", folder)
        return
    digest = hashlib.sha256(picture.tobytes()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    painter = str(rng.choice(PAINTERS, p=SHARES))
    settings = RefineSettings(painter=painter, seed=int(rng.integers(2**31)), candidates=1, all_hands=True)
    repair = refine_picture(Image(picture), settings, engine)
    hands = [hand for hand in repair.hands if hand.candidates and hand.observation.size_px >= LEAST_PX]
    for number in sorted(rng.permutation(len(hands))[:MOST_HANDS]):
        hand = hands[number]
        some = [k for k, one in enumerate(hand.candidates) if one.inside.any()]
        for k in sorted(rng.permutation(some)[:PER_HAND]):
            yield pair(picture, hand, hand.candidates[k], line, painter, folder)


def pair(picture, hand, candidate, line, painter, folder):
    """Write both crops of a candidate; returns its line."""
    x, y = candidate.origin_xy_px
    rows, columns = np.nonzero(candidate.inside)
    points = hand.observation.landmarks_px
    low = np.minimum(points.min(0), [x + columns.min(), y + rows.min()])
    high = np.maximum(points.max(0), [x + columns.max() + 1, y + rows.max() + 1])
    side = ROOM * (high - low).max()
    x0, y0 = (max(0, int(v)) for v in (low + high - side) / 2)
    x1, y1 = (int(v) for v in np.minimum((low + high + side) / 2, picture.shape[1::-1]))
    after = picture.copy()
    part = after[y : y + candidate.inside.shape[0], x : x + candidate.inside.shape[1]]
    part[candidate.inside] = candidate.pixels[candidate.inside]
    name = hashlib.sha256(f"{line['file']} {hand.id} {candidate.seed} {candidate.pose_hypothesis}".encode())
    name = name.hexdigest()[:12]
    PILImage.fromarray(picture[y0:y1, x0:x1]).save(folder / f"{name}-old.png")
    PILImage.fromarray(after[y0:y1, x0:x1]).save(folder / f"{name}-new.png")
    old, new = (OrientedSquare.of(p - [x0, y0]) for p in (points, hand.fit.landmarks_px))
    return {
        "id": name,
        "old": str(folder / f"{name}-old.png"),
        "new": str(folder / f"{name}-new.png"),
        "box": [float(v) for v in (*(low - [x0, y0]), *(high - [x0, y0]))],
        "group": line["source"],
        "split_group": line["group"],
        "file": line["file"],
        "hand": hand.id,
        "painter": painter,
        "seed": candidate.seed,
        "strength": candidate.strength,
        "pose_hypothesis": candidate.pose_hypothesis,
        "accepted": candidate.accepted,
        "rejection_reasons": list(candidate.rejection_reasons),
        "scores": {key: float(value) for key, value in candidate.scores.items()},
        "side": hand.observation.side,
        "regions": [[*one.center_px, one.size_px, one.toward_rad] for one in (old, new)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    folder = args.out / "crops"
    folder.mkdir(parents=True, exist_ok=True)
    done_file, pairs_file = args.out / "done.txt", args.out / "pairs.jsonl"
    done = set(done_file.read_text("utf-8").splitlines()) if done_file.exists() else set()
    lines = [json.loads(text) for text in args.pictures.read_text("utf-8").splitlines()]
    with open_engine() as engine, done_file.open("a") as finished, pairs_file.open("a") as written:
        for line in lines:
            if line["file"] in done:
                continue
            picture = decode_photo(Path(line["file"]).read_bytes(), line["file"])
            found = [json.dumps(one) + "\n" for one in pairs_of(picture, line, folder, engine)]
            written.writelines(found)
            finished.write(line["file"] + "\n")
            written.flush()
            finished.flush()


if __name__ == "__main__":
    main()
