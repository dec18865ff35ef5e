"""The options of the commands: those of a refinement from their one table, and those of a run."""

import functools
import inspect
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from handwright.options import OPTIONS, PAINTERS, Kind, Option
from handwright.plug_ins import METAVAR, file_or_plug_in

WORDS = {
    "controlnet_conditioning_scale": "strength", "strength": "start-level", "negative_prompt": "negative",
    "num_inference_steps": "steps", "guidance_scale": "guidance",
}  # fmt: skip
"""Options that the command line has under a shorter name than diffusers."""

_OF_RUNS = ("report", "fail_on", "workers", "patches", "keep_intermediates", "force")


def flag(name: str) -> str:
    """An option as it is typed: ``--start-level`` for ``strength``."""
    return f"--{WORDS.get(name, name.replace('_', '-'))}"


def in_cli_words(text: str) -> str:
    """A message of the library with the options that it names in backticks as they are typed."""

    def typed(match: re.Match[str]) -> str:
        known = match[1] in OPTIONS or match[1] in _OF_RUNS
        return flag(match[1]) if known else match[0]

    return re.sub(r"`(\w+)`", typed, text)


def option(flags: str, metavar: str, text: str) -> Any:  # noqa: ANN401 - typer's marks have no public type
    """An option of a command: its flags, what stands for its value in the help, and the help's line."""
    return typer.Option(*flags.split(), metavar=metavar, help=text)


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="IN...", help="Pictures, folders or patterns.", show_default=False),
]
Landmarker = Annotated[Path | None, option("--landmarker", "FILE", "Your own hand_landmarker.task.")]
OwnLandmarker = Annotated[
    str | None, option("--landmarker", str(OPTIONS["landmarker"].metavar), OPTIONS["landmarker"].help)
]
Fitter = Annotated[str | None, option("--fitter", METAVAR, OPTIONS["fitter"].help)]
OwnCritic = Annotated[str | None, option("--critic", METAVAR, OPTIONS["critic"].help)]
Report = Annotated[
    Path | None, option("--report", "DIR", "Write report.json, index.html and the evidence here.")
]
Workers = Annotated[int, option("--workers", "N", "Processes; the result is the same for any number.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write the report to stdout, and nothing else there.")]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite files, the input included; do again what is done.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Output = Annotated[Path | None, option("-o --output", "OUT", "File for one picture, or a folder.")]
FailOn = Annotated[str, option("--fail-on", "fail|unsure", "What of a hand makes the exit code 1.")]
Patches = Annotated[bool, typer.Option("--patches", help="Also one transparent PNG per refined hand.")]
FromReport = Annotated[Path | None, option("--from", "REPORT", "Take another candidate of an earlier run.")]
Pick = Annotated[
    int | None, option("--pick", "N", "With --from and --hand: the Nth candidate; 0: the original.")
]
Again = Annotated[
    Path | None,
    option("--again", "FILE", "Make a refined PNG, JPEG or WebP once more, from that file alone."),
]
KeepIntermediates = Annotated[
    bool, typer.Option("--keep-intermediates", help="* Keep pictures of the steps beside the report.")
]
Seed = Annotated[int, option("--seed", "N", OPTIONS["seed"].help)]

_TYPES: dict[Kind, type] = {
    "name": str, "text": str, "whole": int, "number": float, "number or name": str, "box": str, "file": Path,
}  # fmt: skip
_METAVARS: dict[Kind, str] = {"name": "NAME", "text": "TEXT", "whole": "N", "number": "X", "file": "FILE"}


def with_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command, in place of its ``**given``, these options of a refinement; none: all of them.

    The command is called with those that the user gave, by their names in ``handwright.options``.
    """
    options = [OPTIONS[name] for name in names or OPTIONS]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def parsed(**values: Any) -> None:  # noqa: ANN401 - whatever typer parsed
            given = {option.name: _value(option, values.pop(_typed(option))) for option in options}
            command(**values, **{name: value for name, value in given.items() if value is not None})

        functools.update_wrapper(parsed, command)
        return with_parameters(list(map(_parameter, options)), _INPUTS_AND_OUTPUT)(parsed)

    return decorate


def with_parameters(
    extra: Sequence[inspect.Parameter], before: int
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Put parameters into a command's signature after its first ``before``, in place of ``**kwargs``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def parsed(**values: Any) -> None:  # noqa: ANN401 - whatever typer parsed
            command(**values)

        own = inspect.signature(command, eval_str=True).parameters.values()
        plain = [parameter for parameter in own if parameter.kind is not parameter.VAR_KEYWORD]
        merged = [*plain[:before], *extra, *plain[before:]]
        merged = [parameter.replace(kind=parameter.KEYWORD_ONLY) for parameter in merged]
        parsed.__signature__ = inspect.Signature(merged)  # pyright: ignore[reportAttributeAccessIssue]
        parsed.__annotations__ = {parameter.name: parameter.annotation for parameter in merged}
        del parsed.__wrapped__  # pyright: ignore[reportAttributeAccessIssue] - the signature is our own
        return parsed

    return decorate


_INPUTS_AND_OUTPUT = 3
"""How many parameters of a command stand before the options in its help: inputs, output and report."""


def _typed(option: Option) -> str:
    """The parameter's name in Python; ``given_`` keeps it apart from the command's own."""
    return f"given_{option.name}"


def _parameter(option: Option) -> inspect.Parameter:
    if option.kind == "switch":
        annotation, default = bool, False
    else:
        kind = str if option.plug_in else _TYPES[option.kind]
        annotation, default = (list[kind] if option.repeat else kind) | None, None
    shown = typer.Option(
        flag(option.name),
        metavar=option.metavar or _METAVARS.get(option.kind),
        help=_help(option),
        show_default=False,
    )
    return inspect.Parameter(
        _typed(option),
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[annotation, shown],
    )


def _help(option: Option) -> str:
    """The line of help: a star for diffusing painters, what there is to choose from, the default."""
    star = "" if option.painters == PAINTERS else "* "
    if option.choices and not all(name in option.help for name in option.choices):
        names = ", ".join(f"({name})" if name == option.default else name for name in option.choices)
        return f"{star}{option.help.removesuffix('.')}: {names}."
    default = "" if option.default in (None, "", (), False) else f" ({option.default})"
    return f"{star}{option.help.removesuffix('.')}{default}."


def _value(option: Option, given: Any) -> Any:  # noqa: ANN401 - each option has its own type
    """What was typed as the value that the library takes; None: not given."""
    if given is None or given is False or given == []:
        return None
    if option.name == "landmarker":
        return file_or_plug_in(given)
    if option.kind == "box":
        return tuple(parse_box(text) for text in given)
    if option.kind == "number or name":
        return parse_number_or_name(given)
    return tuple(given) if option.repeat else given


def parse_box(text: str) -> Sequence[float] | str:
    """``x0,y0,x1,y1`` as numbers; text that is no numbers comes back for the option's check to refuse."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        return text


def parse_number_or_name(text: str) -> float | str:
    """A number, or the name of a strategy; which names there are is known to the option."""
    try:
        return float(text)
    except ValueError:
        return text
