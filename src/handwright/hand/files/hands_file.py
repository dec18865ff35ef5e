"""Hands as files: JSON that a person can edit and load again, and the same content as npz.

``"schema": "handwright/hands-1"``; published as ``hands-1.schema.json`` beside this module. ``angles_deg``
repeats the pose as joint angles: an angle that differs from the pose's own turns that joint, and every other
joint keeps its ``pose``.
"""

import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from handwright.errors import HandsFileError
from handwright.hand.anatomy import SHAPE_NAMES
from handwright.hand.files import _fields
from handwright.hand.files._record import hand_from_record, hand_to_record
from handwright.types import Hand, HandObservation

_MAX_BYTES = 64 << 20
_ARRAYS = ("landmarks_px", "depth_px", "score", "pose", "palm_arch", "wrist", "translation_m")
_ROW_SHAPES = ((21, 2), (21,), (), (15, 3), (2,), (3,), (3,))


def to_npz_bytes(document: dict[str, Any]) -> bytes:
    """Return a document of ``hands_file.hands_to_json`` as npz."""
    picture, hands = document["picture"], document["hands"]
    arrays: dict[str, np.ndarray] = {
        "schema": np.array(document["schema"]),
        "picture_size": np.array([picture["width"], picture["height"]], np.int64),
        "picture_sha256": np.array(picture["sha256"] or ""),
        "id": np.array([h["id"] for h in hands], np.int64),
        "side": np.array([h["side"] for h in hands], np.str_),
        "found_by": np.array([h["found_by"] for h in hands], np.str_),
        "shape_names": np.array(SHAPE_NAMES),
        "shape": np.array([[h["shape"][n] for n in SHAPE_NAMES] for h in hands]).reshape(
            -1, len(SHAPE_NAMES)
        ),
        "focal_px": np.array([h["camera"]["focal_px"] for h in hands], np.float64),
        "center_px": np.array([h["camera"]["center_px"] for h in hands], np.float64).reshape(-1, 2),
        "has_betas": np.array([h["betas"] is not None for h in hands], np.bool_),
        "betas": np.array([h["betas"] or [0.0] * 10 for h in hands], np.float64).reshape(-1, 10),
    }
    for name, row in zip(_ARRAYS, _ROW_SHAPES, strict=True):
        arrays[name] = np.array([h[name] for h in hands], np.float64).reshape(-1, *row)
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def from_npz_bytes(data: bytes, where: str) -> dict[str, Any]:
    """Return the document of an npz, not yet validated.

    Raises:
        HandsFileError: It is no such archive.
    """
    fix = "give a file that `handwright hands` wrote"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _MAX_BYTES:
                raise HandsFileError(f"{where} is too large for a hands file", "", fix)
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return _document({name: stored[name] for name in stored.files})
    except KeyError as error:
        raise HandsFileError(f"{where} is no hands file", f"the array {error} is missing", fix) from error
    except (ValueError, IndexError, OSError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise HandsFileError(f"{where} is no hands file", " ".join(str(error).split())[:120], fix) from error


def _document(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    width, height = arrays["picture_size"].tolist()
    sha256 = str(arrays["picture_sha256"])
    names = arrays["shape_names"].tolist()
    return {
        "schema": str(arrays["schema"]),
        "picture": {"width": width, "height": height, "sha256": sha256 or None},
        "hands": [_record(arrays, names, k) for k in range(len(arrays["id"]))],
    }


def _record(arrays: dict[str, np.ndarray], shape_names: list[str], k: int) -> dict[str, Any]:
    betas = arrays["betas"][k].tolist() if arrays["has_betas"][k] else None
    return {
        "id": arrays["id"][k].item(),
        "side": arrays["side"][k].item(),
        "found_by": arrays["found_by"][k].item(),
        "shape": dict(zip(shape_names, arrays["shape"][k].tolist(), strict=True)),
        "camera": {"focal_px": arrays["focal_px"][k].item(), "center_px": arrays["center_px"][k].tolist()},
        "betas": betas,
        **{name: arrays[name][k].tolist() for name in _ARRAYS},
    }


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


def hands_to_npz_bytes(document: dict[str, Any]) -> bytes:
    """Return the document as npz (arrays only, no pickle): numbers in full, without ``angles_deg``."""
    return to_npz_bytes(document)


def hands_from_npz(
    path: Path, *, width: int | None = None, height: int | None = None, sha256: str | None = None
) -> tuple[NumberedHand, ...]:
    """Read a file of :func:`hands_to_npz_bytes`; arguments and errors as :func:`hands_from_json`."""
    document = from_npz_bytes(_read(path), str(path))
    return hands_from_json(document, width=width, height=height, sha256=sha256, where=str(path))


def load_numbered_hands(
    path: Path, *, width: int | None = None, height: int | None = None, sha256: str | None = None
) -> tuple[NumberedHand, ...]:
    """Read a hands file with its ids, JSON or npz by its suffix; errors as :func:`hands_from_json`."""
    if path.suffix.lower() == ".npz":
        return hands_from_npz(path, width=width, height=height, sha256=sha256)
    try:
        document = json.loads(_read(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:120]
        raise HandsFileError(
            f"{path} is not JSON", reason, "give a file that `handwright hands` wrote"
        ) from error
    return hands_from_json(document, width=width, height=height, sha256=sha256, where=str(path))


def load_hands(
    path: Path, *, width: int | None = None, height: int | None = None, sha256: str | None = None
) -> tuple[tuple[HandObservation, Hand], ...]:
    """Read the hands of a picture from JSON or npz; its size and SHA-256, where given, must be the file's.

    Raises:
        HandsFileError: The file cannot be read, is malformed, or belongs to another picture.
    """
    numbered = load_numbered_hands(path, width=width, height=height, sha256=sha256)
    return tuple((observation, hand) for _, observation, hand in numbered)


def load_pose(path: Path, hand_id: int | None = None) -> Hand:
    """Return one hand of a file, to take over its pose: the first, or the one with this id.

    Raises:
        HandsFileError: The file cannot be read, is malformed, or has no such hand.
    """
    hands = load_numbered_hands(path)
    chosen = [hand for number, _, hand in hands if hand_id is None or number == hand_id]
    if not chosen:
        there = ", ".join(str(number) for number, _, _ in hands) or "none"
        which = "no hand" if hand_id is None else f"no hand {hand_id}"
        raise HandsFileError(f"{path} holds {which}", f"hands in it: {there}", "name another file or hand")
    return chosen[0]


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
