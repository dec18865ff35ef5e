"""The truth of a picture as plain numbers, for JSON, and its captions."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from handwright.data.hands.body import HAND_LABEL, LABELS_PER_HAND, THING_LABEL
from handwright.data.hands.defects.malformed import DefectLabel
from handwright.data.hands.person import Person
from handwright.data.hands.sample import HandPicture, HandTruth
from handwright.data.sample import box_around
from handwright.data.world.picture import Scenery
from handwright.hand.anatomy import BONES, FINGER_BONES, FINGERS
from handwright.hand.defects import Hold
from handwright.prompts.captions import RENDERED, Scene, captions
from handwright.types import Box, Camera, Hand

FORMAT = "handwright-sample-1"


def scene_of(picture: HandPicture) -> Scene:
    """What captions of a picture are about."""
    setup = picture.setup
    wears = [setup.dress.sleeve_words] if setup.dress.sleeve_words else []
    wears += [setup.dress.glove_words] if setup.dress.glove_words else []
    if setup.person.nails and not setup.dress.glove_words:
        wears.append(f"{setup.person.nails} nail polish")
    sides = {truth.hand.side for truth in picture.hands}
    if setup.dress.rings and setup.dress.ring_side in sides:
        wears.append(f"a {setup.dress.rings[0][1]} ring")
    if setup.dress.watch and setup.dress.watch_side in sides:
        wears.append("a watch")
    floats = setup.hold is not None and setup.hold.state == Hold.FLOATING
    defects = tuple(dict.fromkeys(label.name for label in setup.labels))
    return Scene(
        hands=tuple(truth.words for truth in picture.hands),
        domain=RENDERED,
        skin=setup.person.words if not setup.dress.glove_words else "",
        age=setup.person.age,
        wears=tuple(wears),
        holds=setup.thing.words if setup.thing and not floats else "",
        meeting=(setup.pair or "").replace("counting", "side by side"),
        setting=setup.place.words,
        light=setup.light.name,
        defects=defects,
    )


def record_head(scene: Scene, kind: str, seed: int, index: int, pixels: np.ndarray) -> dict[str, Any]:
    """What every record begins with: the sample, its size, its domain and captions."""
    texts = captions(scene, np.random.default_rng([seed, index, 41]))
    return {
        "format": FORMAT,
        "kind": kind,
        "seed": seed,
        "index": index,
        "width": int(pixels.shape[1]),
        "height": int(pixels.shape[0]),
        "domain": scene.domain,
        "caption": texts["natural"],
        "captions": texts,
    }


def record_tail(person: Person, scenery: Scenery, scene: Scene) -> dict[str, Any]:
    """What every record of a rendered picture ends with: who, where, in which light, what is wrong."""
    return {
        "skin_tone": person.tone,
        "age": person.age,
        "place": scenery.place.name,
        "background": scenery.place.photograph,
        "light": scenery.light.name,
        "motion_blur": scenery.shot.motion_px > 1,
        "defocused": scenery.shot.defocus_px > 0.5,
        "defects": list(scene.defects),
    }


def record_of(picture: HandPicture, seed: int, index: int, kind: str = "hands") -> dict[str, Any]:
    """Everything known of a picture, JSON-ready; numbers rounded to what they are worth."""
    setup, scene = picture.setup, scene_of(picture)
    return {
        **record_head(scene, kind, seed, index, picture.pixels),
        "hands": [_with_defect_boxes(picture, number) for number in range(len(picture.hands))],
        "meeting": setup.pair,
        "thing": setup.thing.name if setup.thing else None,
        **_hold(picture),
        **record_tail(setup.person, setup, scene),
    }


def hand_record(truth: HandTruth) -> dict[str, Any]:
    """Everything known of one hand."""
    hand = truth.hand
    return {
        "side": hand.side,
        "words": str(truth.words),
        "name": truth.name,
        "keypoints_px": _list(truth.keypoints_px, 3),
        "visible": [bool(v) for v in truth.visible],
        "joints_cam_m": _list(truth.joints_cam_m, 6),
        "landmarks_cam_m": _list(truth.landmarks_cam_m, 6),
        "pose": _list(hand.pose, 6),
        "palm_arch": _list(hand.palm_arch, 6),
        "wrist": _list(hand.wrist, 6),
        "translation_m": _list(hand.translation_m, 6),
        "shape": _list(hand.shape, 6),
        "camera": {"focal_px": hand.camera.focal_px, "center_px": list(hand.camera.center_px)},
        "gloved": truth.gloved,
        "defects": [
            {"name": label.name, "generator": label.generator, "fingers": list(label.fingers)}
            for label in truth.defects
        ],
    }


def hand_of_record(record: Mapping[str, Any]) -> Hand:
    """The hand that a record of ``hand_record`` describes, as exactly as its numbers are rounded."""
    (x, y), focal = record["camera"]["center_px"], record["camera"]["focal_px"]
    names = "pose", "palm_arch", "wrist", "translation_m", "shape"
    numbers = {name: np.array(record[name], np.float64) for name in names}
    return Hand(**numbers, side=record["side"], camera=Camera(float(focal), (float(x), float(y))))


def _hold(picture: HandPicture) -> dict[str, Any]:
    """How the first hand holds the thing, and the box of what is seen of it; nothing in other worlds."""
    label = picture.setup.hold
    if label is None:
        return {}
    rows, columns = np.nonzero(picture.parts >= THING_LABEL)
    box = box_around(np.stack([columns, rows], 1) + 0.5) if len(rows) else None
    seen = None if box is None else [round(v, 1) for v in box]
    return {"hold": {"state": label.state, "generator": label.generator, "bbox_xyxy_px": seen}}


def _with_defect_boxes(picture: HandPicture, number: int) -> dict[str, Any]:
    """A hand's record, with a box around each of its defects."""
    truth = picture.hands[number]
    record = hand_record(truth)
    for defect, label in zip(record["defects"], truth.defects, strict=True):
        box = _defect_box(picture, number, label)
        defect["bbox_xyxy_px"] = None if box is None else [round(v, 1) for v in box]
    return record


def _defect_box(picture: HandPicture, number: int, label: DefectLabel) -> Box | None:
    """Where a defect shows: the fingers concerned, seen and as they should be, and flesh beyond sound hands.

    None where nothing of it lies in the picture.
    """
    of_hand = (picture.parts < 2 * LABELS_PER_HAND) & (picture.parts // LABELS_PER_HAND == number)
    bone = picture.parts.astype(int) % LABELS_PER_HAND - HAND_LABEL
    skin = of_hand & (bone >= 0) & (bone < len(BONES))
    chosen = [FINGERS.index(finger) for finger in label.fingers]
    shown = skin & (picture.depth == 0)
    if chosen:
        shown |= skin & np.isin(bone, [FINGER_BONES[f] for f in chosen])
    else:
        shown = skin
    rows, columns = np.nonzero(cv2.erode(shown.astype(np.uint8), np.ones((2, 2), np.uint8)))
    points = np.stack([columns, rows], 1) + 0.5
    should = [picture.hands[number].keypoints_px[1 + 4 * f : 5 + 4 * f] for f in chosen]
    height, width = picture.parts.shape
    points = np.clip(np.concatenate([points, *should]), 0, [width, height])
    return box_around(points) if len(points) and np.ptp(points, axis=0).min() > 0 else None


def _list(values: np.ndarray, digits: int) -> list[Any]:
    return np.round(values, digits).tolist()
