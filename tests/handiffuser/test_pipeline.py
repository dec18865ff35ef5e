"""HanDiffuser's pipeline on small random models of SD 1.5's and SDXL's layouts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from handwright.body import parameters_of_json, pose_body
from handwright.diffusion.loading.libraries import quiet
from handwright.errors import DiffusionError, UsageError
from handwright.handiffuser.pipeline import ENCODER, HanDiffuserPipeline, load_text_hand_encoder
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from tests.diffusion.families import write_sdxl
from tests.diffusion.models import write_sd
from tests.handiffuser.poses import records
from tests.handiffuser.test_text_to_hand import small_pipeline

LAYOUTS: dict[str, Callable[[Path], Path]] = {
    "sd15": lambda folder: write_sd(folder, 4, controlnet=False),
    "sd15-inpainting": lambda folder: write_sd(folder, 9),
    "sdxl": lambda folder: write_sdxl(folder, 4),
}
STEPS: dict[str, Any] = {"num_inference_steps": 3, "guidance_scale": 2.0}


def person(number: int = 0) -> Any:
    return parameters_of_json(records()[number]["body"])


def with_encoder(layout: str, place: Path) -> Path:
    """A base of one of ``LAYOUTS`` with an encoder beside it, in a new folder."""
    folder = LAYOUTS[layout](place)
    pipe = HanDiffuserPipeline.from_pretrained(folder, dtype="float32").base.pipe
    torch.manual_seed(6)
    width = int(pipe.unet.config["cross_attention_dim"])
    TextHandEncoder(text_width=width, channels=32, heads=2).save_pretrained(folder / ENCODER)
    return folder


@pytest.fixture(scope="module", params=LAYOUTS)
def model(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_encoder(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def pipe(model: Path) -> HanDiffuserPipeline:
    found = HanDiffuserPipeline.from_pretrained(model, dtype="float32")
    return HanDiffuserPipeline(found.base, found.text_hand_encoder, small_pipeline())


def test_it_paints_the_person_that_is_given(pipe: HanDiffuserPipeline) -> None:
    made = pipe("a woman", 96, 96, parameters=person(), seed=1, **STEPS)
    assert made.image.shape == (96, 96, 3)
    assert made.parameters is not None
    assert made.parameters.size_px == (96, 96)
    again = pipe("a woman", 96, 96, parameters=person(), seed=1, **STEPS)
    assert np.array_equal(made.image, again.image)
    for changed in (
        pipe("a woman", 96, 96, parameters=person(1), seed=1, **STEPS),
        pipe("a woman", 96, 96, parameters=person(), seed=2, **STEPS),
        pipe("a man", 96, 96, parameters=person(), seed=1, **STEPS),
    ):
        assert not np.array_equal(changed.image, made.image)


def test_hands_alone_paint_what_their_person_does(pipe: HanDiffuserPipeline) -> None:
    body = person().resized(96, 96)
    by_person = pipe("a woman", 96, 96, parameters=person(), **STEPS)
    by_hands = pipe("a woman", 96, 96, hands=pose_body(body).hands, **STEPS)
    assert np.array_equal(by_person.image, by_hands.image)
    assert by_hands.parameters is None


def test_one_edited_finger_changes_the_picture(pipe: HanDiffuserPipeline) -> None:
    body = person()
    bent = body.right_hand_pose.copy()
    bent[0] += [0.0, 0.0, 0.8]
    one, other = (
        pipe("a woman", 96, 96, parameters=edited, **STEPS).image
        for edited in (body, replace(body, right_hand_pose=bent))
    )
    assert not np.array_equal(one, other)


def test_a_text_alone_draws_its_person_first(pipe: HanDiffuserPipeline) -> None:
    made = pipe("a woman waving with her left hand", 64, 64, seed=4, **STEPS)
    assert made.parameters is not None
    given = pipe("a woman waving with her left hand", 64, 64, parameters=made.parameters, seed=4, **STEPS)
    assert np.array_equal(made.image, given.image)


def test_a_wide_picture_is_the_upper_part_of_a_square(pipe: HanDiffuserPipeline) -> None:
    """The hands are told where they are in that square."""
    body = person()
    wide = replace(body.resized(96, 96), size_px=(96, 64))
    square = pipe("a woman", 96, 96, parameters=body, **STEPS).image
    assert np.array_equal(pipe("a woman", 96, 64, parameters=wide, **STEPS).image, square[:64])


def test_guiding_away_is_from_text_without_hands(pipe: HanDiffuserPipeline) -> None:
    hands = pose_body(person().resized(64, 64)).hands
    given = pipe.prompt_arguments("a woman", hands, 64, "ugly")
    other = pipe.prompt_arguments("a woman", pose_body(person(1).resized(64, 64)).hands, 64, "ugly")
    assert torch.equal(given["negative_prompt_embeds"], other["negative_prompt_embeds"])
    assert not torch.equal(given["prompt_embeds"], other["prompt_embeds"])
    assert given["prompt_embeds"].shape == given["negative_prompt_embeds"].shape


def test_without_an_encoder_the_text_alone_counts(pipe: HanDiffuserPipeline) -> None:
    alone = HanDiffuserPipeline(pipe.base, None)
    one, other = (alone("a woman", 64, 64, parameters=person(k), **STEPS).image for k in (0, 1))
    assert np.array_equal(one, other)


def test_it_is_saved_and_loaded(pipe: HanDiffuserPipeline, tmp_path: Path) -> None:
    pipe.save_pretrained(tmp_path / "saved")
    again = HanDiffuserPipeline.from_pretrained(tmp_path / "saved", dtype="float32")
    one, other = (each("a woman", 64, 64, parameters=person(), **STEPS).image for each in (pipe, again))
    assert np.array_equal(one, other)


def test_any_text_to_image_pipeline_takes_its_embeddings(pipe: HanDiffuserPipeline) -> None:
    """Diffusers' own, around the same networks."""
    from diffusers import AutoPipelineForText2Image

    stock = pipe.base.pipe
    if stock.unet.config["in_channels"] != 4:
        pytest.skip("a UNet that was made for inpainting reads no bare latents")
    hands = pose_body(person().resized(64, 64)).hands
    with quiet():
        kind = AutoPipelineForText2Image.from_pipe(stock, controlnet=None)
        assert "ControlNet" not in type(kind).__name__
        images = kind(
            **pipe.prompt_arguments("a woman", hands, 64), num_inference_steps=2, height=64, width=64,
            output_type="pt",
        ).images  # fmt: skip
    assert images.shape == (1, 3, 64, 64)


def test_what_does_not_fit_is_refused_in_one_line(pipe: HanDiffuserPipeline, tmp_path: Path) -> None:
    TextHandEncoder(text_width=24, channels=32, heads=2).save_pretrained(tmp_path / "narrow")
    with pytest.raises(DiffusionError, match="writes 24 channels"):
        load_text_hand_encoder(tmp_path / "narrow", pipe.base.pipe)
    with pytest.raises(DiffusionError):
        load_text_hand_encoder(tmp_path / "nothing", pipe.base.pipe)
    body = person()
    with pytest.raises(UsageError, match="twice"):
        pipe("a woman", 64, 64, parameters=body, hands=pose_body(body).hands)
    with pytest.raises(UsageError, match="empty"):
        pipe("", 64, 64)
