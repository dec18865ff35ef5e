"""A hands document ↔ npz: plain arrays with one row a hand, no pickle."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np

from handwright.errors import HandsFileError
from handwright.hand.anatomy import SHAPE_NAMES

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
