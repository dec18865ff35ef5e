"""Whether depth maps of malformed hands are hands: python bench/topology.py [--n N] [--sheet FILE.png].

HandRefiner looked at 100 depth maps of malformed hands: 97 had the right topology, 9 of them slightly
distorted. Here every malformed hand is found and fitted as `refine` does it; what its depth map shows is
checked by rule, and the sheet (picture, fitted hand's depth) is for eyes. Hands: rendered with one defect
(test seeds of bench/subjects.py) and, with $HANDWRIGHT_PHOTOS, the malformed hands of image generators
(ai_hands, split test), of which no picture is written.

A map is wrong where a joint lies beyond its limits, fingers go through each other or through the palm, or
the knuckles are out of order. It is slightly distorted where fingers press into each other more than skin
gives way, or a finger is longer or shorter than in 95 % of people. Rules and eyes see
different things: rules do not know whether it is *this* hand, eyes do not see what a finger hides.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np
from jaxtyping import Float

from draw import nearest
from handwright.data.hands import render_one_hand
from handwright.data.labelled_pictures import box_of, label_of, labelled_pictures, read_pixels
from handwright.hand.anatomy import DOF_LIMITS_RAD, FINGER_BONES, FINGERS, SHAPE_NAMES
from handwright.hand.depth import depth_control, part_ids
from handwright.hand.kinematics import dofs_of_pose, mesh_of, pose_of_dofs
from handwright.hand.rig import load_rig
from handwright.metrics.estimate import wilson
from handwright.perception.fit.hand_fit import PARAMS as FIT
from handwright.refine.pipeline import Engine, inspect_picture, open_engine
from handwright.refine.settings import RefineSettings
from handwright.types import Hand, Image
from sheets import hand_crop, save_pages
from subjects import Subject, photos_root, subjects

JOINT_SLACK_DEG = 5.0
"""How far beyond its limit a joint is wrong: what the fit's soft walls may give way (chosen)."""

THROUGH = 0.64
"""Overlap from which two fingers go through each other: some 3 % of exact sound hands, of seeds that no table
shows (``--kind limit``), lie above it, as many as HandRefiner counted as wrong. A limit of .5 failed a fifth
of them: in fists and where fingertips meet, skin of the rig sinks into skin, unseen."""

LONG_SD = 2.0
"""How many standard deviations of the fit's prior a finger's length may be off the mean."""

PRESSED = 0.25
"""Overlap from which fingers press into each other (chosen: more than skin gives way)."""

PALM = 0.5
"""How far behind wrist and knuckles, in finger radii, a finger has gone through the palm (chosen)."""

KINDS = ("exact", "rendered", "generated", "limit")
"""Exact sound hands, on which the rules are tried; rendered malformed ones; those of image generators; other
exact hands, which set ``THROUGH``."""

EVERY = 12
"""After so many hands the sheet is written again."""

SOUND_FROM, SOUND_N = 840_000, 100
"""Seeds of exact sound hands, on which the rules are tried, too."""

LIMIT_FROM, LIMIT_N, LIMIT_SHARE = 841_000, 150, 0.03
"""Seeds of those that set ``THROUGH``, and the share of them above it."""


@dataclass(frozen=True)
class Found:
    """What the rules find in a depth map.

    Attributes:
        wrong: Reasons why its topology is wrong; empty: it is right.
        distorted: Reasons why it is slightly distorted.
        overlap: The largest share by which two fingers press into each other.
        tips: How many fingertips its surface shows; others lie behind parts of the hand.
    """

    wrong: tuple[str, ...]
    distorted: tuple[str, ...]
    overlap: float
    tips: int


def overlap_of_fingers(hand: Hand) -> float:
    """How far two fingers press into each other: 1 − distance of axes / sum of radii, the largest, ≥ 0.

    Fingers count from their middle joint on, the thumb from its MCP joint: before, they join the palm. They
    end one radius short of the tip, which is round: where two tips meet, the landmarks on them do too.
    """
    points, radii = mesh_of(hand).landmarks_cam_m, finger_radii_m(hand)
    axes = [_samples(_without_tip(points[2 + 4 * f : 5 + 4 * f], radii[f])) for f in range(5)]
    most = 0.0
    for a, b in combinations(range(5), 2):
        apart = np.linalg.norm(axes[a][:, None] - axes[b][None], axis=2).min()
        most = max(most, 1 - float(apart / (radii[a] + radii[b])))
    return most


def finger_radii_m(hand: Hand) -> Float[np.ndarray, "5"]:
    """Radius of every finger in metres: median distance of its skin from its axis."""
    mesh, parts = mesh_of(hand), load_rig().part_ids
    radii = np.zeros(5)
    for f in range(5):
        skin = mesh.vertices_cam_m[np.isin(parts, FINGER_BONES[f][1:])]
        axis = _samples(mesh.landmarks_cam_m[2 + 4 * f : 5 + 4 * f])
        radii[f] = np.median(np.linalg.norm(skin[:, None] - axis[None], axis=2).min(1))
    return radii


def _without_tip(joints: Float[np.ndarray, "3 3"], radius_m: float) -> Float[np.ndarray, "3 3"]:
    """Middle joint, end joint, and where the round end begins; at least a fifth of the last bone is left."""
    last = joints[2] - joints[1]
    share = min(radius_m / float(np.linalg.norm(last)), 0.8)
    return np.stack([joints[0], joints[1], joints[2] - share * last])


def _samples(joints: Float[np.ndarray, "n 3"], each: int = 12) -> Float[np.ndarray, "m 3"]:
    shares = np.linspace(0, 1, each)[:, None]
    return np.concatenate([a + shares * (b - a) for a, b in pairwise(joints)])


def through_palm(hand: Hand) -> list[str]:
    """Fingers whose end joint or tip has come out of the back of the palm, between wrist and knuckles."""
    points = mesh_of(hand).landmarks_cam_m
    wrist, index, pinky = points[0], points[5], points[17]
    back = np.cross(index - wrist, pinky - wrist)
    back /= np.linalg.norm(back)
    bent = mesh_of(_bent(hand)).landmarks_cam_m
    back *= -np.sign((bent[12] - bent[9]) @ back)
    basis, least = (
        np.stack([index - wrist, pinky - wrist, back], axis=1),
        PALM * finger_radii_m(hand)[1:].mean(),
    )
    found: list[str] = []
    for f in range(1, 5):
        a, b, out = np.linalg.solve(basis, (points[3 + 4 * f : 5 + 4 * f] - wrist).T)
        if ((a > 0) & (b > 0) & (a + b < 1) & (out > least)).any():
            found.append(FINGERS[f])
    return found


def _bent(hand: Hand) -> Hand:
    """The same hand with all fingers evenly bent: towards the palm."""
    dofs = np.zeros(len(DOF_LIMITS_RAD))
    dofs[7:22:4] = dofs[8:22:4] = np.pi / 4
    pose, arch = pose_of_dofs(dofs)
    return replace(hand, pose=pose, palm_arch=arch)


def knuckles_in_order(hand: Hand) -> bool:
    """Whether index, middle, ring and pinky knuckle follow each other across the palm."""
    knuckles = mesh_of(hand).landmarks_cam_m[[5, 9, 13, 17]]
    along = (knuckles - knuckles[0]) @ (knuckles[3] - knuckles[0])
    return bool((np.diff(along) > 0).all())


def check(hand: Hand, height: int, width: int) -> Found:
    """What the rules find in the depth map of a fitted hand.

    Args:
        hand: The fitted hand.
        height: Of the picture, in pixels.
        width: Of the picture, in pixels.
    """
    dofs = dofs_of_pose(hand.pose, hand.palm_arch)
    slack = np.radians(JOINT_SLACK_DEG)
    low, high = DOF_LIMITS_RAD.T
    overlap, wrong, distorted = overlap_of_fingers(hand), list[str](), list[str]()
    if ((dofs < low - slack) | (dofs > high + slack)).any():
        wrong.append("joint beyond its limit")
    if overlap > THROUGH:
        wrong.append("finger through finger")
    elif overlap > PRESSED:
        distorted.append("fingers pressed into each other")
    if through_palm(hand):
        wrong.append("finger through palm")
    if not knuckles_in_order(hand):
        wrong.append("knuckles out of order")
    lengths = hand.shape[[SHAPE_NAMES.index(f"{name}_length") for name in FINGERS]]
    if (np.abs(lengths) > LONG_SD * FIT.shape_sd[2]).any():
        distorted.append("finger too long or short")
    return Found(tuple(wrong), tuple(distorted), overlap, shown_tips(hand, height, width))


def shown_tips(hand: Hand, height: int, width: int) -> int:
    """How many fingers have their end part on the surface that the depth map shows."""
    parts = part_ids(hand, height, width)
    return sum(bool((parts == FINGER_BONES[f][2]).any()) for f in range(5))


def exact_hands(first: int, count: int) -> Iterator[Hand]:
    """Hands of sound renders, as they were posed."""
    return (render_one_hand(seed, 64).hands[0].hand for seed in range(first, first + count))


def control(count: int = SOUND_N) -> None:
    """The same rules on exact hands of sound renders: what they call wrong of hands as they were posed."""
    found = [check(hand, 64, 64) for hand in exact_hands(SOUND_FROM, count)]
    summary("exact sound hands", found, count)


def limit(count: int = LIMIT_N) -> None:
    """The overlap that ``LIMIT_SHARE`` of exact sound hands exceed."""
    overlaps = np.sort([overlap_of_fingers(hand) for hand in exact_hands(LIMIT_FROM, count)])[::-1]
    allowed = int(LIMIT_SHARE * count)
    print(f"overlap that {allowed} of {count} exact sound hands exceed: {overlaps[allowed]:.3f}")


def summary(name: str, found: Sequence[Found], looked: int) -> None:
    """Counts with Wilson intervals."""
    n, kinds = len(found), Counter(reason for one in found for reason in (*one.wrong, *one.distorted))
    right = sum(not one.wrong for one in found)
    slight = sum(not one.wrong and bool(one.distorted) for one in found)
    for what, hits in (("topology right", right), ("of these slightly distorted", slight)):
        low, high = wilson(hits, n)
        print(f"{name}: {what}: {hits} of {n} [{100 * low:.0f}, {100 * high:.0f}] %", flush=True)
    print(f"{name}: {looked} looked at; {dict(kinds)}", flush=True)


def generated(split: str = "test") -> Iterator[Subject]:
    """Malformed hands of image generators of a split, of which both labels say so."""
    folder = photos_root() / "ai_hands"
    for line in labelled_pictures(folder, split):
        for hand in line["hands"]:
            if label_of(hand) == "malformed":
                pixels = read_pixels(folder, line)
                yield Subject(line["file"], line["repo"], pixels, box_of(hand["box"]), None, "generated")


def measured(name: str, given: Iterator[Subject], count: int, engine: Engine, sheet: Path | None) -> None:
    """Fit hands until so many have a depth map; prints the counts and writes the sheet."""
    found, looked, tiles = list[Found](), 0, []
    for subject in given:
        if len(found) == count:
            break
        looked += 1
        hand = nearest(inspect_picture(Image(subject.pixels), RefineSettings(), engine).hands, subject)
        if hand is None:
            continue
        height, width = subject.pixels.shape[:2]
        one = check(hand.fit.hand, height, width)
        found.append(one)
        depth = cv2.cvtColor(depth_control([hand.fit.hand], height, width).depth, cv2.COLOR_GRAY2RGB)
        box = hand.observation.bbox_xyxy_px
        state = "wrong" if one.wrong else "distorted" if one.distorted else ""
        caption = f"{len(found)} {subject.group} {state}"
        tiles.append((caption, [hand_crop(subject.pixels, box), hand_crop(depth, box)]))
        print(f"{name} {len(found)} of {looked}: {subject.group}: {one}", flush=True)
        if sheet is not None and (len(found) % EVERY == 0 or len(found) == count):
            save_pages(sheet, tiles)
    summary(name, found, looked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100, help="depth maps of each kind")
    parser.add_argument("--sheet", type=Path, help="where the rendered ones are shown")
    parser.add_argument("--kind", choices=KINDS, action="append", help="default: all that can be had")
    parser.add_argument("--seed", type=int, help="of the rendered ones; default: test seeds")
    parser.add_argument("--split", choices=("test", "train"), default="test", help="of ai_hands")
    options = parser.parse_args()
    kinds = options.kind or (KINDS[:3] if "HANDWRIGHT_PHOTOS" in os.environ else KINDS[:2])
    if "exact" in kinds:
        control()
    if "limit" in kinds:
        limit()
    with open_engine() as engine:
        if "rendered" in kinds:
            made = subjects("malformed", 4 * options.n, options.seed)
            measured("rendered", made, options.n, engine, options.sheet)
        if "generated" in kinds:
            measured("generated", generated(options.split), options.n, engine, None)


if __name__ == "__main__":
    main()
