"""The person for a picture of a text: the best of T2H's draws, its hands raised and framed to be seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
import torch
from jaxtyping import Float

from handwright.body.framing import framed, stepping_back
from handwright.body.free_body import pose_body, wholebody_of, with_fingers
from handwright.body.parameters import BodyParameters
from handwright.body.skeleton import JOINT
from handwright.hand.grammar import THUMB_POINTS, StatedPose
from handwright.hand.kinematics import hand_landmarks_m, to_camera
from handwright.handiffuser.hand_words import agreement_of, hands_in_words, turned_otherwise
from handwright.handiffuser.proposals import (
    Proposal,
    propose_people,
    stated_hands,
    with_stated_fingers,
    worth,
)
from handwright.handiffuser.text_to_hand_pipeline import TextToHandPipeline, open_text_to_hand
from handwright.perception.body.body_pose import HANDS, hands_meet
from handwright.prompts.plan import Plan
from handwright.types import Hand, Side

Turn = Callable[[BodyParameters, Mapping[Side, StatedPose]], BodyParameters | None]
"""Turns hands of a person to where palms and fingers are stated to go."""

_PEOPLE = 16  # Drawn for a text; one is kept

_HANGS = 0.5
"""Share of the forearm that the wrist lies below the elbow from which on the arm hangs."""

_LARGE, _CLEAR, _SEEN, _UPRIGHT, _USUAL, _THUMB, _AT_REST = 1.0, 0.1, 0.1, 0.05, 0.02, 1.0, 0.2
"""What people who fit the text alike are chosen by: the side of a square as large as a hand's outline, in
sides of the picture (about .1); the shares of a hand's landmarks that are not before the face, and not hidden
by what it holds; things upright; palm and fingers as usual; hands that do no more than the text states. All
of it is little beside what the text states of a whole hand (``worth``: 1), but for a thumb that is to point
up or down."""

_THUMB_BASE, _THUMB_TIP = 2, 4  # Landmarks

_HEAD = 1.5  # Radius of a head, in farthest distances of nose, eyes and ears from their mean

_ROOM_M = 0.12  # So far from the wrist's origin, in the mean hand, what is held must be in the picture


@dataclass(frozen=True, eq=False)
class HeldPose:
    """Fingers around a thing."""

    dofs_rad: Float[np.ndarray, "24"]  # ``anatomy.DOF_NAMES``
    thing_m: Float[np.ndarray, "n 3"]  # Points all over the thing, in the mean hand's own frame
    up: Float[np.ndarray, "3"] | None = None  # What of it should be above, in the hand's own frame


@dataclass(frozen=True, eq=False)
class PersonForText:
    """One person, framed for a square picture."""

    parameters: BodyParameters
    notes: tuple[str, ...]  # What the user should know of it


def people_for_text(
    text: str,
    pipeline: TextToHandPipeline,
    side_px: int,
    seed: int,
    held: Mapping[Side, HeldPose] | None = None,
    meet: Callable[[BodyParameters], BodyParameters | None] | None = None,
    turn: Turn | None = None,
    caption: str | None = None,
) -> list[PersonForText]:
    """People that fit a text, the best first (T2H, HanDiffuser §3.1).

    Fingers that the text states and T2H has not are the grammar's; where the text speaks of two hands and one
    arm hangs, it does as the other. The camera steps back until the hands that the text speaks of, or else
    one hand, are in the picture.

    Args:
        text: What the picture shows; not empty.
        pipeline: T2H.
        side_px: Side of the square picture, pixels.
        seed: Same seed, same people.
        held: Hands that hold something, and how.
        meet: Brings a person's two hands together; None where the arms do not get there.
        turn: Turns hands as the text has them where T2H did not; None where the arms do not get there.
        caption: What T2H gets; None: ``proposals.caption_of`` the text's plan.

    Raises:
        UsageError: The text is empty.
    """
    generator = torch.Generator().manual_seed(seed)
    people = propose_people(
        text,
        pipeline,
        count=_PEOPLE,
        draws=1,
        generator=generator,
        size_px=(side_px, side_px),
        caption=caption,
    )
    ready = [_ready(person, held or {}, meet, turn) for person in people]
    return [person for _, person in sorted(ready, key=lambda pair: -pair[0])]


def _ready(
    person: Proposal,
    held: Mapping[Side, HeldPose],
    meet: Callable[[BodyParameters], BodyParameters | None] | None,
    turn: Turn | None,
) -> tuple[float, PersonForText]:
    """What a person is worth, and the person with all hands that the text speaks of in the picture."""
    body, plan, notes = person.parameters, person.plan, list[str]()
    mended: set[Side] = set(person.mended)
    sides: Collection[Side] = {*person.named, *held} or {_nearer(body)}
    met = None if meet is None else meet(body)
    if met is not None:
        body = met
        sides = ("left", "right")
        mended.clear()
    elif (plan.expectation.least or 0) > 1:
        sides = ("left", "right")
        if (lower := _hanging(body)) is not None:
            body = with_mirrored_arm(body, lower)
            body, more = with_stated_fingers(body, plan)
            mended |= set(more)
            notes.append(f"the {lower} arm does as the other")
    body = with_fingers(body, {side: pose.dofs_rad for side, pose in held.items()})
    notes += [f"the fingers of the {side} hand are the grammar's" for side in sorted(mended - set(held))]
    if meet is not None and met is None:
        notes.append("no person that was drawn brings the hands together")
    stated = stated_hands(plan.expectation)
    wrong = turned_otherwise(body, stated)
    for side in held:
        wrong.pop(side, None)
    if turn is not None and met is None and wrong and (turned := turn(body, wrong)) is not None:
        body = turned
        notes.append(f"the {' and '.join(sorted(wrong))} hand is turned as the text has it")
    agreement = agreement_of(body, stated)
    if not agreement.all_right:
        notes.append("no person that was drawn has all that the text states of hands")
    hands, points = pose_body(body).hands, wholebody_of(body)
    head, shown = points[:5], [points[HANDS[side]] for side in sides]
    things = [hands[side].camera.project(_thing_cam_m(hands[side], held[side], _ROOM_M)) for side in held]
    near = np.concatenate([head, *shown, *things])
    value = (
        worth(agreement)
        + (met is not None)
        + _LARGE * _outline(body, shown) / max(stepping_back(body, near), 1.0)
    )
    value += _CLEAR * _clear_of_face(head, shown)
    value += _SEEN * _seen(hands, held) + _UPRIGHT * _upright(hands, held) + _USUAL * _usual(body, plan)
    value += _THUMB * _thumbs(hands, plan)
    if meet is None:
        value += _AT_REST * _at_rest(body, sides, points)
    return value, PersonForText(framed(body, near), tuple(notes))


@cache
def embedded_text_to_hand() -> TextToHandPipeline:
    """The embedded T2H; it stays loaded.

    Raises:
        DiffusionError: It cannot be loaded.
    """
    pipeline = open_text_to_hand()
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def with_mirrored_arm(body: BodyParameters, side: Side) -> BodyParameters:
    """The same person, this arm and hand as a mirror has the other one."""
    other: Side = "left" if side == "right" else "right"
    turns = body.body_pose.copy()
    for name in ("collar", "shoulder", "elbow", "wrist"):
        turns[JOINT[f"{side}_{name}"] - 1] = turns[JOINT[f"{other}_{name}"] - 1] * _MIRROR
    fingers = {"left": body.left_hand_pose, "right": body.right_hand_pose}
    arches = body.palm_arch.copy()
    arches[("left", "right").index(side)] = arches[("left", "right").index(other)]
    fingers[side] = fingers[other] * _MIRROR
    return replace(
        body,
        body_pose=turns,
        left_hand_pose=fingers["left"],
        right_hand_pose=fingers["right"],
        palm_arch=arches,
    )


_MIRROR = np.array([1.0, -1.0, -1.0])  # Of an axis-angle rotation, left to right


def _thing_cam_m(hand: Hand, held: HeldPose, within_m: float = np.inf) -> Float[np.ndarray, "n 3"]:
    """Where a held thing is in camera space, as far as it is near the hand."""
    near = held.thing_m[np.linalg.norm(held.thing_m, axis=1) < within_m]
    return to_camera(float(np.exp(hand.shape[0])) * near, hand)


def _outline(body: BodyParameters, hands_px: Sequence[Float[np.ndarray, "21 2"]]) -> float:
    """Mean side of a square as large as a hand's outline, in sides of the picture."""
    areas = [cv2.contourArea(cv2.convexHull(hand.astype(np.float32))) for hand in hands_px]
    return float(np.sqrt(areas).mean()) / max(body.size_px)


def _clear_of_face(head_px: Float[np.ndarray, "5 2"], hands_px: Sequence[Float[np.ndarray, "21 2"]]) -> float:
    """Share of the landmarks of these hands that are beside the head."""
    middle = head_px.mean(0)
    radius = _HEAD * float(np.linalg.norm(head_px - middle, axis=1).max())
    return float((np.linalg.norm(np.concatenate(hands_px) - middle, axis=1) > radius).mean())


def _seen(hands: Mapping[Side, Hand], held: Mapping[Side, HeldPose]) -> float:
    """Share of the landmarks of hands that hold something which it does not hide."""
    shares: list[float] = []
    for side, pose in held.items():
        hand = hands[side]
        landmarks_m, thing_m = hand_landmarks_m(hand), _thing_cam_m(hand, pose)
        outline = cv2.convexHull(hand.camera.project(thing_m).astype(np.float32))
        behind = landmarks_m[:, 2] > thing_m[:, 2].mean()
        over = [
            cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0
            for x, y in hand.camera.project(landmarks_m)
        ]
        shares.append(float((~(behind & np.array(over))).mean()))
    return float(np.mean(shares)) if shares else 0.0


def hanging_arms(body: BodyParameters) -> frozenset[Side]:
    """The arms that hang."""
    joints = pose_body(body).joints_cam_m
    hangs: set[Side] = set()
    for side in HANDS:
        elbow, wrist = joints[JOINT[f"{side}_elbow"]], joints[JOINT[f"{side}_wrist"]]
        if wrist[1] - elbow[1] > _HANGS * np.linalg.norm(wrist - elbow):
            hangs.add(side)
    return frozenset(hangs)


def _at_rest(body: BodyParameters, sides: Collection[Side], points: Float[np.ndarray, "133 2"]) -> float:
    """1 where hands that the text does not bring together are apart, and the arm that it leaves out hangs."""
    return float(not hands_meet(points) and HANDS.keys() - set(sides) <= hanging_arms(body))


def _hanging(body: BodyParameters) -> Side | None:
    """The arm that hangs while the other does not."""
    hangs = hanging_arms(body)
    return next(iter(hangs)) if len(hangs) == 1 else None


def _usual(body: BodyParameters, plan: Plan) -> float:
    """Share of planned hands whose palm and fingers go where such hands usually go."""
    words = hands_in_words(body)
    poses = [planned.pose for planned in plan.hands if planned.pose is not None]
    fits = [
        (pose.palm == words[pose.side].palm) + (pose.points == words[pose.side].points)
        for pose in poses
        if pose.side is not None
    ]
    return float(np.mean(fits)) / 2 if fits else 0.0


def _upright(hands: Mapping[Side, Hand], held: Mapping[Side, HeldPose]) -> float:
    """Mean cosine between what should be above and the vertical."""
    cosines: list[float] = []
    for side, pose in held.items():
        if pose.up is not None:
            foot, top = to_camera(np.stack([np.zeros(3), pose.up]), hands[side])
            cosines.append(float((foot - top)[1] / np.linalg.norm(top - foot)))
    return float(np.mean(cosines)) if cosines else 0.0


def _thumbs(hands: Mapping[Side, Hand], plan: Plan) -> float:
    """Mean cosine between thumbs and where the text has them point: up, or down; 0 if it speaks of none.

    Of hands without a side those count whose thumbs fit best.
    """
    poses = [expected.pose for expected in plan.expectation.hands]
    wishes = [(pose.side, THUMB_POINTS.get(next(iter(pose.names), ""))) for pose in poses]
    upwards = {side: _thumb_upwards(hand) for side, hand in hands.items()}
    fits = [upwards[side] * (1 if way == "up" else -1) for side, way in wishes if side and way]
    free = [way for side, way in wishes if way and not side]
    if free:
        best_first = sorted((up * (1 if free[0] == "up" else -1) for up in upwards.values()), reverse=True)
        fits += best_first[: len(free)]
    return float(np.mean(fits)) if fits else 0.0


def _thumb_upwards(hand: Hand) -> float:
    """Cosine between a thumb and the vertical, 1 where it points up."""
    base, tip = hand_landmarks_m(hand)[[_THUMB_BASE, _THUMB_TIP]]
    return float((base - tip)[1] / np.linalg.norm(tip - base))


def _nearer(body: BodyParameters) -> Side:
    """The hand that lies nearer to the middle of the picture."""
    points, middle = wholebody_of(body), np.asarray(body.size_px) / 2
    away: dict[Side, float] = {
        side: float(np.linalg.norm(points[part].mean(0) - middle)) for side, part in HANDS.items()
    }
    return min(away, key=lambda side: away[side])
