"""Pictures in a GPU's memory: batches are drawn, augmented and encoded there, without a wait for the CPU.

Everything random comes from the device's default generator, so a step can be captured as a CUDA graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float16, Int, UInt8
from torch import Tensor
from torch.nn import functional as f

from handwright.diffusion.known_region import latent_mask
from handwright.diffusion.latents import encode, pixels_per_latent
from handwright.diffusion.loading.libraries import CLIPTokenizer
from handwright.training.in_memory.packs import HAND_NUMBERS, SIDE_PX, Packed
from handwright.training.in_memory.posed_people import (
    PosedPeople,
    encoded_both_ways,
    skeletons_of,
    unit_range,
)
from handwright.training.networks.family import token_ids
from handwright.training.streams.crop_batches import other_side

WORDINGS = 3  # Captions that are kept of each picture

_LOT = 128  # Pictures encoded in one forward pass


@dataclass(frozen=True, kw_only=True)
class RepairParams:
    """How repair masks and windows are drawn. All values chosen by eye."""

    grown_px: tuple[int, ...] = (0, 5, 10, 16, 24)  # By how much the hands' mask grows, at 256 px
    box_share: float = 0.25  # Share of masks that are the box around the hands
    whole_share: float = 0.05  # Share of masks that are the whole picture
    context: tuple[float, float] = (1.5, 2.6)  # Side of the window in sizes of the hands' box
    smallest_px: int = 128  # Smallest window
    shift: float = 0.15  # Of the window, in sizes of the hands' box, either way
    exposure: float = 0.08  # Standard deviation of the logarithm of a sample's gain
    white_balance: float = 0.03  # The same of each channel's


@dataclass(frozen=True, eq=False)
class Lot:
    """Up to 128 pictures on the CPU, ready to be copied to a device."""

    pixels: UInt8[Tensor, "n 3 s s"]  # sRGB
    depth: UInt8[Tensor, "n 1 s s"]  # Depth control images
    mask: UInt8[Tensor, "n 1 s s"]  # 1 where hands are
    box: Float[Tensor, "n 4"]  # Of the mask, xyxy px
    tokens: Int[Tensor, "n w 2 t"]  # int16: wordings, of the picture and of its mirror image
    hands: Float16[Tensor, "n 2 2 6 77"]  # ``hand_rows``, likewise; zeros where they are not known
    held_out: Sequence[bool]  # Which are kept from training
    posed: Sequence[int]  # Of which pictures a skeleton is known
    # Of these: skeletons of the picture and of its mirror image; and 1 where hands are seen
    skeletons: UInt8[Tensor, "p 2 3 s s"]
    seen_hands: UInt8[Tensor, "p 1 s s"]

    def first(self, count: int) -> Lot:
        """At most so many of them."""
        few: dict[str, Any] = {field.name: getattr(self, field.name)[:count] for field in fields(self)}
        few["posed"] = posed = [number for number in self.posed if number < count]
        few |= {name: getattr(self, name)[: len(posed)] for name in ("skeletons", "seen_hands")}
        return Lot(**few)


def lots_of(pictures: Iterable[Packed], tokenizer: CLIPTokenizer) -> list[Lot]:
    """Pictures in lots."""
    everything = list(pictures)
    return [_lot(everything[k : k + _LOT], tokenizer) for k in range(0, len(everything), _LOT)]


def _lot(pictures: Sequence[Packed], tokenizer: CLIPTokenizer) -> Lot:
    texts: list[str] = []
    for picture in pictures:
        for k in range(WORDINGS):
            words = picture.captions[k % len(picture.captions)]
            texts += [words, other_side(words)]
    tokens = token_ids(tokenizer, texts).to(torch.int16)
    unknown = np.zeros((2, 2, 6, HAND_NUMBERS), np.float16)
    posed = [k for k, picture in enumerate(pictures) if picture.wholebody is not None]
    skeletons, seen = skeletons_of([pictures[k] for k in posed])
    return Lot(
        pixels=torch.from_numpy(np.stack([p.pixels.transpose(2, 0, 1) for p in pictures])),
        depth=torch.from_numpy(np.stack([p.depth[None] for p in pictures])),
        mask=torch.from_numpy(np.stack([p.mask[None] for p in pictures]).astype(np.uint8)),
        box=torch.tensor([_box(p.mask) for p in pictures]),
        tokens=tokens.reshape(len(pictures), WORDINGS, 2, -1),
        hands=torch.from_numpy(np.stack([unknown if p.hands is None else p.hands for p in pictures])),
        held_out=[p.held_out for p in pictures],
        posed=posed,
        skeletons=skeletons,
        seen_hands=seen,
    )


class PictureStore:
    """Pictures of several kinds with their latents, at fixed places in a device's memory.

    Args:
        capacity: Most pictures of each kind.
        vae: The autoencoder, on the device.
        tokenizer: Reads the captions.
        resolutions: Sides at which pictures are encoded.
    """

    def __init__(
        self,
        capacity: Mapping[str, int],
        vae: Any,  # noqa: ANN401 - any autoencoder with diffusers' interface
        tokenizer: CLIPTokenizer,
        resolutions: tuple[int, ...],
    ) -> None:
        self.vae, self.tokenizer, self.device = vae, tokenizer, vae.device
        self.kinds, total = tuple(capacity), sum(capacity.values())
        starts = np.cumsum([0, *capacity.values()])
        self.start = {kind: int(starts[k]) for k, kind in enumerate(self.kinds)}
        self.capacity, self.held_out = dict(capacity), {kind: list[int]() for kind in self.kinds}
        place, cell = {"device": self.device}, pixels_per_latent(vae)
        channels = int(vae.config["latent_channels"])
        self.first = torch.tensor(starts[:-1], **place)
        self.count = torch.zeros(len(self.kinds), dtype=torch.long, **place)  # Training pictures of each kind
        self.pixels = torch.zeros(total, 3, SIDE_PX, SIDE_PX, dtype=torch.uint8, **place)
        self.depth = torch.zeros(total, 1, SIDE_PX, SIDE_PX, dtype=torch.uint8, **place)
        self.mask = torch.zeros(total, 1, SIDE_PX, SIDE_PX, dtype=torch.uint8, **place)
        self.box = torch.zeros(total, 4, **place)  # Of the mask, xyxy px
        length = tokenizer.model_max_length
        self.tokens = torch.zeros(total, WORDINGS, 2, length, dtype=torch.int16, **place)
        self.hands = torch.zeros(total, 2, 2, 6, HAND_NUMBERS, dtype=torch.float16, **place)
        self.latents = {
            side: torch.zeros(total, 2, channels, side // cell, side // cell, dtype=torch.float16, **place)
            for side in resolutions
        }
        self.posed = PosedPeople(self.capacity.get("people", 0), vae)
        # Shares that were asked for, as tensors at fixed places
        self.share_tensors: dict[tuple[tuple[str, float], ...], Tensor] = {}
        self.empty = token_ids(tokenizer, [""])[0].to(self.device)
        blank = torch.zeros(1, 3, SIDE_PX, SIDE_PX, **place)
        with torch.no_grad():
            self.blank = encode(vae, blank)  # Latents of a picture of which nothing is known

    def add(self, kind: str, lots: Iterable[Lot]) -> None:
        """Add pictures of a kind as far as there is room; held-out ones lie at the end of its place."""
        for lot in lots:
            room = self.room(kind)
            if room > 0:
                self._add(kind, lot.first(room))

    def autocast(self) -> torch.autocast:
        """bfloat16 on a GPU, nothing elsewhere."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def counts(self) -> dict[str, int]:
        """Training pictures of each kind."""
        return dict(zip(self.kinds, self.count.tolist(), strict=True))

    def room(self, kind: str) -> int:
        """How many more pictures of a kind there is room for."""
        return self.capacity[kind] - self.counts()[kind] - len(self.held_out[kind])

    def _add(self, kind: str, lot: Lot) -> None:
        number, begin = self.kinds.index(kind), self.start[kind]
        training = int(self.count[number])
        rows: list[int] = []
        for held_out in lot.held_out:
            if held_out:
                rows.append(begin + self.capacity[kind] - 1 - len(self.held_out[kind]))
                self.held_out[kind].append(rows[-1])
            else:
                rows.append(begin + training)
                training += 1
        at = torch.tensor(rows, device=self.device)
        pixels = lot.pixels.to(self.device)
        self.pixels[at] = pixels
        for target, values in ((self.depth, lot.depth), (self.mask, lot.mask), (self.box, lot.box)):
            target[at] = values.to(self.device)
        self.tokens[at] = lot.tokens.to(self.device)
        self.hands[at] = lot.hands.to(self.device)
        for side, latents in self.latents.items():
            scaled = unit_range(pixels)
            if side != SIDE_PX:
                scaled = f.interpolate(scaled, (side, side), mode="area")
            latents[at] = encoded_both_ways(self.vae, scaled)
        taught = [k for k, number in enumerate(lot.posed) if not lot.held_out[number]]
        if taught and kind == "people":
            numbers = [lot.posed[k] for k in taught]
            self.posed.add(
                [rows[number] for number in numbers],
                pixels[numbers],
                lot.skeletons[taught],
                lot.seen_hands[taught],
            )
        self.count[number] = training

    def rows(self, count: int, shares: Float[Tensor, "k"]) -> Int[Tensor, "n"]:
        """Random training pictures; kinds are drawn by their shares, those without pictures never."""
        upto = (shares * (self.count > 0)).cumsum(0)
        drawn = torch.rand(count, 1, device=self.device) * upto[-1]
        kind = (drawn >= upto).sum(1).clamp(max=len(self.kinds) - 1)
        place = torch.rand(count, device=self.device, dtype=torch.float64) * self.count[kind]
        return self.first[kind] + place.long()

    def texts(self, rows: Int[Tensor, "n"], mirrored: Int[Tensor, "n"], empty: float) -> Int[Tensor, "n t"]:
        """Token ids of one wording each, a share ``empty`` of them left out."""
        wording = torch.randint(WORDINGS, rows.shape, device=self.device)
        tokens = self.tokens[rows, wording, mirrored].long()
        return torch.where(torch.rand(len(rows), 1, device=self.device) < empty, self.empty, tokens)

    def whole(
        self, rows: Int[Tensor, "n"], side: int, empty: float
    ) -> tuple[Float[Tensor, "n c h w"], Int[Tensor, "n t"], Float[Tensor, "n 2 6 77"]]:
        """Latents of whole pictures, half of them mirrored, token ids of their captions, ``hand_rows``."""
        mirrored = torch.randint(2, rows.shape, device=self.device)
        hands = self.hands[rows, mirrored].float()
        return self.latents[side][rows, mirrored].float(), self.texts(rows, mirrored, empty), hands

    def repairs(self, rows: Int[Tensor, "n"], params: RepairParams, empty: float) -> dict[str, Tensor]:
        """Windows around hands, with masks as a repair may have them.

        Returns:
            ``clean`` and ``masked_latents`` [N, C, h, w], ``mask`` [N, 1, h, w], ``control`` [N, 3, 256, 256]
            in [0, 1], ``known_depth`` bool [N] and ``tokens`` [N, T].
        """
        count = len(rows)
        mirrored = torch.randint(2, rows.shape, device=self.device)
        grid = self._windows(self.box[rows], mirrored, params)
        gain = torch.randn(count, 1, 1, 1, device=self.device) * params.exposure
        gain = (gain + torch.randn(count, 3, 1, 1, device=self.device) * params.white_balance).exp()
        seen = _sampled(self.pixels[rows].float(), grid, "bilinear")
        picture = unit_range((seen * gain).clamp(0, 255))
        depth = _sampled(self.depth[rows].float(), grid, "bilinear")
        hands = _sampled(self.mask[rows].float(), grid, "nearest")
        mask = _repair_masks(hands, params)
        with torch.no_grad():
            clean, masked = encode(self.vae, torch.cat([picture, picture * (1 - mask)])).chunk(2)
        return {
            "clean": clean,
            "masked_latents": masked,
            "mask": latent_mask(mask, pixels_per_latent(self.vae)),
            "control": (depth / 255).expand(-1, 3, -1, -1),
            "known_depth": depth.flatten(1).amax(1) > 0,
            "tokens": self.texts(rows, mirrored, empty),
        }

    def _windows(
        self, box: Float[Tensor, "n 4"], mirrored: Int[Tensor, "n"], params: RepairParams
    ) -> Float[Tensor, "n s s 2"]:
        """Sampling grid of a random square around each box that lies within its picture."""
        count = len(box)
        extent = (box[:, 2:] - box[:, :2]).amax(1)
        low, high = params.context
        side = extent * (low + (high - low) * torch.rand(count, device=self.device))
        side = side.clamp(params.smallest_px, SIDE_PX)
        away = (2 * torch.rand(count, 2, device=self.device) - 1) * params.shift * extent[:, None]
        middle = (box[:, :2] + box[:, 2:]) / 2 + away
        half = side[:, None] / 2
        middle = torch.minimum(torch.maximum(middle, half), SIDE_PX - half)
        scale, place = side / SIDE_PX, 2 * middle / SIDE_PX - 1
        turned = scale * (1 - 2 * mirrored)
        zero = torch.zeros_like(scale)
        rows = torch.stack([turned, zero, place[:, 0], zero, scale, place[:, 1]], 1)
        return f.affine_grid(rows.reshape(-1, 2, 3), [count, 1, SIDE_PX, SIDE_PX], align_corners=False)


def _box(mask: Bool[np.ndarray, "s s"]) -> list[float]:
    """Box of a mask, xyxy; the whole picture where it is empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return [0.0, 0.0, float(SIDE_PX), float(SIDE_PX)]
    return [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)]


def _sampled(planes: Float[Tensor, "n c s s"], grid: Tensor, mode: str) -> Float[Tensor, "n c s s"]:
    return f.grid_sample(planes, grid, mode=mode, padding_mode="border", align_corners=False)


def _repair_masks(hands: Float[Tensor, "n 1 s s"], params: RepairParams) -> Float[Tensor, "n 1 s s"]:
    """The hands' masks grown by different amounts, the boxes around them, or everything."""
    count, device = len(hands), hands.device
    grown = torch.stack([_grown(hands, by) for by in params.grown_px], 1)
    chosen = torch.randint(len(params.grown_px), (count,), device=device)
    mask = grown[torch.arange(count, device=device), chosen]
    kind = torch.rand(count, 1, 1, 1, device=device)
    mask = torch.where(kind < params.box_share, _hull(mask, 2) * _hull(mask, 3), mask)
    everywhere = (kind > 1 - params.whole_share) | (mask.amax((1, 2, 3), keepdim=True) == 0)
    return torch.where(everywhere, 1.0, mask)


def _grown(mask: Float[Tensor, "n 1 s s"], by: int) -> Float[Tensor, "n 1 s s"]:
    """A mask grown by so many pixels, in a square's way and then rounded."""
    if by == 0:
        return mask
    across = f.max_pool2d(mask, (1, 2 * by + 1), 1, (0, by))
    square = f.max_pool2d(across, (2 * by + 1, 1), 1, (by, 0))
    smooth = f.avg_pool2d(square, 2 * (by // 2) + 1, 1, by // 2, count_include_pad=False)
    return (smooth > 0.5).float()


def _hull(mask: Float[Tensor, "n 1 s s"], along: int) -> Float[Tensor, "n 1 s s"]:
    """1 in the rows (``along`` 3: columns) that lie between the first and the last of the mask."""
    seen = mask.amax(5 - along, keepdim=True)
    before = seen.cummax(along).values
    after = seen.flip(along).cummax(along).values.flip(along)
    return before * after
