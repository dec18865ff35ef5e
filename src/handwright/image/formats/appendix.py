"""Bytes of our own that other programs pass over: a PNG chunk, JPEG segments, a RIFF chunk of WebP."""

from handwright.image.formats.containers import jpeg_segments, jpeg_with_segments, png_chunk, png_chunks

FORMATS = ("PNG", "JPEG", "WEBP")
"""Formats that have room for an appendix."""

TAG = b"haNd"  # PNG §5.4: ancillary, private, safe to copy; in WebP an unknown chunk, which readers ignore
_APP15, _MARK, _MOST = b"\xef", b"handwright\0", 65_000  # A JPEG segment holds at most 65,533 bytes
_VP8X_FLAG_ALPHA = 0x10


def with_appendix(data: bytes, file_format: str, payload: bytes) -> bytes:
    """A picture file with these bytes of our own, in place of earlier ones.

    Args:
        data: A file of one of ``FORMATS``; a WebP in lossless form, or extended.
        file_format: Its format.
        payload: What is appended; not empty.
    """
    if file_format == "PNG":
        kept = b"".join(png_chunk(*chunk) for chunk in png_chunks(data) if chunk[0] not in (TAG, b"IEND"))
        return data[:8] + kept + png_chunk(TAG, payload) + png_chunk(b"IEND", b"")
    if file_format == "JPEG":
        parts = (payload[at : at + _MOST] for at in range(0, len(payload), _MOST))
        return jpeg_with_segments(data, tuple((_APP15, _MARK + part) for part in parts))
    chunks = [chunk for chunk in _riff_chunks(data) if chunk[0] != TAG]
    if chunks[0][0] != b"VP8X":
        chunks.insert(0, (b"VP8X", _extended_header(chunks[0][1])))
    body = b"WEBP" + b"".join(_riff_chunk(*chunk) for chunk in (*chunks, (TAG, payload)))
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def appendix_of(data: bytes) -> bytes | None:
    """The bytes that ``with_appendix`` put into a file, or None."""
    if data.startswith(b"\x89PNG"):
        return dict(png_chunks(data)).get(TAG)
    if data.startswith(b"\xff\xd8"):
        parts = [
            payload
            for marker, payload in jpeg_segments(data)
            if marker == _APP15 and payload.startswith(_MARK)
        ]
        return b"".join(part.removeprefix(_MARK) for part in parts) or None
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return dict(_riff_chunks(data)).get(TAG)
    return None


def _riff_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Chunks of a WebP: type and payload; each is padded to an even length."""
    chunks: list[tuple[bytes, bytes]] = []
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return chunks


def _riff_chunk(tag: bytes, payload: bytes) -> bytes:
    return tag + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) % 2)


def _extended_header(lossless: bytes) -> bytes:
    """The 'VP8X' chunk of a lossless bitstream: that begins with a mark, width − 1, height − 1 and alpha."""
    bits = int.from_bytes(lossless[1:5], "little")
    width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    flags = bytes([_VP8X_FLAG_ALPHA * alpha, 0, 0, 0])
    return flags + width.to_bytes(3, "little") + height.to_bytes(3, "little")
