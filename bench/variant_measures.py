"""What a small family can do, hand by hand: clean pictures told from noisy ones, and hands painted anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from handwright.data.shards import read_shards
from handwright.diffusion.known_region import latent_mask
from handwright.diffusion.latents import decode, encode, pixels_per_latent
from handwright.diffusion.pipeline import HandInpaintPipeline
from handwright.diffusion.samplers import open_sampler
from handwright.diffusion.tensors import control_tensor, picture_array, picture_tensor
from handwright.drawing.photo.sharpness import sharpness_ratio
from handwright.perception.detect.landmarker import Landmarker
from handwright.refine.redetection import find_again
from handwright.training.networks.family import Family
from handwright.training.noising import clean_of, noise_levels, noise_to
from handwright.training.recipes.base import InpaintingLoss
from handwright.training.streams.crop_folders import crops_of
from handwright.training.streams.crops import Crops, joined
from handwright.types import HandObservation
from measures import ciede2000, mean_lab
from variant_training import RESOLUTION, drawn_pictures

Values = dict[str, list[float]]
"""One number a hand, by measure; NaN where it cannot be had."""

LEVELS = (-4.0, -2.0, 0.0, 2.0)
"""ln SNR at which the network is asked for the clean picture."""
ENLARGED, FEWEST_PX = 3, 80


@dataclass(frozen=True)
class How:
    """How a hand is painted.

    Attributes:
        sampler: As of ``open_sampler``.
        steps: That are run.
        guidance: w of eq. 3 against the empty prompt.
        level: Noise level to start from; below 1 the start is the drawn hand.
    """

    sampler: str = "auto"
    steps: int = 10
    guidance: float = 1.0
    level: float = 1.0


def held_hands(folder: Path, size: int) -> Crops:
    """One hand of each rendered picture of a folder, the middle of its crop."""
    found = [crops_of(entry, size) for entry in read_shards(sorted(folder.rglob("*.tar")))]
    return middle(joined([crops.where([0]) for crops in found if len(crops) and crops.depth[0].any()]))


def middle(crops: Crops) -> Crops:
    """The middle of crops at the families' resolution, as samples of the training grid are cut."""
    edge = (crops.pixels.shape[1] - RESOLUTION) // 2
    window = np.s_[:, edge : edge + RESOLUTION, edge : edge + RESOLUTION]
    cut = {name: np.ascontiguousarray(getattr(crops, name)[window]) for name in ("pixels", "depth", "mask")}
    points = crops.landmarks_px - np.float32(edge)
    return Crops(**{**vars(crops), **cut, "landmarks_px": points})


def told_from_noise(family: Family, crops: Crops) -> Values:
    """How near x̂0 comes to the picture inside the mask, from noise at fixed SNR, whatever is predicted.

    PSNR in dB of the decoded x̂0 at each of ``LEVELS``, its mean, the mean squared error of the latents, and
    the PSNR that the codec itself reaches.
    """
    batch = _batch(family, crops)
    network = InpaintingLoss(family.text_encoder, family.unet, family.controlnet).eval()
    values: Values = {"codec PSNR": _psnr(decode(family.vae, batch["clean"]), batch)}
    errors = []
    for level in LEVELS:
        timesteps = torch.full((len(crops),), _timestep(family, level))
        noise = torch.randn(batch["clean"].shape, generator=torch.Generator().manual_seed(round(level)))
        noised = noise_to(family.schedule, batch["clean"], noise, timesteps)
        with torch.no_grad():
            said = network.predicted({**batch, "latents": noised.latents, "timesteps": noised.timesteps})
        clean = clean_of(family.schedule, said, noised.latents, timesteps)
        values[f"PSNR at ln SNR {level:g}"] = _psnr(decode(family.vae, clean), batch)
        errors.append(_inside_mean((clean - batch["clean"]) ** 2, batch["mask"]))
    columns = [v for name, v in values.items() if name.startswith("PSNR at")]
    return values | {
        "PSNR": np.mean(columns, 0).tolist(),
        "latent error": torch.stack(errors).mean(0).tolist(),
    }


def painted(family: Family, crops: Crops, how: How) -> UInt8[np.ndarray, "n r r 3"]:
    """Every hand repainted under its depth at full strength; outside the mask the picture as it was."""
    sampler = open_sampler(how.sampler, family.schedule_config)
    pipeline = HandInpaintPipeline(
        family.vae, family.text_encoder, family.tokenizer, family.unet, sampler, family.controlnet
    )
    starts, made = drawn_pictures(crops) if how.level < 1 else crops.pixels, []
    for k, pixels in enumerate(crops.pixels):
        result = pipeline(
            picture_tensor(pixels[None]),
            torch.from_numpy(crops.mask[k])[None, None].float(),
            control_tensor(np.repeat(crops.depth[k][None, ..., None], 3, -1)),
            _prompt(crops, k),
            "",
            steps=round(how.steps / how.level),
            guidance=how.guidance,
            control_strength=1.0,
            start=picture_tensor(starts[k][None]),
            start_level=how.level,
            generator=torch.Generator().manual_seed(k),
        ).pictures
        new = np.rint(picture_array(result)[0]).astype(np.uint8)
        made.append(np.where(crops.mask[k][..., None], new, pixels))
    return np.stack(made)


def looked_at(made: UInt8[np.ndarray, "n r r 3"], crops: Crops, eyes: Landmarker) -> Values:
    """Whether each hand is found, where its joints are, its colour and sharpness beside the picture's own.

    Joint error: mean distance of 21 landmarks from the exact ones in hand sizes; 1 where none is found.
    """
    values = defaultdict[str, list[float]](list)
    for k, pixels in enumerate(made):
        truth = crops.landmarks_px[k].astype(float) * ENLARGED
        wanted = HandObservation(
            landmarks_px=truth,
            depth_px=np.zeros(21),
            side="right" if crops.side[k] else "left",
            score=1.0,
            found_by="file",
        )
        large = cv2.resize(pixels, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
        seen = find_again(large, wanted, eyes)
        apart = np.inf if seen is None else np.linalg.norm(seen.landmarks_px - truth, axis=1).mean()
        values["found"].append(float(seen is not None))
        values["joint error"].append(float(min(apart / wanted.size_px, 1.0)))
        for name, value in _looks(pixels, crops.pixels[k], crops.depth[k] > 0).items():
            values[name].append(value)
    return dict(values)


def _looks(made: np.ndarray, old: np.ndarray, hand: Bool[np.ndarray, "r r"]) -> Mapping[str, float]:
    inner = cv2.erode(hand.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if inner.sum() < FEWEST_PX:
        return {"ΔE00": np.nan, "sharpness": np.nan}
    return {
        "ΔE00": float(ciede2000(mean_lab(made, inner), mean_lab(old, inner))),
        "sharpness": sharpness_ratio(made, inner, old, inner),
    }


def _prompt(crops: Crops, k: int) -> str:
    """The short wording of a caption."""
    lines: Sequence[str] = str(crops.caption[k]).splitlines()
    return lines[1 if len(lines) > 1 else 0]


def _batch(family: Family, crops: Crops) -> dict[str, Tensor]:
    picture, inside = picture_tensor(crops.pixels), torch.from_numpy(crops.mask)[:, None].float()
    prompts = [_prompt(crops, k) for k in range(len(crops))]
    tokens = family.tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt").input_ids
    with torch.no_grad():
        clean, masked = (encode(family.vae, p) for p in (picture, picture * (1 - inside)))
    return {
        "picture": picture,
        "inside": inside,
        "clean": clean,
        "mask": latent_mask(inside, pixels_per_latent(family.vae)),
        "masked_latents": masked,
        "control": control_tensor(np.repeat(crops.depth[..., None], 3, -1)),
        "controlled": torch.from_numpy(crops.depth.any((1, 2))),
        "tokens": tokens,
    }


def _timestep(family: Family, level: float) -> int:
    """The timestep whose ln SNR is nearest."""
    signal, noise = noise_levels(family.schedule, torch.arange(1000))
    return int((2 * (signal / noise).log() - level).abs().argmin())


def _psnr(made: Float[Tensor, "b 3 h w"], batch: Mapping[str, Tensor]) -> list[float]:
    error = _inside_mean((made.detach() - batch["picture"]) ** 2, batch["inside"])
    return (10 * torch.log10(4 / error)).tolist()


def _inside_mean(error: Float[Tensor, "b c h w"], mask: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b"]:
    return (error.mean(1, keepdim=True) * mask).flatten(1).sum(1) / mask.flatten(1).sum(1)
