"""A refinement once more from the refined file alone: its settings, and what it was made from."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from handwright import __version__
from handwright.errors import HandsFileError, HandwrightError, OutputError, UnreadableImageError, UsageError
from handwright.image import decode_image, encode_image, format_for
from handwright.image.facts import facts_of, with_png_chunk, without_png_text
from handwright.image.formats.appendix import appendix_of
from handwright.json_text import parse_json
from handwright.options import DIFFUSION_OPTIONS, OPTIONS
from handwright.plug_ins import name_of
from handwright.types import Image
from handwright.workflow.files import make_folder, sha256_of_file
from handwright.workflow.run.deliver import ORIGINAL_CHUNK, TEXT_KEY, provenance, save_with_entry
from handwright.workflow.run.load import settings_given
from handwright.workflow.run.request import Request, without_paths


def refine_again(file: Path, output: Path, request: Request, *, force: bool = False) -> bool:
    """Refine what a refined picture was before, with the settings that it holds.

    Args:
        file: A PNG, JPEG or WebP that ``refine`` wrote.
        output: Where the result goes.
        request: Options that the file cannot hold: a model in a folder of the user's, a mask and the like;
            and plug-ins, for no file decides which code is imported.
        force: Overwrite what is at the output.

    Returns:
        Whether the result has the same bytes as the file.

    Raises:
        HandsFileError: The file holds no settings, or not the samples that it was made from.
        UsageError: It was made by another version, or with files, weights or plug-ins that are not given.
        PlugInError: A plug-in cannot be imported, or failed.
        OutputError: The output cannot be written.
    """
    from handwright.refine.pipeline import open_engine, refine_picture
    from handwright.refine.settings import refine_settings

    try:
        data = file.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"cannot read {file}", error.strerror or "", "check the name") from error
    image, appendix = decode_image(data, name=str(file)), appendix_of(data)
    source = original_bytes(appendix)
    entry = own_entry(image, file, appendix)
    wanted = _wanted(request, entry, file)
    if output.exists() and not force:
        raise OutputError(f"{output} exists already", "", "choose another output, or give `force`")
    sha256 = str(entry["input_sha256"])
    before = original(image, file) if source is None else decode_image(source, name=f"the original in {file}")
    own = wanted["landmarker"]
    with open_engine(own if isinstance(own, Path) else None) as opened:
        engine = opened.with_plug_ins(wanted.plug_ins) if wanted.plug_ins else opened
        settings = refine_settings(settings_given(wanted.given, before, sha256, lambda: engine))
        repair = refine_picture(before, settings, engine)
    make_folder(output.parent)
    format_for(output)
    save_with_entry(repair, provenance(wanted.as_json(), sha256), output, lambda: source or b"")
    return sha256_of_file(output) == sha256_of_file(file)


def original_bytes(appendix: bytes | None) -> bytes | None:
    """The original file that a refined one holds; None where it holds samples or nothing."""
    kept = re.match(rb'\{"file": (\d+)\}\n[^\n]*\n', appendix or b"")
    if kept is None:
        return None
    data = (appendix or b"")[kept.end() :]
    return data if len(data) == int(kept[1]) else None


def own_entry(image: Image, file: Path, appendix: bytes | None = None) -> dict[str, Any]:
    """The settings that a refined picture holds.

    Raises:
        HandsFileError: It holds none.
    """
    text = facts_of(image).text.get(TEXT_KEY)
    if original_bytes(appendix) is not None:  # in every format but PNG it stands there alone
        text = (appendix or b"").split(b"\n", 2)[1].decode("utf-8", "replace")
    try:
        entry = parse_json(text or "")
        if not isinstance(entry["settings"], dict):
            raise TypeError("settings are names and values")
        return {
            "version": entry["version"],
            "input_sha256": entry["input_sha256"],
            "settings": entry["settings"],
        }
    except (ValueError, KeyError, TypeError) as error:
        raise HandsFileError(
            f"{file} holds no settings of handwright",
            "it is no PNG, JPEG or WebP that `refine` wrote, or something removed its metadata",
            "give the refined file itself",
        ) from error


def original(image: Image, file: Path) -> Image:
    """The picture before it was refined.

    Raises:
        HandsFileError: The samples are not there or are damaged.
    """
    payload = dict(facts_of(image).chunks).get(ORIGINAL_CHUNK)
    try:
        head, _, packed = (payload or b"").partition(b"\n")
        place = parse_json(head)
        x0, y0, x1, y1 = place["box"]
        kind = np.dtype(place["dtype"])
        native = np.array(image.native)
        size = native[y0:y1, x0:x1].size * kind.itemsize
        samples = zlib.decompressobj().decompress(packed, size + 1)  # no more, whatever is packed there
        steps = np.frombuffer(samples, kind).reshape(y1 - y0, x1 - x0, place["channels"])
        native[y0:y1, x0:x1] = np.cumsum(np.cumsum(steps, axis=1, dtype=kind), axis=0, dtype=kind)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, zlib.error) as error:
        raise HandsFileError(
            f"{file} does not hold the pixels that it was made from",
            "something removed them",
            "refine the original with the settings in its text",
        ) from error
    bare = with_png_chunk(without_png_text(replace(image, native=native), TEXT_KEY), ORIGINAL_CHUNK, None)
    return decode_image(encode_image(bare, "PNG")[0])


def given_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a user would have given them, of settings without paths.

    Files, weights and plug-ins are left out: the user gives them.
    """
    diffusion: Mapping[str, Any] = settings.get("diffusion") or {}
    given: dict[str, Any] = {}
    for name, option in OPTIONS.items():
        held = diffusion if name in DIFFUSION_OPTIONS else settings
        if option.kind == "file" or name not in held or isinstance(held[name], dict):
            continue
        if option.plug_in and held[name] not in option.choices:
            continue
        value = held[name]
        if option.repeat:
            value = tuple(tuple(one) if isinstance(one, list) else one for one in value)
        if value not in (None, option.default):
            given[name] = value
    return given


def _wanted(request: Request, entry: Mapping[str, Any], file: Path) -> Request:
    """What a file asks for, checked; raises as ``refine_again``."""
    try:
        _check_named(request, entry["settings"], file)
        wanted = Request(**{**given_of(entry["settings"]), **request.given})
        _check_same(wanted, entry, file)
    except HandwrightError:
        raise
    except (TypeError, ValueError, AttributeError, KeyError) as error:  # a part of them is of another kind
        raise HandsFileError(
            f"the settings in {file} are damaged", str(error), "refine the original with settings of your own"
        ) from error
    return wanted


def _check_named(request: Request, settings: Mapping[str, Any], file: Path) -> None:
    """Refuse a plug-in that only the file names: nothing is imported because a picture asks for it."""
    held = settings.get("plug_ins")
    for kind, entry in held.items() if isinstance(held, dict) else ():
        name = str(entry.get("name"))
        if name_of(request.given.get(kind)) != name:
            raise UsageError(
                f"{file} was made with the {kind} {name}",
                "code is imported only when you name it yourself",
                f"give `{kind}` {name} if you trust it",
            )


def _check_same(wanted: Request, entry: Mapping[str, Any], file: Path) -> None:
    if entry["version"] != __version__:
        raise UsageError(
            f"{file} was made by handwright {entry['version']}",
            f"this is {__version__}",
            "install that version",
        )
    now, then = without_paths(wanted.as_json()), entry["settings"]
    flat_now, flat_then = ({**one, **(one.get("diffusion") or {})} for one in (now, then))
    own_now, own_then = (one.get("plug_ins") or {} for one in (now, then))
    other = [
        name
        for name in OPTIONS
        if flat_now.get(name) != flat_then.get(name) or own_now.get(name) != own_then.get(name)
    ]
    if other:
        names = ", ".join(f"`{name}`" for name in other)
        raise UsageError(
            f"{file} was made with other files, weights or plug-ins",
            f"{names} differ",
            f"give the same {names} as then",
        )
