"""What a critic tells apart: defects that show on one hand alone, and groups of poses."""

from __future__ import annotations

from handwright.data.hands.defects.generators import DEFECTS
from handwright.hand.defects import Defect
from handwright.hand.grammar.words import PoseWords

DEFECTS_SHOWN = tuple(name for name in DEFECTS if name != Defect.WRONG_HAND)
"""A hand of the wrong side is sound by itself: its arm and the other hand show the right one."""

FINGER_COUNTS = (3, 4, 5, 6, 7)  # 3 stands for fewer as well, 7 for more

_EXTENDED = {
    (True, False, False, False): "one",
    (True, True, False, False): "two",
    (True, True, True, False): "three",
    (True, True, True, True): "open",
    (False, False, False, True): "little",
    (True, False, False, True): "horns",
}
POSE_GROUPS = (*_EXTENDED.values(), "ring", "folded", "pinch", "fist", "hooked", "wrap")
"""Shapes that differ at a glance; several named poses share one."""


def pose_group(pose: PoseWords) -> str:
    """The group of a pose: by its extended fingers, else by how the four are bent."""
    extended = tuple(bend == "extended" for bend in pose.fingers)
    if any(extended):
        return _EXTENDED.get((extended[0], extended[1], extended[2], extended[3]), "ring")
    if "folded" in pose.fingers:
        return "folded"
    if pose.contacts:
        return "pinch"
    if set(pose.fingers) == {"curled"}:
        return "fist"
    return "hooked" if "hooked" in pose.fingers else "wrap"
