"""Pictures that a person looks at: a fixed grid of what the network makes now, and the learning curve."""

import json
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image as PILImage

from handwright.diffusion.latents import picture_array, pixels_per_latent
from handwright.diffusion.loading.controlnets import Traits, controlnet_from
from handwright.diffusion.loading.libraries import ControlNetModel
from handwright.diffusion.loading.stock import around
from handwright.diffusion.loading.zoo import DiffusionModels
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.diffusion.samplers import open_sampler
from handwright.hand.anatomy import LANDMARK_EDGES
from handwright.handrefiner.controls import control_picture
from handwright.training.networks.family import schedule_config, schedule_of
from handwright.training.streams.crops import Crops

_SHIFT = 4  # Fractional bits of OpenCV's drawing coordinates

_EDGE, _TIP, _TIPS = (40, 220, 255), (255, 60, 200), (4, 8, 12, 16, 20)


def with_hand(
    picture: UInt8[np.ndarray, "s s 3"], points_px: Float[np.ndarray, "21 2"], shown: np.ndarray
) -> UInt8[np.ndarray, "s s 3"]:
    """A copy of the picture, doubled in size, with the landmarks that are ``shown`` and the bones between."""
    drawn = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    at = [tuple(int(v) for v in np.rint((2 * p - 0.5) * (1 << _SHIFT))) for p in points_px]
    for a, b in LANDMARK_EDGES:
        if shown[a] and shown[b]:
            cv2.line(drawn, at[a], at[b], _EDGE, 1, cv2.LINE_AA, _SHIFT)
    for tip in _TIPS:
        if shown[tip]:
            cv2.circle(drawn, at[tip], 3 << _SHIFT, _TIP, 1, cv2.LINE_AA, _SHIFT)
    return drawn


def words(lines: list[str], width: int, line_px: int = 16) -> UInt8[np.ndarray, "h w 3"]:
    """Lines of ASCII in white on black; what does not fit is cut off."""
    drawn = np.zeros((line_px * len(lines) + 4, width, 3), np.uint8)
    for k, line in enumerate(lines):
        at = (3, line_px * (k + 1) - 4)
        cv2.putText(drawn, line, at, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (255, 255, 255), 1, cv2.LINE_AA)
    return drawn


_SMOOTH = 50


def draw_curve(log: Path, picture: Path) -> None:
    """Plot loss and samples a second against samples seen; writes a PNG, whole or not at all."""
    from matplotlib.figure import Figure

    from handwright.image import write_atomically

    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    if len(lines) < 2:
        return
    steps, losses, speeds = (np.array([line[k] for line in lines]) for k in ("step", "loss", "samples_per_s"))
    window = min(_SMOOTH, len(losses))
    smooth = np.convolve(losses, np.ones(window) / window, "valid")
    figure = Figure(figsize=(8, 4), layout="constrained")
    loss, speed = figure.subplots(1, 2)
    loss.plot(steps, losses, linewidth=0.3, alpha=0.4)
    loss.plot(steps[window - 1 :], smooth)
    loss.set(xlabel="step", ylabel="loss", yscale="log")
    speed.plot(steps, speeds, linewidth=0.5)
    speed.set(xlabel="step", ylabel="samples per second")
    write_atomically(picture, lambda file: figure.savefig(file, format="png", dpi=100))


_STEPS, _GUIDANCE = 12, 2.0


def family_pipeline(
    family: DiffusionModels, controlnet: ControlNetModel | None = None
) -> HandRefinerPipeline:
    """The pipeline of a family in training, with the sampler that its schedule names.

    Without a ControlNet it has one that changes nothing.
    """
    inert = controlnet_from(family.unet, pixels_per_latent(family.vae))
    inert.to(family.unet.device)  # pyright: ignore[reportArgumentType] - as torch's own
    second = family.text_encoder_2
    parts = {
        "vae": family.vae,
        "text_encoder": family.text_encoder,
        "tokenizer": family.tokenizer,
        **({} if second is None else {"text_encoder_2": second, "tokenizer_2": family.tokenizer_2}),
        "unet": family.unet,
        "scheduler": open_sampler("auto", schedule_config(schedule_of(family))),
        "controlnet": controlnet or inert,
    }
    return HandRefinerPipeline(*around(parts, family.name), Traits())


def sample_grid(
    shown: Crops, family: DiffusionModels, controlnet: ControlNetModel | None, control: str = "depth"
) -> UInt8[np.ndarray, "h w 3"]:
    """Rows of: the crop, the crop with its mask, its control image, repainted from pure noise."""
    pipeline = family_pipeline(family, controlnet)
    side, rows = family.resolution, []
    edge = (shown.pixels.shape[1] - side) // 2
    middle = np.s_[edge : edge + side, edge : edge + side]
    steering = control_pictures(control, shown)
    for k in range(len(shown)):
        pixels, steered, inside = (a[k][middle] for a in (shown.pixels, steering, shown.mask))
        painted = pipeline(
            fitting_prompt(family, str(shown.caption[k]).split("\n")[0]),
            *pictures_for(pixels, inside, steered),
            num_inference_steps=_STEPS,
            guidance_scale=_GUIDANCE,
            controlnet_conditioning_scale=0.0 if controlnet is None else 1.0,
            output_type="tensor",
            generator=torch.Generator("cpu").manual_seed(k),
        ).images
        masked, repainted = np.where(inside[..., None], 127, pixels), np.rint(picture_array(painted)[0])
        rows.append(np.concatenate([pixels, masked, steered, repainted], 0))
    return np.concatenate(rows, 1).astype(np.uint8)


def pictures_for(
    pixels: UInt8[np.ndarray, "s s 3"], mask: Bool[np.ndarray, "s s"], control: UInt8[np.ndarray, "s s 3"]
) -> tuple[PILImage.Image, PILImage.Image, PILImage.Image]:
    """Picture, mask and control image as a pipeline takes them."""
    white = mask.astype(np.uint8) * np.uint8(255)
    return PILImage.fromarray(pixels), PILImage.fromarray(white), PILImage.fromarray(control)


def control_pictures(kind: str, crops: Crops) -> UInt8[np.ndarray, "n s s 3"]:
    """The control image of every crop."""
    return np.stack(
        [
            control_picture(kind, depth, points[None])
            for depth, points in zip(crops.depth, crops.landmarks_px, strict=True)
        ]
    )


def fitting_prompt(family: DiffusionModels, caption: str) -> str:
    """As many words of a caption as the text encoder reads."""
    words = caption.split()
    while len(family.tokenizer(" ".join(words)).input_ids) > family.tokenizer.model_max_length:
        words.pop()
    return " ".join(words)
