from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.hand.depth import depth_control
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.perception.analysis import analyse_hand
from handwright.progress import Stopwatch
from handwright.refine import attempt as module
from handwright.refine import painting
from handwright.refine.attempt import PARAMS, attempt_hand
from handwright.refine.candidates import RefineContext
from handwright.refine.hand_task import Underlay, plan_hand
from handwright.refine.painters import DrawPainter, PaintResult
from handwright.refine.redetection import Redetection
from handwright.refine.scene import Scene
from handwright.refine.settings import RefineSettings
from handwright.review.judge import Judge
from handwright.types import Image
from tests.refine.conftest import observations_of_two, reviewed, task_of
from tests.review.predictions import prediction


class Recorder:
    """A painter that paints what it may in one colour and remembers its jobs."""

    together, side_by_side = False, True

    def __init__(self, *, nothing: bool = False, bare: bool = False, varied: bool = False):
        self.jobs, self.nothing, self.bare, self.varied = [], nothing, bare, varied

    def paint(self, job):
        self.jobs.append(job)
        inside = job.repair_mask & (not self.nothing)
        colour = np.full(job.crop.shape, job.seed % 251, np.uint8)
        return PaintResult(colour, inside.astype(np.float32), toned=True, strength=None if self.bare else 0.5)


def attempt(shot, painter, settings=None, reviews=None, **changes):
    settings = settings or RefineSettings()
    task = task_of(shot, settings, **changes)
    scene = Scene((task,), depth_control([task.fit.hand], *shot.pixels.shape[:2]))
    return attempt_hand(
        shot.pixels,
        task,
        scene,
        RefineContext(
            painter=painter,
            settings=settings,
            judge=Judge(None),
            watch=Stopwatch(),
            reviews=reviews or {},
        ),
    )


def test_a_painter_gets_the_crop_the_hand_and_its_seed(one, models):
    painter = Recorder()
    result = attempt(one, painter, RefineSettings(seed=3, candidates=2))
    assert [job.seed for job in painter.jobs] == [3, 4]
    job = painter.jobs[0]
    x0, y0, x1, y1 = job.window
    assert np.array_equal(job.crop, one.pixels[y0:y1, x0:x1])
    assert job.control.shape == one.pixels.shape[:2]
    assert job.repair_mask.shape == job.crop.shape[:2]
    assert job.tasks[0].landmarks_px == pytest.approx(one.landmarks_px - (x0, y0))
    assert not job.others[0].any()
    assert result.winner is result.candidates[result.picked]
    assert result.winner.strength == 0.5


def test_the_picture_itself_is_never_written_to(one, models):
    before = one.pixels.copy()
    attempt(one, Recorder())
    assert np.array_equal(one.pixels, before)


def test_the_untouched_picture_gives_the_floor(one, models):
    models.again = lambda wanted, pixels: None if pixels is one.pixels else wanted
    scores = attempt(one, Recorder()).candidates[0].scores
    assert (scores["found_before"], scores["joint_error_before"]) == (0.0, 1.0)
    assert scores["found_again"] == 1.0
    assert 0 < scores["painted_share"] < 1


def test_a_candidate_that_painted_nothing_is_not_accepted(one, models):
    result = attempt(one, Recorder(nothing=True))
    assert not result.candidates[0].accepted
    assert result.winner is None


def test_an_unconfirmed_hand_is_read_in_other_ways(one, models):
    models.again = lambda wanted, pixels: wanted if wanted.side == "left" else None
    painter = Recorder()
    result = attempt(one, painter)
    assert len(result.candidates) >= 2
    assert result.task.observation.side == "left"
    assert result.winner.scores["joint_error"] < PARAMS.max_joint_error
    job = painter.jobs[result.picked]
    assert job.tasks[0].fit.hand is result.task.fit.hand
    assert np.array_equal(job.control, depth_control([result.task.fit.hand], *one.pixels.shape[:2]).depth)
    assert not np.array_equal(job.control, painter.jobs[0].control)


@pytest.mark.parametrize("redetected", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_only_what_is_named_and_no_other_reading_mends_is_read_by_its_palm_alone(
    one, models, redetected, named
):
    models.again = lambda wanted, pixels: wanted if wanted.side == "left" and redetected else None
    settings = RefineSettings(all_hands=named)
    made = attempt(one, Recorder(), settings).candidates
    hypotheses = [candidate.pose_hypothesis for candidate in made]
    if redetected or not named:
        assert hypotheses[-1] == "as a left hand"
        assert "by its palm alone" not in hypotheses
    else:
        assert hypotheses[-1] == "by its palm alone"


def test_a_painter_whose_seeds_give_other_hands_paints_the_first_pose_again_before_any_other(one, models):
    models.again = lambda wanted, pixels: None
    painter = Recorder(varied=True)
    made = attempt(one, painter, RefineSettings(seed=7)).candidates
    assert [(job.seed, c.pose_hypothesis) for job, c in zip(painter.jobs, made, strict=True)][:4] == [
        (7, "as found"),
        (8, "as found"),
        (9, "as found"),
        (7, "as a left hand"),
    ]
    named = attempt(one, Recorder(varied=True), RefineSettings(seed=7, candidates=5)).candidates
    assert [c.pose_hypothesis for c in named][:6] == ["as found"] * 5 + ["as a left hand"]


def test_paintings_of_the_first_pose_end_with_the_first_that_is_accepted(one, models):
    painter = Recorder(varied=True)
    models.again = lambda wanted, pixels: wanted if len(painter.jobs) == 2 else None
    result = attempt(one, painter)
    assert (len(painter.jobs), result.picked) == (2, 1)


def test_strengths_take_turns_in_the_paintings_of_the_first_pose():
    settings = RefineSettings(painter="diffuse", seed=4, candidates=1)
    strength = settings.tries[0][1]
    assert settings.first_tries(3) == ((4, strength), (4, 1.0), (5, strength))


def test_a_hand_whose_side_is_plain_is_never_painted_as_the_other(one, models):
    models.again = lambda wanted, pixels: wanted if wanted.side == "left" else None
    plain = reviewed(1, one.observation(), "fail")
    made = attempt(one, Recorder(), reviews={1: plain})
    assert "as a left hand" not in [candidate.pose_hypothesis for candidate in made.candidates]
    assert made.winner is None
    wrong_arm = reviewed(1, one.observation(), "fail", arm="left")
    made = attempt(one, Recorder(), reviews={1: wrong_arm})
    assert made.winner.pose_hypothesis == "as a left hand"


def test_the_other_side_is_tried_only_where_nothing_of_the_detected_one_is_accepted(one, models, monkeypatch):
    task = task_of(one, RefineSettings())
    nearer = replace(task, pose_hypothesis="nearer")
    other_side = replace(task.observation, side="left")
    mirrored = replace(task, observation=other_side, pose_hypothesis="mirrored")
    monkeypatch.setattr(module, "other_hypotheses", lambda *_: [mirrored, nearer])
    painter = Recorder()
    models.again = lambda wanted, pixels: wanted if len(painter.jobs) == 2 else None
    made = attempt(one, painter).candidates
    assert [candidate.pose_hypothesis for candidate in made] == ["as found", "nearer"]
    models.again, painter.jobs = lambda wanted, pixels: None, []
    made = attempt(one, painter).candidates
    assert [c.pose_hypothesis for c in made] == ["as found", "nearer", "mirrored"]


def test_a_confirmed_hand_is_not_read_in_other_ways(one, models):
    assert len(attempt(one, Recorder()).candidates) == 1


def test_the_painted_hand_is_looked_for_where_it_was_painted(one, models):
    result = attempt(one, Recorder())
    assert np.array_equal(models.redetections[0].landmarks_px, one.landmarks_px)
    assert np.array_equal(models.redetections[1].landmarks_px, result.task.fit.landmarks_px)


def test_another_hand_in_front_may_not_be_painted_over(two, models):
    settings, image = RefineSettings(), Image(two.pixels)
    near = observations_of_two(two)[1]
    overlapping = replace(near, landmarks_px=near.landmarks_px - (120, 0))
    seen = [two.observation(), overlapping]
    tasks = [plan_hand(k + 1, image, analyse_hand(image, o), settings) for k, o in enumerate(seen)]
    front = replace(tasks[1], region=replace(tasks[1].region, inside=np.ones_like(tasks[1].region.inside)))
    hands = [tasks[0].fit.hand, front.fit.hand]
    depth = depth_control(hands, *two.pixels.shape[:2])
    painter = Recorder()
    scene = Scene((tasks[0], front), depth)
    attempt_hand(
        two.pixels,
        tasks[0],
        scene,
        RefineContext(painter=painter, settings=settings, judge=Judge(None), watch=Stopwatch()),
    )
    job = painter.jobs[0]
    (others,) = job.others
    assert others.any()
    assert not (others & job.repair_mask).any()
    x0, y0, x1, y1 = job.window
    mine = depth.hand_id[y0:y1, x0:x1] == 0
    assert not (others & mine).any()


class Weighed(Recorder):
    """A painter with strengths, whose jobs' strengths decide the redetection."""

    def paint(self, job):
        return replace(super().paint(job), strength=job.strength)


def test_adaptive_is_one_candidate_that_tells_what_it_tried(one, models, monkeypatch):
    errors = {1.0: 0.04, 0.4: 1.0, 0.5: 0.03}
    painter = Weighed()

    def redetect(*_):
        strength = painter.jobs[-1].strength if painter.jobs else None
        return Redetection(analyse_hand(Image(one.pixels), one.observation()), errors.get(strength, 0.02))

    monkeypatch.setattr(painting, "measure_redetection", redetect)
    diffusion = DiffusionSettings(strength="adaptive")
    settings = RefineSettings(painter="diffuse", diffusion=diffusion, hands=())
    result = attempt(one, painter, settings)
    assert [job.strength for job in painter.jobs] == [1.0, 0.4, 0.5]
    (candidate,) = result.candidates
    assert candidate.strength == 0.5
    assert candidate.scores["joint_error"] == 0.03
    assert [one.strength for one in candidate.strength_choice.tried] == [1.0, 0.4, 0.5]
    assert candidate.strength_choice.tried[candidate.strength_choice.won].strength == 0.5


def test_a_painter_without_strengths_has_none_to_explain(one, models):
    assert attempt(one, Recorder(bare=True)).candidates[0].strength_choice is None


def test_a_hand_that_had_come_off_is_joined_to_its_arm_before_anything_else_counts(one, models, monkeypatch):
    task = task_of(one, RefineSettings())
    under = Underlay(task.cut(one.pixels), task.repair_mask)
    joined = replace(task, underlay=under, pose_hypothesis="with its arm joined to it")
    monkeypatch.setattr(module, "other_hypotheses", lambda *_: [joined])
    monkeypatch.setattr(module, "_doubtful", lambda made: True)
    models.again = lambda wanted, pixels: replace(
        wanted, landmarks_px=wanted.landmarks_px + (0 if len(models.redetections) < 3 else 0.02 * one.hand_px)
    )
    result = attempt(one, Recorder())
    assert [candidate.pose_hypothesis for candidate in result.candidates] == [
        "as found",
        joined.pose_hypothesis,
    ]
    errors = [candidate.scores["joint_error"] for candidate in result.candidates]
    assert all(candidate.accepted for candidate in result.candidates)
    assert errors[0] < errors[1]
    assert result.picked == 1


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        (prediction(0.7, {"detached": 0.9}), True),
        (prediction(0.3, {"detached": 0.9}), False),
        (prediction(0.7, {"melted": 0.9}), False),
        (prediction(0.7, {"detached": 0.9}, assessable=0.1), False),
    ],
)
def test_what_the_critic_takes_for_a_hand_off_its_arm_is_joined_though_a_painting_of_it_was_accepted(
    words, joined
):
    assert module._off_its_arm(words) == joined
    assert not module._off_its_arm(None)


@pytest.mark.parametrize("joined", [True, False])
def test_only_a_hand_whose_arm_is_the_picture_s_own_is_drawn_to_meet_it(one, monkeypatch, joined):
    from handwright.drawing import painter as drawing

    task, aligned, draw = task_of(one, RefineSettings()), [], drawing.draw_hand
    if joined:
        task = replace(task, underlay=Underlay(task.cut(one.pixels), task.repair_mask))
    monkeypatch.setattr(
        drawing, "draw_hand", lambda *a, **k: aligned.append(k["align_to_arm"]) or draw(*a, **k)
    )
    depth = depth_control([task.fit.hand], *one.pixels.shape[:2])
    DrawPainter().paint(Scene((task,), depth).job(one.pixels, [task], depth, 0))
    assert aligned == [not joined]
