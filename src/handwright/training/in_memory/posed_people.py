"""People with their skeletons and their hands cut out, in a device's memory: what stage II learns from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float16, Int, UInt8
from torch import Tensor

from handwright.diffusion.known_region import latent_mask
from handwright.diffusion.latents import encode, pixels_per_latent
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.skeleton_picture import skeleton_picture
from handwright.training.in_memory.packs import SIDE_PX, Packed
from handwright.two_stage.engine import CANVAS_GREY
from handwright.two_stage.mask_expansion import hand_latents
from handwright.two_stage.networks.objective import outpainter_start


def skeletons_of(
    pictures: Sequence[Packed],
) -> tuple[UInt8[Tensor, "n 2 3 s s"], UInt8[Tensor, "n 1 s s"]]:
    """Skeletons of posed pictures and of their mirror images, and 1 where their hands are seen."""
    skeletons = np.zeros((len(pictures), 2, 3, SIDE_PX, SIDE_PX), np.uint8)
    seen = np.zeros((len(pictures), 1, SIDE_PX, SIDE_PX), np.uint8)
    for k, picture in enumerate(pictures):
        assert picture.wholebody is not None
        assert picture.seen_hands is not None
        pose = BodyPose.from_wholebody(picture.wholebody)
        for mirrored, shown in enumerate((pose, pose.mirrored(SIDE_PX))):
            skeletons[k, mirrored] = skeleton_picture(shown, SIDE_PX, SIDE_PX).transpose(2, 0, 1)
        seen[k, 0] = picture.seen_hands
    return torch.from_numpy(skeletons), torch.from_numpy(seen)


class PosedPeople:
    """Skeletons, hands and canvases of people whose pictures a ``PictureStore`` holds.

    Args:
        capacity: Most people.
        vae: The autoencoder, on the device.
    """

    def __init__(self, capacity: int, vae: Any) -> None:  # noqa: ANN401 - any autoencoder of diffusers' kind
        self.vae, self.device = vae, vae.device
        cells, channels = SIDE_PX // pixels_per_latent(vae), int(vae.config["latent_channels"])
        place = {"device": self.device}
        self.count = torch.zeros((), dtype=torch.float64, **place)
        self.rows = torch.zeros(capacity, dtype=torch.long, **place)  # Places in the store
        self.skeletons = torch.zeros(capacity, 2, 3, SIDE_PX, SIDE_PX, dtype=torch.uint8, **place)
        self.hands = torch.zeros(capacity, 1, SIDE_PX, SIDE_PX, dtype=torch.uint8, **place)
        self.canvases = torch.zeros(capacity, 2, channels, cells, cells, dtype=torch.float16, **place)
        with torch.no_grad():
            self.grey = encode(vae, unit_range(torch.full((1, 3, SIDE_PX, SIDE_PX), CANVAS_GREY, **place)))

    def add(
        self,
        rows: Sequence[int],
        pixels: UInt8[Tensor, "n 3 s s"],
        skeletons: UInt8[Tensor, "n 2 3 s s"],
        hands: UInt8[Tensor, "n 1 s s"],
    ) -> None:
        """Add people; there is room for as many as the store has."""
        begin = int(self.count)
        at = slice(begin, begin + len(rows))
        self.rows[at] = torch.tensor(rows, device=self.device)
        self.skeletons[at], self.hands[at] = skeletons.to(self.device), hands.to(self.device)
        canvas = unit_range(torch.where(self.hands[at] > 0, pixels, CANVAS_GREY))
        self.canvases[at] = encoded_both_ways(self.vae, canvas)
        self.count.fill_(begin + len(rows))

    def draw(self, count: int) -> tuple[Int[Tensor, "n"], Int[Tensor, "n"]]:
        """Random people, and whether each is mirrored."""
        people = (torch.rand(count, device=self.device, dtype=torch.float64) * self.count).long()
        return people, torch.randint(2, people.shape, device=self.device)

    def samples(
        self,
        people: Int[Tensor, "n"],
        mirrored: Int[Tensor, "n"],
        pictures: Float[Tensor, "n c h w"],
        hidden: float,
    ) -> dict[str, Tensor]:
        """What the outpainter is trained on (``training.recipes.outpainter``).

        Args:
            people: As drawn.
            mirrored: Likewise.
            pictures: Latents of their pictures.
            hidden: Of this share the hands are left to stage II.

        Returns:
            ``clean`` and ``masked_latents`` [n, c, h, w], ``mask`` and ``weight`` of the loss [n, 1, h, w],
            and ``condition`` [n, 4, 256, 256].
        """
        hands = self.hands[people].float()
        hands = torch.where(mirrored.view(-1, 1, 1, 1) > 0, hands.flip(3), hands)
        shown = (torch.rand(len(people), 1, 1, 1, device=self.device) >= hidden).float()
        hands = hands * shown
        canvas = self.canvases[people, mirrored].float() * shown + self.grey * (1 - shown)
        scale = pixels_per_latent(self.vae)
        inside = hand_latents(hands, scale)
        skeletons = self.skeletons[people, mirrored].float() / 255
        return {
            "clean": outpainter_start(pictures, canvas, inside),
            "masked_latents": canvas,
            "mask": latent_mask(1 - hands, scale),
            "weight": 1 - inside,
            "condition": torch.cat([skeletons, hands], 1),
        }


def unit_range(pixels: Tensor) -> Float[Tensor, "n 3 s s"]:
    """Pixels of 0 … 255 in [-1, 1]."""
    return pixels.float() / 127.5 - 1


@torch.no_grad()
def encoded_both_ways(
    vae: Any,  # noqa: ANN401
    pictures: Float[Tensor, "n 3 s s"],
) -> Float16[Tensor, "n 2 c h w"]:
    """Latents of pictures and of their mirror images."""
    return torch.stack([encode(vae, seen).half() for seen in (pictures, pictures.flip(3))], 1)
