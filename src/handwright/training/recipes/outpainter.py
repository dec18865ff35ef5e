"""``outpainter``: stage II of Giving a Hand to Diffusion Models (Pelykh et al. 2024, §III-C)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from handwright.diffusion.known_region import latent_mask
from handwright.diffusion.latents import picture_tensor, pixels_per_latent
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.perception.body.skeleton_picture import skeleton_picture
from handwright.training.frozen_text import FrozenText
from handwright.training.people_pictures import PeopleStream, Person
from handwright.training.recipes.base import FamilyRecipe
from handwright.training.recipes.handrefiner import ControlLoss
from handwright.training.samples import family_pipeline, fitting_prompt
from handwright.training.settings import TrainSettings
from handwright.two_stage.engine import on_canvas
from handwright.two_stage.mask_expansion import hand_latents
from handwright.two_stage.networks.objective import outpainter_loss, outpainter_start
from handwright.two_stage.networks.outpainter import Outpainter, outpainting_condition
from handwright.two_stage.pipeline import TwoStagePipeline

_SHOWN = 6  # People in the sample grid


class OutpainterLoss(ControlLoss):
    """The outpainter on a frozen base; the forward pass is the masked L2."""

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Loss of ``latents``, ``timesteps``, ``target``, ``tokens``, ``condition`` and ``hands``."""
        prediction = self.predicted(batch, batch["condition"])
        return outpainter_loss(prediction, batch["target"], batch["hands"], batch["weight"])


class OutpainterRecipe(FamilyRecipe):
    """``outpainter``; see :class:`handwright.training.loop.Recipe`.

    An inpainting base is given the exact mask and the canvas, as inference gives them.

    Args:
        people: What to learn from; a few of them are shown in grids.
        family: The base.
        outpainter: What learns.
        loss: Its loss on that base; None: the paper's.
    """

    shown_guidance: ClassVar = 2.0  # On the text, of the sample grid; chosen by eye
    shown_steps = 12  # Likewise

    def __init__(
        self,
        people: PeopleStream,
        family: DiffusionModels,
        outpainter: Outpainter,
        loss: ControlLoss | None = None,
    ) -> None:
        super().__init__(family, loss or OutpainterLoss(FrozenText(family), family.unet, outpainter))
        self.outpainter, self.stream, self.shown = outpainter, people, people.shown(_SHOWN)

    def drawn(self, rng: np.random.Generator, count: int, settings: TrainSettings) -> dict[str, Tensor]:
        """People with their hands' masks, canvases, skeletons and tokens.

        Of a share of them (``conditioning_dropout_prob``, none by default) the hands are left to stage II.
        """
        people = self.stream.draw(rng, count)
        empty = rng.random(count) < settings.proportion_empty_prompts
        hidden = rng.random(count) < (settings.conditioning_dropout_prob or 0.0)
        people = [
            replace(person, hands=np.zeros_like(person.hands)) if without else person
            for person, without in zip(people, hidden, strict=True)
        ]
        return {
            "pixels": torch.from_numpy(np.stack([person.pixels for person in people])),
            "canvas": torch.from_numpy(np.stack([canvas_of(person) for person in people])),
            "condition": torch.cat(
                [outpainting_condition(skeleton_of(person), person.hands) for person in people]
            ),
            "tokens": self.tokens([person.caption for person in people], empty),
        }

    def samples(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Latents of the pictures with the canvas's in the hands, and of the canvas."""
        further, scale = dict(drawn), pixels_per_latent(self.codec)
        pictures, canvases = (picture_tensor(further.pop(name).numpy()) for name in ("pixels", "canvas"))
        clean, canvas = self.encoded(pictures, canvases)
        hands = further["condition"][:, 3:]
        inside = hand_latents(hands, scale)
        return {
            **further,
            "clean": outpainter_start(clean, canvas, inside),
            "hands": inside,
            "mask": latent_mask(1 - hands, scale),
            "masked_latents": canvas,
        }

    def grid(self) -> UInt8[np.ndarray, "h w 3"]:
        """Columns of: the picture, its canvas, its skeleton, and what is outpainted from noise."""
        hands = family_pipeline(self.family)
        pipeline = TwoStagePipeline.from_pipe(hands, self.outpainter)
        columns: list[np.ndarray] = []
        for number, person in enumerate(self.shown):
            canvas = canvas_of(person)
            painted = pipeline.outpaint(
                fitting_prompt(self.family, person.caption),
                canvas,
                person.hands,
                person.pose,
                torch.Generator("cpu").manual_seed(number),
                num_inference_steps=self.shown_steps,
                guidance_scale=self.shown_guidance,
            )
            columns.append(np.concatenate([person.pixels, canvas, skeleton_of(person), painted]))
        return np.concatenate(columns, 1)

    def save(self, folder: Path) -> None:
        """Write the outpainter."""
        self.outpainter.save_pretrained(folder / "outpainter")


def canvas_of(person: Person) -> UInt8[np.ndarray, "r r 3"]:
    """The canvas that stage II begins with: the hands of the picture itself, cut out, on grey (§III-C)."""
    return on_canvas(person.pixels, person.hands)


def skeleton_of(person: Person) -> UInt8[np.ndarray, "r r 3"]:
    """The skeleton of a sample, as OpenPose ControlNets read it."""
    side = len(person.pixels)
    return skeleton_picture(person.pose, side, side)
