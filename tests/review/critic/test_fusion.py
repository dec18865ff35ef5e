"""The critic's prediction beside the checks by geometry: each threshold decides on either side of itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handwright.hand.defects import Defect
from handwright.review.checklist import CHECKS, Check
from handwright.review.critic.fusion import PARAMS, fuse_prediction
from tests.review.predictions import prediction


def fused(predicted, grasp="pass"):
    checks = {name: Check("pass", 0.6, "Sound.", value={}) for name in CHECKS}
    checks["grasp"] = Check(grasp, 0.0, "Open.", value={})
    return fuse_prediction(checks, predicted, ())


@pytest.mark.parametrize(("more", "verdict"), [(-0.01, "cannot tell"), (0.01, "pass")])
def test_a_pose_is_named_from_a_certainty_on(more, verdict):
    predicted = replace(prediction(), poses={"open": 0.1, "fist": PARAMS.min_pose + more})
    assert fused(predicted, grasp="cannot tell")["grasp"].verdict == verdict


@pytest.mark.parametrize(("more", "counted"), [(-0.01, None), (0.01, 4)])
def test_a_number_of_fingers_is_reported_from_a_certainty_on(more, counted):
    sure = PARAMS.min_count + more
    predicted = replace(prediction(), fingers={4: sure, 5: 1 - sure})
    assert fused(predicted)["finger_count"].value.get("counted") == counted


@pytest.mark.parametrize(("more", "named"), [(-0.01, True), (0.01, False)])
def test_the_missing_finger_is_named_where_it_is_surely_absent(more, named):
    predicted = prediction(malformed=0.9, defects={Defect.MISSING: 0.9})
    present = {"thumb": 0.99, "ring": 1 - PARAMS.min_count + more}
    check = fused(replace(predicted, present=present))["finger_count"]
    assert check.verdict == "fail"
    assert ("ring" in check.reason) == named


@pytest.mark.parametrize(("more", "verdict"), [(-0.01, "pass"), (0.01, "cannot tell")])
def test_a_hand_passes_while_its_scores_are_well_below_their_thresholds(more, verdict):
    score = 0.5 * (PARAMS.max_clear_ratio + more)
    check = fused(prediction(defects={Defect.EXTRA: score}, threshold=0.5))["finger_count"]
    assert check.verdict == verdict
