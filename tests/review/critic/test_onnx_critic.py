"""The critic without torch: what the trained network says, and its word beside that of geometry."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from handwright.errors import MissingModelError
from handwright.hand.defects import COUNT_DEFECTS, SHAPE_DEFECTS
from handwright.review.calibration.calibration import Calibration, Head
from handwright.review.checklist import CHECKS, Check
from handwright.review.checks.assessability import is_colourless
from handwright.review.critic.fusion import fuse_prediction, fuse_without_critic
from handwright.review.critic.onnx_critic import (
    OnnxCritic,
    augmented_views,
    critic_logits,
    mean_over_views,
    open_critic,
)
from handwright.review.critic.output_maps import PartMaps
from handwright.review.critic.prediction import CriticPrediction
from handwright.review.critic.upright_crops import (
    GREY,
    OrientedSquare,
    crop_transform,
    invert_affine,
    transform_points,
    upright_crop,
)
from tests.drawn import flat_hand
from tests.review.drawn import grainy, seen


def prediction(**changes):
    names = (*COUNT_DEFECTS, *SHAPE_DEFECTS)
    sound = {
        "malformed": 0.02,
        "defects": dict.fromkeys(names, 0.01),
        "where_px": dict.fromkeys(names, (10.0, 20.0)),
        "thresholds": dict.fromkeys((*names, "malformed"), 0.5),
        "fingers": {3: 0.0, 4: 0.01, 5: 0.98, 6: 0.01, 7: 0.0},
        "landmarks_px": np.zeros((21, 2)),
        "visible": np.ones(21),
        "right": 0.99,
        "poses": {},
        "gloved": 0.01,
        "assessable": 0.99,
    }
    return CriticPrediction(**{**sound, **changes})


def checks(verdict="pass"):
    return dict.fromkeys(CHECKS, Check(verdict, 0.8 if verdict == "pass" else 0.0, "By geometry."))


def small_critic(folder):
    """A random network of the critic's kind, and its folder as it ships."""
    torch = pytest.importorskip("torch")
    from handwright.training.networks.critic import CriticConfig, CriticNetwork
    from release_packaging import release_critic

    torch.manual_seed(4)
    config = CriticConfig(
        "t",
        ("extra", "missing", "melted"),
        ("open", "fist"),
        (4, 5, 6),
        ("other", "palm", "arm", "too much"),
        64,
        joined=16,
    )
    network = CriticNetwork(config).train()
    for part in network.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None  # the first pass decides alone, so that what a crop shows reaches the heads
    with torch.no_grad():
        network(torch.rand(8, 3, 64, 64) * 2 - 1)
    network.eval()
    heads = dict.fromkeys((*config.defects, "malformed", "right", "gloved", "assessable", "hand"), Head())
    calibration = Calibration(heads, {"fingers": 1.0, "poses": 2.0})
    release_critic(network, config, lambda ask: calibration, folder, "# card")
    return network


def test_no_weights_no_critic_and_half_of_them_an_error(tmp_path):
    assert open_critic(tmp_path / "nowhere") is None
    (tmp_path / "calibration.json").write_text("{}")
    with pytest.raises(MissingModelError, match="does not load"):
        open_critic(tmp_path)
    Calibration({}).save(tmp_path / "calibration.json")
    (tmp_path / "critic.onnx").write_bytes(b"no network" * 50)
    with pytest.raises(MissingModelError, match="does not load"):
        open_critic(tmp_path)


def test_the_runner_says_what_the_network_says(tmp_path):
    network = small_critic(tmp_path)
    import torch

    crops = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    ours = critic_logits(OnnxCritic.load(tmp_path).session, crops)
    with torch.no_grad():
        looks = augmented_views(crops).transpose(0, 3, 1, 2) / np.float32(127.5) - 1
        theirs = network(torch.from_numpy(looks))
    wanted = mean_over_views({name: value.numpy() for name, value in theirs._asdict().items()})
    for name, value in wanted.items():
        # half precision through sixteen blocks: 1 % of the heatmaps' spread
        assert np.sqrt(((ours[name] - value) ** 2).mean()) < 0.006, name
        np.testing.assert_allclose(ours[name], value, atol=0.03, rtol=5e-3, err_msg=name)


def test_a_calibration_that_lacks_a_head_is_said_to_when_the_critic_is_opened(tmp_path):
    small_critic(tmp_path)
    Calibration({"malformed": Head()}, {"fingers": 1.0}).save(tmp_path / "calibration.json")
    with pytest.raises(MissingModelError, match="lacks assessable, extra, gloved"):
        open_critic(tmp_path)


def test_each_region_gets_an_answer_of_its_own(tmp_path):
    small_critic(tmp_path)
    critic, shot = open_critic(tmp_path), grainy()
    region = OrientedSquare.of(seen(shot.hand).landmarks_px)
    away = replace(region, center_px=(5.0, 5.0))
    both = critic.judge(shot.pixels, [region, away])
    assert critic.judge(shot.pixels, []) == []
    (alone,) = critic.judge(shot.pixels, [away])
    assert both[1].malformed == pytest.approx(alone.malformed, abs=1e-5)
    assert both[0].malformed != pytest.approx(both[1].malformed, abs=1e-4)
    assert set(both[0].defects) == {"extra", "missing", "melted"}
    assert sum(both[0].poses.values()) == pytest.approx(1, abs=1e-6)
    assert set(both[0].fingers) == {4, 5, 6}


def test_a_crop_has_the_fingers_up_and_its_way_back_is_exact():
    points = seen(flat_hand()).landmarks_px
    region = OrientedSquare.of(points)
    way = crop_transform(region, 128, 1.5)
    wrist, knuckle = transform_points(way, points[[0, 9]])
    assert knuckle[0] == pytest.approx(wrist[0], abs=1e-6)
    assert knuckle[1] < wrist[1]
    np.testing.assert_allclose(
        transform_points(invert_affine(way), transform_points(way, points)), points, atol=1e-9
    )
    middle = np.array(region.center_px)
    np.testing.assert_allclose(transform_points(way, middle), [64, 64])
    assert np.linalg.norm(
        transform_points(way, middle + np.array([region.size_px, 0])) - 64
    ) == pytest.approx(128 / 1.5)


@pytest.mark.parametrize("factor", [1, 5])
def test_a_crop_shows_the_same_of_a_picture_and_of_the_same_picture_larger(factor):
    rng = np.random.default_rng(2)
    small = cv2.GaussianBlur(rng.integers(0, 256, (90, 120, 3)).astype(np.uint8), (0, 0), 4)
    picture = cv2.resize(small, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    region = OrientedSquare((60.0 * factor, 45.0 * factor), 50.0 * factor, 0.4)
    crop = upright_crop(picture, crop_transform(region, 48, 1.6), 48)
    wanted = upright_crop(small, crop_transform(OrientedSquare((60.0, 45.0), 50.0, 0.4), 48, 1.6), 48)
    assert np.abs(crop.astype(int) - wanted).mean() < 1.5


def test_beyond_the_border_a_crop_is_grey():
    white = np.full((40, 40, 3), 255, np.uint8)
    crop = upright_crop(white, crop_transform(OrientedSquare((0.0, 0.0), 30.0, -np.pi / 2), 32, 1.5), 32)
    assert (crop[:14, :14] == GREY).all()
    assert (crop[18:30, 18:30] == 255).all()


def heard(before, critic, settled=()):
    return fuse_prediction(before, critic, settled)


def test_without_a_critic_what_landmarks_let_pass_is_not_passed_and_what_they_fail_stays_failed():
    alone = fuse_without_critic(checks())
    assert {name: check.verdict for name, check in alone.items()} == {
        "finger_count": "cannot tell",
        "joint_bending": "cannot tell",
        "left_right": "pass",
        "grasp": "pass",
    }
    assert "not installed" in alone["finger_count"].reason
    assert fuse_without_critic(checks("fail"))["finger_count"].verdict == "fail"


def test_a_critic_fails_what_geometry_passed_and_says_where():
    said = heard(checks(), prediction(defects={**prediction().defects, "extra": 0.9}))
    assert said["finger_count"].verdict == "fail"
    assert said["finger_count"].where.points_px == ((10.0, 20.0),)
    assert said["joint_bending"].verdict == "pass"


def test_a_critic_that_sees_nothing_wrong_lets_pass_what_geometry_could_not_tell():
    assert heard(checks("cannot tell"), prediction())["joint_bending"].verdict == "pass"
    doubtful = prediction(defects={**prediction().defects, "sideways": 0.4})
    assert heard(checks(), doubtful)["finger_count"].verdict == "cannot tell"
    assert heard(checks(), doubtful)["joint_bending"].verdict == "cannot tell"
    assert heard(checks("fail"), prediction())["joint_bending"].verdict == "fail"


def test_what_cannot_be_judged_stays_so_whatever_the_critic_says():
    wrong = prediction(defects={**prediction().defects, "extra": 0.9})
    for critic in (wrong, prediction()):
        assert heard(checks("cannot tell"), critic, CHECKS)["finger_count"].verdict == "cannot tell"


def test_gloves_and_what_the_critic_cannot_judge_cannot_be_told():
    for unclear in (prediction(gloved=0.9), prediction(assessable=0.1)):
        assert heard(checks(), unclear)["finger_count"].verdict == "cannot tell"


def test_what_is_malformed_without_a_name_fails_by_its_likeliest_defect():
    vague = prediction(malformed=0.8, defects={**prediction().defects, "too_long": 0.2})
    said = heard(checks(), vague)
    assert said["joint_bending"].verdict == "fail"
    assert "too long" in said["joint_bending"].reason
    assert said["finger_count"].verdict == "pass"


@pytest.mark.parametrize(("cells", "verdict"), [(1, "pass"), (2, "cannot tell"), (4, "fail")])
def test_flesh_that_no_sound_hand_has_fails_the_count_by_itself(cells, verdict):
    hand, surplus = np.zeros((16, 16), np.float32), np.zeros((16, 16), np.float32)
    hand[4:14, 4:14] = 1
    surplus[4, 4 : 4 + cells] = 1
    odd = prediction(
        part_maps=PartMaps(hand, surplus, np.eye(3)[:2]),
        defects={**prediction().defects, "two_thumbs": 0.2},
        thresholds={**prediction().thresholds, "surplus": 0.03},
    )
    said = heard(checks(), odd)
    assert said["finger_count"].verdict == verdict
    assert odd.is_malformed == (verdict == "fail")
    assert said["joint_bending"].verdict != "fail"
    if verdict == "fail":
        assert "two thumbs" in said["finger_count"].reason
        assert said["finger_count"].confidence >= 0.9


@pytest.mark.parametrize("defect", ["melted", "too_long"])
def test_stone_is_not_called_malformed(defect):
    wrong = prediction(malformed=0.9, defects={**prediction().defects, defect: 0.9})
    pale, red = np.full((80, 80, 3), 150, np.uint8), np.full((80, 80, 3), (190, 140, 120), np.uint8)
    region = OrientedSquare((40.0, 40.0), 60.0, 0.0)
    heard = [
        fuse_prediction(checks(), wrong, (), is_colourless(pixels, region))["joint_bending"]
        for pixels in (pale, red)
    ]
    assert [check.verdict for check in heard] == ["cannot tell", "fail"]


def test_fingers_are_counted_where_the_critic_is_sure():
    assert heard(checks(), prediction(fingers={5: 0.1, 6: 0.9}))["finger_count"].value["counted"] == 6
    assert "counted" not in heard(checks(), prediction(fingers={5: 0.5, 6: 0.5}))["finger_count"].value


def test_a_sure_critic_names_the_grasp_that_landmarks_leave_open():
    assert (
        heard(checks("cannot tell"), prediction(poses={"fist": 0.9, "open": 0.1}))["grasp"].value["state"]
        == "fist"
    )
    assert (
        heard(checks("cannot tell"), prediction(poses={"fist": 0.6, "open": 0.4}))["grasp"].verdict
        == "cannot tell"
    )
    assert heard(checks(), prediction(poses={"fist": 0.9, "open": 0.1}))["grasp"].reason == "By geometry."


def test_a_missing_finger_is_named_where_that_is_plain():
    lost = prediction(
        defects={**prediction().defects, "missing": 0.9}, present={"thumb": 0.9, "ring": 0.05, "pinky": 0.8}
    )
    assert "ring finger is missing" in heard(checks(), lost)["finger_count"].reason
    vague = prediction(
        defects={**prediction().defects, "missing": 0.9}, present={"thumb": 0.9, "ring": 0.5, "pinky": 0.8}
    )
    assert "A finger is missing" in heard(checks(), vague)["finger_count"].reason


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"hand": 0.2}, "It may be no hand."),
        ({"gloved": 0.9}, "It wears a glove."),
        ({"assessable": 0.1}, "Too little of it is in view."),
    ],
)
def test_what_the_critic_cannot_judge_is_told_with_its_reason(told, reason):
    said = prediction(malformed=0.99, **told)
    said = replace(said, thresholds={**said.thresholds, "hand": 0.5})
    heard = fuse_prediction(checks(), said, ())
    assert {heard[name].verdict for name in ("finger_count", "joint_bending")} == {"cannot tell"}
    assert heard["finger_count"].reason == reason
