"""The joints of SMPL-H: names, order, parents, and which of them are points of COCO-WholeBody."""

from handwright.types import Side

JOINTS = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head",
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
"""Joints of the body in SMPL-H's order (Romero, Tzionas, Black, *Embodied Hands*, 2017); hands follow."""

PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)
"""Index in ``JOINTS`` of each joint's parent; the pelvis has none."""

FINGER_JOINTS = 15  # Of each hand; ``hand.anatomy.MANO_JOINTS`` without the wrist

ALL_PARENTS = (
    *PARENTS,
    *(wrist if k % 3 == 0 else first + k - 1 for wrist, first in ((20, 22), (21, 37)) for k in range(15)),
)
"""The same of all 52 joints: those of the left hand and of the right one follow the body's."""

JOINT = {name: index for index, name in enumerate(JOINTS)}
"""Index of a joint by name."""

SIDES: tuple[Side, Side] = ("left", "right")

WHOLEBODY_JOINTS = (
    "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
    "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip
"""Joints at points 5 … 16 of COCO-WholeBody."""
