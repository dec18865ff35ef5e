"""Write docs/handwright.1, the man page, from what `--help` says: python scripts/make_man_page.py.

It is committed and goes into the wheel; tests/test_man_page.py fails when an option has changed since.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from handwright import __version__
from handwright.apps.cli.main import app
from handwright.apps.cli.preference import app as preference

PAGE = Path(__file__).parents[1] / "docs" / "handwright.1"

SOURCE = "made by scripts/make_man_page.py; change what --help says instead"

EXIT_STATUS = {
    "0": "Done; no hand fails the review as it leaves.",
    "1": "One does. With --fail-on unsure: or the review cannot tell.",
    "2": "Bad usage or an unreadable input; the rest was still processed.",
    "70": "An error in handwright itself; --debug shows more.",
    "130": "Stopped; the same command goes on where it was.",
}

ENVIRONMENT = {
    "HANDWRIGHT_CACHE": "Folder of fetched models and records instead of the user's cache folder.",
    "HANDWRIGHT_THREADS": "How many threads work at once; by default one for each CPU, at most eight.",
    "GOMP_SPINCOUNT": "How often a thread of torch looks for the others before it sleeps; 1000 by default.",
    "HANDWRIGHT_API_KEYS": "API keys of `handwright serve` and `handwright web`.",
}


def escape(text: str) -> str:
    """Text as roff shows it to the letter, in one line."""
    text = " ".join(text.split()).replace("\\", r"\e").replace("-", r"\-")
    return r"\&" + text if text.startswith((".", "'")) else text


def paragraphs(text: str) -> Iterator[str]:
    """Lines of roff for the paragraphs of a docstring."""
    for k, part in enumerate(re.split(r"\n\s*\n", text.strip())):
        yield from (".PP",) if k else ()
        yield escape(part)


def names(parameter: Any) -> str:
    """An option with its value, or what an argument is called."""
    metavar = parameter.metavar or ""
    if parameter.param_type_name == "argument":
        return rf"\fI{escape(metavar or parameter.name.upper())}\fR"
    flags = ", ".join(rf"\fB{escape(flag)}\fR" for flag in (*parameter.opts, *parameter.secondary_opts))
    if parameter.is_flag or parameter.name == "help":
        return flags
    return rf"{flags} \fI{escape(metavar or parameter.name.upper())}\fR"


def rows(parameters: list[Any]) -> Iterator[str]:
    """One tagged paragraph for each parameter that is shown."""
    for parameter in parameters:
        if not getattr(parameter, "hidden", False):
            yield from (".TP", names(parameter), escape(parameter.help or ""))


def section(name: str, command: Any, usage: str) -> Iterator[str]:
    """A command: how it is called, what it does, its options."""
    yield f'.SS "{name}"'
    yield rf"\fB{escape(name)}\fR {usage}"
    yield ".PP"
    yield from paragraphs(command.help or "")
    yield from rows(command.params)


def usage_of(command: Any) -> str:
    """The words after a command's name."""
    arguments = [names(p) for p in command.params if p.param_type_name == "argument"]
    return " ".join([r"[\fIoptions\fR]", *arguments])


def table(title: str, entries: dict[str, str]) -> Iterator[str]:
    """A section of tagged paragraphs."""
    yield f'.SH "{title}"'
    for name, text in entries.items():
        yield from (".TP", rf"\fB{escape(name)}\fR", escape(text))


def man_page() -> str:
    """The whole page, roff with the man macros."""
    group: Any = typer.main.get_command(app)
    studies: Any = typer.main.get_command(preference)
    summary = group.help.strip().rstrip(".")
    lines = [
        rf".\" {SOURCE}",
        f'.TH HANDWRIGHT 1 "" "handwright {__version__}" "User Commands"',
        ".SH NAME",
        rf"handwright \- {escape(summary[0].lower() + summary[1:])}",
        ".SH SYNOPSIS",
        r"\fBhandwright\fR [\fIoptions\fR] \fIcommand\fR [\fIarguments\fR]",
        ".SH OPTIONS",
        *rows(group.params),
        ".SH COMMANDS",
    ]
    for name, command in group.commands.items():
        lines += section(f"handwright {name}", command, usage_of(command))
    for name, command in studies.commands.items():
        lines += section(f"handwright evaluate preference {name}", command, usage_of(command))
    lines += [*table("EXIT STATUS", EXIT_STATUS), *table("ENVIRONMENT", ENVIRONMENT)]
    return "\n".join(line for line in lines if line) + "\n"


if __name__ == "__main__":
    PAGE.write_text(man_page(), "utf-8")
    print(PAGE)
