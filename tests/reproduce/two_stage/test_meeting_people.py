"""People whose hands meet: every meeting in turn, both hands in one crop, and the row that parts them."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from handwright.body import pose_body
from handwright.data.people.in_pose.hands_together import meeting_of
from handwright.data.people.posture.meeting import MEETINGS
from handwright.errors import UsageError
from handwright.hand.grammar.motion import TOUCH_M, clearance_m
from handwright.perception.body.body_pose import boxes_meet
from handwright.prompts.captions import Scene, captions
from handwright.reproduce import meeting_people as people
from handwright.reproduce.people_cases import Case
from handwright.reproduce.two_stage.cases import cases_of
from handwright.reproduce.two_stage.study import MEETING_FROM, TwoStageStudy
from handwright.two_stage.engine import fit_hands
from handwright.two_stage.hand_crops import hand_crops

SIDE = 96


@pytest.fixture(scope="module", name="some")
def _some() -> list[Case]:
    return cases_of(TwoStageStudy(n=3, size_px=SIDE, poses="meeting"), lambda _: [])


def test_each_does_another_meeting_and_the_caption_has_words_for_it(some: list[Case]) -> None:
    assert [case.gestures for case in some] == [(name,) for name in islice(MEETINGS, 3)]
    for case in some:
        assert (meeting_of(case.caption),) == case.gestures


@pytest.mark.parametrize("name", MEETINGS)
def test_our_reading_knows_every_meeting_by_its_captions(name: str) -> None:
    scene = Scene(hands=(), subject="a woman", meeting=name)
    for seed in range(12):
        told = captions(scene, np.random.default_rng(seed))["natural"]
        assert meeting_of(told) == name, told


def test_hands_touch_and_are_in_one_crop_or_apart_where_that_is_wanted(some: list[Case]) -> None:
    for case in some:
        assert case.person is not None
        fits = fit_hands(case.completed, SIDE, SIDE, case.person)
        (crop,) = hand_crops(fits, 64)
        assert set(crop.sides) == {"left", "right"}
        apart = hand_crops(fits, 64, together=False)
        assert [one.sides for one in apart] == [(side,) for side in fits]
        assert all(one.window != crop.window for one in apart)
    praying = pose_body(some[0].person).hands  # type: ignore[arg-type]
    assert abs(clearance_m(*praying.values())) < TOUCH_M


def test_the_picture_shows_them_where_the_pose_has_them(some: list[Case]) -> None:
    for case in some:
        assert case.hands is not None
        assert case.picture.shape == (SIDE, SIDE, 3)
        points = case.completed.pose.points_px[91:].astype(int)
        inside = ((points >= 0) & (points < SIDE)).all(1)
        assert inside.all()
        assert case.hands[points[:, 1], points[:, 0]].mean() > 0.5


def test_the_same_seed_gives_the_same_people_and_another_one_others() -> None:
    def first(seed: int) -> Case:
        return next(people.meeting_people(seed, 1, SIDE))

    one, again, other = first(MEETING_FROM), first(MEETING_FROM), first(MEETING_FROM + 1)
    assert np.array_equal(one.picture, again.picture)
    assert one.caption == again.caption
    assert not np.array_equal(one.picture, other.picture)


def test_boxes_meet_where_they_overlap_when_a_little_grown() -> None:
    square = np.stack(np.meshgrid(np.linspace(0, 10, 7), np.linspace(0, 10, 3)), -1).reshape(21, 2)
    assert boxes_meet(square, square + np.array([10.9, 0]))
    assert not boxes_meet(square, square + np.array([11.1, 0]))
    assert not boxes_meet(square, square + np.array([0, 20]))


def test_the_units_of_a_study_of_meetings_are_its_own_and_what_does_not_fit_is_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    usual = TwoStageStudy(n=1)
    assert usual.identity() != replace(usual, poses="meeting").identity()
    with pytest.raises(UsageError, match="--poses is crossed"):
        TwoStageStudy(poses="crossed")
    with pytest.raises(UsageError, match="means nothing to --data"):
        TwoStageStudy(poses="meeting", data=tmp_path)
