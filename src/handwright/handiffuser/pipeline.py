"""HanDiffuser (§3): a text, a person's hands as parameters, and a picture of both by the base itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from handwright.body.free_body import pose_body
from handwright.body.parameters import BodyParameters
from handwright.diffusion.free_painting import noise_source, paint_freely
from handwright.diffusion.loading.components import load_network
from handwright.diffusion.loading.places import own_part
from handwright.diffusion.long_prompts import embedded_prompts
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.diffusion.step_hooks import denoiser_of
from handwright.errors import DiffusionError, UsageError
from handwright.handiffuser.person_for_text import embedded_text_to_hand, people_for_text
from handwright.handiffuser.text_hand_encoder import TextHandEncoder, features_of
from handwright.handiffuser.text_to_hand_pipeline import TextToHandPipeline, open_text_to_hand
from handwright.types import Hand, Side

ENCODER = "text_hand_encoder"  # Folder of the Text+Hand encoder beside a base that was trained with it


@dataclass(frozen=True, eq=False)
class HanDiffuserOutput:
    """What a run gives."""

    image: UInt8[np.ndarray, "h w 3"]  # The picture, sRGB
    parameters: BodyParameters | None  # The person that was painted; None where only hands were given
    notes: tuple[str, ...] = ()  # What the user should know of the person


class HanDiffuserPipeline:
    """From a text to a picture, by way of hand parameters: T2H → Text+Hand encoder → T-H2I.

    >>> pipe = HanDiffuserPipeline.from_pretrained("run/model")  # doctest: +SKIP
    >>> pipe("a woman waving with her left hand", 512, 512).image  # doctest: +SKIP
    """

    def __init__(
        self,
        base: HandRefinerPipeline,
        text_hand_encoder: TextHandEncoder | None,
        text_to_hand: TextToHandPipeline | None = None,
    ) -> None:
        self.base = base  # T-H2I's UNet with everything around it; ``base.pipe`` is diffusers' own pipeline
        self.text_hand_encoder = text_hand_encoder  # None: the base paints by the text alone
        self._text_to_hand = text_to_hand  # None: the embedded one, once it is needed

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path,
        *,
        text_hand_encoder: str | Path | None = None,
        text_to_hand: str | Path | None = None,
        dtype: str = "auto",
        device: str = "auto",
        offload: bool = False,
        **further: Any,  # noqa: ANN401
    ) -> Self:
        """Load a base with its Text+Hand encoder; safetensors only, no remote code.

        Args:
            model: ``model/`` of `handwright train handiffuser`, or a base as of ``HandRefinerPipeline``.
            text_hand_encoder: Folder of an encoder; None: the model's own, where it has one.
            text_to_hand: Folder of T2H, ``model/`` of `handwright train text_to_hand`; None: the embedded
                one.
            dtype: 'auto', 'float32', 'bfloat16' or 'float16'.
            device: 'auto', 'cpu', 'cuda' or 'mps'.
            offload: Keep networks in main memory and move each to the device when it runs.
            **further: As of ``HandRefinerPipeline.from_pretrained``.

        Raises:
            UsageError: No such dtype or device.
            DiffusionError: Something is missing, damaged, a pickle, or does not fit.
        """
        base = HandRefinerPipeline.from_pretrained(
            model, control_needed=False, dtype=dtype, device=device, offload=offload, **further
        )
        own = own_part(model, ENCODER)
        place = own if text_hand_encoder is None else Path(text_hand_encoder)
        encoder = None if place is None else load_text_hand_encoder(place, base.pipe)
        return cls(base, encoder, None if text_to_hand is None else open_text_to_hand(Path(text_to_hand)))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the base as diffusers does, the encoder beside it; ``from_pretrained`` reads both."""
        self.base.save_pretrained(folder)
        if self.text_hand_encoder is not None:
            self.text_hand_encoder.save_pretrained(Path(folder) / ENCODER)

    @property
    def text_to_hand(self) -> TextToHandPipeline:
        """T2H."""
        return embedded_text_to_hand() if self._text_to_hand is None else self._text_to_hand

    @property
    def resolution(self) -> int:
        """Side of the squares that the base was trained on, in pixels."""
        return self.base.resolution

    def __call__(
        self,
        prompt: str,
        width: int,
        height: int,
        *,
        parameters: BodyParameters | None = None,
        hands: Mapping[Side, Hand] | None = None,
        seed: int = 0,
        negative_prompt: str = "",
        **further: Any,  # noqa: ANN401
    ) -> HanDiffuserOutput:
        """Make a picture.

        Args:
            prompt: What the picture shows; it may be empty where the person or the hands are given.
            width: Width of the picture, pixels.
            height: Height of the picture, pixels.
            parameters: The person; None: T2H draws one that fits the prompt.
            hands: Hands in pixels of the picture, in place of a person; a side that is missing is not seen.
            seed: Of the person and of the picture; same seed, same picture.
            negative_prompt: What the picture should not show; no hands belong to it.
            **further: Further arguments of ``HandRefinerPipeline``'s call, such as ``num_inference_steps``
                and ``guidance_scale``.

        Raises:
            UsageError: Both a person and hands are given, or the prompt is empty and neither is.
            DiffusionError: Out of memory, or the model's numbers overflowed.
        """
        square, notes = max(width, height), ()
        if parameters is not None and hands is not None:
            raise UsageError("hands are given twice", "the person has some of its own", "give one of them")
        if hands is None:
            if parameters is None:
                found = people_for_text(prompt, self.text_to_hand, square, seed)[0]
                parameters, notes = found.parameters, found.notes
            parameters = parameters.resized(width, height)
            hands = pose_body(parameters).hands
        given = self.prompt_arguments(prompt, hands, square, negative_prompt)
        noise = noise_source(seed, 2)
        image = paint_freely(self.base, prompt, width, height, noise, **given, **further)
        return HanDiffuserOutput(image, parameters, notes)

    @torch.no_grad()
    def prompt_arguments(
        self, prompt: str, hands: Mapping[Side, Hand], square: int, negative_prompt: str = ""
    ) -> dict[str, Tensor]:
        """The embeddings that a text-to-image pipeline of the base's family takes in place of a prompt.

        Args:
            prompt: The text.
            hands: Hands in pixels of a square picture.
            square: Side of that picture, pixels.
            negative_prompt: The text to be guided away from; it is encoded without hands.
        """
        pipe = self.base.pipe
        given = embedded_prompts(pipe, [prompt], negative_prompt)
        if self.text_hand_encoder is None:
            return given
        text = torch.cat([given["prompt_embeds"], given["negative_prompt_embeds"]])
        numbers = features_of([hands, {}], [(square, square)] * 2)
        encoder = self.text_hand_encoder.to(text.device)  # pyright: ignore[reportArgumentType] - as torch's own
        both = encoder(text, numbers.to(text.device, torch.float32))
        given["prompt_embeds"], given["negative_prompt_embeds"] = both.chunk(2)
        return given


def load_text_hand_encoder(folder: Path, pipe: Any) -> TextHandEncoder:  # noqa: ANN401
    """A Text+Hand encoder for a base.

    Raises:
        DiffusionError: It is missing or damaged, the base is of a family without a UNet, or their widths
            differ.
    """
    if getattr(pipe, "unet", None) is None:
        raise DiffusionError(
            f"the Text+Hand encoder of {folder} does not fit the model", "its denoiser is a transformer",
            "choose a model of Stable Diffusion 1.x's or SDXL's layout",
        )  # fmt: skip
    encoder = load_network(TextHandEncoder, folder, denoiser_of(pipe).dtype)
    reads, writes = int(pipe.unet.config["cross_attention_dim"]), int(encoder.config["text_width"])
    if reads != writes:
        raise DiffusionError(
            f"the Text+Hand encoder of {folder} does not fit the model",
            f"it writes {writes} channels, and the UNet reads {reads}",
            "give the encoder that was trained with this base",
        )
    return encoder.to(pipe._execution_device)
