"""Stage II: the person painted around finished hands (Pelykh et al. 2024, §III-C and D)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image as PILImage
from torch import Tensor

from handwright.diffusion.free_painting import free_settings
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.diffusion.step_hooks import OnStep
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.skeleton_picture import skeleton_picture
from handwright.two_stage.canvas import LANCZOS, hand_alpha, paste_hand, squared
from handwright.two_stage.mask_expansion import MASKS, HandBlend
from handwright.two_stage.networks.outpainter import Outpainter, outpainting_condition
from handwright.two_stage.settings import BlendName

Pixels = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, eq=False)
class BodyStage:
    """Stage II with the networks of a pipeline."""

    pipe: HandRefinerPipeline  # The base, under an OpenPose ControlNet or an ``Outpainter``
    pose_controlled: bool  # False: there is neither, text and canvas alone count
    resolution: int  # Side of the squares that it paints, pixels

    def outpaint(
        self,
        prompt: str,
        canvas: Pixels,
        mask: Bool[np.ndarray, "h w"],
        pose: BodyPose,
        generator: torch.Generator,
        *,
        blend: BlendName = "naive",
        free_steps: int = 2,
        literal: bool = False,
        start_image: Pixels | None = None,
        strength: float = 1.0,
        pose_strength: float = 1.0,
        on_step: OnStep | None = None,
        alpha: Float[np.ndarray, "h w"] | None = None,
        latents: Float[Tensor, "1 c n n"] | None = None,
        **further: Any,  # noqa: ANN401
    ) -> Pixels:
        """Stage II: the person around the hands of a canvas, which stay as they are but for a soft rim.

        The network works on the square around the picture, at its own resolution; it is always given the
        exact mask. The result is brought to the picture's size, and the hands are pasted back as far as
        ``alpha`` has them cover, by default ``hand_alpha``. Where the canvas's ``latents`` are given, it is
        not encoded for the blend.
        """
        height, width = mask.shape
        side, square = self.resolution, max(height, width)
        small = squared(canvas, square, side)
        inside = np.asarray(squared(mask.astype(np.uint8) * 255, square, side)) > 127
        hand, around = (PILImage.fromarray(part.astype(np.uint8) * 255) for part in (inside, ~inside))
        start = None if start_image is None or strength == 1 else squared(start_image, square, side)
        held = HandBlend.from_pipe(
            self.pipe.pipe, small, hand, MASKS[blend], generator, latents,
            free_steps=free_steps, literal=literal,
        )  # fmt: skip
        painted = self.pipe(
            prompt,
            small,
            around,
            self._control(pose, inside, square),
            blend=held,
            generator=generator,
            start_image=start,
            strength=1.0 if start is None else strength,
            controlnet_conditioning_scale=pose_strength if self.pose_controlled else 0.0,
            on_step=on_step,
            **{**free_settings(self.pipe), **self._guided(start is None), **further},
        ).images[0]
        large = np.asarray(painted.convert("RGB").resize((square, square), LANCZOS))[:height, :width]
        return paste_hand(large, canvas, hand_alpha(mask, pose) if alpha is None else alpha)

    def _guided(self, from_noise: bool) -> dict[str, Any]:
        """Guidance on the pose, as the ControlNet's notes have it; none where a picture is begun with."""
        steers = self.pose_controlled and from_noise
        return {"control_guidance": self.pipe.traits.guidance} if steers else {}

    def _control(self, pose: BodyPose, hands: Bool[np.ndarray, "s s"], square: int) -> Any:  # noqa: ANN401
        """What stage II's ControlNet reads: the skeleton, an outpainter's the mask too; black without one."""
        side = len(hands)
        if not self.pose_controlled:
            return PILImage.new("RGB", (side, side))
        skeleton = skeleton_picture(pose.scaled(0, 0, side / square), side, side)
        if isinstance(self.pipe.pipe.controlnet, Outpainter):
            return outpainting_condition(skeleton, hands)
        return PILImage.fromarray(skeleton)
