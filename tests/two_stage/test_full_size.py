"""Both stages at SD 1.5's real size, weights random: base, hand generator and outpainter load and run."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import psutil
import pytest
from diffusers import ControlNetModel, UNet2DConditionModel

from handwright.two_stage.networks.hand_generator import HandGenerator
from handwright.two_stage.networks.outpainter import Outpainter
from handwright.two_stage.pipeline import TwoStageOutput, TwoStagePipeline
from tests.diffusion.test_full_size import bfloat16, write_full_size
from tests.two_stage.poses import arrays, pose_of_array

SIDE = 512


def add_networks(folder: Path) -> None:
    """Write a hand generator and an outpainter into a model's folder, begun from its networks."""
    with bfloat16():
        unet = UNet2DConditionModel.from_pretrained(folder / "unet")
        HandGenerator.from_unet(unet).save_pretrained(folder / "hand_generator")
        del unet
        control = ControlNetModel.from_pretrained(folder / "controlnet")
        Outpainter.from_controlnet(control, "random").save_pretrained(folder / "outpainter")


def one_step(pipe: TwoStagePipeline) -> TwoStageOutput:
    """A picture by one step of each stage, as published: nothing is painted once more."""
    pose = pose_of_array(arrays())
    return pipe("a woman", pose, SIDE, SIDE, num_inference_steps=1, free_steps=1, again_level=0.0)


@pytest.mark.slow
@pytest.mark.skipif(
    psutil.virtual_memory().available < 12e9, reason="both stages at full size want 12 GB of free memory"
)
def test_both_stages_at_full_size_take_a_step_within_12_gb(tmp_path: Path) -> None:
    write_full_size(tmp_path)
    add_networks(tmp_path)
    pipe = TwoStagePipeline.from_pretrained(tmp_path, dtype="bfloat16", device="cpu")
    assert pipe.resolution == SIDE
    assert pipe.hand_generator is not None
    assert sum(weights.numel() for weights in pipe.hand_generator.unet.parameters()) > 859_535_364
    assert sum(weights.numel() for weights in pipe.body.pipe.unet.parameters()) == 859_535_364
    assert isinstance(pipe.body.pipe.controlnet, Outpainter)
    made = one_step(pipe)
    (hand,) = made.hands
    assert made.image.shape == (SIDE, SIDE, 3)
    assert hand.pixels.shape == (SIDE, SIDE, 3)
    assert hand.mask is not None
    assert np.array_equal(made.image[made.alpha == 1], made.canvas[made.alpha == 1])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 12e6, "kilobytes at the highest"
