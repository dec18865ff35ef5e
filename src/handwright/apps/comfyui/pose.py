"""*Hand Pose from Photo*: the hand of a photograph, whose fingers other nodes take over."""

from __future__ import annotations

from typing import Any

import numpy as np

from handwright.apps.comfyui import loaded
from handwright.apps.comfyui.sockets import HAND_POSE, IMAGE, STRING, Input, Node, Output
from handwright.apps.comfyui.tensors import Tensor, image_batch, pictures_of
from handwright.errors import HandsFileError


def run(image: Tensor, side: str = "any") -> tuple[Any, ...]:
    """The surest hand of a batch of photographs.

    Args:
        image: IMAGE.
        side: 'any', 'left' or 'right'.

    Returns:
        HAND_POSE, the hand as the text of a hands file, and an IMAGE of the photograph with it.

    Raises:
        HandsFileError: There is no such hand.
    """
    from handwright.hand.files.hands_file import hands_text, hands_to_json
    from handwright.review.overlay import draw_bones
    from handwright.workflow.api import hands

    found = [
        (repair, hand)
        for repair in hands(pictures_of(image), engine=loaded.engine())
        for hand in repair.hands
        if side in ("any", hand.side)
    ]
    if not found:
        raise HandsFileError(
            f"no {'' if side == 'any' else side + ' '}hand was found",
            "",
            "give a photograph that shows one clearly",
        )
    repair, hand = max(found, key=lambda one: one[1].observation.score)
    picture = repair.before
    text = hands_text(
        hands_to_json([(hand.id, hand.observation, hand.fit.hand)], (picture.width, picture.height))
    )
    shown = np.where(repair.depth.depth[..., None] > 0, repair.depth.depth[..., None], picture.pixels)
    shown = np.ascontiguousarray(shown.astype(np.uint8))
    draw_bones(shown, hand.fit.landmarks_px, (255, 255, 255), max(1, round(hand.observation.size_px / 160)))
    return hand.fit.hand, text, image_batch([shown])


NODE = Node(
    id="HandwrightHandPose",
    title="Hand Pose from Photo",
    description="Fits a hand to a photograph, so that a repaired hand takes over the pose of its fingers.",
    inputs=(
        Input(name="image", kind=IMAGE, tooltip="A photograph of a hand; of a batch the surest hand counts."),
        Input(name="side", kind="COMBO", choices=("any", "left", "right"), default="any",
            tooltip="Whose pose to take; it is mirrored where the other hand is repaired."),
    ),
    outputs=(
        Output("hand_pose", HAND_POSE, "The pose, for `hand_pose` of the other nodes."),
        Output("hands", STRING, "The hand as a hands file, to save and edit."),
        Output("preview", IMAGE, "The photograph with the fitted hand."),
    ),
    run=run,
    preview=2,
    search=("hand gesture", "reference hand"),
)  # fmt: skip
