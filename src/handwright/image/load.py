"""From any picture file to an ``Image`` that can be written back unharmed."""

import stat
import struct
import threading
import warnings
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image as PILImage

from handwright.errors import MissingPackageError, UnreadableImageError
from handwright.image.formats.metadata import read_facts
from handwright.image.modes import CHANNELS, to_srgb, upright
from handwright.types import Image

FORMATS = (
    "PNG", "JPEG", "MPO", "WEBP", "TIFF", "BMP", "DIB", "GIF", "AVIF", "JPEG2000", "PPM", "TGA", "PCX", "PSD",
    "QOI", "ICO", "SGI", "HEIF",
)  # fmt: skip
"""Pillow's names of the formats that are read; those that start other programs or draw vectors are not.

HEIF (the HEIC files of phones) needs the optional package pillow-heif."""

HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""Brands of a HEIF file: bytes 8 to 12, behind the box type 'ftyp' (ISO/IEC 23008-12 Annex B)."""

_FORMATS_OF_SEVERAL_FRAMES = ("MPO", "PSD", "ICO", "HEIF")
"""Formats of which the first frame is the picture and further ones are previews, layers or sizes of it."""
_PLAIN = {"RGBa": "RGBA", "La": "LA", "PA": "RGBA", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB"}
_BAD_DATA = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError,
    NotImplementedError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip
_MAX_BYTES_PER_PIXEL, _MAX_METADATA_BYTES = 16, 64 << 20
"""A file is refused unread when it is larger than these allow: four 32-bit samples a pixel, and 64 MiB of
metadata (chosen by eye)."""
_pillow_lock = threading.Lock()


def load_image(path: str | Path, *, max_pixels: int = 200_000_000) -> Image:
    """Read a picture file.

    Args:
        path: PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000, HEIC or another of :data:`FORMATS`; 8-bit or
            16-bit, grey, colour, CMYK, palette, with or without alpha; one frame.
        max_pixels: Refuse larger pictures, by the size that the header states, before anything is decoded.

    Returns:
        The picture, upright. ``native`` is uint8 or uint16 [H, W, C] in ``mode`` (see ``modes.CHANNELS``);
        ``pixels`` are its samples taken as sRGB.

    Raises:
        UnreadableImageError: Missing, no file, empty, not a picture, cut off, animated, or too large.
        MissingPackageError: A HEIC file, and pillow-heif is not installed.
    """
    return decode_image(_read_bytes(Path(path), max_pixels), name=str(path), max_pixels=max_pixels)


def decode_image(data: bytes, *, name: str = "the picture", max_pixels: int = 200_000_000) -> Image:
    """Decode the bytes of a picture file; as :func:`load_image`, ``name`` is what errors call it."""
    with _opened(data, name, max_pixels) as opened:
        facts = read_facts(opened, data)
        opened.load()
        native, mode = _samples(opened, data, name)
    # Pillow turns TIFF upright while loading, and nothing else.
    native = np.array(native if facts.format == "TIFF" else upright(native, facts.orientation))
    return Image(to_srgb(native, mode, facts.palette), native, mode, {"file": facts})


def read_format(data: bytes, *, name: str = "the picture", max_pixels: int = 200_000_000) -> str:
    """Pillow's name of a picture file's format, by its header alone; raises as :func:`load_image` does."""
    with _opened(data, name, max_pixels) as opened:
        return opened.format or ""


@contextmanager
def _opened(data: bytes, name: str, max_pixels: int) -> Generator[PILImage.Image]:
    """A picture file whose header was checked; an error of the block is an ``UnreadableImageError``."""
    if not data:
        raise UnreadableImageError(f"cannot read {name}", "the file is empty", "save or download it again")
    if data[4:8] == b"ftyp" and data[8:12] in HEIF_BRANDS:
        _register_heif(name)
    try:
        with _quiet_pillow(), PILImage.open(BytesIO(data), formats=_known_formats()) as opened:
            _check_header(opened, name, max_pixels)
            yield opened
    except PILImage.UnidentifiedImageError as error:
        raise UnreadableImageError(
            f"cannot read {name}",
            "it is not a picture in a format that is known",
            "convert it to PNG or JPEG",
        ) from error
    except MemoryError as error:
        raise UnreadableImageError(
            f"cannot read {name}", "it takes more memory than there is", "make it smaller, or free memory"
        ) from error
    except _BAD_DATA as error:
        raise UnreadableImageError(
            f"cannot read {name}", f"its data is damaged or cut off ({error})", "save or download it again"
        ) from error


def _read_bytes(path: Path, max_pixels: int) -> bytes:
    try:
        info = path.stat()
        if (
            stat.S_ISREG(info.st_mode)
            and info.st_size <= _MAX_BYTES_PER_PIXEL * max_pixels + _MAX_METADATA_BYTES
        ):
            return path.read_bytes()
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        fix = "check the name" if isinstance(error, FileNotFoundError) else "check that you may read it"
        raise UnreadableImageError(f"cannot read {path}", cause, fix) from error
    if stat.S_ISDIR(info.st_mode):
        raise UnreadableImageError(f"cannot read {path}", "it is a folder", "give a picture in it")
    if stat.S_ISREG(info.st_mode):
        why = f"its {info.st_size} bytes are more than any picture of {max_pixels} pixels takes"
        raise UnreadableImageError(f"cannot read {path}", why, "make it smaller or raise the limit")
    raise UnreadableImageError(f"cannot read {path}", "it is not a regular file", "give a picture file")


def _check_header(opened: PILImage.Image, name: str, max_pixels: int) -> None:
    width, height = opened.size
    if width * height > max_pixels:
        raise UnreadableImageError(
            f"cannot read {name}",
            f"its header states {width} x {height} pixels, more than the limit of {max_pixels}",
            "make it smaller or raise the limit",
        )
    frames = getattr(opened, "n_frames", 1)
    if frames > 1 and opened.format not in _FORMATS_OF_SEVERAL_FRAMES:
        raise UnreadableImageError(
            f"cannot read {name}",
            f"it holds {frames} frames or pages",
            "save the one you want as a picture of its own",
        )


def _samples(opened: PILImage.Image, data: bytes, name: str) -> tuple[np.ndarray, str]:
    """Samples [H, W, C] as Pillow orients them, and their mode."""
    if deep := _deep_mode(opened, data):
        return _decode_16_bit(data, deep, np.asarray(opened), name), deep
    if opened.mode.startswith("I;16") or (opened.mode == "I" and opened.format == "PPM"):
        return np.asarray(opened).astype(np.uint16)[..., None], "I;16"
    picture = opened.convert(_PLAIN[opened.mode]) if opened.mode in _PLAIN else opened
    if picture.mode not in CHANNELS:
        raise UnreadableImageError(
            f"cannot read {name}",
            f"its samples are of the kind {picture.mode!r}",
            "convert it to 8- or 16-bit grey, RGB or CMYK",
        )
    samples = np.asarray(picture)
    if picture.mode == "1":
        samples = samples.astype(np.uint8) * 255
    return samples.reshape(*samples.shape[:2], CHANNELS[picture.mode]), picture.mode


def _deep_mode(opened: PILImage.Image, data: bytes) -> str | None:
    """Return the mode of a 16-bit picture that Pillow would reduce to 8 bits, else None."""
    if opened.format == "PNG" and data[24] == 16:
        return {2: "RGB;16", 4: "LA;16", 6: "RGBA;16"}.get(data[25])
    if opened.format == "TIFF":
        bits = opened.tag_v2.get(258)  # pyright: ignore[reportAttributeAccessIssue]
        deep = {(16,) * 3: "RGB;16", (16,) * 4: "RGBA;16"}.get(bits)
        return deep if opened.mode in ("RGB", "RGBA") else None
    return None


def _decode_16_bit(
    data: bytes, mode: str, high_bytes: UInt8[np.ndarray, "h w c"], name: str
) -> UInt16[np.ndarray, "h w c"]:
    """OpenCV keeps all 16 bits; what Pillow made of the upper 8 must agree (orientation, layout, alpha)."""
    import cv2

    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if decoded is None or decoded.dtype != np.uint16 or decoded.ndim != 3:
        raise ValueError("its 16-bit samples could not be decoded")
    colour: UInt16[np.ndarray, "h w c"] = decoded[..., [2, 1, 0, 3][: high_bytes.shape[2]]]
    if not np.array_equal(colour >> 8, high_bytes):
        raise UnreadableImageError(
            f"cannot read {name}",
            "its 16-bit samples are laid out in an unknown way",
            "convert it to 8 bits or to a 16-bit PNG",
        )
    return colour[..., [0, 3]] if mode == "LA;16" else colour


def _register_heif(name: str) -> None:
    """Make pillow-heif's reader known to Pillow; registering it again changes nothing."""
    try:
        import pillow_heif  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise MissingPackageError(
            f"cannot read {name}",
            "it is a HEIC picture, and pillow-heif is not installed",
            "run `pip install 'handwright[heic]'`, or convert it to PNG or JPEG",
        ) from error
    pillow_heif.register_heif_opener()


def _known_formats() -> tuple[str, ...]:
    PILImage.init()
    return tuple(name for name in FORMATS if name in PILImage.OPEN)


@contextmanager
def _quiet_pillow() -> Generator[None]:
    """Replace Pillow's global size limit by ours, and silence its warnings on metadata, in the block."""
    with _pillow_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit, PILImage.MAX_IMAGE_PIXELS = PILImage.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            PILImage.MAX_IMAGE_PIXELS = limit
