"""Both stages on diffusers' own pipelines (Pelykh et al. 2024, §III), with what needs no training of ours.

Stage I is HandRefiner's inpainting with everything masked, under the depth of the fitted hand; stage II is
the same base under an OpenPose ControlNet, with ``HandBlend`` in place of equations 1 and 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from PIL import Image as PILImage

from handwright.diffusion.latents import pixels_per_latent
from handwright.diffusion.loading.components import load_network
from handwright.diffusion.loading.controlnets import Traits, load_controlnet
from handwright.diffusion.loading.places import controlnet_place
from handwright.diffusion.loading.stock import adopt
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.diffusion.step_hooks import OnStep, denoiser_of
from handwright.errors import DiffusionError
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.skeleton_picture import skeleton_picture
from handwright.two_stage.canvas import LANCZOS, compose, cut, predicted_mask, squared
from handwright.two_stage.engine import CANVAS_GREY, StageOneHand, fit_hands
from handwright.two_stage.hand_crops import HandCrop, hand_crops, hands_mask
from handwright.two_stage.hand_generator import HandGenerator
from handwright.two_stage.mask_expansion import MASKS, HandBlend, paste_hand
from handwright.two_stage.pose_completion import complete_pose
from handwright.two_stage.settings import BlendName

POSE_CONTROLNETS = {
    "sd15": "lllyasviel/control_v11p_sd15_openpose",
    "sdxl": "xinsir/controlnet-openpose-sdxl-1.0",
}
"""The OpenPose ControlNet of a preset, where none is given."""

Pixels = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True, eq=False)
class TwoStageOutput:
    """What a run gives."""

    image: Pixels  # The picture, sRGB
    canvas: Pixels  # The hands of stage I on grey
    mask: Bool[np.ndarray, "h w"]  # The initial mask
    hands: tuple[StageOneHand, ...]  # Stage I's crops


class TwoStagePipeline:
    """From a pose to a picture: hands first, then the person around them.

    >>> pipe = TwoStagePipeline.from_pretrained("sd15")  # doctest: +SKIP
    >>> pipe("a man waving in a park", pose, 512, 512).image  # doctest: +SKIP
    """

    def __init__(
        self,
        hands: HandRefinerPipeline,
        body: HandRefinerPipeline,
        pose_controlled: bool = True,
        hand_generator: HandGenerator | None = None,
    ) -> None:
        self.hands = hands  # Stage I, under a depth ControlNet
        self.body = body  # Stage II, under an OpenPose ControlNet; it shares the base
        # The paper's network for stage I, in place of the base under a depth ControlNet
        self.hand_generator = hand_generator
        self.pose_controlled = pose_controlled  # False: stage II has no pose ControlNet, only text and canvas

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path = "sd15",
        *,
        controlnet: str | Path | None = None,
        pose_controlnet: str | Path | None = None,
        hand_generator: str | Path | None = None,
        dtype: str = "auto",
        device: str = "auto",
        offload: bool = False,
        **further: Any,  # noqa: ANN401
    ) -> Self:
        """Load a base with both of its ControlNets; safetensors only, no remote code.

        Args:
            model: A preset, a folder in ``save_pretrained`` layout, one .safetensors file, or a hub id.
            controlnet: The depth ControlNet of stage I; None: the model's own, or the preset's.
            pose_controlnet: The OpenPose ControlNet of stage II; None: the preset's. A model without one
                outpaints by text and canvas alone.
            hand_generator: Folder of a ``HandGenerator`` from `handwright train hand_generator`: stage I is
                then the paper's, finger heatmaps in, hand and mask out. None: the base under depth control.
            dtype: 'auto', 'float32', 'bfloat16' or 'float16'.
            device: 'auto', 'cpu', 'cuda' or 'mps'.
            offload: Keep networks in main memory and move each to the device when it runs.
            **further: As of ``HandRefinerPipeline.from_pretrained``.

        Raises:
            UsageError: No such dtype or device.
            DiffusionError: Something is missing, damaged, a pickle, or does not fit.
        """
        hands = HandRefinerPipeline.from_pretrained(
            model, controlnet=controlnet, dtype=dtype, device=device, offload=offload, **further
        )
        generator = None if hand_generator is None else load_hand_generator(Path(hand_generator), hands.pipe)
        named = POSE_CONTROLNETS.get(str(model)) if pose_controlnet is None else str(pose_controlnet)
        if named is None:
            return cls(hands, hands, pose_controlled=False, hand_generator=generator)
        network = load_controlnet(
            controlnet_place(named), getattr(hands.pipe, "unet", None), denoiser_of(hands.pipe).dtype
        )
        return cls.from_pipe(hands, network.to(hands.pipe._execution_device), generator)

    @classmethod
    def from_pipe(
        cls,
        hands: HandRefinerPipeline,
        pose_controlnet: Any,  # noqa: ANN401
        hand_generator: HandGenerator | None = None,
    ) -> Self:
        """Both stages around a loaded stage I; its networks are shared, nothing is loaded twice.

        Args:
            hands: HandRefiner's pipeline with its depth ControlNet.
            pose_controlnet: A loaded OpenPose ControlNet of the same family.
            hand_generator: A loaded network for stage I, begun from the same base.

        Raises:
            DiffusionError: The ControlNet does not fit.
        """
        pipe, _ = adopt(hands.pipe, pose_controlnet)
        body = HandRefinerPipeline(pipe, hands.preset, Traits(strength=1.0))
        return cls(hands, body, hand_generator=hand_generator)

    @property
    def resolution(self) -> int:
        """Side of the squares that the base was trained on, in pixels."""
        latents = denoiser_of(self.hands.pipe).config.get("sample_size")
        if latents is None:
            return self.hands.preset.resolution
        return int(latents) * pixels_per_latent(self.hands.pipe.vae)

    def __call__(
        self,
        prompt: str,
        pose: BodyPose,
        width: int,
        height: int,
        *,
        seed: int = 0,
        blend: BlendName = "sequential",
        free_steps: int = 2,
        literal: bool = False,
        start_image: Pixels | None = None,
        strength: float = 1.0,
        pose_strength: float = 1.0,
        on_step: OnStep | None = None,
        **further: Any,  # noqa: ANN401
    ) -> TwoStageOutput:
        """Make a picture.

        Args:
            prompt: What the picture shows; both stages read it.
            pose: The pose, in pixels of the picture; what is missing of it is completed.
            width: Width of the picture, pixels.
            height: Height of the picture, pixels.
            seed: Same seed, same picture.
            blend: How the hand is held in stage II: 'sequential' (§III-D), 'naive' or 'box'.
            free_steps: Last steps of stage II that are not masked.
            literal: Equation 11 as it is printed, the canvas without noise; an ablation.
            start_image: uint8 [height, width, 3]; both stages set out from it, at ``strength``.
            strength: Noise level to set out from; 1 is pure noise, and ``start_image`` counts for nothing.
            pose_strength: ``controlnet_conditioning_scale`` of the OpenPose ControlNet.
            on_step: Called after every step of stage II.
            **further: Further arguments of ``HandRefinerPipeline``'s call, for both stages.

        Raises:
            InvalidValueError: The pose cannot be completed; the message names the joint.
            UsageError: A number out of range.
            DiffusionError: Out of memory, or the model's numbers overflowed.
        """
        completed = complete_pose(pose, width, height)
        fits = fit_hands(completed, width, height)
        started = {"start_image": start_image, "strength": strength}
        stage_one = tuple(
            self.generate_hand(prompt, crop, _seeded(seed, number), **started, **further)
            for number, crop in enumerate(hand_crops(fits, self.resolution))
        )
        predicted = predicted_mask(stage_one, width, height)
        mask = hands_mask(fits, width, height) if predicted is None else predicted
        canvas = compose(stage_one, mask)
        image = self.outpaint(
            prompt, canvas, mask, completed.pose, _seeded(seed, 2), blend=blend, free_steps=free_steps,
            literal=literal, pose_strength=pose_strength, on_step=on_step, **started, **further,
        )  # fmt: skip
        return TwoStageOutput(image, canvas, mask, stage_one)

    def generate_hand(
        self,
        prompt: str,
        crop: HandCrop,
        generator: torch.Generator,
        *,
        start_image: Pixels | None = None,
        strength: float = 1.0,
        **further: Any,  # noqa: ANN401
    ) -> StageOneHand:
        """Stage I: one crop, everything masked, by the hand generator, or under the depth of its hands."""
        side = crop.resolution
        blank = PILImage.new("RGB", (side, side), (CANVAS_GREY,) * 3)
        start = None if start_image is None or strength == 1 else cut(start_image, crop.window, side)
        given: dict[str, Any] = {
            "blend": False,
            "generator": generator,
            "start_image": start,
            "strength": 1.0 if start is None else strength,
            **further,
        }
        pictures = (
            blank,
            PILImage.new("L", (side, side), 255),
            PILImage.fromarray(np.repeat(crop.depth[..., None], 3, 2)),
        )
        if self.hand_generator is None:
            painted = self.hands(prompt, *pictures, **given).images[0]
            return StageOneHand(crop.sides, crop.window, np.asarray(painted.convert("RGB")))
        with self.hand_generator.in_place_of_unet(self.hands.pipe, crop.finger_heatmaps) as under:
            painted = self.hands(prompt, *pictures, **(given | _NO_CONTROL)).images[0]
        return StageOneHand(crop.sides, crop.window, np.asarray(painted.convert("RGB")), under.hand_mask)

    def outpaint(
        self,
        prompt: str,
        canvas: Pixels,
        mask: Bool[np.ndarray, "h w"],
        pose: BodyPose,
        generator: torch.Generator,
        *,
        blend: BlendName = "sequential",
        free_steps: int = 2,
        literal: bool = False,
        start_image: Pixels | None = None,
        strength: float = 1.0,
        pose_strength: float = 1.0,
        on_step: OnStep | None = None,
        **further: Any,  # noqa: ANN401
    ) -> Pixels:
        """Stage II: the person around the hands of a canvas, whose pixels stay as they are.

        The network works on the square around the picture, at its own resolution; it is always given the
        exact mask. The result is brought to the picture's size, and the hands are pasted back.
        """
        height, width = mask.shape
        side, square = self.resolution, max(height, width)
        small = squared(canvas, square, side)
        inside = np.asarray(squared(mask.astype(np.uint8) * 255, square, side)) > 127
        hand, around = (PILImage.fromarray(part.astype(np.uint8) * 255) for part in (inside, ~inside))
        start = None if start_image is None or strength == 1 else squared(start_image, square, side)
        held = HandBlend.from_pipe(
            self.body.pipe, small, hand, MASKS[blend], generator, free_steps=free_steps, literal=literal
        )
        painted = self.body(
            prompt,
            small,
            around,
            self._skeleton(pose, square, side),
            blend=held,
            generator=generator,
            start_image=start,
            strength=1.0 if start is None else strength,
            controlnet_conditioning_scale=pose_strength if self.pose_controlled else 0.0,
            on_step=on_step,
            **further,
        ).images[0]
        large = np.asarray(painted.convert("RGB").resize((square, square), LANCZOS))[:height, :width]
        return paste_hand(large, canvas, mask)

    def _skeleton(self, pose: BodyPose, square: int, side: int) -> PILImage.Image:
        """What the OpenPose ControlNet reads; black where there is none."""
        if not self.pose_controlled:
            return PILImage.new("RGB", (side, side))
        scaled = BodyPose(pose.points_px * (side / square), pose.visibility)
        return PILImage.fromarray(skeleton_picture(scaled, side, side))


_NO_CONTROL: dict[str, Any] = {"controlnet_conditioning_scale": 0.0}  # The heatmaps say what depth would


def load_hand_generator(folder: Path, pipe: Any) -> HandGenerator:  # noqa: ANN401
    """A trained hand generator on the device and in the number format of a pipeline.

    Raises:
        DiffusionError: It is missing, damaged, no safetensors, or was begun from another base.
    """
    network: Any = load_network(HandGenerator, folder, denoiser_of(pipe).dtype)
    reads = int(denoiser_of(pipe).config["in_channels"])
    if network.latent_channels != reads:
        raise DiffusionError(
            f"the hand generator in {folder} reads {network.latent_channels} channels of latents",
            f"the model's UNet reads {reads}",
            "give the base that it was trained from with --model",
        )
    return network.to(pipe._execution_device)


def _seeded(seed: int, part: int) -> torch.Generator:
    """The source of noise of one part of a picture."""
    number = int(np.random.SeedSequence([seed, part]).generate_state(1)[0])
    return torch.Generator("cpu").manual_seed(number)
