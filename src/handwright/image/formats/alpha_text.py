"""Texts that NovelAI, and A1111's extension stealth_pnginfo, hide in the lowest bits of the alpha channel.

Bits run down the columns, from left to right, the highest bit of a byte first: 15 letters that name the form,
the length in bits (32, the highest first), then the text in UTF-8, gzipped or plain.
"""

import json
import zlib

import numpy as np
from jaxtyping import UInt8

from handwright.json_text import parse_json

_PLAIN, _PACKED = b"stealth_pnginfo", b"stealth_pngcomp"
_HEAD_BITS = (len(_PACKED) + 4) * 8
_MOST_BYTES = 64 << 20  # More than any text; what unpacks to more is damage


def hidden_texts(alpha: UInt8[np.ndarray, "h w"]) -> dict[str, str]:
    """Texts by keyword, none where nothing is hidden; one that is no JSON object is under 'parameters'."""
    height, width = alpha.shape
    if height * width <= _HEAD_BITS:
        return {}
    head = _bytes(alpha, 0, _HEAD_BITS)
    form, length = head[: len(_PACKED)], int.from_bytes(head[len(_PACKED) :], "big")
    if form not in (_PLAIN, _PACKED) or not 0 < length <= height * width - _HEAD_BITS:
        return {}
    body = _bytes(alpha, _HEAD_BITS, length)
    try:
        if form == _PACKED:
            body = zlib.decompressobj(wbits=31).decompress(body, _MOST_BYTES)  # 31: gzip
        text = body.decode()
    except (zlib.error, UnicodeDecodeError):
        return {}
    try:
        values = parse_json(text)
    except ValueError:
        return {"parameters": text}
    if not isinstance(values, dict):
        return {}
    return {str(key): value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _bytes(alpha: UInt8[np.ndarray, "h w"], start: int, count: int) -> bytes:
    """``count`` of the lowest bits from bit ``start`` on, as bytes."""
    height = alpha.shape[0]
    first, last = start // height, -(-(start + count) // height)
    bits = alpha[:, first:last].T.reshape(-1) & 1
    return np.packbits(bits[start - first * height :][:count]).tobytes()
