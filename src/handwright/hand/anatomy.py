"""Names, orders and limits of the human hand: the one place where MANO's and MediaPipe's orders meet."""

import numpy as np
from jaxtyping import Float

FINGERS = ("thumb", "index", "middle", "ring", "pinky")

MANO_JOINTS = (
    "wrist",
    "index1", "index2", "index3",
    "middle1", "middle2", "middle3",
    "pinky1", "pinky2", "pinky3",
    "ring1", "ring2", "ring3",
    "thumb1", "thumb2", "thumb3",
)  # fmt: skip
"""MANO's 16 joints; ``Hand.pose`` holds the 15 after the wrist."""

BONES = (*MANO_JOINTS, "index0", "middle0", "pinky0", "ring0")
"""The rig's 20 bones: MANO's tree, then the metacarpals that carry the palm."""

BONE_PARENTS = (-1, 16, 1, 2, 17, 4, 5, 18, 7, 8, 19, 10, 11, 0, 13, 14, 0, 0, 0, 0)

FINGER_BONES = ((13, 14, 15), (1, 2, 3), (4, 5, 6), (10, 11, 12), (7, 8, 9))
"""Per finger in ``FINGERS`` order: its three phalanx bones (for the thumb: metacarpal, proximal, distal)."""

METACARPAL_BONES = (0, 16, 17, 19, 18)
"""Per finger in ``FINGERS`` order: the palm bone that its first bone hangs on."""

PALM_BONES = (0, 16, 17, 18, 19)

LANDMARKS = (
    "wrist",
    "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip",
    "index_mcp", "index_pip", "index_dip", "index_tip",
    "middle_mcp", "middle_pip", "middle_dip", "middle_tip",
    "ring_mcp", "ring_pip", "ring_dip", "ring_tip",
    "pinky_mcp", "pinky_pip", "pinky_dip", "pinky_tip",
)  # fmt: skip
"""MediaPipe's 21 landmarks."""

KNUCKLES = (5, 9, 13, 17)  # MCPs of the four fingers among the landmarks

LANDMARK_EDGES = tuple(
    edge for f in range(5) for edge in ((0, 1 + 4 * f), *((1 + 4 * f + k, 2 + 4 * f + k) for k in range(3)))
)

JOINT_OF_LANDMARK = (0, 13, 14, 15, -1, 1, 2, 3, -1, 4, 5, 6, -1, 10, 11, 12, -1, 7, 8, 9, -1)
"""MANO joint that sits at a MediaPipe landmark, −1 for fingertips: the map between the two orders."""

SHAPE_NAMES = (
    "scale", "palm_width", "thickness", "spread", "thumb_length", "index_length", "middle_length",
    "ring_length", "pinky_length",
)  # fmt: skip
"""Shape numbers: natural logarithms of ratios to the mean hand; 'spread' is in radians per finger."""

DOF_NAMES = (
    "thumb_cmc_flexion", "thumb_cmc_abduction", "thumb_cmc_twist",
    "thumb_mcp_flexion", "thumb_mcp_abduction", "thumb_ip_flexion",
    *(
        f"{f}_{d}"
        for f in FINGERS[1:]
        for d in ("mcp_abduction", "mcp_flexion", "pip_flexion", "dip_flexion")
    ),
    "ring_cmc_flexion", "pinky_cmc_flexion",
)  # fmt: skip
"""The 24 anatomical degrees of freedom, in radians, that a fitted pose moves along."""

_FINGER_LIMITS_DEG = ((-22, 22), (-35, 90), (-12, 105), (-20, 75))
DOF_LIMITS_RAD: Float[np.ndarray, "24 2"] = np.deg2rad(
    np.array(
        [(-35, 45), (-40, 40), (-35, 35), (-25, 50), (-12, 12), (-25, 75)]
        + list(_FINGER_LIMITS_DEG) * 4
        + [(-5, 14), (-5, 22)],
        dtype=np.float64,
    )
)
"""Lowest and highest angle of each degree of freedom, relative to the rig's rest pose.

Active ranges of motion of healthy adults: finger MCP 20–45° hyperextension to 90° flexion and ±20–25°
abduction, PIP 0–105°, DIP 0–80° with up to 20° passive hyperextension, thumb MCP 0–55°, IP −15…80°, ring and
pinky CMC up to 15° and 25° (American Academy of Orthopaedic Surgeons, *Joint Motion*, 1965; Kapandji,
*The Physiology of the Joints* vol. 1, 2007; Lee & Kunii, *Model-based analysis of hand posture*, 1995). The
range of the thumb's CMC is given about the rig's own relaxed rest pose.
"""

DOF_MEAN_RAD: Float[np.ndarray, "24"] = np.deg2rad(
    np.array([0.0] * 6 + [0.0, 15.0, 15.0, 8.0] * 4 + [0.0, 0.0])
)
DOF_SPREAD_RAD: Float[np.ndarray, "24"] = np.deg2rad(
    np.array([22.0, 22, 12, 18, 6, 25] + [9.0, 40, 45, 25] * 4 + [5.0, 8])
)
"""Centre and width of the weak pose prior of the fit (ours; wide on purpose)."""
