"""Texts and body parameters without pictures: people of the synthetic world, posed and framed only."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from handwright.data.hands.record import FORMAT
from handwright.data.people.figure.hand_graft import rest_vertices_m
from handwright.data.people.parameters import betas_of, parameters_of
from handwright.data.people.sample import scene_of_setup
from handwright.data.people.setup import draw_setup
from handwright.hand.grammar import orientation_of
from handwright.hand.kinematics import hand_landmarks_m

PLACE_PX = 64  # Side of the backgrounds, whose words alone are used

_STREAM = 45  # Keeps these people apart from the rendered ones of the same seed


def pose_record(seed: int, index: int, size: int) -> dict[str, Any]:
    """One person of the world with this seed: parameters, both hands in words, and what captions can tell.

    Args:
        seed: Of the world.
        index: Of the person.
        size: Side of the square picture that the camera is for, in pixels.
    """
    rng = np.random.default_rng([seed, index, _STREAM])
    setup = draw_setup(rng, PLACE_PX)
    someone = setup.someone
    betas = betas_of(rest_vertices_m(setup.build))
    body = parameters_of(someone.stance.bones, someone.hands, someone.place_m, betas, PLACE_PX)
    body = body.resized(size, size)
    hands: list[dict[str, Any]] = []
    for hand, held in zip(someone.hands, someone.stance.hands, strict=True):
        pixels = body.camera.project(hand_landmarks_m(hand))
        palm, points = orientation_of(hand.wrist)
        words = replace(held.posed.words, palm=palm, points=points, side=hand.side)
        hands.append(
            {
                "side": hand.side,
                "words": str(words),
                "name": held.posed.name,
                "doing": held.doing,
                "seen": bool(((pixels >= 0) & (pixels < size)).all(1).any()),
                "keypoints_px": np.round(pixels, 2).tolist(),
            }
        )
    return {
        "format": FORMAT,
        "kind": "poses",
        "seed": seed,
        "index": index,
        "width": size,
        "height": size,
        "hands": hands,
        "body": body.to_json(),
        "scene": asdict(scene_of_setup(setup)),
        "framing": setup.framing,
    }
