"""Stage II: the person painted around finished hands (Pelykh et al. 2024, §III-C and D)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image as PILImage
from torch import Tensor

from handwright.diffusion.free_painting import free_settings
from handwright.diffusion.latents import encode, exact, packed, picture_array, picture_tensor
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.skeleton_picture import skeleton_picture
from handwright.two_stage.canvas import (
    LANCZOS,
    hand_alpha,
    hand_surroundings,
    paste_hand,
    squared,
    without_own_hand,
)
from handwright.two_stage.mask_expansion import MASKS, HandBlend
from handwright.two_stage.networks.outpainter import Outpainter, outpainting_condition
from handwright.two_stage.settings import BlendName
from handwright.two_stage.skin_tones import in_skin_tones

Pixels = UInt8[np.ndarray, "h w 3"]

AGAIN_LEVEL = 0.5
"""Noise level from which a picture is painted once more, with the hands in it. Chosen by eye of .5, .7 and .9
on eight people of seed 2060: all take the canvas's grey away from around the hands, and this one takes the
fewest steps."""

MOST_ENLARGED = 2.0
"""How many times as large as the network's own squares a picture is painted once more, at most: so are the
default 512 px of a network of 256. Beyond, time grows with the fourth power of the side."""

_CELL_PX = 64  # Sides that every UNet here takes: 8 px a latent, halved three times


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
        start_image: Pixels | None = None,
        strength: float = 1.0,
        again_level: float = AGAIN_LEVEL,
        alpha: Float[np.ndarray, "h w"] | None = None,
        skin: Float[np.ndarray, "h w"] | None = None,
        latents: Float[Tensor, "1 c n n"] | None = None,
        **further: Any,  # noqa: ANN401
    ) -> Pixels:
        """Stage II: the person around the hands of a canvas, which stay as they are but for a soft rim.

        From noise, hands stand on grey, and latents at their rim hold some of it; and a picture larger than
        the network's squares is enlarged. So it is painted once more from ``again_level``, with the hands in
        it, at its own size (``MOST_ENLARGED``); where it is no larger, only what lies around hands is
        (``hand_surroundings``). What shows of the network's own hands is taken out (``without_own_hand``);
        where ``skin`` tells how far hands' own skin covers the canvas, it takes the tones of face and arms
        (``in_skin_tones``). 0, or neither of the two: none of it is done.
        What is begun with a ``start_image`` has them in it at once, is painted at its own size, too, and
        keeps the detail that the network cannot carry: what the network changed is added to it
        (``_changed``).

        The network works on the square around the picture, otherwise at its own resolution; it is always
        given the exact mask. The result is brought to the picture's size, and the hands are pasted back as
        far as ``alpha`` has them cover, by default ``hand_alpha``. Where the canvas's ``latents`` are given,
        it is not encoded for the blend from noise.
        """
        alpha = hand_alpha(mask.astype(np.float64), pose) if alpha is None else alpha
        paint = partial(self._painted, prompt, mask=mask, pose=pose, generator=generator)
        fine = self._fine_side(max(mask.shape))
        if start_image is not None and strength < 1:
            on = paste_hand(start_image, canvas, alpha)
            painted = paint(on, start=strength, side=fine, **further)
            return paste_hand(self._changed(on, painted, fine), canvas, alpha)
        first = paint(canvas, latents=latents, **self._guided(), **further)
        pasted = paste_hand(first, canvas, alpha)
        larger = max(mask.shape) > self.resolution
        if again_level == 0 or not (larger or mask.any()):
            return pasted
        if skin is not None:
            canvas = in_skin_tones(canvas, first, skin, pose)
            pasted = paste_hand(first, canvas, alpha)
        near = np.ones(mask.shape) if larger else hand_surroundings(mask)
        plain: dict[str, Any] = {**further, "blend": "naive", "literal": False}
        again = paint(pasted, start=again_level, near=near, side=fine, **plain)
        behind = without_own_hand(paste_hand(first, again, near), mask, alpha)
        return paste_hand(behind, canvas, alpha)

    def _fine_side(self, square: int) -> int:
        """Side of the square that a picture is painted once more in, pixels."""
        side = -(-square // _CELL_PX) * _CELL_PX
        return min(max(side, self.resolution), round(MOST_ENLARGED * self.resolution))

    def _painted(
        self,
        prompt: str,
        on: Pixels,
        *,
        mask: Bool[np.ndarray, "h w"],
        pose: BodyPose,
        generator: torch.Generator,
        start: float | None = None,
        near: Float[np.ndarray, "h w"] | None = None,
        side: int | None = None,
        blend: BlendName = "naive",
        free_steps: int = 2,
        literal: bool = False,
        pose_strength: float = 1.0,
        latents: Float[Tensor, "1 c n n"] | None = None,
        **further: Any,  # noqa: ANN401
    ) -> Pixels:
        """What the network makes of hands on grey, or of a picture with them from the noise level ``start``.

        Of such a picture only what lies ``near`` the hands is painted, where that is given, in a square of
        ``side`` pixels, by default the network's.
        """
        height, width = mask.shape
        side, square = side or self.resolution, max(height, width)
        small = squared(on, square, side)
        inside = np.asarray(squared(mask.astype(np.uint8) * 255, square, side)) > 127
        held = inside
        if near is not None:
            held = inside | (np.asarray(squared((near == 0).astype(np.uint8) * 255, square, side)) > 127)
        kept, around = (PILImage.fromarray(part.astype(np.uint8) * 255) for part in (held, ~held))
        blended = HandBlend.from_pipe(
            self.pipe.pipe, small, kept, MASKS[blend], generator, latents,
            free_steps=free_steps, literal=literal,
        )  # fmt: skip
        painted = self.pipe(
            prompt,
            small,
            around,
            self._control(pose, inside, square),
            blend=blended,
            generator=generator,
            start_image=None if start is None else small,
            strength=1.0 if start is None else start,
            controlnet_conditioning_scale=pose_strength if self.pose_controlled else 0.0,
            **{**free_settings(self.pipe), **further},
        ).images[0]
        return _enlarged(painted, height, width)

    def _changed(self, on: Pixels, painted: Pixels, side: int) -> Pixels:
        """A picture with what the network made of it less what its codec makes of it, at ``side`` pixels.

        On the photographs of docs/research/two-stage.md people lost hands and faces to the size at which they
        were painted, not to what was painted.
        """
        height, width = on.shape[:2]
        small, pipe = squared(on, max(height, width), side), self.pipe.pipe
        pixels = picture_tensor(np.asarray(small)[None]).to(pipe._execution_device)
        with torch.no_grad(), exact(pipe.vae):
            latents = packed(pipe, encode(pipe.vae, pixels))
        decoded = self.pipe.decode(latents, side, side)
        coded = np.rint(picture_array(decoded)[0]).astype(np.uint8)
        change = painted.astype(np.int16) - _enlarged(PILImage.fromarray(coded), height, width)
        return np.clip(on + change, 0, 255).astype(np.uint8)

    def _guided(self) -> dict[str, Any]:
        """Guidance on the pose from noise, as the ControlNet's notes have it."""
        return {"control_guidance": self.pipe.traits.guidance} if self.pose_controlled else {}

    def _control(self, pose: BodyPose, hands: Bool[np.ndarray, "s s"], square: int) -> Any:  # noqa: ANN401
        """What stage II's ControlNet reads: the skeleton, an outpainter's the mask too; black without one."""
        side = len(hands)
        if not self.pose_controlled:
            return PILImage.new("RGB", (side, side))
        skeleton = skeleton_picture(pose.scaled(0, 0, side / square), side, side)
        if isinstance(self.pipe.pipe.controlnet, Outpainter):
            return outpainting_condition(skeleton, hands)
        return PILImage.fromarray(skeleton)


def _enlarged(square: PILImage.Image, height: int, width: int) -> Pixels:
    """The picture whose square of the network's size this is."""
    side = max(height, width)
    return np.asarray(square.convert("RGB").resize((side, side), LANCZOS))[:height, :width]
