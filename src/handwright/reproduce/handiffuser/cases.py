"""The people of a study: rendered ones, or those whom T2H draws for prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from handwright.body import pose_body
from handwright.body.preview import render_person
from handwright.errors import InvalidValueError
from handwright.hand.kinematics import hand_landmarks_px
from handwright.reproduce.handiffuser.study import PEOPLE_FROM, HanDiffuserStudy
from handwright.reproduce.people_cases import Case, first_of, rendered_people
from handwright.two_stage.pose_completion import complete_pose
from handwright.types import Hand, Side
from handwright.workflow.generate.pose_source import PoseSource, pose_from_text


def cases_of(study: HanDiffuserStudy) -> list[Case]:
    """The first ``n`` people whose pose can be completed.

    Raises:
        UsageError: There is none.
    """
    rendered = rendered_people(PEOPLE_FROM, study.n, study.size_px)
    people = prompted(study) if study.data else rendered
    return first_of(people, study.n, "give other prompts with --data")


def prompted(
    study: HanDiffuserStudy, draw: Callable[[str, int, int], PoseSource] = pose_from_text
) -> Iterator[Case]:
    """A person of T2H for each line of the study's file; empty lines count for nothing."""
    assert study.data is not None
    lines = [line.strip() for line in study.data.read_text("utf-8").splitlines()]
    for index, prompt in enumerate(line for line in lines if line):
        source = draw(prompt, study.size_px, study.seed + index)
        assert source.body is not None
        try:
            completed = complete_pose(source.pose, source.width, source.height)
        except InvalidValueError:
            continue
        posed = pose_body(source.body).hands
        seen: dict[Side, Hand] = {
            side: hand for side, hand in posed.items() if _is_inside(hand, source.width)
        }
        yield Case(f"{index:05d}", completed, prompt, render_person(source.body), None, seen)


def _is_inside(hand: Hand, side_px: int) -> bool:
    points = hand_landmarks_px(hand)
    return bool(((points >= 0) & (points < side_px)).all(1).any())


@dataclass(frozen=True)
class Group:
    """Hands that have something in common, for the figures by group."""

    label: str
    hands: frozenset[tuple[str, Side]]  # Names of cases, and sides
    share: float  # Of all hands of the cases: as in training, whose people the same world draws


def groups_of(cases: Sequence[Case]) -> tuple[Group, ...]:
    """By skin tone (Monk's scale), and by how often training sees what a hand does.

    A relaxed hand is what training sees most; each gesture, letter and grasp of the grammar is seen in about
    a hand in a hundred, grasps least; a pose without a name once.
    """
    chosen: Mapping[str, Callable[[Case, str | None], bool]] = {
        **{f"skin tones {tone}–{tone + 1}": partial(_has_tone, tone) for tone in range(0, 10, 2)},
        "relaxed": lambda _, pose: pose == "relaxed",
        "another gesture": lambda _, pose: bool(pose) and pose != "relaxed" and not _rare(pose),
        "a letter": lambda _, pose: bool(pose) and pose.startswith(_LETTER),
        "a grasp": lambda _, pose: bool(pose) and pose.endswith(_GRASP),
        "a pose without a name": lambda _, pose: pose is None,
    }
    every: list[tuple[Case, Side, str | None]] = [
        (case, side, pose)
        for case in cases
        for side, pose in zip(case.parameters, case.gestures, strict=bool(case.gestures))
    ]
    found: list[Group] = []
    for label, test in chosen.items():
        hands: frozenset[tuple[str, Side]] = frozenset(
            (case.name, side) for case, side, pose in every if test(case, pose)
        )
        if hands:
            found.append(Group(label, hands, len(hands) / len(every)))
    return tuple(found)


_LETTER, _GRASP = "letter ", " grasp"  # How the grammar names them


def _has_tone(first: int, case: Case, pose: str | None) -> bool:
    del pose
    return case.skin_tone is not None and case.skin_tone in (first, first + 1)


def _rare(pose: str) -> bool:
    return pose.startswith(_LETTER) or pose.endswith(_GRASP)
