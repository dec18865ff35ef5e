"""What both stages ask of their ControlNets from noise, and from a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image as PILImage
from scipy.ndimage import distance_transform_edt

from handwright.diffusion.free_painting import noise_source
from handwright.diffusion.latents import decode, encode, picture_array, picture_tensor
from handwright.diffusion.loading.controlnets import Traits
from handwright.diffusion.refiner_pipeline import HandRefinerPipelineOutput
from handwright.two_stage.baselines import pose_alone
from handwright.two_stage.body_stage import AGAIN_LEVEL
from handwright.two_stage.canvas import RING, hand_surroundings
from handwright.two_stage.engine import fit_hands
from handwright.two_stage.hand_crops import hand_crops
from handwright.two_stage.hand_stage import HandStage
from handwright.two_stage.pipeline import TwoStagePipeline
from handwright.two_stage.pose_completion import complete_pose
from tests.two_stage.poses import hands_mask
from tests.two_stage.test_pipeline import HEIGHT, WIDTH, pose, two_hands

SCALE, GUIDANCE = "controlnet_conditioning_scale", "control_guidance"


@pytest.fixture(scope="module")
def embedded() -> TwoStagePipeline:
    return TwoStagePipeline.from_pretrained("tiny", dtype="float32")


class Painter:
    """Stands for a pipeline: notes what it is asked for and gives a grey picture, lighter each time."""

    def __init__(self, real: Any, traits: Traits) -> None:
        self.pipe, self.preset, self.traits, self.decode = real.pipe, real.preset, traits, real.decode
        self.asked: list[Mapping[str, Any]] = []

    def __call__(
        self, prompt: str, picture: PILImage.Image, mask: PILImage.Image, *_: Any, **given: Any
    ) -> Any:
        self.asked.append({**given, "picture": np.asarray(picture), "mask": np.asarray(mask)})
        tone = 80 + 10 * len(self.asked)  # 90 at first, then 100
        return HandRefinerPipelineOutput(images=[PILImage.new("RGB", picture.size, (tone,) * 3)])


def test_stage_one_follows_depth_in_full_and_unguided_from_noise_and_as_stored_from_a_picture(
    embedded: TwoStagePipeline,
) -> None:
    painter: Any = Painter(embedded.hands, Traits(strength=0.4, guidance=3.0))
    fits = fit_hands(complete_pose(two_hands(), 640, 480), 640, 480)
    crop, stage = hand_crops(fits, 256)[0], HandStage(painter)
    start = np.full((480, 640, 3), 120, np.uint8)
    stage.generate("a hand", crop, noise_source(0, 0))
    stage.generate("a hand", crop, noise_source(0, 0), start_image=start, strength=0.5)
    stage.generate("a hand", crop, noise_source(0, 0), **{SCALE: 0.7, GUIDANCE: 1.5})
    assert [(given.get(SCALE), given.get(GUIDANCE)) for given in painter.asked] == [
        (1.0, 1.0), (None, None), (0.7, 1.5)
    ]  # fmt: skip


def test_stage_two_takes_the_guidance_that_lies_beside_its_network(embedded: TwoStagePipeline) -> None:
    traits = embedded.body.traits
    assert (traits.guidance, traits.text_guidance, traits.text_steps, traits.strength) == (1, 1, 4, 1)
    painter: Any = Painter(embedded.body, Traits(strength=1.0, guidance=3.0))
    made = TwoStagePipeline(embedded.hands, painter)
    canvas = np.full((HEIGHT, WIDTH, 3), 127, np.uint8)
    completed, nothing = complete_pose(pose(), WIDTH, HEIGHT).pose, np.zeros((HEIGHT, WIDTH), np.bool_)
    pose_alone(made, "a woman", completed, WIDTH, HEIGHT)
    made.outpaint("a woman", canvas, nothing, completed, noise_source(0, 2), start_image=canvas, strength=0.5)
    pose_alone(TwoStagePipeline(embedded.hands, painter, False), "a woman", completed, WIDTH, HEIGHT)
    assert [(given[SCALE], given.get(GUIDANCE)) for given in painter.asked] == [
        (1.0, 3.0), (1.0, None), (1.0, None), (0.0, None), (0.0, None)
    ]  # fmt: skip


@pytest.mark.parametrize("size", [(480, 512), (240, 256), (1440, 1536)])
def test_what_comes_from_noise_is_painted_once_more_with_the_hands_in_it(
    embedded: TwoStagePipeline, size: tuple[int, int]
) -> None:
    painter: Any = Painter(embedded.body, Traits(strength=1.0, guidance=3.0))
    made = TwoStagePipeline(embedded.hands, painter)
    width, height = size
    completed = complete_pose(pose().scaled(0, 0, width / WIDTH), width, height)
    mask = hands_mask(completed, width, height)
    canvas = np.where(mask[..., None], np.uint8(200), np.uint8(127)) + np.zeros((height, width, 3), np.uint8)

    def painted(**given: Any) -> tuple[np.ndarray, list[Mapping[str, Any]]]:
        painter.asked.clear()
        noise = noise_source(0, 2)
        return made.outpaint("a woman", canvas, mask, completed.pose, noise, **given), list(painter.asked)

    image, (first, again) = painted()
    assert (first["start_image"], first["strength"], first[GUIDANCE]) == (None, 1.0, 3.0)
    assert first["picture"][0, 0].tolist() == [127, 127, 127]  # Around the hands: the canvas's grey
    assert (again["strength"], again.get(GUIDANCE)) == (AGAIN_LEVEL, None)
    assert again["start_image"] is not None
    assert again["picture"][0, 0].tolist() == [90, 90, 90]  # What was painted
    for asked in (first, again):
        assert (asked["picture"] > 190).any()
    near = hand_surroundings(mask) if height <= 256 else np.ones(mask.shape)
    if height <= 256:
        assert 0 < (near == 0).mean() < 0.9
        assert (image[near == 0] == 90).all()  # Far from the hands: as it was painted at first
    assert first["picture"].shape[0] == 256
    assert again["picture"].shape[0] == min(height, 512)  # At its own size, at most twice the network's
    beyond = distance_transform_edt(~mask) > RING * max(mask.shape) + 1
    assert (image[(near == 1) & beyond] == 100).all()
    assert np.abs(image[(near == 1) & ~mask].astype(int) - 100).mean() < 0.5  # Filled around the hands
    assert set(np.unique(image[mask])) >= {200}
    if height <= 256:
        assert first["mask"].mean() > again["mask"].mean() > 0  # Only what is near is painted again
    else:
        assert again["mask"].mean() == pytest.approx(first["mask"].mean(), abs=3)
    assert [asked["strength"] for asked in painted(again_level=0.3)[1]] == [1.0, 0.3]
    assert len(painted(again_level=0.0)[1]) == 1
    (begun,) = painted(start_image=np.full_like(canvas, 40), strength=0.4)[1]
    assert (begun["strength"], begun["picture"][0, 0].tolist()) == (0.4, [40, 40, 40])
    assert (begun["picture"] > 190).any()
    assert begun["picture"].shape == again["picture"].shape


class Lighter(Painter):
    """Gives what the codec makes of the picture, a tone lighter."""

    def __call__(self, prompt: str, picture: PILImage.Image, *_: Any, **given: Any) -> Any:
        vae, pixels = self.pipe.vae, picture_tensor(np.asarray(picture)[None])
        with torch.no_grad():
            coded = picture_array(decode(vae, encode(vae, pixels)))[0]
        return HandRefinerPipelineOutput(images=[PILImage.fromarray(np.rint(coded + 9).astype(np.uint8))])


def test_what_is_begun_with_a_picture_keeps_the_detail_that_the_network_cannot_carry(
    embedded: TwoStagePipeline,
) -> None:
    made = TwoStagePipeline(embedded.hands, Lighter(embedded.body, Traits(strength=1.0)))  # pyright: ignore[reportArgumentType]
    start = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    start[:, ::2] = 150  # Stripes of one pixel: half of the network's
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[100:200, 100:200] = True
    completed, canvas = complete_pose(pose(), WIDTH, HEIGHT).pose, np.full_like(start, 30)
    image = made.outpaint(
        "a woman", canvas, mask, completed, noise_source(0, 2), start_image=start, strength=0.5,
        alpha=mask.astype(np.float64),
    )  # fmt: skip
    assert (image[mask] == 30).all()
    beyond = ~cv2.dilate(mask.astype(np.uint8), np.ones((33, 33))).astype(bool)
    change = image[beyond].astype(int) - start[beyond]
    assert change.min() >= 8 and change.max() <= 10
