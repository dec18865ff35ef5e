"""Both stages on diffusers' own pipelines (Pelykh et al. 2024, §III), with what needs no training of ours.

Stage I is HandRefiner's inpainting with everything masked, under the depth of the fitted hand; stage II is
the same base under an OpenPose ControlNet, with ``HandBlend`` in place of equations 1 and 2. The paper's own
networks, a ``HandGenerator`` and an ``Outpainter``, take their places where they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8

from handwright.body import BodyParameters
from handwright.diffusion.free_painting import noise_source
from handwright.diffusion.loading.controlnets import Traits, controlnet_traits
from handwright.diffusion.loading.places import controlnet_place, own_part
from handwright.diffusion.loading.stock import adopt
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.diffusion.step_hooks import OnStep
from handwright.errors import UsageError
from handwright.perception.body.body_pose import BodyPose
from handwright.two_stage.body_stage import AGAIN_LEVEL, BodyStage
from handwright.two_stage.canvas import compose, hand_alpha, lay_things
from handwright.two_stage.engine import HeldThings, StageOneHand, fit_hands
from handwright.two_stage.hand_crops import HandCrop, hand_crops
from handwright.two_stage.hand_stage import HandStage, StageOneOutput, hand_covers, is_small
from handwright.two_stage.networks.hand_generator import HandGenerator
from handwright.two_stage.networks.load import load_hand_generator, load_outpainter, load_pose_controlnet
from handwright.two_stage.pose_completion import CompletedPose, complete_pose
from handwright.two_stage.settings import BlendName
from handwright.two_stage.shared_latents import latent_canvas, latent_grid
from handwright.types import HandFit, Side

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
    alpha: Float[np.ndarray, "h w"]  # How far the canvas covers the picture: 1 where hands stay as they are
    hands: tuple[StageOneHand, ...]  # Stage I's crops
    first: Pixels  # The picture before small hands were painted once more; where none was, the picture
    repainted: tuple[Side, ...] = ()  # Hands that were


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
        self.body = body  # Stage II, under an OpenPose ControlNet or an ``Outpainter``; it shares the base
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
        outpainter: str | Path | None = None,
        dtype: str = "auto",
        device: str = "auto",
        offload: bool = False,
        **further: Any,  # noqa: ANN401
    ) -> Self:
        """Load a base with both of its ControlNets; safetensors only, no remote code.

        Args:
            model: A preset, a folder in ``save_pretrained`` layout, one .safetensors file, or a hub id.
            controlnet: The depth ControlNet of stage I; None: the model's own, or the preset's. With a hand
                generator the model may have none. One that is given takes the model's own generator's place.
            pose_controlnet: The OpenPose ControlNet of stage II; None: the preset's. A model without one
                outpaints by text and canvas alone.
            hand_generator: Folder of a ``HandGenerator`` from `handwright train hand_generator`: stage I is
                then the paper's, finger heatmaps in, hand and mask out. None: the model's own, in its folder
                ``hand_generator``; where it has none, the base under depth control.
            outpainter: Folder of an ``Outpainter`` from `handwright train outpainter`, in place of an
                OpenPose ControlNet: stage II is then the paper's, and reads the hands' mask, too. None: the
                model's own, in its folder ``outpainter``, unless a pose ControlNet is given.
            dtype: 'auto', 'float32', 'bfloat16' or 'float16'.
            device: 'auto', 'cpu', 'cuda' or 'mps'.
            offload: Keep networks in main memory and move each to the device when it runs.
            **further: As of ``HandRefinerPipeline.from_pretrained``.

        Raises:
            UsageError: No such dtype or device, or both an outpainter and a ControlNet for stage II.
            DiffusionError: Something is missing, damaged, a pickle, or does not fit.
        """
        if outpainter is not None and pose_controlnet is not None:
            raise UsageError(
                "stage II has two ControlNets",
                "an outpainter takes the place of the other",
                "give one of them",
            )
        if hand_generator is None and controlnet is None:
            hand_generator = own_part(model, "hand_generator")
        if outpainter is None and pose_controlnet is None:
            outpainter = own_part(model, "outpainter")
        hands = HandRefinerPipeline.from_pretrained(
            model, controlnet=controlnet, control_needed=hand_generator is None, dtype=dtype, device=device,
            offload=offload, **further,
        )  # fmt: skip
        generator = None if hand_generator is None else load_hand_generator(Path(hand_generator), hands.pipe)
        if outpainter is not None:
            network = load_outpainter(Path(outpainter), hands.pipe)
            return cls.from_pipe(hands, network, generator, controlnet_traits(Path(outpainter), 1.0))
        named = POSE_CONTROLNETS.get(str(model)) if pose_controlnet is None else str(pose_controlnet)
        alone = cls(hands, hands, pose_controlled=False, hand_generator=generator)
        return alone if named is None else alone.with_pose_controlnet(named)

    @classmethod
    def from_pipe(
        cls,
        hands: HandRefinerPipeline,
        pose_controlnet: Any,  # noqa: ANN401
        hand_generator: HandGenerator | None = None,
        traits: Traits | None = None,
    ) -> Self:
        """Both stages around a loaded stage I; its networks are shared, nothing is loaded twice.

        Args:
            hands: HandRefiner's pipeline with its depth ControlNet.
            pose_controlnet: A loaded OpenPose ControlNet of the same family, or an ``Outpainter``.
            hand_generator: A loaded network for stage I, begun from the same base.
            traits: Notes of stage II's ControlNet: its ``guidance`` is the guidance on the pose; None: none.

        Raises:
            DiffusionError: The ControlNet does not fit.
        """
        pipe, _ = adopt(hands.pipe, pose_controlnet)
        body = HandRefinerPipeline(pipe, hands.preset, traits or Traits(strength=1.0))
        return cls(hands, body, hand_generator=hand_generator)

    def with_pose_controlnet(self, place: str | Path) -> Self:
        """The same networks with an OpenPose ControlNet in stage II.

        Raises:
            DiffusionError: It is missing or damaged, or does not fit.
        """
        pipe, found = self.hands.pipe, controlnet_place(str(place))
        network = load_pose_controlnet(found, pipe)
        return self.from_pipe(self.hands, network, self.hand_generator, controlnet_traits(found, 1.0))

    def without_hand_generator(self) -> Self:
        """The same networks with the base under depth control in stage I."""
        return type(self)(self.hands, self.body, self.pose_controlled)

    @property
    def resolution(self) -> int:
        """Side of the squares that the base was trained on, in pixels."""
        return self.hands.resolution

    def __call__(
        self,
        prompt: str,
        pose: BodyPose,
        width: int,
        height: int,
        *,
        person: BodyParameters | None = None,
        seed: int = 0,
        blend: BlendName = "naive",
        free_steps: int = 2,
        literal: bool = False,
        start_image: Pixels | None = None,
        strength: float = 1.0,
        again_level: float = AGAIN_LEVEL,
        pose_strength: float = 1.0,
        shared_latents: bool = False,
        together: bool = True,
        second_pass: bool = False,
        second_level: float = 0.5,
        held: HeldThings | None = None,
        on_step: OnStep | None = None,
        **further: Any,  # noqa: ANN401
    ) -> TwoStageOutput:
        """Make a picture.

        Args:
            prompt: What the picture shows; both stages read it.
            pose: The pose, in pixels of the picture; what is missing of it is completed.
            width: Width of the picture, pixels.
            height: Height of the picture, pixels.
            person: Whom the pose is of, in pixels of the picture, where known: its hands are theirs.
            seed: Same seed, same picture.
            blend: How the hand is held in stage II: 'naive', 'sequential' (§III-D) or 'box'.
            free_steps: Last steps of stage II that are not masked.
            literal: Equation 11 as it is printed, the canvas without noise; an ablation.
            start_image: uint8 [height, width, 3]; both stages set out from it, at ``strength``.
            strength: Noise level to set out from; 1 is pure noise, and ``start_image`` counts for nothing.
            again_level: Noise level from which stage II, after noise, paints once more, with the hands in the
                picture and at its size (``BodyStage.outpaint``); 0, as published: it does not.
            pose_strength: ``controlnet_conditioning_scale`` of the OpenPose ControlNet.
            shared_latents: Stage I paints at stage II's scale, and its latents go into the canvas as they
                are; False, as published: its pictures are scaled, and the canvas is encoded.
            together: Two hands whose boxes meet are painted in one crop; False, an ablation: in one each.
            second_pass: Hands of less than ``hand_stage.SMALL_HAND_PX`` are painted once more in the finished
                picture, at the resolution of a crop of their own.
            second_level: Noise level that these set out from.
            held: Things in the hands: they stand on the canvas before the hands, and stay as they are. The
                canvas is encoded then.
            on_step: Called after every step of stage II.
            **further: Further arguments of ``HandRefinerPipeline``'s call, for both stages.

        Raises:
            InvalidValueError: The pose cannot be completed; the message names the joint.
            UsageError: A number out of range.
            DiffusionError: Out of memory, or the model's numbers overflowed.
        """
        completed = complete_pose(pose, width, height)
        given = {"start_image": start_image, "strength": strength, **further}
        begun = self.make_hands(
            prompt, completed, width, height, person=person, seed=seed, shared_latents=shared_latents,
            together=together, **given,
        )  # fmt: skip
        if held is not None:
            begun = begun.with_things(held)
        first = self.outpaint(
            prompt, begun.canvas, begun.mask, completed.pose, noise_source(seed, 2), blend=blend,
            again_level=again_level, free_steps=free_steps, literal=literal, pose_strength=pose_strength,
            on_step=on_step, alpha=begun.alpha, skin=begun.skin, latents=begun.latents, **given,
        )  # fmt: skip
        image = first
        repainted: tuple[Side, ...] = ()
        if second_pass:
            image, repainted = self.repaint_hands(
                prompt, first, begun.fits, is_small, noise=(seed, 3), strength=second_level, **further
            )
            image = image if held is None else lay_things(image, held)
        return TwoStageOutput(image, begun.canvas, begun.mask, begun.alpha, begun.hands, first, repainted)

    def make_hands(
        self,
        prompt: str,
        completed: CompletedPose,
        width: int,
        height: int,
        *,
        person: BodyParameters | None = None,
        seed: int = 0,
        shared_latents: bool = False,
        together: bool = True,
        **further: Any,  # noqa: ANN401
    ) -> StageOneOutput:
        """Stage I and the canvas; arguments and errors as of a call."""
        fits = fit_hands(completed, width, height, person)
        square = max(width, height)
        grid = latent_grid(self.hands.pipe, square, self.resolution) if shared_latents else None
        crops = hand_crops(fits, self.resolution, grid, together=together)
        # The same noise for both hands: their skin is then more alike (docs/research/two-stage.md)
        hands = tuple(self.generate_hand(prompt, crop, noise_source(seed, 0), **further) for crop in crops)
        covers = hand_covers(hands, crops)
        canvas, cover = compose(hands, covers, width, height)
        latents = None
        if grid is not None:
            latents = latent_canvas(self.body.pipe, crops, hands, covers, self.resolution)
        alpha = hand_alpha(cover, completed.pose)
        return StageOneOutput(fits, hands, canvas, cover, alpha, latents, skin=cover)

    def repaint_hands(
        self,
        prompt: str,
        image: Pixels,
        fits: Mapping[Side, HandFit],
        chosen: Callable[[HandCrop], bool],
        *,
        noise: tuple[int, int],
        strength: float = 0.5,
        **further: Any,  # noqa: ANN401
    ) -> tuple[Pixels, tuple[Side, ...]]:
        """Stage I once more on hands of a finished picture, in crops of their own; see ``HandStage.repaint``.

        Args:
            prompt: What the picture shows.
            image: The picture.
            fits: Its hands.
            chosen: Which crops of them are painted.
            noise: Seed and first part of ``noise_source``; every crop has the next part.
            strength: Noise level to set out from.
            **further: As of a call.

        Returns:
            The picture, and the hands that were painted.

        Raises:
            DiffusionError: Out of memory, or the model's numbers overflowed.
        """
        again = [crop for crop in hand_crops(fits, self.resolution) if chosen(crop)]
        for number, crop in enumerate(again, noise[1]):
            source = noise_source(noise[0], number)
            image = self._stage_one.repaint(prompt, image, crop, source, strength=strength, **further)
        return image, tuple(side for crop in again for side in crop.sides)

    @property
    def _stage_one(self) -> HandStage:
        return HandStage(self.hands, self.hand_generator)

    def generate_hand(
        self,
        prompt: str,
        crop: HandCrop,
        generator: torch.Generator,
        **further: Any,  # noqa: ANN401
    ) -> StageOneHand:
        """Stage I: one crop, from noise; see ``HandStage.generate``."""
        return self._stage_one.generate(prompt, crop, generator, **further)

    def outpaint(
        self,
        prompt: str,
        canvas: Pixels,
        mask: Bool[np.ndarray, "h w"],
        pose: BodyPose,
        generator: torch.Generator,
        **further: Any,  # noqa: ANN401
    ) -> Pixels:
        """Stage II: the person around the hands of a canvas; see ``BodyStage.outpaint``."""
        stage = BodyStage(self.body, self.pose_controlled, self.resolution)
        return stage.outpaint(prompt, canvas, mask, pose, generator, **further)
