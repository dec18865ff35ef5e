"""Made-up pictures of every mode, for the tests of this room."""

from __future__ import annotations

import numpy as np
from PIL import Image as PILImage

from handwright.image import FileFacts
from handwright.image.modes import CHANNELS, to_srgb
from handwright.types import Image

MODES = tuple(CHANNELS)
WRITABLE = {
    ".png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "LA;16", "RGB;16", "RGBA;16"),
    ".tif": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "RGB;16", "RGBA;16"),
    ".webp": ("1", "L", "LA", "P", "RGB", "RGBA"),
    ".bmp": ("1", "L", "P", "RGB"),
}


def noise(mode: str, height: int, width: int, seed: int, **facts: object) -> Image:
    """A picture of random samples; a palette picture has 200 colours, the last of them half transparent."""
    random = np.random.default_rng(seed)
    deep = mode.endswith(";16")
    top, dtype = (65536, np.uint16) if deep else (256, np.uint8)
    native = random.integers(0, top, (height, width, CHANNELS[mode]), dtype=dtype)
    palette = None
    if mode == "1":
        native = (native > 127).astype(np.uint8) * 255
    if mode == "P":
        palette = random.integers(0, 256, (200, 4), dtype=np.uint8)
        palette[:, 3] = 255
        if facts.pop("transparent", True):
            palette[-1, 3] = 128
        native %= 200
    return Image(to_srgb(native, mode, palette), native, mode, {"file": FileFacts(palette=palette, **facts)})


def exif_bytes(orientation: int, maker: str = "handwright tests") -> bytes:
    """A small EXIF block as a TIFF structure."""
    exif = PILImage.Exif()
    exif[271], exif[274] = maker, orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


def stored_turned(mode: str, height: int, width: int, seed: int, suffix: str, orientation: int) -> Image:
    """A picture as it would come from a file that stores it turned; BMP cannot say so."""
    exif = exif_bytes(orientation)
    facts: dict[str, dict[str, object]] = {
        ".png": {"format": "PNG", "chunks": ((b"eXIf", exif),)},
        ".tif": {"format": "TIFF", "tags": {274: orientation, 271: "handwright tests"}},
        ".webp": {"format": "WEBP", "exif": exif},
        ".bmp": {},
    }
    turned = {} if suffix == ".bmp" else {"orientation": orientation}
    return noise(mode, height, width, seed, **facts[suffix], **turned)
