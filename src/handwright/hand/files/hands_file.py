"""Hands as files: JSON that a person can edit and load again.

``"schema": "handwright/hands-1"``; published as ``hands-1.schema.json`` beside this module. ``angles_deg``
repeats the pose as joint angles: an angle that differs from the pose's own turns that joint, and every other
joint keeps its ``pose``.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from handwright.errors import HandsFileError
from handwright.hand.files import _fields
from handwright.hand.files._record import hand_from_record, hand_to_record
from handwright.json_text import parse_json
from handwright.types import Hand, HandObservation

SCHEMA = "handwright/hands-1"
MAX_FILE_BYTES = 64 << 20

NumberedHand = tuple[int, HandObservation, Hand]


def hands_to_json(
    hands: Sequence[NumberedHand], image_size: tuple[int, int], image_sha256: str | None = None
) -> dict[str, Any]:
    """Return the document of a picture's hands, for :func:`hands_text`."""
    width, height = image_size
    return {
        "schema": SCHEMA,
        "picture": {"width": int(width), "height": int(height), "sha256": image_sha256},
        "hands": [hand_to_record(*hand) for hand in hands],
    }


def hands_text(document: dict[str, Any]) -> str:
    """Return the JSON text of a document, indented, with one row of numbers a line."""
    spread = json.dumps(document, indent=1, allow_nan=False, ensure_ascii=False)
    return re.sub(r"\[[^\[\]{}]*\]", lambda row: " ".join(row[0].split()), spread) + "\n"


def hands_from_json(
    document: object,
    *,
    width: int | None = None,
    height: int | None = None,
    sha256: str | None = None,
    where: str = "the hands file",
) -> tuple[NumberedHand, ...]:
    """Validate a document and return its hands.

    Args:
        document: A document as ``json.loads`` returns it.
        width: Width of the picture that the hands are for; None: any picture.
        height: Its height.
        sha256: SHA-256 of the picture's file; compared when the document has one too.
        where: The file's name, for messages.

    Raises:
        HandsFileError: A field is missing, misspelt, of the wrong shape, not finite or outside a joint's
            limits, or the hands are those of another picture.
    """
    fields = _fields.record(document, where)
    if fields.get("schema") != SCHEMA:
        got = fields.get("schema")
        _fields.refuse(where, f"its schema is {got!r}", f"this version reads {SCHEMA!r}", "give a hands file")
    _fields.known_only(fields, ("$schema", "schema", "picture", "hands"), where)
    _check_picture(
        _fields.record(_fields.required(fields, "picture", where), where), width, height, sha256, where
    )
    records = _fields.items(_fields.required(fields, "hands", where), f"{where}, hands")
    hands = tuple(hand_from_record(r, k + 1, f"{where}, hand {k + 1}") for k, r in enumerate(records))
    ids = [number for number, _, _ in hands]
    for number in ids:
        if ids.count(number) > 1:
            _fields.refuse(where, f"two hands have the id {number}", "", "give each its own")
    return hands


def load_numbered_hands(
    path: Path, *, width: int | None = None, height: int | None = None, sha256: str | None = None
) -> tuple[NumberedHand, ...]:
    """Read a hands file with its ids; errors as :func:`hands_from_json`."""
    return _parsed(_read(path), str(path), width=width, height=height, sha256=sha256)


def parse_hands(
    text: str, *, width: int | None = None, height: int | None = None
) -> tuple[tuple[HandObservation, Hand], ...]:
    """Return the hands of a hands file's text; errors as :func:`hands_from_json`."""
    numbered = _parsed(text.encode(), "the hands' text", width=width, height=height)
    return tuple((observation, hand) for _, observation, hand in numbered)


def load_hands(
    path: Path, *, width: int | None = None, height: int | None = None, sha256: str | None = None
) -> tuple[tuple[HandObservation, Hand], ...]:
    """Read the hands of a picture; its size and SHA-256, where given, must be the file's.

    Raises:
        HandsFileError: The file cannot be read, is malformed, or belongs to another picture.
    """
    numbered = load_numbered_hands(path, width=width, height=height, sha256=sha256)
    return tuple((observation, hand) for _, observation, hand in numbered)


def load_pose(path: Path) -> Hand:
    """Return the first hand of a file, to take over its pose.

    Raises:
        HandsFileError: The file cannot be read, is malformed, or has no hand.
    """
    hands = load_numbered_hands(path)
    if not hands:
        raise HandsFileError(f"{path} holds no hand", "", "name another file")
    return hands[0][2]


def _parsed(
    data: bytes, where: str, *, width: int | None, height: int | None, sha256: str | None = None
) -> tuple[NumberedHand, ...]:
    try:
        document = parse_json(data.decode("utf-8-sig"))
    except ValueError as error:
        reason = " ".join(str(error).split())[:120]
        raise HandsFileError(
            f"{where} is not JSON", reason, "give a file that `handwright hands` wrote"
        ) from error
    return hands_from_json(document, width=width, height=height, sha256=sha256, where=where)


def _check_picture(
    picture: _fields.Record, width: int | None, height: int | None, sha256: str | None, where: str
) -> None:
    place = f"{where}, picture"
    _fields.known_only(picture, ("width", "height", "sha256"), place)
    size = tuple(
        _fields.whole(_fields.required(picture, side, place), place, 1) for side in ("width", "height")
    )
    fix = "run `handwright hands` on this picture"
    if width is not None and height is not None and size != (width, height):
        why = f"they were saved for {size[0]} × {size[1]} pixels, this one has {width} × {height}"
        raise HandsFileError(f"{where} holds the hands of another picture", why, fix)
    digest = picture.get("sha256")
    if digest is not None and sha256 is not None and _fields.text(digest, place).lower() != sha256.lower():
        raise HandsFileError(f"{where} holds the hands of another picture", "the SHA-256 differs", fix)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise HandsFileError(f"{path} is too large for a hands file", f"limit {MAX_FILE_BYTES >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise HandsFileError(
            f"{path} cannot be read", reason, "check the name and the permissions"
        ) from error
