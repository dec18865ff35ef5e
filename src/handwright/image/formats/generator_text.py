"""A generator's text on its way between PNG, which keeps it by keyword, and EXIF, as JPEG and WebP have it.

Each tool's text goes where the tool itself writes and reads it: A1111's to the user comment in UTF-16, as
piexif dumps it; ComfyUI's graph to the tags from 'model' downwards, as its own WebP nodes do; Fooocus' to the
user comment, with the program in 'software' and the scheme in the maker note. NovelAI's and InvokeAI's
keywords form one JSON object in the user comment, as in NovelAI's WebP files; InvokeAI writes PNG alone.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from PIL import Image as PILImage

from handwright.image.formats.metadata import parsed_exif
from handwright.json_text import parse_json

EXIF_DIRECTORY, USER_COMMENT = 34665, 37510
SOFTWARE, MAKER_NOTE = 305, 37500
GRAPH_TAGS = (272, 271, 270)
"""Model, make and description: ComfyUI writes its prompt into the first, its workflow into the next one."""

_ENCODINGS = {b"UNICODE\0": "utf-16", b"ASCII\0\0\0": "utf-8", b"\0" * 8: "utf-8"}
_A1111, _SCHEME = "parameters", "fooocus_scheme"
_GRAPH = ("prompt", "workflow")
_OBJECT = (
    "invokeai_metadata", "invokeai_graph", "invokeai_workflow", "sd-metadata", "Dream", "Comment",
    "Description", "Software", "Source", "Title", "Generation time",
)  # fmt: skip
"""Keywords of InvokeAI and NovelAI."""

_OWN = ("handwright",)
"""Our entry, which lossy files keep elsewhere (``appendix``)."""

Json = dict[str, Any]


def exif_with_text(
    exif: bytes | None, text: Mapping[str, str], most: int | None = None
) -> tuple[bytes | None, tuple[str, ...]]:
    """EXIF with a PNG's text in it.

    Args:
        exif: EXIF as a TIFF structure, or None.
        text: By keyword.
        most: Bytes that the format has room for; None: any number.

    Returns:
        The EXIF, and the keywords that it has no place for.
    """
    given = {key: value for key, value in text.items() if key not in _OWN}
    parsed = parsed_exif(exif) if exif else PILImage.Exif()
    placed: dict[str, int] = {}
    lost = [key for key, value in given.items() if not _place(parsed, key, value, given, placed)]
    if not placed:
        return exif, tuple(lost)
    data = parsed.tobytes().removeprefix(b"Exif\0\0")
    for key in ("workflow", "invokeai_workflow", "invokeai_graph"):
        if most is not None and len(data) > most and key in placed:
            return exif_with_text(exif, {k: v for k, v in text.items() if k != key}, most)[0], (*lost, key)
    return (exif, tuple(given)) if most is not None and len(data) > most else (data, tuple(lost))


def text_of_exif(exif: bytes | None) -> dict[str, str]:
    """The keywords under which a PNG holds what a generator wrote into EXIF; nothing where none did."""
    if exif is None:
        return {}
    parsed = parsed_exif(exif)
    comment, software = user_comment(parsed), str(parsed.get(SOFTWARE, ""))
    found = graph_texts(parsed)
    values = _object(comment)
    if keywords := object_texts(comment):
        found |= keywords
    elif re.search(r"(?:^|\n)Steps: ", comment) or (values is not None and "base_model" in values):
        found[_A1111] = comment
        if "Fooocus" in software:
            scheme = parsed.get_ifd(EXIF_DIRECTORY).get(MAKER_NOTE, parsed.get(MAKER_NOTE))
            found[_SCHEME] = _plain(scheme) or ("a1111" if values is None else "fooocus")
    return found


def user_comment(exif: PILImage.Exif) -> str:
    """The user comment, '' where there is none: 8 bytes that name its characters, then the text."""
    comment: object = exif.get_ifd(EXIF_DIRECTORY).get(USER_COMMENT, exif.get(USER_COMMENT))
    if not comment:
        return ""
    if isinstance(comment, str):
        return comment
    raw = bytes(cast("bytes", comment))
    charset, body = _ENCODINGS.get(raw[:8]), raw[8:]
    if charset is None:
        return raw.decode("utf-8", "replace").strip("\0")
    if charset == "utf-16":  # without a mark, whichever order gives zeros where plain letters have them
        little = body[1::2].count(0) > body[::2].count(0)
        charset = charset if body[:2] in (b"\xff\xfe", b"\xfe\xff") else f"utf-16-{'le' if little else 'be'}"
    return body.decode(charset, "replace").strip("\0")


def object_texts(comment: str) -> dict[str, str]:
    """NovelAI's and InvokeAI's texts by keyword, of a user comment that is one JSON object of them."""
    values = _object(comment)
    if values is None or not values.keys() & set(_OBJECT):
        return {}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def graph_texts(exif: PILImage.Exif) -> dict[str, str]:
    """ComfyUI's texts, 'KEYWORD:JSON' in tags of plain text."""
    found: dict[str, str] = {}
    for tag in (*GRAPH_TAGS[::-1], SOFTWARE):
        keyword, colon, value = str(exif.get(tag, "")).partition(":")
        if colon and keyword.lower() in _GRAPH:
            found.setdefault(keyword.lower(), value.strip("\0 "))
    return found


def _place(
    exif: PILImage.Exif, key: str, value: str, given: Mapping[str, str], placed: dict[str, int]
) -> bool:
    """Write one text where its tool reads it; whether there is such a place."""
    if key in _GRAPH and _object(value) is not None:
        tags = GRAPH_TAGS if key == "prompt" else GRAPH_TAGS[1:]
        free = [tag for tag in tags if tag not in placed.values() and not exif.get(tag)]
        if not free:
            return False
        exif[free[0]], placed[key] = f"{key}:{_ascii(value)}", free[0]
    elif key == _A1111 and _SCHEME in given:
        exif[SOFTWARE], exif[MAKER_NOTE] = _program(value), given[_SCHEME]
        plain = value if _object(value) is None else _ascii(value)
        if plain.isascii():
            exif[USER_COMMENT] = plain  # beside the other two, where Fooocus looks
        else:
            _comment(exif, value)
        placed |= {key: USER_COMMENT, _SCHEME: MAKER_NOTE}
    elif key == _A1111:
        _comment(exif, value)
        placed[key] = USER_COMMENT
    elif key in _OBJECT and _A1111 not in given:
        if key not in placed:
            ours = {name: text for name, text in given.items() if name in _OBJECT}
            _comment(exif, json.dumps(ours, ensure_ascii=False))
            placed |= dict.fromkeys(ours, USER_COMMENT)
    else:
        return key in placed or (key == _SCHEME and _A1111 in given)
    return True


def _comment(exif: PILImage.Exif, text: str) -> None:
    exif.get_ifd(EXIF_DIRECTORY)[USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be", "surrogatepass")


def _program(parameters: str) -> str:
    """What Fooocus names in 'software': its version, from its own form or A1111's."""
    version = re.search(r'Fooocus v[^\s",}]+', parameters)
    return version[0] if version else "Fooocus"


def _ascii(text: str) -> str:
    """JSON whose letters are all ASCII, which EXIF's plain tags ask for."""
    return text if text.isascii() else json.dumps(json.loads(text))


def _object(text: str) -> Json | None:
    try:
        value = parse_json(text)
    except ValueError:
        return None
    return cast("Json", value) if isinstance(value, dict) else None


def _plain(value: object) -> str:
    return (
        value.decode("utf-8", "replace").strip("\0")
        if isinstance(value, bytes)
        else str(value or "").strip("\0")
    )
