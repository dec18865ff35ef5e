"""The people of a study: rendered ones, or those whom T2H draws for prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

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
    """Cases that have something in common, for the figures by group."""

    label: str
    names: frozenset[str]  # Of the cases


def groups_of(cases: Sequence[Case]) -> tuple[Group, ...]:
    """By skin tone, and by how often training sees what the hands do.

    A gesture is seen often; each of the grammar's letters and grasps seldom; a pose without a name once.
    """
    chosen: Mapping[str, Callable[[Case], bool]] = {
        "skin tones 0–3": lambda case: case.skin_tone is not None and case.skin_tone <= 3,
        "skin tones 4–6": lambda case: case.skin_tone is not None and 4 <= case.skin_tone <= 6,
        "skin tones 7–9": lambda case: case.skin_tone is not None and case.skin_tone >= 7,
        "common gestures alone": lambda case: bool(case.gestures) and not _rare(case),
        "a letter, a grasp or a pose without a name": _rare,
    }
    found = (Group(label, frozenset(c.name for c in cases if test(c))) for label, test in chosen.items())
    return tuple(group for group in found if group.names)


def _rare(case: Case) -> bool:
    return any(
        name is None or name.startswith("letter ") or name.endswith(" grasp") for name in case.gestures
    )
