"""Entry point: arguments in, exit code out, and a traceback only with --debug."""

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, cast

import typer

from handwright.apps.cli.batch import batch
from handwright.apps.cli.commands import app
from handwright.apps.cli.evaluate import evaluate
from handwright.apps.cli.generate import generate
from handwright.apps.cli.options import in_cli_words
from handwright.apps.cli.preference import app as preference
from handwright.apps.cli.reproduce import reproduce
from handwright.apps.cli.review import review
from handwright.apps.cli.serve import serve, web
from handwright.apps.cli.synth import synth
from handwright.apps.cli.train import train
from handwright.errors import HandwrightError, memory_error
from handwright.memory import end_where_threads_cannot_start, share_one_heap
from handwright.threads import sleep_while_waiting

EXIT_USAGE = 2
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130
_STOPPED = "stopped; run the same command again to go on where it was."
_COMPLETE = "_HANDWRIGHT_COMPLETE"  # Set by a shell that asks for the words that may come next
_ONE_LINE = "10000"  # Columns; a shell reads one candidate a line, so that help must not be wrapped
_ZSH = "compdef %(complete_func)s %(prog_name)s"
_ZSH_ON_USE = f"""if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  %(complete_func)s "$@"
else
  {_ZSH}
fi"""
_USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__base__)

app.command(short_help="The checklist of every hand.")(review)
app.command(short_help="Measure pictures against real ones.")(evaluate)
app.command(short_help="Make a person in a given pose, or plan a prompt.")(generate)
app.command(short_help="Render pictures of hands with exact truth.")(synth)
app.command(short_help="Train a member of the embedded family.")(train)
app.command(short_help="Re-run a paper's tables.")(reproduce)
app.command(short_help="Refine or review very many pictures, on one machine or a cluster.")(batch)
app.command(short_help="Serve review, refine and hands over HTTP.")(serve)
app.command(short_help="Mend pictures on a page in the browser.")(web)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    Args:
        arguments: Without the program's name; default: those of the process.

    Raises:
        SystemExit: Always; 0 done, 1 findings, 2 bad usage or unreadable input, 70 internal error, 130 ended.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # many tiny products: threads only wait for each other
    sleep_while_waiting()
    if _COMPLETE in os.environ:
        os.environ["COLUMNS"] = _ONE_LINE
    share_one_heap()
    end_where_threads_cannot_start()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if _COMPLETE in os.environ or {"--install-completion", "--show-completion"} & set(given):
        _answer_the_first_tab()
    sys.exit(run(given))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are one line on stderr."""
    command, given, name = typer.main.get_command(app), list(arguments) or ["--help"], "handwright"
    if given[:2] == ["evaluate", "preference"]:
        command, given = typer.main.get_command(preference), given[2:]
        name = "handwright evaluate preference"
    try:
        code = command.main(given, prog_name=name, standalone_mode=False)
    except HandwrightError as error:
        return _stop(str(error), error.exit_code, debug="--debug" in arguments)
    except _USAGE_ERROR as error:
        return _stop(f"{_usage_text(error)} See: {_help_for(arguments)}", EXIT_USAGE)
    except (typer.Abort, KeyboardInterrupt):
        return _stop(_STOPPED, EXIT_INTERRUPTED)
    except BrokenPipeError:
        return 0
    except Exception as error:  # noqa: BLE001 - the last net: one line, and the whole story with --debug
        if lack := memory_error(error, "the command stopped"):
            return _stop(str(lack), lack.exit_code, debug="--debug" in arguments)
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        text = f"internal error: {detail}. Run it again with --debug and report what it prints."
        return _stop(text, EXIT_INTERNAL, debug="--debug" in arguments)
    return _stop(_STOPPED, EXIT_INTERRUPTED) if code == EXIT_INTERRUPTED else int(code or 0)


def _answer_the_first_tab() -> None:
    """Let zsh complete when it first loads typer's script from a folder, not from the second time on.

    typer has no public name for the script; where it has moved, typer's own is used.
    """
    with contextlib.suppress(ImportError, AttributeError):
        shared: Any = import_module("typer._completion_shared")
        classes: Any = import_module("typer._completion_classes")
        script = shared.COMPLETION_SCRIPT_ZSH.replace(_ZSH, _ZSH_ON_USE)
        shared._completion_scripts["zsh"] = classes.ZshComplete.source_template = script


def _stop(text: str, code: int, *, debug: bool = False) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(f"handwright: {in_cli_words(' '.join(text.split()))}\n")
    return code


def _usage_text(error: BaseException) -> str:
    text = error.format_message() if hasattr(error, "format_message") else str(error)  # pyright: ignore[reportAttributeAccessIssue]
    return text if text.endswith(".") else f"{text}."


def _help_for(arguments: Sequence[str]) -> str:
    if list(arguments[:2]) == ["evaluate", "preference"]:
        return "handwright evaluate preference --help"
    commands = cast("Any", typer.main.get_command(app)).commands
    known = [argument for argument in arguments[:1] if argument in commands]
    return " ".join(["handwright", *known, "--help"])
