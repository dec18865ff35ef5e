"""Writing of pictures: whole or not at all, and never over a file without permission."""

import shutil
from pathlib import Path

from handwright.errors import OutputError
from handwright.image.atomic_write import write_atomically
from handwright.image.formats.appendix import with_appendix
from handwright.image.formats.encode import SUFFIXES, encode_image
from handwright.types import Image


def save_image(
    image: Image,
    path: str | Path,
    *,
    overwrite: bool = False,
    source_path: str | Path | None = None,
    appendix: bytes | None = None,
) -> tuple[str, ...]:
    """Write a picture in the format that its suffix names, with the mode and metadata of its source.

    Every format but JPEG is written lossless: ``native`` comes back bit for bit. JPEG takes the source's own
    quantisation tables and subsampling.

    Args:
        image: The picture.
        path: '.png', '.jpg', '.jpeg', '.webp', '.tif', '.tiff' or '.bmp'.
        overwrite: Replace what is there.
        source_path: The file that the picture came from, for a clear error when it would be replaced.
        appendix: Bytes of our own for a PNG, JPEG or WebP (``formats.appendix``); None: none are written.

    Returns:
        Notes for the report, often none.

    Raises:
        OutputError: Unknown suffix, a format that cannot hold the picture, something is there already, or the
            place cannot be written to.
    """
    path = Path(path)
    file_format = format_for(path)
    check_output(path, overwrite=overwrite, source_path=source_path)
    data, notes = encode_image(image, file_format)
    if appendix is not None:
        data = with_appendix(data, file_format, appendix)
    write_atomically(path, lambda file: file.write(data))
    return notes


def save_unchanged(source_path: str | Path, path: str | Path, *, overwrite: bool = False) -> None:
    """Copy a picture file byte for byte: :func:`save_image` for a picture in which nothing was refined.

    Copying a file onto itself with ``overwrite`` leaves it alone.

    Raises:
        OutputError: Something is there already, the source is gone, or the place cannot be written to.
    """
    source_path, path = Path(source_path), Path(path)
    check_output(path, overwrite=overwrite, source_path=source_path)
    if path.exists() and path.samefile(source_path):
        return
    try:
        with source_path.open("rb") as source:
            write_atomically(path, lambda file: shutil.copyfileobj(source, file))
    except OSError as error:
        raise OutputError(
            f"cannot copy {source_path}", error.strerror or str(error), "check the input"
        ) from error


def format_for(path: str | Path) -> str:
    """Return the format of a file name's suffix.

    Raises:
        OutputError: The ending is missing or not one that can be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        why = f"pictures are not written as {suffix!r}" if suffix else "its name has no ending such as .png"
        raise OutputError(f"cannot write {path}", why, f"choose one of {', '.join(SUFFIXES)}")
    return SUFFIXES[suffix]


def check_output(path: str | Path, *, overwrite: bool = False, source_path: str | Path | None = None) -> None:
    """Refuse an output that would replace a file without permission; call it before long work begins.

    Raises:
        OutputError: The path is a folder, or ``overwrite`` is false and there is a file already.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"cannot write {path}", "it is a folder", "give a file name")
    if overwrite or not path.exists():
        return
    if source_path is not None and Path(source_path).exists() and path.samefile(source_path):
        raise OutputError(
            f"will not write {path}", "it is the input itself", "choose another output, or allow overwriting"
        )
    raise OutputError(
        f"will not write {path}", "it exists already", "choose another output, or allow overwriting"
    )
