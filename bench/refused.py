"""Finds refused for lying on another part of a body: python bench/refused.py [--set SET] [--sheet PNG].

Sets: photographs (all pictures of the folders that are test-only), listed (the checked list of test-only
photographs, every hand labelled), ai_train and ai_test (generated pictures, hands labelled by eye), people
(rendered, exact). Every refused find is listed. A labelled hand is lost when a refused find is of it and no
other find is. Photographs come from $HANDWRIGHT_PHOTOS; `ai_test` is for final figures alone.

A sheet shows every refused find enlarged; keep it out of the repository.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np

from find import LIST, photograph
from handwright.data.labelled_pictures import box_of, labelled_pictures, read_pixels
from handwright.data.photographs import decode_photo, list_photos, read_photo
from handwright.perception.detect.arms import find_people
from handwright.perception.detect.not_a_hand import refuse_finds
from handwright.perception.detect.views import box_iou
from handwright.review import review_picture
from handwright.review.judge import open_judge
from handwright.types import Box, Image
from subjects import photos_root

SETS = ("photographs", "listed", "ai_train", "ai_test", "people")
TEST_ONLY = (
    "rf100_hand_gestures_ccby", "mediapipe_gesture_testdata", "coco_ccby_people", "cansik_unsplash_scenes",
    "azure_samples_people", "mslearn_ai_vision_people", "pexels_cc0_women_on_phones", "tfjs_models_testdata",
)  # fmt: skip
_TILE_PX, _COLUMNS = 240, 6
Picture = tuple[str, np.ndarray, list[Box]]
"""Name, pixels, and boxes of the labelled hands; none where they are not labelled."""


def pictures(kind: str, count: int, seed: int) -> Iterator[Picture]:
    """The pictures of a set."""
    if kind == "people":
        yield from _people(count, seed)
    elif kind == "photographs":
        for folder in TEST_ONLY:
            for path in list_photos(photos_root() / folder):
                yield path.name, decode_photo(read_photo(path), path.name), []
    elif kind == "listed":
        for entry in json.loads(LIST.read_text("utf-8"))["pictures"]:
            boxes = [tuple(hand["bbox_xyxy_px"]) for hand in entry["hands"]]
            yield entry["name"], photograph(photos_root(), entry), boxes
    else:
        folder = photos_root() / "ai_hands"
        for line in labelled_pictures(folder, kind.removeprefix("ai_")):
            yield line["file"], read_pixels(folder, line), [box_of(hand["box"]) for hand in line["hands"]]


def _people(count: int, seed: int) -> Iterator[Picture]:
    from handwright.data.people import render_person

    for index in range(count):
        picture = render_person(seed, index, 512)
        boxes = [
            (*truth.keypoints_px.min(0), *truth.keypoints_px.max(0))
            for truth in picture.hands
            if truth.visible.any()
        ]
        yield f"{seed}-{index}", picture.pixels, boxes


def of_label(found: Box, label: Box) -> bool:
    """Whether a find is of a labelled hand, as in ``find.py``."""
    edge = 0.1 * max(found[2] - found[0], found[3] - found[1])
    grown = (found[0] - edge, found[1] - edge, found[2] + edge, found[3] + edge)
    x, y = (found[0] + found[2]) / 2, (found[1] + found[3]) / 2
    return box_iou(grown, label) >= 0.3 or (label[0] <= x < label[2] and label[1] <= y < label[3])


def tile(pixels: np.ndarray, box: Box, text: str) -> np.ndarray:
    """A find in the middle of a square of 1.8 times its size, as BGR."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    scale = _TILE_PX / (3.6 * max(box[2] - box[0], box[3] - box[1], 20.0))
    marked = np.ascontiguousarray(pixels[..., ::-1])
    corners = [(round(box[k]), round(box[k + 1])) for k in (0, 2)]
    cv2.rectangle(marked, corners[0], corners[1], (0, 0, 255), max(1, round(1 / scale)))
    matrix = np.array([[scale, 0, _TILE_PX / 2 - x * scale], [0, scale, _TILE_PX / 2 - y * scale]])
    shown = cv2.warpAffine(marked, matrix, (_TILE_PX, _TILE_PX))
    return np.asarray(cv2.putText(shown, text, (3, 12), 0, 0.4, (0, 255, 0), 1))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", choices=SETS, default="ai_train")
    parser.add_argument("--n", type=int, default=120, help="rendered people")
    parser.add_argument("--seed", type=int, default=77, help="of the rendered people")
    parser.add_argument("--sheet", type=Path, help="write a sheet of all refused finds there")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    count, labelled, found, lost, kept, refused = 0, 0, 0, 0, 0, 0
    tiles: list[np.ndarray] = []
    people_ms, gate_ms = [], []
    with open_judge() as judge:
        for name, pixels, boxes in pictures(options.set, options.n, options.seed):
            review = review_picture(Image(np.ascontiguousarray(pixels)), judge)
            finds = [hand.bbox_xyxy_px for hand in review.hands if hand.prediction is not None]
            hands = [hand.observation for hand in review.hands if hand.observation is not None]
            start = time.process_time()
            people = find_people(pixels, judge.landmarker)
            middle = time.process_time()
            refuse_finds(hands, people)
            gate_ms.append(1000 * (time.process_time() - middle))
            people_ms.append(1000 * (middle - start))
            count, labelled, kept = count + 1, labelled + len(boxes), kept + len(finds)
            refused += len(review.refused)
            for box in boxes:
                still = any(of_label(find, box) for find in finds)
                gone = not still and any(of_label(one.bbox_xyxy_px, box) for one in review.refused)
                found, lost = found + still, lost + gone
                if gone:
                    print(f"LOST {name} {[round(v) for v in box]}")
            for one in review.refused:
                print(f"{len(tiles)}: {name} {[round(v) for v in one.bbox_xyxy_px]} {one.reason}")
                tiles.append(tile(pixels, one.bbox_xyxy_px, str(len(tiles))))
    print(f"{options.set}: {count} pictures, {kept} finds kept, {refused} refused")
    print(f"labelled hands: {labelled}, found {found}, lost to a refusal {lost}")
    print(f"CPU ms a picture, median: people {np.median(people_ms):.1f}, refusing {np.median(gate_ms):.2f}")
    if options.sheet and tiles:
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % _COLUMNS)
        rows = [np.hstack(tiles[k : k + _COLUMNS]) for k in range(0, len(tiles), _COLUMNS)]
        cv2.imwrite(str(options.sheet), np.vstack(rows))


if __name__ == "__main__":
    main()
