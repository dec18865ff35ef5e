"""What the paper holds its system against, on the same base: text alone, or the pose by other means."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.diffusion.free_painting import noise_source, paint_freely
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.skeleton_picture import skeleton_picture
from handwright.two_stage.engine import CANVAS_GREY
from handwright.two_stage.networks.pose_baselines import PoseNetwork, steered
from handwright.two_stage.pipeline import TwoStagePipeline

Pixels = UInt8[np.ndarray, "h w 3"]


def text_alone(
    pipeline: TwoStagePipeline,
    prompt: str,
    width: int,
    height: int,
    *,
    seed: int = 0,
    **further: Any,  # noqa: ANN401
) -> Pixels:
    """A picture of the base by its text: everything masked, no control; arguments as of the pipeline's call.

    Raises:
        DiffusionError: Out of memory, or the model's numbers overflowed.
    """
    return paint_freely(pipeline.hands, prompt, width, height, noise_source(seed, 2), **further)


def pose_alone(
    pipeline: TwoStagePipeline,
    prompt: str,
    pose: BodyPose,
    width: int,
    height: int,
    *,
    seed: int = 0,
    **further: Any,  # noqa: ANN401
) -> Pixels:
    """A picture under stage II's ControlNet with no hands to begin with; arguments as of the pipeline's call.

    Raises:
        DiffusionError: Out of memory, or the model's numbers overflowed.
    """
    canvas = np.full((height, width, 3), CANVAS_GREY, np.uint8)
    nothing = np.zeros((height, width), np.bool_)
    noise = noise_source(seed, 2)
    return pipeline.outpaint(prompt, canvas, nothing, pose, noise, blend="naive", **further)


def steered_alone(
    pipeline: TwoStagePipeline,
    network: PoseNetwork,
    prompt: str,
    pose: BodyPose,
    width: int,
    height: int,
    *,
    seed: int = 0,
    **further: Any,  # noqa: ANN401
) -> Pixels:
    """A picture whose pose one of ``networks.pose_baselines`` tells; arguments as of the pipeline's call.

    Raises:
        DiffusionError: Out of memory, or the model's numbers overflowed.
    """
    side, square = pipeline.resolution, max(width, height)
    skeleton = skeleton_picture(pose.scaled(0, 0, side / square), side, side)
    with steered(pipeline.hands.pipe, network, skeleton):
        return text_alone(pipeline, prompt, width, height, seed=seed, **further)
