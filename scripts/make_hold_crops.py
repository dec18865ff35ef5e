"""Crops for `handwright train grasp`: scripts/make_hold_crops.py -o DIR --renders DIR.

--renders: shards of `handwright synth --kind holds`. --people: shards of `--kind people`, whose hands are
empty. --texts: number of texts of somebody who holds a thing, in one hand or both, made into pictures as
`handwright generate` does it; every other one also with the same hands and no thing. --hands: a folder with
hands.jsonl; of its split `train` the hands that docs/research/held_things.csv has as empty, and of those that
both viewers labelled good the others, too. --photographs: the training sets; their hands are sound. Hands are
found and fitted as the review does it; of renders of holds the exact hand is taken. A shard that is there
already is kept.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from handwright.data.labelled_pictures import box_of, label_of, labelled_pictures, read_pixels
from handwright.data.shards import list_shards, read_shards, write_shard
from handwright.hand.defects import Hold
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker, Landmarker
from handwright.perception.detect.search import find_hands, find_in_boxes
from handwright.review.checks.broken_hold import hold_crop, outlined_crop
from handwright.review.critic.upright_crops import OrientedSquare
from handwright.training.hold_crops import ROOM, SIDE_PX, hold_entry
from handwright.training.streams.photographs import training_photographs
from handwright.training.streams.whole_pictures import refuse_test_only
from handwright.two_stage.engine import Engine
from handwright.two_stage.settings import ENGINES, TwoStageSettings
from handwright.types import HandObservation, Image
from handwright.workflow.generate.engines import open_engine
from held_things import held_labels, picture_key
from people_with_things import people_with_things

LEAST_PX = 32
A_SHARD = 25  # Texts
SIDE_OF = {"render": 384, "harmonise": 512, "diffuse": 512}
"""Pictures of texts, pixels; the renderer's hands are as sharp at less."""


def crop_of(pixels: np.ndarray, hand: HandObservation) -> np.ndarray:
    return hold_crop(analyse_hand(Image(np.ascontiguousarray(pixels)), hand), SIDE_PX, ROOM)


def of_renders(shard: Path) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """The exact hand's silhouette stands for the fitted one; training moves it as far as fits are off."""
    for entry in read_shards([shard]):
        record = entry.record
        refuse_test_only(record)
        points = np.array(record["hands"][0]["keypoints_px"])
        facts = {"state": record["hold"]["state"], "generator": record["hold"]["generator"]}
        facts |= {"origin": "render", "group": f"{record['seed']}-{record['index']}"}
        hand = OrientedSquare.of(points)
        yield outlined_crop(entry.pictures["image"], entry.pictures["depth"] > 0, hand, SIDE_PX, ROOM), facts


def of_generated(folder: Path, landmarker: Landmarker) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Of hands that hold nothing no hold is broken; of good ones neither, and whether they hold is known."""
    labels = held_labels("train")
    for line in labelled_pictures(folder, "train"):
        key = picture_key(folder / line["file"])
        states = [
            _state(label_of(hand) == "good", labels.get((key, box_of(hand["box"])), ""))
            for hand in line["hands"]
        ]
        boxes = [box_of(hand["box"]) for hand, state in zip(line["hands"], states, strict=True) if state]
        if not boxes:
            continue
        pixels = read_pixels(folder, line)
        found = find_in_boxes(pixels, boxes, landmarker=landmarker, threads=1)
        for hand, state in zip(found, filter(None, states), strict=True):
            if hand is not None:
                facts = {"state": state, "origin": "generated", "group": line["repo"], "split": "train"}
                yield crop_of(pixels, hand), facts


def _state(good: bool, holds: str) -> str | None:
    if holds == "no":
        return Hold.NONE
    if not good:
        return None
    return Hold.SOUND if holds == "yes" else "real"


def of_texts(
    seed: int, numbers: range, engine: Engine, settings: TwoStageSettings, landmarker: Landmarker
) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """Hands of people who hold things, found as the review finds them, and of their twins without."""
    for number in numbers:
        for picture in people_with_things(seed, number, engine, settings, SIDE_OF[settings.engine]):
            sides = list(picture.states)
            boxes = [picture.boxes[side] for side in sides]
            found = find_in_boxes(picture.pixels, boxes, landmarker=landmarker, threads=1)
            for side, hand in zip(sides, found, strict=True):
                if hand is not None:
                    facts = {"state": picture.states[side], "origin": f"{settings.engine} of a text"}
                    yield crop_of(picture.pixels, hand), {**facts, "group": f"text {seed}-{number}"}


def of_people(shard: Path, landmarker: Landmarker) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    for entry in read_shards([shard]):
        record, pixels = entry.record, entry.pictures["image"]
        refuse_test_only(record)
        hands = [np.array(hand["keypoints_px"]) for hand in record["hands"]]
        hands = [points for points in hands if np.ptp(points, axis=0).max() >= LEAST_PX]
        boxes = [tuple(map(float, (*points.min(0), *points.max(0)))) for points in hands]
        for hand in find_in_boxes(pixels, boxes, landmarker=landmarker, threads=1) if boxes else ():
            if hand is not None:
                facts = {
                    "state": Hold.NONE,
                    "origin": "person",
                    "group": f"{record['seed']}-{record['index']}",
                }
                yield crop_of(pixels, hand), facts


def of_photographs(
    folder: Path, landmarker: Landmarker, every: int
) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    for photograph in islice(training_photographs(folder), 0, None, every):
        for hand in find_hands(photograph.pixels, landmarker=landmarker, threads=1):
            if hand.size_px >= LEAST_PX:
                facts = {"state": "real", "origin": "photograph", "group": photograph.sha256}
                yield crop_of(photograph.pixels, hand), {**facts, "sha256": photograph.sha256}


def write(path: Path, made: Iterator[tuple[np.ndarray, dict[str, Any]]]) -> None:
    if not path.exists():
        count = write_shard(path, (hold_entry(f"{k:08d}", *one) for k, one in enumerate(made)))
        print(f"{path.name}: {count}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--renders", type=Path)
    parser.add_argument("--people", type=Path)
    parser.add_argument("--texts", type=int, help="number of texts")
    parser.add_argument("--text-seed", type=int, default=0)
    parser.add_argument("--engine", choices=ENGINES, default="render", help="what makes pictures of texts")
    parser.add_argument("--hands", type=Path)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every N-th photograph")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    with HandLandmarker(None) as landmarker:
        if args.hands is not None:
            write(args.output / "generated.tar", of_generated(args.hands, landmarker))
        if args.photographs is not None:
            write(args.output / "photographs.tar", of_photographs(args.photographs, landmarker, args.every))
        if args.texts is not None:
            settings = TwoStageSettings(engine=args.engine)
            engine = open_engine(settings)
            for start in range(0, args.texts, A_SHARD):
                numbers = range(start, min(start + A_SHARD, args.texts))
                name = f"texts-{args.engine}-{args.text_seed}-{start:04d}.tar"
                write(args.output / name, of_texts(args.text_seed, numbers, engine, settings, landmarker))
        for shard in list_shards(args.people) if args.people is not None else ():
            write(args.output / f"people-{shard.stem}.tar", of_people(shard, landmarker))
        for shard in list_shards(args.renders) if args.renders is not None else ():
            write(args.output / f"renders-{shard.stem}.tar", of_renders(shard))


if __name__ == "__main__":
    main()
