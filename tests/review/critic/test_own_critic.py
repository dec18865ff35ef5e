"""A user's judge in the critic's place: the least that it may return suffices, and all of it is checked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from handwright.plug_ins import PlugIn, PlugInError
from handwright.refine.acceptance import CriticScore
from handwright.refine.pose_hypotheses import other_hypotheses
from handwright.refine.settings import RefineSettings
from handwright.review.checklist import CHECKS, Check
from handwright.review.critic.fusion import fuse_prediction
from handwright.review.critic.own_critic import OwnCritic
from handwright.review.critic.prediction import CriticPrediction
from handwright.review.critic.upright_crops import OrientedSquare
from tests.drawn import flat_hand, shoot
from tests.refine.conftest import task_of

SHOT = shoot(flat_hand(curl=0.15))
SQUARE = OrientedSquare.of(SHOT.landmarks_px)
PASSED: dict[Any, Check] = {name: Check("pass", 1.0, "Sound.") for name in CHECKS}


def judged(*returned: Any) -> list[CriticPrediction]:
    critic = OwnCritic(PlugIn("critic", SimpleNamespace(judge=lambda pixels, regions: list(returned))))
    return critic.judge(SHOT.pixels, [SQUARE] * max(len(returned), 1))


def verdicts(prediction: CriticPrediction) -> dict[str, str]:
    checks = fuse_prediction(PASSED, prediction, ())
    return {name: check.verdict for name, check in checks.items() if check.verdict != "pass"}


def test_a_probability_alone_decides():
    (sound,) = judged(CriticPrediction(malformed=0.1))
    assert verdicts(sound) == {} and not sound.is_malformed
    (doubtful,) = judged(CriticPrediction(malformed=0.4))
    assert set(verdicts(doubtful).values()) == {"cannot tell"}
    (wrong,) = judged(CriticPrediction(malformed=0.8, reason="Six fingers."))
    assert verdicts(wrong)["joint_bending"] == "fail"
    assert fuse_prediction(PASSED, wrong, ())["joint_bending"].reason == "Six fingers."
    score = CriticScore.of(wrong)
    assert score is not None and score.failed and not score.clear


def test_a_named_defect_fails_its_own_check_with_the_judges_reason():
    (wrong,) = judged(CriticPrediction(malformed=0.9, defects={"extra": 0.8}, reason="There are six."))
    check = fuse_prediction(PASSED, wrong, ())["finger_count"]
    assert (check.verdict, check.reason) == ("fail", "There are six.")
    assert verdicts(wrong)["finger_count"] == "fail"


def test_its_own_thresholds_count():
    (lenient,) = judged(CriticPrediction(malformed=0.8, thresholds={"malformed": 0.9}))
    assert not lenient.is_malformed
    (strict,) = judged(CriticPrediction(malformed=0.2, thresholds={"malformed": 0.15}))
    assert strict.is_malformed


def test_only_a_threshold_lets_it_decide_where_no_detector_found_a_hand():
    (silent,) = judged(CriticPrediction(malformed=0.1))
    assert silent.is_hand and not silent.is_hand_without_detection
    (sure,) = judged(CriticPrediction(malformed=0.1, hand=0.9, thresholds={"sure_hand": 0.8}))
    assert sure.is_hand_without_detection


def test_without_landmarks_there_is_no_pose_hypothesis_of_it():
    (wrong,) = judged(CriticPrediction(malformed=0.9, defects={"extra": 0.9}))
    names = [
        one.pose_hypothesis
        for one in other_hypotheses(SHOT.pixels, task_of(SHOT, RefineSettings()), None, wrong)
    ]
    assert "as a left hand" in names and "as the network predicts it" not in names


def test_no_hand_no_call():
    critic = OwnCritic(PlugIn("critic", SimpleNamespace(judge=lambda pixels, regions: 1 / 0)))
    assert critic.judge(SHOT.pixels, []) == []


WORD: Any = "high"


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        ([], "returned 0 predictions for 1 hands"),
        ([None], "returned a list with a NoneType"),
        ([CriticPrediction(malformed=1.5)], "returned malformed = 1.5"),
        ([CriticPrediction(malformed=float("nan"))], "returned malformed = nan"),
        ([CriticPrediction(malformed=WORD)], "returned malformed = 'high'"),
        ([CriticPrediction(malformed=0.5, defects={"tentacle": 0.5})], "returned a defect 'tentacle'"),
        ([CriticPrediction(malformed=0.5, defects={"extra": -1})], "returned extra = -1"),
        ([CriticPrediction(malformed=0.5, poses={"dab": 0.9})], "returned a pose 'dab'"),
        ([CriticPrediction(malformed=0.5, landmarks_px=np.zeros((20, 2)))], "landmarks_px of shape [20, 2]"),
    ],
)
def test_what_is_no_prediction_is_refused_in_one_line(returned: Any, what: Any):
    with pytest.raises(PlugInError) as refused:
        judged(*returned)
    assert what in str(refused.value) and "\n" not in str(refused.value)
