"""Texts and body parameters without pictures: people of the synthetic world, posed and framed only."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.body import BodyParameters, pose_body
from handwright.data.hands.record import FORMAT
from handwright.data.people.in_pose.busy_hands import BusyHands, draw_busy_hands
from handwright.data.people.parameters import body_of_setup
from handwright.data.people.sample import scene_of_setup
from handwright.data.people.setup import PersonSetup, draw_setup
from handwright.hand.grammar import orientation_of, words_of_hand
from handwright.hand.kinematics import hand_landmarks_m
from handwright.prompts.captions import Scene
from handwright.types import Hand, Side

PLACE_PX = 64  # Side of the backgrounds, whose words alone are used

_STREAM, _BUSY = 45, 1
"""Keep these people apart from the rendered ones of the same seed, and what hands do with things or together
apart from who it is."""


@dataclass(frozen=True, eq=False)
class PosedPerson:
    """One person before a record is made of them."""

    setup: PersonSetup
    body: BodyParameters
    busy: BusyHands | None  # What their hands do together or with a thing, where they do


def pose_person(seed: int, index: int, size: int) -> PosedPerson:
    """One person of the world with this seed; arguments as of :func:`pose_record`."""
    setup = draw_setup(np.random.default_rng([seed, index, _STREAM]), PLACE_PX)
    first = setup.someone.stance.hands[0]
    body = body_of_setup(setup, PLACE_PX).resized(size, size)
    raised = first.side if first.doing == "raised" else None
    busy = draw_busy_hands(np.random.default_rng([seed, index, _STREAM, _BUSY]), body, raised)
    return PosedPerson(setup, body if busy is None else busy.body, busy)


def pose_record(seed: int, index: int, size: int) -> dict[str, Any]:
    """One person of the world with this seed: parameters, both hands in words, and what captions can tell.

    The raised hand comes first. What a hand does is 'raised', 'hanging', 'on the hip', 'meeting' the other
    one or 'holding' a thing.

    Args:
        seed: Of the world.
        index: Of the person.
        size: Side of the square picture that the camera is for, in pixels.
    """
    person = pose_person(seed, index, size)
    return {
        "format": FORMAT,
        "kind": "poses",
        "seed": seed,
        "index": index,
        "width": size,
        "height": size,
        "hands": _hands(person, size),
        "body": person.body.to_json(),
        "scene": asdict(_scene(person)),
        "framing": person.setup.framing,
    }


def _hands(person: PosedPerson, size: int) -> list[dict[str, Any]]:
    """Both hands as plain values; of those that meet or hold, fingers are in words as the body has them."""
    someone, busy = person.setup.someone, person.busy
    hands: Mapping[Side, Hand] = {hand.side: hand for hand in someone.hands}
    if busy is not None:
        hands = {**hands, **pose_body(person.body).hands}
    records: list[dict[str, Any]] = []
    for held in someone.stance.hands:
        hand, name, doing = hands[held.side], held.posed.name, held.doing
        if busy is not None and held.side in busy.sides:
            words, name = words_of_hand(hand), busy.name
            doing = "meeting" if busy.meeting else "holding"
        else:
            palm, points = orientation_of(hand.wrist)
            words = replace(held.posed.words, palm=palm, points=points, side=hand.side)
        pixels = _pixels(person.body, hand)
        records.append(
            {
                "side": hand.side,
                "words": str(words),
                "name": name,
                "doing": doing,
                "seen": bool(((pixels >= 0) & (pixels < size)).all(1).any()),
                "keypoints_px": np.round(pixels, 2).tolist(),
            }
        )
    return records


def _pixels(body: BodyParameters, hand: Hand) -> Float[np.ndarray, "21 2"]:
    return body.camera.project(hand_landmarks_m(hand))


def _scene(person: PosedPerson) -> Scene:
    """What captions can tell of the person, hands left out."""
    scene, busy = scene_of_setup(person.setup), person.busy
    if busy is None:
        return scene
    holds = busy.thing.words if busy.thing is not None else ""
    return replace(scene, holds=holds, meeting=busy.meeting, holder=busy.holder)
