"""Sample modes: from a file's own samples to sRGB, and back; the eight EXIF orientations.

Samples are taken as sRGB whatever ICC profile is embedded: a painted pixel goes back into the space that its
neighbours are in, so a patch matches its surroundings under any profile, and nothing is converted twice.
CMYK is read without its profile for the same reason.
"""

import numpy as np
from jaxtyping import UInt8
from PIL import Image as PILImage

from handwright.errors import OutputError

_INVERSE = {6: 8, 8: 6}


def upright(stored: np.ndarray, orientation: int) -> np.ndarray:
    """Turn samples as stored into the picture as it is meant to be seen (EXIF 2.32 §4.6.4, tag 274)."""
    swapped = stored.swapaxes(0, 1)
    views = {
        2: stored[:, ::-1], 3: stored[::-1, ::-1], 4: stored[::-1], 5: swapped, 6: swapped[:, ::-1],
        7: swapped[::-1, ::-1], 8: swapped[::-1],
    }  # fmt: skip
    return np.ascontiguousarray(views.get(orientation, stored))


def as_stored(picture: np.ndarray, orientation: int) -> np.ndarray:
    """Inverse of :func:`upright`: turn an upright picture [H, W, ...] into the order its file stores."""
    return upright(picture, _INVERSE.get(orientation, orientation))


CHANNELS = {
    "1": 1, "L": 1, "P": 1, "I;16": 1, "LA": 2, "LA;16": 2, "RGB": 3, "RGB;16": 3, "RGBA": 4, "RGBA;16": 4,
    "CMYK": 4,
}  # fmt: skip
"""Every mode that ``Image.native`` may be in, and its channels. ';16' modes are uint16, others uint8."""

_LOSSLESS_WIDER = {"1": ("L", "RGB"), "L": ("RGB",), "LA": ("RGBA",), "P": ("RGB", "RGBA")}


def to_srgb(
    native: np.ndarray, mode: str, palette: UInt8[np.ndarray, "n 4"] | None
) -> UInt8[np.ndarray, "h w 3"]:
    """Samples [..., C] in ``mode`` → fresh uint8 [..., 3]; alpha is ignored, 16 bits are rounded to 8."""
    if mode == "P":
        return _padded(palette)[native[..., 0], :3]
    if mode == "CMYK":
        return cmyk_to_rgb(native)
    if mode.endswith(";16"):
        native = ((native.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if native.shape[-1] < 3:
        return np.repeat(native[..., :1], 3, axis=-1)
    return native[..., :3].copy()


def from_srgb(rgb: UInt8[np.ndarray, "n 3"], old: np.ndarray, mode: str) -> np.ndarray:
    """Painted sRGB pixels as samples of ``mode``, which must be one that can take new colours.

    Grey takes Rec. 601 luma, 16 bits take 257 × the value, alpha is the old one, CMYK keeps as much of the
    old black as the colour allows.
    """
    if mode == "CMYK":
        return _rgb_to_cmyk(rgb, old[:, 3])
    colours = 3 if CHANNELS[mode] >= 3 else 1
    new = old.copy()
    scale = 257 if mode.endswith(";16") else 1
    new[:, :colours] = (rgb if colours == 3 else _luma(rgb)[:, None]).astype(old.dtype) * scale
    return new


def widen(native: np.ndarray, mode: str, palette: UInt8[np.ndarray, "n 4"] | None, wanted: str) -> np.ndarray:
    """Return the same picture in a wider mode: '1' → 'L' → 'RGB', 'LA' → 'RGBA', 'P' → 'RGB' or 'RGBA'."""
    if mode == wanted:
        return native
    if mode == "P":
        return _padded(palette)[native[..., 0], : CHANNELS[wanted]]
    if mode == "LA":
        return native[..., [0, 0, 0, 1]]
    return np.repeat(native, CHANNELS[wanted], axis=-1)


def mode_for_new_colours(mode: str, palette: UInt8[np.ndarray, "n 4"] | None) -> str:
    """Return the narrowest mode that keeps every old sample and can take any new colour of its kind."""
    if mode == "P":
        return "RGBA" if _has_alpha(palette) else "RGB"
    return "L" if mode == "1" else mode


def mode_in_file(
    mode: str, palette: UInt8[np.ndarray, "n 4"] | None, allowed: tuple[str, ...], name: str
) -> str:
    """Return the first mode in which this picture fits a file format without loss.

    Raises:
        OutputError: The format has no such mode.
    """
    if mode in allowed:
        return mode
    for wider in _LOSSLESS_WIDER.get(mode, ()):
        opaque = not (mode == "P" and wider == "RGB" and _has_alpha(palette))
        if wider in allowed and opaque:
            return wider
    what = "transparency" if mode.startswith(("LA", "RGBA")) or mode == "P" else f"{mode} samples"
    raise OutputError(
        f"cannot write this picture as {name}",
        f"{name} cannot hold its {what if not mode.endswith(';16') else '16-bit samples'}",
        "choose .tif" if mode == "CMYK" else "choose .png or .tif",
    )


def cmyk_to_rgb(cmyk: UInt8[np.ndarray, "*n 4"]) -> UInt8[np.ndarray, "*n 3"]:
    """Plain inks → light: R = (255 − K)(255 − C)/255, and so on (as Pillow does)."""
    flat = np.ascontiguousarray(cmyk).reshape(1, -1, 4)
    return np.array(PILImage.fromarray(flat, "CMYK").convert("RGB")).reshape(*cmyk.shape[:-1], 3)


def _rgb_to_cmyk(
    rgb: UInt8[np.ndarray, "n 3"], old_black: UInt8[np.ndarray, " n"]
) -> UInt8[np.ndarray, "n 4"]:
    black = np.minimum(old_black, 255 - rgb.max(axis=1))
    paper = np.maximum(255.0 - black, 1.0)[:, None]
    inks = np.rint(255.0 * (1.0 - rgb / paper))
    return np.concatenate([np.clip(inks, 0, 255), black[:, None]], axis=1).astype(np.uint8)


def _luma(rgb: UInt8[np.ndarray, "n 3"]) -> UInt8[np.ndarray, " n"]:
    """Rec. 601 luma in Pillow's fixed point, so that a grey pixel keeps its value exactly."""
    return ((rgb.astype(np.uint32) @ np.array([19595, 38470, 7471], np.uint32) + 0x8000) >> 16).astype(
        np.uint8
    )


def _padded(palette: UInt8[np.ndarray, "n 4"] | None) -> UInt8[np.ndarray, "256 4"]:
    full = np.full((256, 4), (0, 0, 0, 255), np.uint8)
    if palette is not None:
        full[: len(palette)] = palette
    return full


def _has_alpha(palette: UInt8[np.ndarray, "n 4"] | None) -> bool:
    return palette is not None and bool((palette[:, 3] < 255).any())
