"""What each node returns for real tensors: types, shapes, batches; nothing outside a mask changes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from handwright.apps.comfyui import depth_mask, draw, pose, review, sample, squares
from handwright.errors import HandsFileError, InvalidValueError, MissingPackageError, UsageError
from tests.apps.comfyui.conftest import SmallVAE, image_of


@pytest.fixture
def batch(known, one) -> torch.Tensor:
    """Two pictures of one hand, the second noisy beyond 8 bits."""
    known.found.append(one.observation())
    image = image_of(one.pixels, one.pixels)
    image[1] = (
        image[1] + 0.001 * torch.rand(image[1].shape, generator=torch.Generator().manual_seed(0))
    ).clip(0, 1)
    return image


def untouched(image: torch.Tensor, result: torch.Tensor, mask: torch.Tensor) -> bool:
    outside = mask < 0.5
    return torch.equal(image[outside], result[outside])


def test_a_review_has_a_line_a_hand_and_masks_what_failed(batch):
    verdicts, text, mask, report = review.run(batch)
    assert verdicts.splitlines()[0] == "image 1: fail" and verdicts.count("hand 1 (right): fail") == 2
    document = json.loads(text)
    assert document["schema"] == "handwright/review-1" and document["summary"]["fail"] == 2
    assert mask.shape == batch.shape[:3] and mask.dtype == torch.float32 and 0 < mask.mean() < 1
    assert report.shape == batch.shape and not torch.equal(report, batch)


def test_pictures_of_generators_are_reviewed_as_such(batch):
    verdicts, text, mask, _ = review.run(batch, generated=True)
    assert "unsure" in verdicts and json.loads(text)["generated"] is True
    assert mask.max() == 0, "'cannot tell' is no failure"
    assert "generated" not in json.loads(review.run(batch)[1])


def test_depth_and_mask_come_in_the_sizes_of_the_meshgraphormer_node(batch):
    depth, mask, text = depth_mask.run(batch, resolution=144, mask_expand=0)
    assert depth.shape == (2, 144, 144, 3) and depth.max() > 0.99 and depth.min() == 0.0
    assert mask.shape == batch.shape[:3] and set(mask.unique().tolist()) == {0.0, 1.0}
    assert text.count("handwright/hands-1") == 2


@pytest.mark.parametrize("kind", depth_mask.MASK_KINDS)
def test_every_kind_of_mask_grows_by_expansion(batch, kind):
    small, large = (depth_mask.run(batch[:1], mask_type=kind, mask_expand=k)[1] for k in (0, 6))
    assert 0 < small.sum() < large.sum() and bool((large >= small).all())


def test_edited_hands_come_back_in(batch, known):
    depth, _, text = depth_mask.run(batch[:1], resolution=0)
    known.found.clear()
    again, _, _ = depth_mask.run(batch[:1], resolution=0, hands=text)
    assert torch.equal(depth, again)


def test_a_box_is_searched_instead_of_the_picture(batch, known, one):
    known.found.clear()
    known.boxes.append(one.observation())
    depth, _, _ = depth_mask.run(batch[:1], boxes="10, 10, 280, 280\n")
    assert depth.max() == 1.0


def test_no_hand_gives_black_controls(known, one):
    depth, mask, _ = depth_mask.run(image_of(one.pixels))
    assert depth.sum() == 0 and mask.sum() == 0


def test_drawing_changes_nothing_outside_its_mask(batch):
    result, mask, report, depth = draw.run(batch, which="all", seed=3)
    assert result.shape == batch.shape and depth.shape == batch.shape and mask.shape == batch.shape[:3]
    assert "hand 1 (right): refined" in report
    assert mask.sum() > 0 and untouched(batch, result, mask) and not torch.equal(batch, result)


def test_alpha_survives(batch):
    opacity = torch.rand(*batch.shape[:3], 1, generator=torch.Generator().manual_seed(1))
    result = draw.run(torch.cat([batch, opacity], 3), which="all")[0]
    assert torch.equal(result[..., 3:], opacity)


def test_a_given_mask_bounds_the_repaint(batch):
    given = torch.zeros(1, *batch.shape[1:3])
    given[:, :150] = 1
    _, mask, _, _ = draw.run(batch, mask=given)
    assert mask.sum() > 0 and bool((mask <= given).all())


def models_of_comfyui() -> dict[str, object]:
    return {"model": "MODEL", "vae": SmallVAE(), "control_net": "CN", "positive": "P", "negative": "N"}


def test_the_sampler_paints_crops_by_depth_and_nothing_else_changes(batch, comfy):
    result, mask, report, _ = sample.run(
        batch, **models_of_comfyui(), which="all", steps=4, cfg=3.0, resolution=128, control_strength=0.7
    )
    assert "refined" in report and mask.sum() > 0 and untouched(batch, result, mask)
    control, strength, start, end = comfy.control[0]
    assert (
        control.shape == (1, 128, 128, 3)
        and control.max() > 0.99
        and (strength, start, end) == (0.7, 0.0, 1.0)
    )
    first = ("MODEL", 0, 4, 3.0, "euler", "normal", "P+control", "N+control", 1.0)
    assert comfy.samples[0] == first and len(comfy.samples) >= 2


def test_a_lower_denoise_changes_the_drawn_hand(batch, comfy):
    sample.run(batch[:1], **models_of_comfyui(), which="all", denoise=0.4, resolution=128)
    assert comfy.samples[0][-1] == 0.4


def test_what_was_rejected_is_shown_only_on_demand(batch, comfy, known):
    known.after = lambda number, pixels: "fail"
    kept = sample.run(batch[:1], **models_of_comfyui(), which="all", resolution=128)
    shown = sample.run(batch[:1], **models_of_comfyui(), which="all", resolution=128, take="always")
    assert torch.equal(kept[0], batch[:1]) and kept[1].sum() == 0
    assert shown[1].sum() > 0 and untouched(batch[:1], shown[0], shown[1])


def test_outside_of_comfyui_the_sampler_says_so(batch):
    with pytest.raises(MissingPackageError, match="this needs ComfyUI"):
        sample.run(batch[:1], **models_of_comfyui(), which="all", resolution=128)


def test_a_pose_travels_from_photograph_to_picture(batch, known):
    hand, text, shown = pose.run(batch)
    assert json.loads(text)["hands"] and shown.shape == (1, *batch.shape[1:])
    result, _, _, _ = draw.run(batch[:1], hand_pose=hand)
    assert result.shape == batch[:1].shape
    with pytest.raises(HandsFileError, match="no left hand was found"):
        pose.run(batch, side="left")


def test_crops_go_out_and_come_back(known, two):
    from tests.refine.conftest import observations_of_two

    known.found.extend(observations_of_two(two))
    image = image_of(two.pixels, two.pixels)
    crops, mask, depth, stitch = squares.crop(image, resolution=96, which="all")
    assert crops.shape == depth.shape == (4, 96, 96, 3) and mask.shape == (4, 96, 96)
    painted = torch.ones(4, 64, 64, 3)
    result, changed = squares.uncrop(painted, stitch)
    assert changed.sum() > 0 and untouched(image, result, changed)
    assert (result[changed > 0.5] > 0.99).any()


def test_a_picture_without_hands_runs_on_and_comes_back_as_it_was(known, one):
    image = image_of(one.pixels)
    crops, mask, _, stitch = squares.crop(image, resolution=64)
    assert crops.shape == (1, 64, 64, 3) and mask.sum() == 0
    result, changed = squares.uncrop(1 - crops, stitch)
    assert torch.equal(result, image) and changed.sum() == 0


def test_lost_crops_are_refused(batch):
    stitch = squares.crop(batch, resolution=64)[-1]
    with pytest.raises(InvalidValueError, match="Hand Crop cut 2 squares"):
        squares.uncrop(torch.zeros(1, 64, 64, 3), stitch)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda image: draw.run(image[0]), InvalidValueError, "connect an IMAGE"),
        (lambda image: draw.run(np.zeros((1, 8, 8, 3))), InvalidValueError, "is a ndarray"),
        (lambda image: draw.run(image[..., :2]), InvalidValueError, "3 or 4 channels"),
        (lambda image: draw.run(image, mask=torch.ones(3, 8, 8)), InvalidValueError, "one MASK, or one each"),
        (lambda image: draw.run(image, mask=torch.ones(1, 8, 8)), HandsFileError, "the picture's size"),
        (lambda image: draw.run(image, boxes="1 2 3"), UsageError, "four numbers"),
        (lambda image: draw.run(image, hands="{"), HandsFileError, "is not JSON"),
        (lambda image: draw.run(image, hands="nowhere.json"), HandsFileError, "cannot be read"),
    ],
)
def test_wrong_inputs_have_one_clear_line(batch, call, error, words):
    with pytest.raises(error, match=words) as raised:
        call(batch)
    assert "\n" not in str(raised.value)
