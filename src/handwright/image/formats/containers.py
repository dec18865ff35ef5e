"""PNG chunks and JPEG segments: read them, carry the harmless ones over into a newly encoded file."""

import struct
import zlib

from handwright.image.facts import Chunk

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PNG_COLOUR = (b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP", b"mDCV", b"cLLI")
_PNG_CARRIED = (*_PNG_COLOUR, b"pHYs", b"eXIf", b"tIME", b"tEXt", b"zTXt", b"iTXt")
_PNG_OF_ONE_MODE = (b"sBIT", b"bKGD", b"hIST", b"PLTE", b"tRNS", b"acTL", b"fcTL", b"fdAT")
_APP0, _APP2, _APP11, _APP14, _APP15, _COM = 0xE0, 0xE2, 0xEB, 0xEE, 0xEF, 0xFE
_SOS = 0xDA


def png_chunk(tag: bytes, payload: bytes) -> bytes:
    """Return the bytes of one PNG chunk: length, type, payload, CRC."""
    return struct.pack(">I", len(payload)) + tag + payload + struct.pack(">I", zlib.crc32(tag + payload))


def png_chunks(data: bytes) -> list[Chunk]:
    """Return all chunks of a PNG in order, up to IEND or the first one that is cut off."""
    chunks: list[Chunk] = []
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        tag = data[at + 4 : at + 8]
        chunks.append((tag, data[at + 8 : at + 8 + length]))
        at += 12 + length
        if tag == b"IEND":
            break
    return chunks


def carried_png_chunks(data: bytes) -> tuple[Chunk, ...]:
    """Chunks of a PNG that stay true when pixels change: known ones and 'safe to copy' (PNG §14.2)."""

    def stays_true(tag: bytes) -> bool:
        ancillary, safe = tag[0] & 0x20, tag[3] & 0x20
        return tag in _PNG_CARRIED or bool(ancillary and safe and tag not in _PNG_OF_ONE_MODE)

    return tuple((tag, payload) for tag, payload in png_chunks(data) if tag.isalpha() and stays_true(tag))


def png_with_chunks(data: bytes, chunks: tuple[Chunk, ...]) -> bytes:
    """Insert chunks into a bare PNG: colour keys right before the pixels, others right after the header."""
    header_end = len(PNG_SIGNATURE) + 25
    pixels_at = data.index(b"IDAT", header_end) - 4
    early = b"".join(png_chunk(*chunk) for chunk in chunks if chunk[0] != b"tRNS")
    keys = b"".join(png_chunk(*chunk) for chunk in chunks if chunk[0] == b"tRNS")
    return data[:header_end] + early + data[header_end:pixels_at] + keys + data[pixels_at:]


def jpeg_segments(data: bytes) -> list[Chunk]:
    """Return the marker segments of a JPEG between SOI and the first scan: (marker byte, payload)."""
    segments: list[Chunk] = []
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == _SOS:
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segments.append((bytes([marker]), data[at + 4 : at + 2 + length]))
        at += 2 + length
    return segments


def carried_jpeg_segments(data: bytes) -> tuple[Chunk, ...]:
    """Application and comment segments that stay true when pixels change.

    Left out: JFIF and Adobe headers (the encoder writes its own), the index of further pictures (MPF), signed
    content credentials (JUMBF), which no longer hold, and an appendix of our own.
    """

    def stays_true(marker: int, payload: bytes) -> bool:
        if marker in (_APP0, _APP11, _APP14) or (marker == _APP2 and payload.startswith(b"MPF\0")):
            return False
        if marker == _APP15 and payload.startswith(b"handwright\0"):
            return False
        return _APP0 < marker <= _APP15 or marker == _COM

    return tuple(
        (marker, payload) for marker, payload in jpeg_segments(data) if stays_true(marker[0], payload)
    )


def jpeg_with_segments(data: bytes, segments: tuple[Chunk, ...]) -> bytes:
    """Insert segments into a bare JPEG, behind the encoder's own JFIF or Adobe header."""
    at = 2
    while data[at] == 0xFF and data[at + 1] in (_APP0, _APP14):
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    extra = b"".join(
        b"\xff" + marker + struct.pack(">H", len(payload) + 2) + payload for marker, payload in segments
    )
    return data[:at] + extra + data[at:]


def webp_is_lossy(data: bytes) -> bool:
    """Whether a WebP holds a lossy ('VP8 ') bitstream rather than a lossless ('VP8L') one."""
    at = 12
    while at + 8 <= len(data):
        tag, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if tag in (b"VP8 ", b"VP8L"):
            return tag == b"VP8 "
        at += 8 + length + length % 2
    return True
