"""The critic without torch: what the trained network says, and its word beside that of geometry."""

from __future__ import annotations

import json

import numpy as np
import pytest

from handwright.errors import MissingModelError
from handwright.review.checklist import CHECKS, Check
from handwright.review.critic import COUNT_DEFECTS, SHAPE_DEFECTS, CriticSays, open_critic
from handwright.review.critic_runner import crop_around, forward, read_safetensors
from handwright.review.opinion import with_opinion, without_opinion
from tests.drawn import flat_hand
from tests.review.drawn import grainy, seen


def says(**changes):
    names = (*COUNT_DEFECTS, *SHAPE_DEFECTS)
    sound = {
        "malformed": 0.02,
        "defects": dict.fromkeys(names, 0.01),
        "where_px": dict.fromkeys(names, (10.0, 20.0)),
        "limits": dict.fromkeys((*names, "malformed"), 0.5),
        "fingers": {3: 0.0, 4: 0.01, 5: 0.98, 6: 0.01, 7: 0.0},
        "landmarks_px": np.zeros((21, 2)),
        "visible": np.ones(21),
        "right": 0.99,
        "poses": {},
        "gloved": 0.01,
        "assessable": 0.99,
    }
    return CriticSays(**{**sound, **changes})


def checks(verdict="pass"):
    return dict.fromkeys(CHECKS, Check(verdict, 0.8 if verdict == "pass" else 0.0, "By geometry."))


def test_no_weights_no_critic_and_half_of_them_an_error(tmp_path):
    assert open_critic(tmp_path / "nowhere") is None
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MissingModelError, match="does not load"):
        open_critic(tmp_path)


def test_the_runner_says_what_the_network_says(tmp_path):
    torch = pytest.importorskip("torch")
    from handwright.training.critic_network import CriticConfig, CriticNetwork, save_critic

    torch.manual_seed(4)
    config = CriticConfig("t", ("extra", "missing", "melted"), ("open", "fist"), 64, (8, 16, 24, 32), 2, 16)
    network = CriticNetwork(config).eval()
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.05 * torch.randn_like(value))
    save_critic(network, tmp_path)
    crop = np.random.default_rng(0).uniform(-1, 1, (3, 64, 64)).astype(np.float32)
    ours = forward(read_safetensors((tmp_path / "model.safetensors").read_bytes()), crop)
    with torch.no_grad():
        theirs = network(torch.from_numpy(crop)[None])
    for name, value in theirs._asdict().items():
        np.testing.assert_allclose(ours[name], value[0].numpy(), atol=2e-4, rtol=1e-3, err_msg=name)
    (tmp_path / "limits.json").write_text(json.dumps({"extra": 0.5, "missing": 0.5, "melted": 0.5}))
    shot = grainy()
    told = open_critic(tmp_path).judge(shot.pixels, seen(shot.hand))
    assert set(told.defects) == {"extra", "missing", "melted"}
    assert sum(told.poses.values()) == pytest.approx(1, abs=1e-5)


def test_a_crop_lies_in_the_picture_and_its_way_back_is_exact():
    shot = grainy()
    crop, back = crop_around(shot.pixels, seen(flat_hand()), 64)
    assert crop.shape == (64, 64, 3)
    corners = back(np.array([[0.0, 0.0], [64.0, 64.0]]))
    assert (corners >= 0).all()
    assert (corners <= shot.pixels.shape[0]).all()


def heard(before, critic, settled=()):
    return with_opinion(before, critic, seen(flat_hand()), settled)


def test_without_a_critic_what_landmarks_let_pass_is_not_passed_and_what_they_fail_stays_failed():
    alone = without_opinion(checks())
    assert {name: check.verdict for name, check in alone.items()} == {
        "finger_count": "cannot tell",
        "joint_bending": "cannot tell",
        "left_right": "pass",
        "grasp": "pass",
    }
    assert "no critic" in alone["finger_count"].reason
    assert without_opinion(checks("fail"))["finger_count"].verdict == "fail"


def test_a_critic_fails_what_geometry_passed_and_says_where():
    said = heard(checks(), says(defects={**says().defects, "extra": 0.9}))
    assert said["finger_count"].verdict == "fail"
    assert said["finger_count"].where.points_px == ((10.0, 20.0),)
    assert said["joint_bending"].verdict == "pass"


def test_a_critic_that_sees_nothing_wrong_lets_pass_what_geometry_could_not_tell():
    assert heard(checks("cannot tell"), says())["joint_bending"].verdict == "pass"
    doubtful = says(defects={**says().defects, "sideways": 0.4})
    assert heard(checks(), doubtful)["joint_bending"].verdict == "cannot tell"
    assert heard(checks("fail"), says())["joint_bending"].verdict == "fail"


def test_what_cannot_be_judged_stays_so_whatever_the_critic_says():
    wrong = says(defects={**says().defects, "extra": 0.9})
    for critic in (wrong, says()):
        assert heard(checks("cannot tell"), critic, CHECKS)["finger_count"].verdict == "cannot tell"


def test_gloves_and_what_the_critic_cannot_judge_cannot_be_told():
    for unclear in (says(gloved=0.9), says(assessable=0.1)):
        assert heard(checks(), unclear)["finger_count"].verdict == "cannot tell"


def test_two_eyes_that_disagree_on_the_side_cannot_tell():
    assert heard(checks(), says(right=0.02))["left_right"].verdict == "cannot tell"
    assert heard(checks(), says(right=0.98))["left_right"].verdict == "pass"
