"""How somebody's own two hands meet: how they lie to each other, and where before the chest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from handwright.data.hands.arrange import Turned, about_z, bring_together
from handwright.data.hands.hold import Posed as HandPose
from handwright.data.shapes import Vector
from handwright.hand.anatomy import DOF_NAMES, FINGER_BONES, FINGERS
from handwright.hand.grammar import NAMED, angles_of, words_of, wrist_of
from handwright.hand.grammar.motion import landmarks_of, spheres_of
from handwright.hand.rig import axis_angle_matrix, load_rig

Pair = tuple[Turned, Turned, Vector]
"""Right and left hand about each other, and where the left one comes from, in their owner's view: x to the
right, y down, z ahead; metres, mean hands."""


@dataclass(frozen=True)
class Places:
    """Where two hands may be together, before somebody's chest."""

    ahead: tuple[float, ...] = (0.5, 0.6, 0.7)  # Before the shoulders, in lengths of the arm
    below: tuple[float, ...] = (0.1, 0.2, 0.3)  # Below the shoulders, in lengths of the arm
    tilts_deg: tuple[float, ...] = (25.0, 35.0, 45.0)  # Upper ends away from the chest


@dataclass(frozen=True)
class Meeting:
    """Two hands that meet, and where they may do so."""

    hands: Callable[[np.random.Generator], Pair]
    places: Places = Places()


def own_hands(rng: np.random.Generator, meeting: str, size: float) -> tuple[Turned, Turned]:
    """Right and left hand of somebody, as a meeting of ``MEETINGS`` has them; ``size`` against the mean."""
    right, left, away = MEETINGS[meeting].hands(rng)
    return replace(right, at_m=size * right.at_m), bring_together(right, left, away, size, _FAR_M)


_FAR_M = 0.5  # Hands that lean on each other begin at least so far apart
_MIRROR = np.diag([-1.0, 1.0, 1.0])
PALM = np.array([0.0, 0.075, 0.0])  # The middle of the palm in the mean hand's frame, metres
_SIDEWAYS, _AHEAD = np.array([-1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
_TIPS = (8, 12, 16, 20)  # Landmarks


def _palms(rng: np.random.Generator) -> Pair:
    right = _right(_pose("flat", thumb_cmc_abduction=-20.0), about_z(rng.uniform(0.05, 0.1)))
    return right, mirrored(right), _SIDEWAYS


def _fingertips(rng: np.random.Generator) -> Pair:
    """Fingers that lean on each other, bent until no tip is before the little finger's."""
    lean = about_z(-rng.uniform(0.35, 0.5))
    angles = angles_of(NAMED["palm"])
    wanted = _right(_pose_of(angles), lean).turn[0] @ landmarks_of(angles)[_TIPS[-1]]
    for finger, tip in zip(("index", "middle", "ring"), _TIPS, strict=False):
        tries = np.repeat(angles[None], 60, 0)
        tries[:, DOF_NAMES.index(f"{finger}_mcp_flexion")] = np.deg2rad(np.arange(60.0))
        sideways = [
            abs(_right(_pose_of(one), lean).turn[0] @ landmarks_of(one)[tip] - wanted) for one in tries
        ]
        angles = tries[int(np.argmin(sideways))]
    right = _right(_pose_of(angles), lean)
    return right, mirrored(right), _SIDEWAYS


def _clapping(rng: np.random.Generator) -> Pair:
    """Palms that part at the fingertips, one turned against the other."""
    across = axis_angle_matrix(np.array([rng.uniform(0.1, 0.18), 0.0, 0.0]))
    right = _right(_pose("palm"), across @ about_z(rng.uniform(0.1, 0.2)))
    left = replace(mirrored(right), turn=across.T @ across.T @ mirrored(right).turn)
    return right, _palm_at(left, right), _SIDEWAYS


def _clasped(rng: np.random.Generator) -> Pair:
    """A fist in the other hand, whose fingers lie on it."""
    inwards = axis_angle_matrix(np.array([0.0, -rng.uniform(0.7, 0.9), 0.0]))
    right = Turned(_pose("fist"), "right", inwards @ axis_angle_matrix(wrist_of("left", "away")), np.zeros(3))
    left = mirrored(replace(right, posed=_pose("letter C")))
    return right, _palm_at(left, right), np.array([-0.4, 0.0, 0.9])


def _fist_in_palm(rng: np.random.Generator) -> Pair:
    """Knuckles against an upright palm."""
    turn = about_z(rng.uniform(0.0, 0.2)) @ axis_angle_matrix(wrist_of("camera", "left"))
    right = Turned(_pose("fist"), "right", turn, np.zeros(3))
    left = mirrored(_right(_pose("flat"), np.eye(3)))
    return right, _palm_at(left, right), _SIDEWAYS


def _heart(rng: np.random.Generator) -> Pair:
    """Fingers bent above, whose backs touch, and stretched thumbs below: each hand half of a heart."""
    bent = {f"{finger}_{dof}": angle for finger in FINGERS[1:] for dof, angle in _HEART_DEG.items()}
    posed = _pose("flat", thumb_cmc_flexion=-20.0, thumb_cmc_abduction=rng.uniform(34.0, 40.0), **bent)
    rig, spheres = load_rig(), spheres_of(posed.dofs_rad)
    of_thumb, of_fingers = (np.isin(rig.sphere_bones, FINGER_BONES[k]) for k in (slice(0, 1), slice(1, 5)))
    leans = [_right(posed, about_z(-angle)) for angle in np.linspace(0.0, 1.2, 61)]
    edges = [one.turn[0] @ spheres.T - rig.sphere_radii_m for one in leans]
    level = [abs(edge[of_thumb].min() - edge[of_fingers].min()) for edge in edges]
    right = leans[int(np.argmin(level))]
    return right, mirrored(right), _SIDEWAYS


_HEART_DEG = {"mcp_flexion": 28.0, "pip_flexion": 80.0, "dip_flexion": 35.0}  # By eye


def _stacked(low_rad: float, high_rad: float) -> Callable[[np.random.Generator], Pair]:
    """One hand on the back of the other, fingers so far above the level."""

    def hands(rng: np.random.Generator) -> Pair:
        turn = about_z(rng.uniform(low_rad, high_rad)) @ axis_angle_matrix(wrist_of("camera", "left"))
        right = Turned(_pose("flat"), "right", turn, np.zeros(3))
        left = mirrored(replace(right, posed=_pose("relaxed")))
        return right, _palm_at(left, right), _AHEAD

    return hands


def _right(posed: HandPose, lean: Float[np.ndarray, "3 3"]) -> Turned:
    """A right hand whose palm faces left and whose fingers point up, but for the lean."""
    return Turned(posed, "right", lean @ axis_angle_matrix(wrist_of("left", "up")), np.zeros(3))


def mirrored(right: Turned) -> Turned:
    """The left hand that a mirror between both has."""
    return Turned(right.posed, "left", _MIRROR @ right.turn @ _MIRROR, _MIRROR @ right.at_m)


def _palm_at(left: Turned, right: Turned) -> Turned:
    """The left hand with its palm where the right one's is."""
    return replace(left, at_m=right.at_m + (right.turn - left.turn) @ PALM)


def _pose(name: str, **angles_deg: float) -> HandPose:
    """A named pose with its typical angles, but for these of ``DOF_NAMES``."""
    angles = np.array(angles_of(NAMED[name]))
    for dof, angle in angles_deg.items():
        angles[DOF_NAMES.index(dof)] = np.deg2rad(angle)
    return _pose_of(angles)


def _pose_of(angles_rad: Float[np.ndarray, "24"]) -> HandPose:
    return HandPose(angles_rad, words_of(angles_rad), None)


MEETINGS: Mapping[str, Meeting] = {
    "palms together": Meeting(_palms, Places(below=(0.0, 0.1, 0.2), tilts_deg=(20.0, 30.0, 40.0))),
    "fingertips together": Meeting(_fingertips),
    "clapping": Meeting(_clapping),
    "clasped": Meeting(_clasped, Places(below=(0.3, 0.45), tilts_deg=(-15.0, 0.0))),
    "fist in palm": Meeting(_fist_in_palm, Places(ahead=(0.4, 0.5))),
    "heart": Meeting(_heart, Places((0.4, 0.5), (-0.2, -0.1), (0.0, 10.0))),
    "one on the other": Meeting(_stacked(0.0, 0.3), Places((0.4, 0.5), (0.2, 0.35), (-15.0, 0.0))),
    "crossing": Meeting(_stacked(0.5, 0.9), Places((0.3, 0.4, 0.5), (0.1, 0.25), (0.0, 15.0))),
}
"""By the names of ``[meetings]`` in ``prompts/words.toml``: those of one person's hands. Places by eye."""
