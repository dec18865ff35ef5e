"""``--via handiffuser`` and ``base``: the person's hands reach the network, and its picture the report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as PILImage

from handwright.errors import DiffusionError, UsageError
from handwright.handiffuser.pipeline import ENCODER
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from handwright.two_stage.engine import GeneratedPicture, PoseRequest
from handwright.two_stage.pose_completion import complete_pose
from handwright.two_stage.settings import TwoStageSettings
from handwright.workflow.generate.generation import generate_from_pose
from handwright.workflow.generate.pose_source import pose_from_parameters
from handwright.workflow.generate.text_engine import TextEngine
from tests.diffusion.models import TEXT_WIDTH, write_sd
from tests.handiffuser.test_pipeline import person, with_encoder
from tests.workflow.generate.test_generation import SIDE, _read, asked


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sd(tmp_path_factory.mktemp("base"), 4, controlnet=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_sd(tmp_path_factory.mktemp("model"), 4, controlnet=False)
    torch.manual_seed(6)
    TextHandEncoder(text_width=TEXT_WIDTH, channels=32, heads=2).save_pretrained(folder / ENCODER)
    return folder


def settings(model: Path, **given: Any) -> TwoStageSettings:
    named = {"via": "handiffuser", "prompt": "a woman", "steps": 2, "seed": 40, **given}
    return TwoStageSettings(model=str(model), dtype="float32", **named)


def made(settings: TwoStageSettings, number: int, *, body: bool = True) -> GeneratedPicture:
    """A picture of somebody of the synthetic world, who is known as parameters or by points alone."""
    source = pose_from_parameters(person(number), 128, "text")
    completed = complete_pose(source.pose, 128, 128)
    request = PoseRequest(completed, 128, 128, settings, 40, source.body if body else None)
    return TextEngine.load(settings).make(request)


@pytest.mark.parametrize("body", [True, False])
def test_other_hands_make_another_picture(model: Path, body: bool) -> None:
    one, other = (made(settings(model), number, body=body) for number in (0, 2))
    assert one.pixels.shape == (128, 128, 3)
    assert not np.array_equal(one.pixels, other.pixels)
    assert np.array_equal(one.pixels, made(settings(model), 0, body=body).pixels)
    assert one.mask.any()
    assert ((one.canvas > 0).all(2) == one.mask).all()  # the hands' depth


def test_the_base_follows_the_text_alone(model: Path) -> None:
    by_text = settings(model, via="base")
    one, other = (made(by_text, number).pixels for number in (0, 2))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, made(settings(model, via="base", prompt="a man"), 0).pixels)
    assert not np.array_equal(one, made(settings(model), 0).pixels)


def test_a_folder_in_sdxls_layout_is_painted_with_as_one_in_sd15s(tmp_path: Path) -> None:
    """Two text encoders and their pooled embedding beside text and hands."""
    folder = with_encoder("sdxl", tmp_path / "sdxl")
    one, other = (made(settings(folder), number) for number in (0, 2))
    assert one.pixels.shape == (128, 128, 3)
    assert one.mask.any()
    assert not np.array_equal(one.pixels, other.pixels)
    assert np.array_equal(one.pixels, made(settings(folder), 0).pixels)
    assert not np.array_equal(one.pixels, made(settings(folder, prompt="a man"), 0).pixels)
    by_text, again = (made(settings(folder, via="base", keep_steps=True), number) for number in (0, 2))
    assert np.array_equal(by_text.pixels, again.pixels)
    assert not np.array_equal(by_text.pixels, one.pixels)
    assert by_text.strip is not None


def test_a_model_without_an_encoder_is_refused(base: Path) -> None:
    with pytest.raises(DiffusionError, match="cannot paint hands by their parameters"):
        TextEngine.load(settings(base))


@pytest.mark.parametrize("via", ["handiffuser", "base"])
def test_its_steps_are_kept_on_request_and_change_nothing(model: Path, via: str) -> None:
    """A tile for each step; the last step predicts the picture itself."""
    plain, kept = (made(settings(model, via=via, steps=3, keep_steps=keep), 0) for keep in (False, True))
    assert plain.strip is None
    assert kept.strip is not None
    assert kept.strip.shape == (192, 3 * 192, 3)
    assert np.array_equal(plain.pixels, kept.pixels)
    first, _, last = (np.float64(tile) for tile in np.split(kept.strip, 3, 1))
    painted = np.float64(PILImage.fromarray(kept.pixels).resize((192, 192)))
    assert np.abs(last - painted).mean() < min(3.0, np.abs(first - painted).mean())


@pytest.mark.parametrize("other", [{"engine": "diffuse"}, {"second_pass": True}, {"mend": "repaint"}])
def test_options_of_the_two_stages_are_refused(base: Path, other: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="made via handiffuser"):
        settings(base, **other)
    with pytest.raises(UsageError, match="`via` 'telepathy'"):
        settings(base, via="telepathy")


def test_parameters_become_a_picture_with_a_report(model: Path, tmp_path: Path) -> None:
    """The report shows the person beside it."""
    path = tmp_path / "parameters.json"
    path.write_text(json.dumps(person(2).to_json()), "utf-8")
    how = settings(model, keep_steps=True)
    wanted = asked(tmp_path, settings=how, pose=path, report=tmp_path / "report")
    report = generate_from_pose(replace(wanted, open_engine=None)).report
    assert report["settings"]["via"] == "handiffuser"
    (picture,) = report["pictures"]
    assert _read(tmp_path / "out.png").shape == (SIDE, SIDE, 3)
    assert _read(tmp_path / "report" / picture["files"]["person"]).std() > 10
    assert _read(tmp_path / "report" / picture["files"]["steps"]).shape == (192, 2 * 192, 3)
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "the person as the parameters have it" in page
    assert "by handiffuser" in page
