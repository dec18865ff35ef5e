"""``handwright batch``: very many pictures, on one machine or a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from handwright.apps.cli import options as opt
from handwright.apps.cli.evaluate import show_evaluation
from handwright.apps.cli.show import Screen
from handwright.errors import UsageError

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE...",
        help="Folders, patterns, shards, manifests (.csv, .parquet, .jsonl); paths, s3://, gs://, az://; "
        "evaluate: REAL FAKE [OTHER]; synth: N or FROM:TO.",
        show_default=False,
    ),
]
SinkOption = Annotated[
    str | None, opt.option("-o --output", "SINK", "Folder or address for results, records and the report.")
]
TaskOption = Annotated[
    str, opt.option("--task", "NAME", "refine, review, hands, generate, evaluate or synth.")
]
Values = Annotated[
    list[str] | None,
    opt.option(
        "--set",
        "NAME=VALUE",
        "Of generate, evaluate and synth: an option of that command (of one picture: a manifest's column).",
    ),
]
Workers = Annotated[int, opt.option("--workers", "N", "Processes, a core each; results are the same.")]
Gpus = Annotated[
    float, opt.option("--gpus", "N", "GPUs of each worker; 0.5: two share one. Without it they see none.")
]
Address = Annotated[
    str | None,
    opt.option("--address", "ADDRESS", "A Ray cluster to join; else a local one is started."),
]
MaxSeconds = Annotated[
    float, opt.option("--max-seconds", "S", "A picture that takes longer is tried anew, then quarantined.")
]


@opt.with_options()
def batch(
    sources: Sources = None,
    output: SinkOption = None,
    task: TaskOption = "refine",
    values: Values = None,
    workers: Workers = 1,
    gpus: Gpus = 0.0,
    address: Address = None,
    max_seconds: MaxSeconds = 600.0,
    retry: Annotated[bool, typer.Option("--retry", help="Try pictures in quarantine again.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Do again what is done.")] = False,
    fail_on: opt.FailOn = "fail",
    debug: opt.Debug = False,
    **given: Any,  # noqa: ANN401 - the options of a refinement
) -> None:
    """Refine, review, make or measure very many pictures with Ray Data; a run that was killed goes on.

    SINK gets pictures/, records/ with what became of each, report.json and index.html with the worst hundred,
    and quarantine.csv with what could not be worked on. docs/how-to/batch.md explains it, and what generate
    (a manifest of prompts), evaluate (REAL FAKE) and synth (a number of pictures) take.

    Exit code 0: no hand fails that is left; 1: one does; 2: pictures are in quarantine.
    """
    from handwright.workflow import Request
    from handwright.workflow.batch.cluster import BatchOptions, run_batch
    from handwright.workflow.batch.kinds import KINDS
    from handwright.workflow.batch.task import TaskName
    from handwright.workflow.run.pool import FailOn

    if output is None:
        raise UsageError("there is nowhere to write", "-o is missing", "give -o SINK")
    prompt = str(given.pop("prompt", None) or "") if task == "review" else ""
    screen = Screen(debug=debug)
    with screen.progress() as progress:
        options = BatchOptions(
            task=cast("TaskName", task),
            prompt=prompt,
            values=dict(map(_pair, values or [])),
            workers=workers,
            gpus=gpus,
            address=address,
            max_seconds=max_seconds,
            redo="everything" if force else "quarantined" if retry else "nothing",
            fail_on=cast("FailOn", fail_on),
            progress=progress,
        )
        files = [source if "://" in source else str(Path(source)) for source in sources or []]
        result = run_batch(files, output, Request(**given), options)
    counts = result.summary.counts
    words = {"hands": "hands", "refined": "refined", "fail": "fail", "unsure": "unclear"}
    found = ", ".join(f"{counts[name]} {words[name]}" for name in KINDS[options.task].counted)
    about = f"{counts['pictures']} pictures ({counts['done_before']} done before)"
    screen.write(f"{about}{': ' * bool(found)}{found}; {counts['quarantined']} in quarantine")
    if result.evaluation is not None:
        show_evaluation(result.evaluation, screen)
    screen.write(f"report: {output.rstrip('/')}/index.html")
    raise typer.Exit(result.exit_code)


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not (name and mark):
        raise UsageError(f"--set {text!r} is no NAME=VALUE", "", "give, say, --set side=768")
    return name.replace("-", "_"), value
