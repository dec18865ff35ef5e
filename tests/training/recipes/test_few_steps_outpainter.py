"""An outpainter of few steps: it learns where the pipeline's guided predictions lead."""

from dataclasses import replace

import pytest
import torch

from handwright.diffusion.free_painting import free_settings
from handwright.diffusion.guidance import NEGATIVE_PROMPT
from handwright.errors import UsageError
from handwright.training.loop import train
from handwright.training.members import open_member
from handwright.training.networks.family import flow_schedule, token_ids
from handwright.training.noising import at_level
from handwright.training.recipes.few_steps_outpainter import FewStepsOutpainterParams, OutpaintingStepLoss
from handwright.two_stage.networks.outpainter import Outpainter
from handwright.two_stage.pipeline import TwoStagePipeline
from tests.diffusion.models import small_controlnet, small_unet, write_sd
from tests.training.people_shards import people_shard
from tests.training.two_steps import TWO_STEPS as SETTINGS


@pytest.fixture(scope="module", name="data")
def _data(tmp_path_factory):
    return people_shard(tmp_path_factory.mktemp("people"))


@pytest.fixture(name="model", params=[4, 9])
def _model(request, tmp_path):
    """A small base, a flow, whose outpainter counts."""
    model = write_sd(tmp_path / "sd", request.param)
    flow_schedule(64).save_pretrained(model / "scheduler")
    torch.manual_seed(6)
    outpainter = Outpainter.from_controlnet(small_controlnet(small_unet(4)), "random")
    torch.nn.init.normal_(outpainter.controlnet_mid_block.weight, std=0.1)
    outpainter.save_pretrained(model / "outpainter")
    return model


def test_what_is_learnt_is_guided_by_pose_and_text(data, model):
    recipe = open_member("few_steps_outpainter", data, model, SETTINGS)
    batch = recipe.batch(1, 0, SETTINGS)
    family, (teacher,) = recipe.family, recipe.trained._taught_by
    negative = token_ids(family.tokenizer, [NEGATIVE_PROMPT] * 2)
    assert torch.equal(batch["negative"], negative)

    def predicted(tokens, posed, latents, timesteps):
        text = family.text_encoder(tokens).last_hidden_state
        beside = [batch["mask"], batch["masked_latents"]]
        whole = torch.cat([latents, *beside], 1) if family.unet.config["in_channels"] == 9 else latents
        given = {}
        if posed:
            down, mid = teacher(latents, timesteps, text, batch["condition"], return_dict=False)
            given = {"down_block_additional_residuals": down, "mid_block_additional_residual": mid}
        return family.unet(whole, timesteps, text, **given).sample

    with torch.no_grad():
        latents, levels = batch["latents"], batch["noise"]
        assert levels.shape == (2, 4)
        for k in range(3):
            posed = {}
            for name, tokens in (("text", batch["tokens"]), ("negative", negative)):
                free, steered = (
                    predicted(tokens, shown, latents, 1000 * levels[:, k]) for shown in (False, True)
                )
                posed[name] = free + 2 * (steered - free)
            velocity = posed["negative"] + 2 * (posed["text"] - posed["negative"])
            latents = latents + (levels[:, k + 1] - levels[:, k])[:, None, None, None] * velocity
        wanted = (latents - batch["latents"]) / (levels[:, 3] - levels[:, 0])[:, None, None, None]
    torch.testing.assert_close(recipe.trained.wanted(batch), wanted, atol=1e-5, rtol=1e-4)


def test_one_step_of_a_teacher_without_guidance_is_nothing_to_learn(data, model):
    recipe = open_member("few_steps_outpainter", data, model, SETTINGS)
    batch, (teacher,) = recipe.batch(1, 0, SETTINGS), recipe.trained._taught_by
    params = FewStepsOutpainterParams(text=1.0, pose=1.0)
    plain = OutpaintingStepLoss(recipe.family, recipe.outpainter, teacher, params)
    one = {**batch, "noise": batch["noise"][:, :2], "timesteps": batch["timesteps"][:, :2]}
    with torch.no_grad():
        assert float(plain(one)) < 1e-9 < float(recipe.trained(one))
        assert torch.equal(at_level(one, 1)["timesteps"], one["timesteps"][:, 1])


def test_the_student_alone_learns_and_comes_nearer(data, model, tmp_path):
    longer = replace(SETTINGS, max_train_steps=12, learning_rate=1e-2, ema_decay=0.0)
    recipe = open_member("few_steps_outpainter", data, model, longer)
    first = recipe.measures()["fixed_noise_loss"]
    (teacher,) = recipe.trained._taught_by
    frozen = {**recipe.family.unet.state_dict(), **teacher.state_dict()}
    before = {name: value.clone() for name, value in frozen.items()}
    assert train(recipe, longer, tmp_path / "run").done
    assert recipe.measures()["fixed_noise_loss"] < 0.98 * first
    after = {**recipe.family.unet.state_dict(), **teacher.state_dict()}
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    folder = tmp_path / "run" / "model" / "outpainter"
    assert Outpainter.from_pretrained(folder).config["conditioning_channels"] == 4
    pipeline = TwoStagePipeline.from_pretrained(model, outpainter=folder, dtype="float32", device="cpu")
    assert pipeline.body.traits.guidance == 1.0
    assert free_settings(pipeline.body) == {"num_inference_steps": 4, "guidance_scale": 1.0}
    assert free_settings(pipeline.hands)["guidance_scale"] == pipeline.hands.preset.text_guidance != 1.0


def test_a_base_without_an_outpainter_has_no_teacher(data, tmp_path):
    with pytest.raises(UsageError, match="there is no teacher"):
        open_member("few_steps_outpainter", data, write_sd(tmp_path / "sd", 4), SETTINGS)


def test_a_base_that_is_no_flow_cannot_teach(data, tmp_path):
    model = write_sd(tmp_path / "sd", 4)
    Outpainter.from_controlnet(small_controlnet(small_unet(4)), "random").save_pretrained(
        model / "outpainter"
    )
    with pytest.raises(UsageError, match="cannot teach few_steps_outpainter"):
        open_member("few_steps_outpainter", data, model, SETTINGS)


def test_an_outpainter_that_needs_few_steps_cannot_teach(data):
    with pytest.raises(UsageError, match="needs few steps already"):
        open_member("few_steps_outpainter", data, None, SETTINGS)
