"""Words ↔ joint angles: the thresholds and the typical angles of every word."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from handwright.hand.anatomy import DOF_LIMITS_RAD
from handwright.hand.grammar.contact import touch, untangle
from handwright.hand.grammar.motion import landmarks_of
from handwright.hand.grammar.words import Bend, Gap, PoseWords, Thumb, orientation_of, stated_gaps
from handwright.hand.kinematics import dofs_of_pose
from handwright.types import Hand

# Thresholds in degrees between one word and the next, all halfway between the typical angles below or by eye.
_STRAIGHT_PIP, _BENT_PIP = 32.0, 64.0
"""PIP flexion up to which a finger is straight, and from which it is hooked or curled."""
_STRAIGHT_MCP, _HOOKED_MCP = 38.0, 30.0
"""MCP flexion from which a straight finger is folded, and below which a bent one is hooked."""
_CROSSED, _TOGETHER, _APART = -4.0, 7.0, 16.0
"""Angles between neighbours below which they are crossed, together, apart; else spread."""
_ACROSS_FLEXION, _OPPOSED_ABDUCTION, _OUT_FLEXION = 26.0, 14.0, -2.0
"""CMC angles from which the thumb is across or opposed, and below which it is out."""
_THUMB_BENT = 36.0  # Sum of MCP and IP flexion from which the thumb is bent
CONTACT_M = 0.0165  # Two fingertip landmarks nearer than this touch: they lie about 6 mm under the skin

REST_GAPS_DEG = (13.8, 8.1, 9.0)  # Angles between neighbouring fingers of the rest hand, in the palm's plane

TYPICAL_BEND: dict[Bend, tuple[float, float, float]] = {
    "extended": (2, 5, 3), "folded": (66, 12, 6), "bent": (38, 48, 28), "hooked": (4, 84, 52),
    "curled": (76, 94, 52),
}  # fmt: skip
"""MCP, PIP and DIP flexion in degrees."""

TYPICAL_GAP: dict[Gap, float] = {"crossed": -9, "together": 3, "apart": 11, "spread": 21}
"""Angle between two neighbouring fingers in degrees."""

TYPICAL_THUMB: dict[Thumb, tuple[float, float, float]] = {
    "out": (-20, 2, 0), "beside": (12, -8, 0), "opposed": (14, 30, 10), "across": (36, 20, 6),
}  # fmt: skip
"""CMC flexion, abduction and twist in degrees."""

_THUMB_JOINTS = {False: (3, 3), True: (38, 36)}


def angles_of(words: PoseWords) -> Float[np.ndarray, "24"]:
    """Return typical angles (``anatomy.DOF_NAMES``, radians) of a pose in words, within anatomical limits."""
    return _typical(words).copy()


def words_of(dofs_rad: Float[np.ndarray, "24"]) -> PoseWords:
    """Return the words of 24 anatomical angles; directions and side stay open (see ``words_of_hand``)."""
    degrees = np.rad2deg(dofs_rad)
    fingers: list[Bend] = [_bend_of(*degrees[7 + 4 * k : 9 + 4 * k]) for k in range(4)]
    gaps: list[Gap] = [_gap_of(degrees[6 + 4 * k] - degrees[10 + 4 * k] + REST_GAPS_DEG[k]) for k in range(3)]
    bends: tuple[Bend, Bend, Bend, Bend] = (fingers[0], fingers[1], fingers[2], fingers[3])
    tips = landmarks_of(dofs_rad)[[4, 8, 12, 16, 20]]
    near = np.linalg.norm(tips[1:] - tips[0], axis=1) < CONTACT_M
    return PoseWords(
        thumb_bent=bool(degrees[3] + degrees[5] > _THUMB_BENT),
        thumb=_thumb_of(degrees[0], degrees[1]),
        fingers=bends,
        gaps=stated_gaps(bends, (gaps[0], gaps[1], gaps[2])),
        contacts=tuple(int(k) + 1 for k in np.flatnonzero(near)),
    )


def words_of_hand(hand: Hand) -> PoseWords:
    """Return the words of a hand in the camera frame: pose, side, where its palm faces and fingers point."""
    palm, points = orientation_of(hand.wrist)
    words = words_of(dofs_of_pose(hand.pose, hand.palm_arch))
    return replace(words, palm=palm, points=points, side=hand.side)


def bent_by_deg(dofs_rad: Float[np.ndarray, "24"]) -> Float[np.ndarray, "4"]:
    """Return by how many degrees index, middle, ring and pinky are bent more than a stretched-out finger.

    Negative where the finger is stretched out (``PoseWords.fingers``), the further from bent the lower.
    """
    degrees = np.rad2deg(dofs_rad)
    return np.maximum(degrees[7:23:4] - _STRAIGHT_MCP, degrees[8:23:4] - _STRAIGHT_PIP)


def bounds_of(words: PoseWords) -> Float[np.ndarray, "24 2"]:
    """Lowest and highest angles, radians, that keep each joint within its word and its anatomical limit."""
    low, high = np.rad2deg(DOF_LIMITS_RAD.T)
    margin = 2.0
    flexion, abduction = {
        "out": ((-90, _OUT_FLEXION), (-90, 90)),
        "beside": ((_OUT_FLEXION, _ACROSS_FLEXION), (-90, _OPPOSED_ABDUCTION)),
        "opposed": ((-90, _ACROSS_FLEXION), (_OPPOSED_ABDUCTION, 90)),
        "across": ((_ACROSS_FLEXION, 90), (-90, 90)),
    }[words.thumb]
    narrow = [(0, flexion), (1, abduction)]
    narrow += [(3, (18, 90)), (5, (20, 90))] if words.thumb_bent else [(3, (-90, 17)), (5, (-90, 17))]
    for k, bend in enumerate(words.fingers):
        mcp, pip = {
            "extended": ((-90, _STRAIGHT_MCP), (-90, _STRAIGHT_PIP)),
            "folded": ((_STRAIGHT_MCP, 180), (-90, _STRAIGHT_PIP)),
            "bent": ((-90, 180), (_STRAIGHT_PIP, _BENT_PIP)),
            "hooked": ((-90, _HOOKED_MCP), (_BENT_PIP, 180)),
            "curled": ((_HOOKED_MCP, 180), (_BENT_PIP, 180)),
        }[bend]
        narrow += [(7 + 4 * k, mcp), (8 + 4 * k, pip)]
    for k, abduction in enumerate(_abductions(words.gaps)):
        slack = (
            2.2
            if any(g is not None for g in (*words.gaps[k : k + 1], *words.gaps[max(k - 1, 0) : k]))
            else 14
        )
        narrow.append((6 + 4 * k, (abduction - slack, abduction + slack)))
    for index, (least, most) in narrow:
        low[index] = max(low[index], least + margin * (least > -90))
        high[index] = min(high[index], most - margin * (most < 90))
    return np.deg2rad(np.stack([low, high], 1))


@lru_cache(maxsize=4096)
def _typical(words: PoseWords) -> Float[np.ndarray, "24"]:
    mcp, ip = _THUMB_JOINTS[words.thumb_bent]
    abductions = _abductions(words.gaps)
    degrees = [*TYPICAL_THUMB[words.thumb], mcp, 0.0, ip]
    for bend, abduction in zip(words.fingers, abductions, strict=True):
        degrees += [abduction, *TYPICAL_BEND[bend]]
    closed = sum(bend == "curled" for bend in words.fingers[2:])
    degrees += [1.0 + 3.0 * closed, 2.0 + 5.0 * closed]
    dofs = np.clip(np.deg2rad(np.array(degrees)), *DOF_LIMITS_RAD.T)
    bounds = bounds_of(words)
    for _ in range(3):
        dofs = touch(untangle(dofs, bounds), words.contacts, bounds)
    return dofs


def _abductions(gaps: tuple[Gap | None, ...]) -> Float[np.ndarray, "4"]:
    """Return the abductions of the four fingers in degrees, centred on zero."""
    steps = [0.0 if g is None else TYPICAL_GAP[g] - rest for g, rest in zip(gaps, REST_GAPS_DEG, strict=True)]
    offsets = -np.concatenate([[0.0], np.cumsum(steps)])
    middle = (offsets.max() + offsets.min()) / 2 if any(gaps) else 0.0
    return offsets - middle


def _bend_of(mcp: float, pip: float) -> Bend:
    if pip < _STRAIGHT_PIP:
        return "extended" if mcp < _STRAIGHT_MCP else "folded"
    if pip < _BENT_PIP:
        return "bent"
    return "hooked" if mcp < _HOOKED_MCP else "curled"


def _gap_of(degrees: float) -> Gap:
    if degrees < _CROSSED:
        return "crossed"
    return "together" if degrees < _TOGETHER else "apart" if degrees < _APART else "spread"


def _thumb_of(flexion: float, abduction: float) -> Thumb:
    if flexion >= _ACROSS_FLEXION:
        return "across"
    if abduction >= _OPPOSED_ABDUCTION:
        return "opposed"
    return "out" if flexion < _OUT_FLEXION else "beside"
