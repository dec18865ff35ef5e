"""Broken and hostile files, made from a seed: pictures of every format, and JSON files of every kind.

Cut, flipped, shuffled, blanked; headers that lie; bombs; huge EXIF, text and profiles; polyglots; odd modes and
sizes; animations; hostile provenance and generators' texts. No file is larger than 8 MB.
"""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image as PILImage

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF", "JPEG2000")
SUFFIX = {"JPEG": "jpg", "JPEG2000": "jp2", "TIFF": "tif"}

Rng = np.random.Generator
MODES = ("1", "L", "LA", "P", "PA", "RGBA", "I", "I;16", "CMYK", "YCbCr", "HSV", "F", "RGBX")
NAMES = (
    *("-o.png", "a b.png", "ü\u202e.png", "new\nline.png", "%s%n.png", "x" * 240 + ".png", "*.png", "'.png"),
    *("$(touch evil).png", ".hidden.png", "con.png", "a.png.exe.png"),
)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Hostile:
    """One file."""

    kind: str  # What was done to it: the row of the table
    name: str
    data: bytes
    use: str = "picture"
    """'picture'; 'hands', a hands file; 'pose', a pose or parameters; 'again', a picture that holds settings."""


def pixels(rng: Rng, width: int = 72, height: int = 56) -> np.ndarray:
    """A smooth picture with noise, uint8 [H, W, 3]."""
    slope = np.linspace(40, 200, width)[None, :, None] + np.zeros((height, 1, 3))
    return np.clip(slope + rng.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)


def encoded(rng: Rng, file_format: str, mode: str = "RGB", **options: Any) -> bytes:
    """A sound file."""
    file = BytesIO()
    PILImage.fromarray(pixels(rng)).convert(mode).save(file, file_format, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """A PNG with chunks after its header."""
    return png[:33] + b"".join(chunks) + png[33:]


def text_chunk(key: str, text: bytes, compressed: bool = False) -> bytes:
    """A tEXt or zTXt chunk."""
    if compressed:
        return chunk(b"zTXt", key.encode() + b"\0\0" + zlib.compress(text, 9))
    return chunk(b"tEXt", key.encode() + b"\0" + text)


def flipped(data: bytes, rng: Rng, bits: int) -> bytes:
    """Some bits are others."""
    changed = bytearray(data)
    for place in rng.integers(0, len(data), bits):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def shuffled(data: bytes, rng: Rng) -> bytes:
    """Blocks are in another order."""
    size = max(len(data) // 8, 1)
    blocks = [data[k : k + size] for k in range(0, len(data), size)]
    return b"".join(blocks[k] for k in rng.permutation(len(blocks)))


def blanked(data: bytes, rng: Rng) -> bytes:
    """A run of bytes is zero."""
    first = int(rng.integers(0, len(data)))
    length = int(rng.integers(1, max(len(data) // 3, 2)))
    return data[:first] + b"\0" * len(data[first : first + length]) + data[first + length :]


DAMAGES: dict[str, Callable[[bytes, Rng], bytes]] = {
    "cut": lambda data, rng: data[: int(rng.integers(1, len(data)))],
    "one bit": lambda data, rng: flipped(data, rng, 1),
    "many bits": lambda data, rng: flipped(data, rng, 40),
    "bits of the header": lambda data, rng: flipped(data[:64], rng, 6) + data[64:],
    "shuffled": shuffled,
    "blanked": blanked,
    "trailing junk": lambda data, rng: data + rng.bytes(5000),
    "twice": lambda data, rng: data + data,
}


def damaged(rng: Rng, rounds: int) -> Iterator[Hostile]:
    """Every damage to every format."""
    for file_format in FORMATS:
        suffix = SUFFIX.get(file_format, file_format.lower())
        for kind, damage in DAMAGES.items():
            for k in range(rounds):
                data = damage(encoded(rng, file_format, "P" if file_format == "GIF" else "RGB"), rng)
                yield Hostile(kind, f"{kind.replace(' ', '_')}_{k}.{suffix}", data)


def lying(rng: Rng) -> Iterator[Hostile]:
    """Headers that state other sizes, with right checksums; and bombs."""
    png = encoded(rng, "PNG")
    for width, height in (
        (0, 5),
        (5, 0),
        (2**31 - 1, 2**31 - 1),
        (70_000, 70_000),
        (1, 2**20),
        (7, 5),
        (2**31, 4),
    ):
        header = chunk(b"IHDR", struct.pack(">II", width, height) + png[24:29])
        yield Hostile("lying header", f"png_{width}x{height}.png", png[:8] + header + png[33:])
    for depth, colour in ((3, 2), (16, 3), (8, 7), (1, 6), (255, 255)):
        header = chunk(b"IHDR", png[16:24] + bytes((depth, colour)) + png[26:29])
        yield Hostile("lying header", f"png_depth_{depth}_{colour}.png", png[:8] + header + png[33:])
    jpeg = encoded(rng, "JPEG")
    start = jpeg.index(b"\xff\xc0")
    for width, height in ((0, 0), (65_535, 65_535), (1, 65_535), (73, 57)):
        data = jpeg[: start + 5] + struct.pack(">HH", height, width) + jpeg[start + 9 :]
        yield Hostile("lying header", f"jpeg_{width}x{height}.jpg", data)
    bmp = encoded(rng, "BMP")
    for width, height in ((2**30, 2**30), (-5, 7), (40_000, 40_000), (0, 0)):
        data = bmp[:18] + struct.pack("<ii", width, height) + bmp[26:]
        yield Hostile("lying header", f"bmp_{width}.bmp", data)
    gif = encoded(rng, "GIF", "P")
    yield Hostile("lying header", "gif.gif", gif[:6] + struct.pack("<HH", 65_535, 65_535) + gif[10:])
    yield Hostile("lying header", "ppm.ppm", b"P6 100000 100000 255\n" + bytes(100))
    yield Hostile("lying header", "ppm_zero.ppm", b"P6 0 10 255\n")
    for side, bits in ((30_000, 1), (14_000, 8), (60_000, 1)):
        rows = zlib.compressobj(9)
        line = bytes(1 + (side * bits + 7) // 8)
        body = b"".join(rows.compress(line) for _ in range(side)) + rows.flush()
        header = struct.pack(">IIBBBBB", side, side, bits, 0, 0, 0, 0)
        data = PNG_SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
        yield Hostile("bomb", f"bomb_{side}_{bits}.png", data)
    yield Hostile("bomb", "short.png", PNG_SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0))
                  + chunk(b"IDAT", zlib.compress(bytes(50_000_000), 9)) + chunk(b"IEND", b""))  # fmt: skip


def heavy(rng: Rng) -> Iterator[Hostile]:
    """Huge or broken EXIF, text, profiles and comments in sound pictures."""
    png, jpeg = encoded(rng, "PNG"), encoded(rng, "JPEG")
    bomb = text_chunk("parameters", b"a" * 300_000_000, compressed=True)
    yield Hostile("text bomb", "ztxt.png", with_chunks(png, bomb))
    many = [text_chunk(f"k{k}", b"x" * 40) for k in range(30_000)]
    yield Hostile("huge text", "many.png", with_chunks(png, *many))
    yield Hostile("huge text", "long.png", with_chunks(png, text_chunk("Comment", b"y" * 5_000_000)))
    yield Hostile("huge EXIF", "exif.png", with_chunks(png, chunk(b"eXIf", b"MM\0*" + rng.bytes(3_000_000))))
    segment = b"\xff\xe1" + struct.pack(">H", 65_533) + b"Exif\0\0" + rng.bytes(65_525)
    yield Hostile("huge EXIF", "exif.jpg", jpeg[:2] + segment * 60 + jpeg[2:])
    comment = b"\xff\xfe" + struct.pack(">H", 65_002) + b"c" * 65_000
    yield Hostile("huge text", "comments.jpg", jpeg[:2] + comment * 90 + jpeg[2:])
    for k, profile in enumerate((b"", b"\0" * 128, rng.bytes(3000), rng.bytes(1_000_000))):
        yield Hostile("broken profile", f"{k}.png", encoded(rng, "PNG", icc_profile=profile))
        yield Hostile("broken profile", f"{k}.jpg", encoded(rng, "JPEG", icc_profile=profile[:60_000]))
        packed = b"icc\0\0" + zlib.compress(profile)[:-3]
        yield Hostile("broken profile", f"{k}_cut.png", with_chunks(png, chunk(b"iCCP", packed)))
    for turn in (0, 3, 6, 9, 255, 65_535):
        exif = PILImage.Exif()
        exif[274] = turn
        yield Hostile("odd EXIF", f"turn_{turn}.jpg", encoded(rng, "JPEG", exif=exif.tobytes()))
    for k, body in enumerate((b"MM\0*\0\0\0\x08\xff\xff", b"II*\0\xff\xff\xff\xff", b"MM\0*", b"", b"II*\0\x08\0\0\0\x01\0"
                              b"\x12\x01\x03\0\xff\xff\xff\xff\0\0\0\0\x08\0\0\0")):  # fmt: skip
        segment = b"Exif\0\0" + body
        data = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]
        yield Hostile("odd EXIF", f"ifd_{k}.jpg", data)


def polyglots(rng: Rng) -> Iterator[Hostile]:
    """Files that are something else, too, or nothing at all."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(zipfile.ZipInfo("../../evil.txt"), "evil")  # without the time of day
    script = b"<html><script>alert(1)</script></html>"
    for file_format in ("PNG", "JPEG", "GIF"):
        suffix = SUFFIX.get(file_format, file_format.lower())
        data = encoded(rng, file_format, "P" if file_format == "GIF" else "RGB")
        yield Hostile("polyglot", f"zip.{suffix}", data + archive.getvalue())
        yield Hostile("polyglot", f"html.{suffix}", data + script)
        yield Hostile("polyglot", f"pdf.{suffix}", b"%PDF-1.4\n" + data)
        yield Hostile("polyglot", f"wrong.{'jpg' if file_format != 'JPEG' else 'png'}", data)
    for name, data in {
        "empty": b"", "text": b"hello", "zip": archive.getvalue(), "html": script, "noise": rng.bytes(4000),
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n", "zeros": bytes(100_000),
        "pickle": b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94.",
    }.items():  # fmt: skip
        for suffix in ("png", "jpg"):
            yield Hostile("no picture", f"{name}.{suffix}", data)


def odd(rng: Rng) -> Iterator[Hostile]:
    """Sound but unusual: modes, depths, sizes, movement, names."""
    for file_format, suffix in (("PNG", "png"), ("TIFF", "tif")):
        for mode in MODES:
            file, sound = BytesIO(), PILImage.fromarray(pixels(rng))
            grey = "L" if mode in ("I;16", "F", "I") else "RGB"
            try:
                with warnings.catch_warnings(action="ignore"):  # some are on their way out of Pillow
                    sound.convert(grey).convert(mode).save(file, file_format)
            except (OSError, ValueError, KeyError):  # Pillow does not write it
                continue
            yield Hostile("odd mode", f"{mode.replace(';', '_')}.{suffix}", file.getvalue())
    yield Hostile("odd mode", "cmyk.jpg", encoded(rng, "JPEG", "CMYK"))
    for width, height in ((1, 1), (1, 300), (300, 1), (2, 2), (3, 2000), (2000, 3), (17, 5)):
        for file_format in ("PNG", "JPEG", "WEBP"):
            file = BytesIO()
            PILImage.fromarray(pixels(rng, width, height)).save(file, file_format)
            suffix = SUFFIX.get(file_format, file_format.lower())
            yield Hostile("odd size", f"{width}x{height}.{suffix}", file.getvalue())
    frames = [PILImage.fromarray(pixels(rng)) for _ in range(3)]
    for file_format, suffix in (("GIF", "gif"), ("PNG", "png"), ("WEBP", "webp"), ("TIFF", "tif")):
        file = BytesIO()
        frames[0].save(file, file_format, save_all=True, append_images=frames[1:])
        yield Hostile("animated", f"moving.{suffix}", file.getvalue())
    sound = encoded(rng, "PNG")
    for name in NAMES:
        yield Hostile("odd name", name, sound)
