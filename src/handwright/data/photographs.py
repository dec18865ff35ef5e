"""Photographs in a folder: picture files, and pictures inside WebDataset tars, each with a path of its own.

A picture inside a tar has the path ``FOLDER/shard.tar/member.jpg``; ``read_photo`` knows both kinds.
"""

import tarfile
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from handwright.errors import UnreadableImageError

SUFFIXES = (".jpg", ".jpeg", ".png")


def list_photos(folder: Path) -> tuple[Path, ...]:
    """All JPEG and PNG files below a folder and in its tars, sorted.

    Raises:
        UnreadableImageError: There is none, or a tar is damaged.
    """
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    for shard in folder.rglob("*.tar"):
        found += [shard / name for name in _members(shard) if Path(name).suffix.lower() in SUFFIXES]
    if not found:
        raise UnreadableImageError(
            f"{folder} holds no photographs",
            "no .jpg or .png file, nor a .tar of them",
            "give another folder",
        )
    return tuple(sorted(found))


def read_photo(path: Path) -> bytes:
    """The bytes of a listed photograph.

    Raises:
        UnreadableImageError: It is not there.
    """
    shard = next((parent for parent in path.parents if parent.suffix == ".tar"), None)
    try:
        if shard is None or not shard.is_file():
            return path.read_bytes()
        start, size = _members(shard)[path.relative_to(shard).as_posix()]
        with shard.open("rb") as file:
            file.seek(start)
            return file.read(size)
    except (OSError, KeyError) as error:
        raise UnreadableImageError(f"cannot read {path}", str(error), "give the folder again") from error


def decode_photo(data: bytes, name: str) -> UInt8[np.ndarray, "h w 3"]:
    """Upright sRGB pixels of a photograph's bytes.

    Raises:
        UnreadableImageError: They are no picture.
    """
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if pixels is None:
        raise UnreadableImageError(
            f"{name} is not a picture", "it cannot be decoded", "remove it from the folder"
        )
    return np.ascontiguousarray(pixels[..., ::-1])


@lru_cache(maxsize=256)
def _members(shard: Path) -> dict[str, tuple[int, int]]:
    """Start and size of every file in a tar."""
    try:
        with tarfile.open(shard, "r:") as tar:
            return {entry.name: (entry.offset_data, entry.size) for entry in tar if entry.isfile()}
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UnreadableImageError(f"{shard} is damaged", str(error), "fetch it again") from error
