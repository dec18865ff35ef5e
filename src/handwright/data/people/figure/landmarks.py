"""Vertices of MakeHuman's skin at COCO-WholeBody's points, picked once by position on the neutral body."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from handwright.data.people.figure.makehuman import load_figure

FACE: Int[np.ndarray, "68"] = np.array(
    [
        5739, 859, 932, 5241, 737, 3697, 920, 918, 732, 7620, 7622, 10365, 7457, 11850, 7634, 7564, 12336,
        255, 224, 222, 208, 209, 6984, 6983, 6996, 6998, 7024,
        132, 131, 201, 5054, 323, 352, 312, 7113, 7085,
        23, 4848, 55, 4870, 46, 37, 11488, 6839, 11466, 6807, 6821, 6830,
        3737, 447, 457, 466, 7216, 7207, 10405, 7166, 7241, 492, 486, 406, 3733, 470, 468, 7226, 10401, 7280,
        493, 535,
    ]
)  # fmt: skip
"""The 68 points of iBUG 300-W: jaw from the right ear to the left, brows, nose, eyes, mouth."""

NOSE, LEFT_EAR = 5054, 12017
LEFT_TOES = (13080, 13301, 12911)  # Big toe, little toe, heel

BODY_BONES = (
    "upperarm01.L", "upperarm01.R", "lowerarm01.L", "lowerarm01.R", "wrist.L", "wrist.R",
    "upperleg01.L", "upperleg01.R", "lowerleg01.L", "lowerleg01.R", "foot.L", "foot.R",
)  # fmt: skip
"""Bones whose heads are points 5 … 16: shoulders, elbows, wrists, hips, knees, ankles."""


def feet() -> Int[np.ndarray, "6"]:
    """Vertices of both feet's points, left first."""
    left = np.array(LEFT_TOES)
    return np.concatenate([left, load_figure().mirror[left]])


def ears() -> Int[np.ndarray, "2"]:
    """Vertices before the ears, left first."""
    return np.array([LEFT_EAR, load_figure().mirror[LEFT_EAR]])
