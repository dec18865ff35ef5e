"""``/v1/generate``: what such a request may hold, and the job that makes its pictures.

A request is a JSON object: ``text``, ``pose`` (the content of a pose file, never its name) and ``options``.
The pose lies in the job's folder as ``input``; it is empty where the text alone decides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from handwright.apps.service.bodies import MOST_TEXT, plain_option
from handwright.errors import UsageError
from handwright.options import OPTIONS, nearest

if TYPE_CHECKING:
    from handwright.refine.pipeline import Engine
    from handwright.two_stage.settings import TwoStageSettings
    from handwright.workflow.generate.generation import Generation

    Result = tuple[dict[str, Any], list[str]]

_OWN = {
    "via": str, "engine": str, "blend": str, "mend": str, "side": int, "n": int, "attempts": int,
    "person": int, "start_level": float,
}  # fmt: skip
_SHARED = ("seed", "negative_prompt", "num_inference_steps", "guidance_scale")
GENERATE_OPTIONS = (*_OWN, *_SHARED)
"""Options of ``handwright generate`` that name no file and no model; its networks are the embedded ones."""

MOST_PICTURES = 16  # Pictures, and tries at each, that one request may ask for

OUTPUT, REPORT = Path("output.png"), Path("report")
_POSE = Path("pose.json")  # A pose's name in a report

_EXAMPLE = 'send {"text": "a person waving"}'


def read_generation(entry: dict[str, Any], max_pixels: int) -> tuple[bytes, dict[str, Any]]:
    """The pose's JSON (empty: the text decides) and the checked options of a request, its text among them.

    Args:
        entry: The request's JSON.
        max_pixels: Pixels that a picture may have.

    Raises:
        UsageError: The body has another form, or an option makes no sense.
    """
    text, pose, given = entry.pop("text", ""), entry.pop("pose", None), entry.pop("options", {})
    if entry:
        raise UsageError(
            f"the body has no field {next(iter(entry))!r}", "", "give `text`, `pose`, `options` and `plan`"
        )
    if not isinstance(given, dict):
        raise UsageError("`options` is no object", "", "give names and values")
    if pose is not None and not isinstance(pose, dict | list):
        raise UsageError("`pose` is no object", "", "give the content of a pose file")
    if pose is None and not checked_text(text).strip():
        raise UsageError("there is nothing to generate", "", f"{_EXAMPLE}, or a `pose`")
    options = _checked_options(cast("dict[str, Any]", given)) | {"text": checked_text(text)}
    _check_sizes(options, max_pixels)
    return b"" if pose is None else json.dumps(pose).encode(), options


def read_plan(entry: dict[str, Any]) -> str | None:
    """The text of a request that has ``"plan": true``; None: it asks for a picture.

    Raises:
        UsageError: ``plan`` is no switch, or there is no text, or there is more.
    """
    plan = entry.pop("plan", False)
    if not isinstance(plan, bool):
        raise UsageError("`plan` is no switch", "", "give true or false")
    if not plan:
        return None
    text = checked_text(entry.pop("text", ""))
    if entry:
        raise UsageError(f"a plan has no field {next(iter(entry))!r}", "", "give `text` and `plan`")
    if not text.strip():
        raise UsageError("there is no text", "", 'send {"text": "a person waving", "plan": true}')
    return text


def checked_text(text: Any) -> str:  # noqa: ANN401 - any value of a user
    """A text that is not too long.

    Raises:
        UsageError: It is no text, or too long.
    """
    if not isinstance(text, str):
        raise UsageError("`text` is no text", "", _EXAMPLE)
    if len(text) > MOST_TEXT:
        raise UsageError(f"`text` is longer than {MOST_TEXT} characters", "", "shorten it")
    return text


def generate_job(source: Path, options: Mapping[str, Any], engine: Callable[[], Engine]) -> Result:
    """Pictures as ``handwright generate`` makes them, with its JSON, and their report as files."""
    from handwright.workflow.generate.attempts import OwnReviewer
    from handwright.workflow.generate.generation import generate_from_pose

    opened = engine()
    wanted = _generation(
        source,
        options,
        open_reviewer=lambda: nullcontext(OwnReviewer(opened)),
        progress=lambda stage, *_: opened.on_stage(stage) if stage else None,
    )
    report = generate_from_pose(wanted).report
    pictures = [picture["output"] for picture in report["pictures"]]
    evidence = sorted(path.as_posix() for path in REPORT.rglob("*") if path.is_file())
    return report, [*pictures, *evidence]


def settings_of(options: Mapping[str, Any]) -> TwoStageSettings:
    """Engine, text and the like of checked options.

    Raises:
        UsageError: There is no such engine or blend.
    """
    from handwright.two_stage.settings import TwoStageSettings

    own = {
        name: options[name] for name in ("via", "engine", "blend", "mend", "start_level") if name in options
    }
    shared = {OPTIONS[name].place: options[name] for name in _SHARED if name in options}
    return TwoStageSettings(prompt=options.get("text", ""), **own, **shared)


def _generation(source: Path, options: Mapping[str, Any], **more: Any) -> Generation:  # noqa: ANN401
    """What a job is asked for, with its pose under the name that reports give it."""
    from handwright.workflow.generate.generation import Generation

    pose = source.rename(_POSE) if source.stat().st_size else None
    counts = {name: options[name] for name in ("side", "n", "attempts", "person") if name in options}
    several = counts.get("n", 1) > 1
    return Generation(
        output=Path(OUTPUT.stem) if several else OUTPUT,
        settings=settings_of(options),
        pose=pose,
        report=REPORT,
        force=True,
        **counts,
        **more,
    )


def _checked_options(given: Mapping[str, Any]) -> dict[str, Any]:
    for name in given:
        if name not in GENERATE_OPTIONS:
            raise UsageError(f"generate has no option `{name}`", "", nearest(name, GENERATE_OPTIONS))
    options: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in _SHARED:
            options[name] = plain_option(name, value)
            OPTIONS[name].check(options[name])
        else:
            right = (int, float) if _OWN[name] is float else _OWN[name]
            if not isinstance(value, right) or isinstance(value, bool):
                kinds = {str: "a name", int: "a whole number", float: "a number"}
                raise UsageError(f"`{name}` {value!r} is of the wrong type", "", f"give {kinds[_OWN[name]]}")
            options[name] = value
    if len(options.get("negative_prompt") or "") > MOST_TEXT:
        raise UsageError(f"`negative_prompt` is longer than {MOST_TEXT} characters", "", "shorten it")
    settings_of(options)
    return options


def _check_sizes(options: Mapping[str, Any], max_pixels: int) -> None:
    """Refuse numbers outside their range before a worker has them.

    Raises:
        UsageError: In one line, with the option and what may be given.
    """
    from handwright.workflow.generate.generation import LEAST_SIDE, MOST_SIDE, Generation

    most_side = min(MOST_SIDE, int(max_pixels**0.5))
    ranges = {
        "side": (LEAST_SIDE, most_side),
        "n": (1, MOST_PICTURES),
        "attempts": (1, MOST_PICTURES),
        "person": (0, 1000),
    }
    for name, (least, most) in ranges.items():
        number = options.get(name, getattr(Generation, name))
        if number is not None and not least <= number <= most:
            raise UsageError(f"`{name}` is {number}", "", f"give a whole number from {least} to {most}")
    if not 0 < options.get("start_level", 1.0) <= 1:
        raise UsageError(f"`start_level` is {options['start_level']:g}", "", "give a number above 0, up to 1")
