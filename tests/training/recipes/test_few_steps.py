"""The few-step base: it learns where the teacher's guided paths lead, is saved, and paints in four steps."""

from __future__ import annotations

import shutil
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from handwright.diffusion.inflation import inflate
from handwright.diffusion.samplers import FlowMatchUNetScheduler
from handwright.errors import UsageError
from handwright.handiffuser.pipeline import HanDiffuserPipeline
from handwright.training.loop import train
from handwright.training.members import open_member
from handwright.training.recipes import text_to_image
from handwright.training.recipes.few_steps import FewStepsParams, StepLoss
from tests.training.recipes.test_autoencoder import losses, settings
from tests.training.recipes.test_text_to_image import latents, recipe

__all__ = ["latents"]

SHAPE = (6, 4, 8, 8)


class Straight(nn.Module):
    """A UNet whose velocity is the same everywhere, and follows the text by the mean of its features."""

    def __init__(self, velocity):
        super().__init__()
        self.velocity, self.config = nn.Parameter(velocity), {"in_channels": SHAPE[1]}

    def forward(self, latents, timesteps, text):
        assert len(latents) == len(timesteps) == len(text)
        return SimpleNamespace(sample=self.velocity.expand_as(latents) * text.mean((1, 2)).view(-1, 1, 1, 1))


class Falling(Straight):
    """A UNet whose velocity is the latents themselves: paths x exp(σ)."""

    def forward(self, latents, timesteps, text):
        return SimpleNamespace(sample=latents)


class Text(nn.Module):
    """Features that are the tokens themselves, over 100."""

    def forward(self, tokens):
        return SimpleNamespace(last_hidden_state=tokens[..., None].float() / 100)


LEVELS = torch.tensor([0.9, 0.7, 0.4, 0.3])


def batch(rng, token=100, empty=100):
    noise = LEVELS.expand(SHAPE[0], -1)
    return {
        "latents": torch.from_numpy(rng.standard_normal(SHAPE)).float(),
        "noise": noise, "timesteps": 1000 * noise,
        "tokens": torch.full((SHAPE[0], 3), token), "empty": torch.full((SHAPE[0], 3), empty),
    }  # fmt: skip


def test_a_student_of_straight_paths_that_knows_the_velocity_has_no_loss():
    rng = np.random.default_rng(0)
    velocity = torch.from_numpy(rng.standard_normal(SHAPE[1:])).float()
    right = StepLoss(Text(), Straight(velocity), Straight(velocity), FewStepsParams())
    wrong = StepLoss(Text(), Straight(velocity), Straight(1.2 * velocity), FewStepsParams())
    given = batch(rng)
    assert right(given).item() == pytest.approx(0, abs=1e-6)
    assert wrong(given).item() == pytest.approx((0.2 * velocity).square().mean().item(), rel=1e-4)
    wrong(given).backward()
    assert wrong.student.velocity.grad is not None
    assert all(not value.requires_grad for part in wrong._frozen for value in part.parameters())


def test_the_student_learns_what_guidance_makes_of_the_teacher():
    """Velocities v of the text and v / 2 of the empty one, guided by 3, are 2 v."""
    rng = np.random.default_rng(1)
    velocity = torch.from_numpy(rng.standard_normal(SHAPE[1:])).float()
    given = batch(rng, token=100, empty=50)
    guided, unguided = (
        StepLoss(Text(), Straight(velocity), Straight(times * velocity), FewStepsParams(guidance=3.0))
        for times in (2.0, 1.0)
    )
    assert guided(given).item() == pytest.approx(0, abs=1e-6)
    assert unguided(given).item() > 0.1


def test_the_teacher_goes_step_by_step_from_the_first_level_to_the_last():
    given = batch(np.random.default_rng(2))
    teacher, still = Falling(torch.zeros(SHAPE[1:])), Straight(torch.zeros(SHAPE[1:]))
    arrives = (1 - 0.2) * (1 - 0.3) * (1 - 0.1)  # Euler's steps of dx = x dσ
    wanted = given["latents"] * (1 - arrives) / 0.6
    found = StepLoss(Text(), teacher, still, FewStepsParams())(given).item()
    assert found == pytest.approx(wanted.square().mean().item(), rel=1e-5)


@pytest.fixture(autouse=True)
def _two_prompts(monkeypatch):
    monkeypatch.setattr(text_to_image, "PROMPT_SHEET", text_to_image.PROMPT_SHEET[:2])


@pytest.fixture(scope="module")
def base(latents, tmp_path_factory):
    """A base that has learnt a little, as the command writes it."""
    folder = tmp_path_factory.mktemp("base")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_to_image, "PROMPT_SHEET", text_to_image.PROMPT_SHEET[:2])
        changes = {"max_train_steps": 40, "lr_decay_steps": 1, "train_batch_size": 8, "learning_rate": 5e-3}
        train(recipe(latents), settings(**changes), folder)
    return folder / "model"


def test_noise_levels_are_those_at_which_its_sampler_stops(base, latents):
    made = open_member("few_steps", latents, base, settings())
    drawn = made.batch(0, 0, settings(train_batch_size=512))
    sampler = FlowMatchUNetScheduler.from_config(made.family.scheduler_config)
    sampler.set_timesteps(made.few.steps)
    stops = sampler.sigmas.float()
    for first, last in pairwise(stops):
        here = drawn["noise"][:, 0].isclose(first)
        assert 80 < int(here.sum()) < 180
        assert drawn["noise"][here, -1].allclose(last)
    assert drawn["noise"].shape == (512, made.few.teacher_steps + 1)
    assert (drawn["noise"].diff(dim=1) < 0).all()
    assert torch.allclose(drawn["timesteps"], 1000 * drawn["noise"])


def test_it_distils_and_what_it_saves_paints_in_few_steps(base, latents, tmp_path):
    changes = {"max_train_steps": 60, "lr_decay_steps": 1, "train_batch_size": 8, "learning_rate": 1e-3}
    train(open_member("few_steps", latents, base, settings()), settings(**changes), tmp_path)
    found = losses(tmp_path)
    assert np.mean(found[-20:]) < np.mean(found[:20])
    pipe = HanDiffuserPipeline.from_pretrained(tmp_path / "model")
    assert isinstance(pipe.base.pipe.scheduler, FlowMatchUNetScheduler)
    assert (pipe.base.preset.steps, pipe.base.preset.guidance) == (4, 1.0)
    options = {"hands": {}, "num_inference_steps": 2, "guidance_scale": 1.0}
    one, again, other = (pipe("a hand", 64, 64, seed=seed, **options).image for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_base_that_inpaints_teaches_as_the_same_base_on_latents_alone(base, latents, tmp_path):
    shutil.copytree(base, tmp_path / "wide")
    narrow = open_member("few_steps", latents, base, settings())
    inflate(narrow.family.unet, 5).save_pretrained(tmp_path / "wide" / "unet")
    wide = open_member("few_steps", latents, tmp_path / "wide", settings())
    drawn, further = (made.batch(0, 0, settings()) for made in (narrow, wide))
    assert further.keys() - drawn.keys() == {"mask", "masked_latents"}
    assert wide.trained(further).item() == pytest.approx(narrow.trained(drawn).item(), rel=1e-4)


def test_a_run_that_was_cut_off_goes_on_with_the_same_losses(base, latents, tmp_path):
    def member():
        return open_member("few_steps", latents, base, settings())

    train(member(), settings(max_train_steps=4), tmp_path / "whole")
    assert train(member(), settings(max_train_steps=4, max_minutes=1e-9), tmp_path / "cut").step == 1
    train(member(), settings(max_train_steps=4), tmp_path / "cut", resume=True)
    assert losses(tmp_path / "cut") == losses(tmp_path / "whole")


def test_it_needs_a_teacher_that_is_a_flow(base, latents, tmp_path):
    with pytest.raises(UsageError, match="there is no teacher"):
        open_member("few_steps", latents, None, settings())
    train(open_member("few_steps", latents, base, settings()), settings(max_train_steps=1), tmp_path)
    with pytest.raises(UsageError, match="cannot teach few_steps"):
        open_member("few_steps", latents, tmp_path / "model", settings())
    shutil.copytree(base, tmp_path / "other")
    config = tmp_path / "other" / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("FlowMatchEulerDiscrete", "DDIM"))
    with pytest.raises(UsageError, match="cannot teach few_steps"):
        open_member("few_steps", latents, tmp_path / "other", settings())


def test_the_prompt_sheet_is_painted_in_four_steps_without_guidance(base, latents):
    made = open_member("few_steps", latents, base, settings())
    assert (made.params.steps, made.params.guidance) == (4, 1.0)
    few, taught = FewStepsParams(), text_to_image.TextToImageParams()
    assert (few.steps * few.teacher_steps, few.guidance) == (taught.steps, taught.guidance)
    assert np.array_equal(made.grid(), made.grid())
