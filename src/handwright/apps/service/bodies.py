"""What a request may hold: a picture and options, as multipart form or as JSON with base64."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, cast

from fastapi import Request as HttpRequest
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from handwright.errors import UsageError
from handwright.json_text import parse_json
from handwright.options import OPTIONS, Option, nearest

REFINE_OPTIONS = (
    "painter", "seed", "candidates", "budget", "box", "hand", "all", "unsure", "leave_holding", "prompt",
    "negative_prompt", "controlnet_conditioning_scale", "num_inference_steps", "strength", "sampler",
    "guidance_scale",
)  # fmt: skip
"""Options that a client may give: nothing that names a file or a model of this machine."""

OPTIONS_OF: Mapping[str, tuple[str, ...]] = {
    "refine": REFINE_OPTIONS,
    "hands": ("box",),
    "review": ("prompt", "generated"),
}

_OPTIONS: Mapping[str, Option] = {
    **OPTIONS,
    "generated": Option(
        name="generated", kind="switch", default=False,
        help="The picture is of an image generator: hands that look malformed do not pass.",
    ),
}  # fmt: skip

MOST_CANDIDATES = 16  # Attempts per hand that one request may ask for
MOST_TEXT = 4000  # Characters of a prompt


async def read_body(request: HttpRequest, kind: str) -> tuple[bytes, dict[str, Any]]:
    """The picture's bytes and the checked options of a request.

    Raises:
        UsageError: The body has another form, or an option makes no sense.
    """
    form = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if form == "multipart/form-data":
        picture, given = await _multipart(request)
    elif form == "application/json":
        picture, given = _json_body(await request.body())
    else:
        raise UsageError(
            f"the body is {form or 'of no stated type'}",
            "",
            "send multipart/form-data with `picture` and `options`, or application/json",
        )
    if not picture:
        raise UsageError("there is no picture", "", "send it as `picture`")
    return picture, checked(kind, given)


def checked(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options as ``worker.do_job`` has them.

    Raises:
        UsageError: There is no such option, or its value makes no sense.
    """
    known = OPTIONS_OF[kind]
    for name in given:
        if name not in known:
            raise UsageError(f"{kind} has no option `{name}`", "", nearest(name, known))
    options = {name: plain_option(name, value) for name, value in given.items() if value is not None}
    for name in ("prompt", "negative_prompt"):
        if len(options.get(name, "")) > MOST_TEXT:
            raise UsageError(f"`{name}` is longer than {MOST_TEXT} characters", "", "shorten it")
    if options.get("candidates", 1) > MOST_CANDIDATES:
        raise UsageError(f"`candidates` is more than {MOST_CANDIDATES}", "", "ask for fewer")
    if kind != "review":
        from handwright.refine.settings import refine_settings

        refine_settings(options)
    return options


def plain_option(name: str, value: Any) -> Any:  # noqa: ANN401 - any value of a user
    """A JSON value as the option wants it.

    Raises:
        UsageError: It is of another type.
    """
    option = _OPTIONS[name]
    values = cast("list[Any]", value) if isinstance(value, list) else [value]
    if option.kind == "box":
        nested = values if values and isinstance(values[0], list) else [values]
        if not all(isinstance(box, list) and len(box) == 4 and all(map(_is_number, box)) for box in nested):
            raise UsageError(f"`{name}` is not x0, y0, x1, y1", "", "give four numbers, or a list of such")
        return tuple(tuple(float(v) for v in box) for box in nested)
    right = {
        "name": (str,),
        "text": (str,),
        "switch": (bool,),
        "whole": (int,),
        "number": (int, float),
        "number or name": (int, float, str),
    }[option.kind]
    for one in values:
        if option.plug_in and one not in option.choices:  # a client names no code to run here
            raise UsageError(f"`{name}` {one!r} is not known", "", f"give {', '.join(option.choices)}")
        if not isinstance(one, right) or (isinstance(one, bool) and bool not in right):
            raise UsageError(
                f"`{name}` {one!r} is of the wrong type", "", f"give {option.metavar or option.kind}"
            )
    if not option.repeat and isinstance(value, list):
        raise UsageError(f"`{name}` is a list", "", "give one value")
    return tuple(values) if option.repeat else value


def _is_number(value: Any) -> bool:  # noqa: ANN401 - any value of a user
    return isinstance(value, int | float) and not isinstance(value, bool)


async def _multipart(request: HttpRequest) -> tuple[bytes, dict[str, Any]]:
    try:
        async with request.form(max_files=1, max_fields=4) as form:
            upload, options = form.get("picture"), form.get("options", "{}")
            if not isinstance(upload, UploadFile):
                raise UsageError("there is no picture", "", "send the file as the form's field `picture`")
            if not isinstance(options, str):
                raise UsageError("`options` is a file", "", "send it as text: a JSON object")
            return await upload.read(), json_object(options, "`options`")
    except HTTPException as error:  # a malformed form
        raise UsageError("the form cannot be read", str(error.detail), "send multipart/form-data") from error


def _json_body(body: bytes) -> tuple[bytes, dict[str, Any]]:
    entry = json_object(body, "the body")
    options = entry.pop("options", {})
    text = entry.pop("picture", "")
    if entry:
        raise UsageError(f"the body has no field {next(iter(entry))!r}", "", "give `picture` and `options`")
    if not isinstance(options, dict):
        raise UsageError("`options` is no object", "", "give names and values")
    return decoded(text), cast("dict[str, Any]", options)


def decoded(text: Any) -> bytes:  # noqa: ANN401 - any value of a user
    """The bytes of base64 text, with or without ``data:…;base64,`` before it.

    Raises:
        UsageError: It is none.
    """
    if not isinstance(text, str):
        raise UsageError("the picture is no text", "", "give its bytes as base64")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError("the picture is not base64", str(error), "encode its bytes as base64") from error


def json_object(text: str | bytes, name: str) -> dict[str, Any]:
    """The JSON object of a text.

    Raises:
        UsageError: It is none; ``name`` is what the line calls it.
    """
    try:
        entry = parse_json(text)
    except ValueError as error:
        raise UsageError(f"{name} is not JSON", str(error), "check the quotes and brackets") from error
    if not isinstance(entry, dict):
        raise UsageError(f"{name} is no JSON object", "", 'give {"name": value, …}')
    return cast("dict[str, Any]", entry)
