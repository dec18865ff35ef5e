"""Stage I: hands painted one crop at a time, from noise, or once more in a finished picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image as PILImage
from torch import Tensor

from handwright.diffusion.free_painting import free_settings
from handwright.diffusion.latents import picture_array
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.two_stage.canvas import HALF, cut, paste_hand, things_layer
from handwright.two_stage.engine import CANVAS_GREY, HeldThings, StageOneHand
from handwright.two_stage.hand_crops import HandCrop
from handwright.two_stage.networks.hand_generator import HandGenerator
from handwright.types import HandFit, Side

SMALL_HAND_PX = 64  # Hands whose box is smaller on its longer side are painted once more; of the plan

_MARGIN = 0.03  # How far what is painted once more reaches beyond the hand, in sides of the crop; by eye

# The heatmaps say what depth would
_NO_CONTROL: dict[str, Any] = {"controlnet_conditioning_scale": 0.0, "control_guidance": 1.0}

Pixels = UInt8[np.ndarray, "h w 3"]
Pictures = tuple[PILImage.Image, PILImage.Image, PILImage.Image]


@dataclass(frozen=True, eq=False)
class StageOneOutput:
    """What stage I hands over to stage II."""

    fits: dict[Side, HandFit]  # The hands of the pose
    hands: tuple[StageOneHand, ...]  # The crops
    canvas: Pixels  # The hands on grey
    cover: Float[np.ndarray, "h w"]  # How far hands and things cover it, from 0 to 1
    alpha: Float[np.ndarray, "h w"]  # How far the canvas covers what stage II paints: ``hand_alpha``
    latents: Float[Tensor, "1 c n n"] | None  # The canvas's, where both stages share them
    skin: Float[np.ndarray, "h w"]  # How far hands' own skin covers it: ``cover``, but for things before it

    @property
    def mask(self) -> Bool[np.ndarray, "h w"]:
        """The initial mask."""
        return self.cover > HALF

    def with_things(self, held: HeldThings) -> Self:
        """The same with things in the hands, which do not fade at wrists."""
        colours, things = things_layer(held)
        over_hands = paste_hand(self.canvas, colours, things)
        alone = np.where(things[..., None] > 0, colours, self.canvas)
        return replace(
            self,
            canvas=np.where(self.cover[..., None] > 0, over_hands, alone),
            cover=_either(self.cover, things),
            alpha=_either(self.alpha, things),
            latents=None,
            skin=self.skin * (1 - things),
        )


@dataclass(frozen=True, eq=False)
class HandStage:
    """Stage I with the networks of a pipeline."""

    pipe: HandRefinerPipeline  # The base, under a depth ControlNet
    generator: HandGenerator | None = None  # The paper's network in its place

    def generate(
        self,
        prompt: str,
        crop: HandCrop,
        generator: torch.Generator,
        *,
        start_image: Pixels | None = None,
        strength: float = 1.0,
        **further: Any,  # noqa: ANN401
    ) -> StageOneHand:
        """One crop, everything masked, by the hand generator, or under the depth of its hands.

        A crop that lies on stage II's latents keeps its own. Arguments are those of ``TwoStagePipeline``.
        """
        side = crop.resolution
        start = None if start_image is None or strength == 1 else cut(start_image, crop.window, side)
        # What is stored with a ControlNet is for repaints: they have a hand to begin with, and skin about;
        # here guidance on the depth only makes colours stronger (docs/research/two-stage.md)
        control = {"controlnet_conditioning_scale": 1.0, "control_guidance": 1.0}
        pictures = (
            PILImage.new("RGB", (side, side), (CANVAS_GREY,) * 3),
            PILImage.new("L", (side, side), 255),
            _depth_picture(crop),
        )
        given: dict[str, Any] = {
            "blend": False,
            "generator": generator,
            "start_image": start,
            "strength": 1.0 if start is None else strength,
            **(control if start is None else {}),
            **further,
        }
        if crop.corner is None:
            images, mask = self._paint(prompt, crop, pictures, **given)
            return StageOneHand(crop.sides, crop.window, np.asarray(images[0].convert("RGB")), mask)
        latents, mask = self._paint(prompt, crop, pictures, output_type="latent", **given)
        return StageOneHand(crop.sides, crop.window, self.pixels_of(latents, side), mask, latents)

    def repaint(
        self,
        prompt: str,
        picture: Pixels,
        crop: HandCrop,
        generator: torch.Generator,
        *,
        strength: float,
        **further: Any,  # noqa: ANN401
    ) -> Pixels:
        """A finished picture whose hands in this crop are painted once more at the crop's resolution.

        They set out from the picture, at the noise level ``strength``; everything around them is held by
        equations 1 and 2 of HandRefiner, and pixels beyond the hand's margin stay as they are.
        """
        side = crop.resolution
        reach = max(round(_MARGIN * side), 1)
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        inside = cv2.dilate((crop.depth > 0).astype(np.uint8) * 255, kernel)
        pictures = cut(picture, crop.window, side), PILImage.fromarray(inside), _depth_picture(crop)
        images, _ = self._paint(
            prompt, crop, pictures, blend=True, generator=generator, strength=strength, **further
        )
        return _laid_in(picture, np.asarray(images[0].convert("RGB")), inside, crop)

    def pixels_of(self, latents: Tensor, side: int) -> Pixels:
        """The picture of the pipeline's own latents."""
        return np.rint(picture_array(self.pipe.decode(latents, side, side))[0]).astype(np.uint8)

    def _paint(self, prompt: str, crop: HandCrop, pictures: Pictures, **given: Any) -> tuple[Any, Any]:  # noqa: ANN401
        """What the pipeline gives for a crop, and where the hand generator sees its hands."""
        if self.generator is None:
            return self.pipe(prompt, *pictures, **given).images, None
        with self.generator.in_place_of_unet(self.pipe.pipe, crop.finger_heatmaps, crop.depth) as under:
            images = self.pipe(
                prompt, *pictures, **{**free_settings(self.pipe), **given, **_NO_CONTROL}
            ).images
        return images, under.hand_mask


def _either(one: Float[np.ndarray, "h w"], other: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """How far two layers together cover each pixel."""
    return 1 - (1 - one) * (1 - other)


def hand_covers(hands: Sequence[StageOneHand], crops: Sequence[HandCrop]) -> list[Float[np.ndarray, "r r"]]:
    """How far hands cover each pixel of each crop, from 0 to 1.

    Where the hand generator predicts them; where it predicts none in one of the crops, the fitted hands'.
    """
    predicted = [hand.mask.astype(np.float64) for hand in hands if hand.mask is not None and hand.mask.any()]
    return predicted if len(predicted) == len(crops) else [crop.cover for crop in crops]


def is_small(crop: HandCrop) -> bool:
    """Whether a crop's hands are so small in the picture that stage I paints them once more."""
    x0, _, x1, _ = crop.window
    points = np.argwhere(crop.depth > 0)
    extent = float(np.ptp(points, axis=0).max()) + 1 if len(points) else 0.0
    return extent * (x1 - x0) / crop.resolution < SMALL_HAND_PX


def _depth_picture(crop: HandCrop) -> PILImage.Image:
    return PILImage.fromarray(np.repeat(crop.depth[..., None], 3, 2))


def _laid_in(picture: Pixels, painted: Pixels, inside: UInt8[np.ndarray, "r r"], crop: HandCrop) -> Pixels:
    """A picture with what was painted inside a mask of a crop; the mask's rim is as soft as its scaling."""
    x0, y0, x1, y1 = crop.window
    size = x1 - x0, y1 - y0
    small, share = (np.asarray(PILImage.fromarray(part).resize(size, PILImage.Resampling.BOX), np.float32)
                    for part in (painted, inside))  # fmt: skip
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, picture.shape[1]), min(y1, picture.shape[0])
    part = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
    weight = share[part][..., None] / 255
    result = picture.copy()
    around = result[top:bottom, left:right]
    around[:] = np.rint(weight * small[part] + (1 - weight) * around).astype(np.uint8)
    return result
