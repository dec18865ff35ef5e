"""``handwright generate``: a person in a given pose or from a text; ``--plan``: what a prompt leaves open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen, console_and_table
from handwright.errors import UsageError
from handwright.two_stage.settings import TwoStageSettings

if TYPE_CHECKING:
    from rich.table import Table

    from handwright.prompts.plan import OpenQuestion, Plan
    from handwright.two_stage.settings import BlendName, EngineName, MendName, ViaName


Pose = Annotated[
    Path | None,
    opt.option(
        "--pose",
        "FILE",
        "A pose: OpenPose's JSON (18 or 25 points, hands, face), COCO-WholeBody's, a report's parameters, or "
        "the hands of `handwright hands`, around which a body is made.",
    ),
]
Reference = Annotated[
    Path | None, opt.option("--reference", "PHOTO", "Take the pose of the person in this photograph.")
]
Person = Annotated[int | None, opt.option("--person", "N", "Which person of either, from 0.")]
Prompt = Annotated[str | None, opt.option("--prompt", "TEXT", "What the picture shows; the same as TEXT.")]
Via = Annotated[
    str,
    opt.option(
        "--via",
        "NAME",
        "two-stage (hands first, the person around them), handiffuser (text and hand parameters at once) or "
        "base (--model by the text alone).",
    ),
]
EngineOption = Annotated[
    str | None,
    opt.option(
        "--engine",
        "NAME",
        "render (no network), harmonise (both stages from what render makes) or diffuse (both from noise); "
        "options marked * are for the last two. By default render, with --hand-generator or --outpainter "
        "diffuse.",
    ),
]
Blend = Annotated[
    str,
    opt.option(
        "--blend",
        "NAME",
        "* How stage II holds the hands: naive (by their own mask), sequential, published (masks as large as "
        "printed) or box.",
    ),
]
Count = Annotated[int, opt.option("--n", "N", "So many pictures, with the seeds N, N + 1, …")]
Attempts = Annotated[
    int,
    opt.option(
        "--attempts", "N", "Tries at each picture until no hand of it fails or is unclear; the best is kept."
    ),
]
Mend = Annotated[
    str,
    opt.option(
        "--mend",
        "NAME",
        "What is done to hands that fail their review: draw (as refine does), repaint (* by stage I, once "
        "more) or off.",
    ),
]
Side = Annotated[int, opt.option("--side", "PX", "Longer side of the pictures, 128 to 2048 pixels.")]
PoseControlNet = Annotated[
    str | None,
    opt.option(
        "--pose-controlnet", "DIR|HUB_ID|FILE", "* OpenPose ControlNet of stage II; by default the preset's."
    ),
]
HandGeneratorOption = Annotated[
    str | None,
    opt.option(
        "--hand-generator",
        "DIR",
        "* Stage I by this network of `handwright train hand_generator`; by default the model's own, else "
        "the base under depth.",
    ),
]
OutpainterOption = Annotated[
    str | None,
    opt.option(
        "--outpainter",
        "DIR",
        "* Stage II by this network of `handwright train outpainter`, in place of --pose-controlnet; by "
        "default the model's own.",
    ),
]
SharedLatents = Annotated[
    bool,
    typer.Option(
        "--shared-latents",
        help="* Stage I's latents go into stage II as they are, not through pixels.",
    ),
]
SecondPass = Annotated[
    bool,
    typer.Option(
        "--second-pass",
        help="* Hands under 64 pixels are painted once more in the finished picture, enlarged.",
    ),
]
StartLevel = Annotated[
    float, opt.option("--start-level", "L", "* harmonise: noise level to set out from, 1 is pure noise.")
]
Skeleton = Annotated[
    Path | None,
    opt.option("--skeleton", "FILE", "Write the completed pose as a picture in OpenPose's colours."),
]


@opt.with_options(
    "seed", "model", "controlnet", "negative_prompt", "num_inference_steps", "guidance_scale", "dtype",
    "device", "offload",
)  # fmt: skip
def generate(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="What the picture shows.")] = None,
    output: opt.Output = None,
    report: opt.Report = None,
    pose: Pose = None,
    reference: Reference = None,
    person: Person = None,
    prompt: Prompt = None,
    via: Via = "two-stage",
    engine: EngineOption = None,
    blend: Blend = TwoStageSettings.blend,
    n: Count = 1,
    attempts: Attempts = 3,
    mend: Mend = TwoStageSettings.mend,
    side: Side = 512,
    start_level: StartLevel = TwoStageSettings.start_level,
    pose_controlnet: PoseControlNet = None,
    hand_generator: HandGeneratorOption = None,
    outpainter: OutpainterOption = None,
    shared_latents: SharedLatents = False,
    second_pass: SecondPass = False,
    skeleton: Skeleton = None,
    keep_intermediates: opt.KeepIntermediates = False,
    fail_on: Annotated[
        str,
        opt.option(
            "--fail-on", "fail|unsure", "What makes the exit code 1: a hand fails, or is unclear, too."
        ),
    ] = "unsure",
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what TEXT leaves open about hands; no picture is result.")
    ] = False,
    as_json: opt.AsJson = False,
    force: opt.Force = False,
    debug: opt.Debug = False,
    **given: Any,  # noqa: ANN401 - the options of diffusing painters
) -> None:
    """Make a picture of a person, hands first: in a pose file's or a photograph's pose, or as TEXT has it.

    From TEXT alone, T2H draws the person; --report keeps the parameters, which --pose takes back, edited.
    Every picture is reviewed against TEXT; hands that fail are mended, and reviewed again.

    Exit code 0: every picture passes its review; 1: one does not, or no hand is found in it; 2: the pose
    cannot be read or completed, or an option makes no sense. docs/two-stage.md explains the engines.

    With --plan instead: what TEXT fixes about the hands of its picture, what it leaves open, and how to word
    that. docs/plan.md explains it.
    """
    screen = Screen(as_json=as_json, debug=debug)
    if text is not None and prompt is not None:
        raise UsageError("TEXT and --prompt are the same", "both are given", "give one of them")
    words = text if text is not None else prompt
    if plan:
        _plan(words or "", screen)
        return
    from handwright.options import OPTIONS
    from handwright.workflow.generate.generation import Generation, generate_from_pose

    if pose is None and reference is None and words is None:
        raise UsageError("there is nothing to generate", "", "give TEXT, --pose FILE or --reference PHOTO")
    for name, value in given.items():
        OPTIONS[name].check(value)
    settings = TwoStageSettings(
        prompt=words or "",
        via=cast("ViaName", via),
        engine=cast("EngineName", engine or ("diffuse" if hand_generator or outpainter else "render")),
        blend=cast("BlendName", blend),
        pose_controlnet=pose_controlnet,
        hand_generator=hand_generator,
        outpainter=outpainter,
        shared_latents=shared_latents,
        second_pass=second_pass,
        mend=cast("MendName", mend),
        start_level=start_level,
        keep_steps=keep_intermediates,
        **{OPTIONS[name].place: value for name, value in given.items()},
    )
    with screen.progress() as progress:
        generation = Generation(
            output=output,
            settings=settings,
            pose=pose,
            reference=reference,
            person=person,
            n=n,
            attempts=attempts,
            side=side,
            skeleton=skeleton,
            report=report,
            fail_on=fail_on,
            force=force,
            progress=progress,
        )
        result = generate_from_pose(generation)
    if as_json:
        screen.write(json.dumps(result.report, indent=1, allow_nan=False))
    else:
        _show_pictures(result.report, screen)
        if result.page is not None:
            screen.write(f"report: {result.page}")
    raise typer.Exit(result.exit_code)


def _show_pictures(report: Mapping[str, Any], screen: Screen) -> None:
    """A line a picture, and what was completed."""
    for picture in report["pictures"]:
        if picture["pose"]["completed"]:
            screen.write(f"completed: {', '.join(picture['pose']['completed'])}")
        error = picture["pose_error"]
        verdicts = ", ".join(f"hand {hand['id']} {hand['verdict']}" for hand in picture["review"]["hands"])
        found = f"{error['hands_found']} of {error['hands_wanted']} hands found again"
        far = "nobody found" if not error["found"] else f"MPJPE {error['mpjpe']:.3f}"
        screen.write(f"{picture['output']}: {far}, {found}; review: {verdicts or 'no hand found'}")
        mended = [line for attempt in picture["attempts"] for line in attempt["mended"]]
        review = picture["review"]
        notes = picture["pose"]["notes"], picture["notes"], mended, _reasons(review), review["notes"]
        for note in (line for lines in notes for line in lines):
            screen.write(f"  {note}")
        if len(picture["attempts"]) > 1:
            screen.write(f"  {len(picture['attempts'])} attempts; this one has the seed {picture['seed']}.")


def _reasons(review: Mapping[str, Any]) -> list[str]:
    """Why hands do not pass, a line for each reason."""
    found = {
        f"hand {hand['id']}: {check['reason']}"
        for hand in review["hands"]
        for check in hand["checks"].values()
        if check["verdict"] != "pass"
    }
    return sorted(found)


def _plan(text: str, screen: Screen) -> None:
    from handwright.prompts.plan import plan_prompt

    planned = plan_prompt(text)
    if screen.as_json:
        screen.write(json.dumps(planned.to_json(), indent=1, ensure_ascii=False))
    else:
        _show(planned)


def _show(plan: Plan) -> None:
    """The plan as a table, the prompts below it."""
    console, table = console_and_table()
    for warning in plan.warnings:
        console.print(f"! {warning}", markup=False)
    for title in ("", "fixed", "left open", "possible wordings"):
        table.add_column(title, overflow="fold")
    rows = [("picture", plan.fixed, plan.open), *_hand_rows(plan)]
    for title, fixed, questions in rows:
        fixed_points = [f"{point}: {words}" for point, words in fixed.items()]
        _add(table, title, fixed_points, questions)
    if plan.fixed or plan.hands:
        console.print(table)
    for wording, prompt in plan.prompts.items():
        console.print(f"\n{wording}:\n  {prompt}", markup=False, soft_wrap=True)
    console.print(f"\nnegative:\n  {plan.negative}", markup=False, soft_wrap=True)


def _hand_rows(plan: Plan) -> list[tuple[str, Mapping[str, str], tuple[OpenQuestion, ...]]]:
    """Hands of which the same is fixed and left open, as one row."""
    rows: list[tuple[str, Mapping[str, str], tuple[OpenQuestion, ...]]] = []
    for hand in plan.hands:
        if (
            rows
            and rows[-1][1] == hand.fixed
            and [q.point for q in rows[-1][2]] == [q.point for q in hand.open]
        ):
            rows[-1] = ("each hand", *rows[-1][1:])
        else:
            rows.append((hand.title, hand.fixed, hand.open))
    return rows


def _add(table: Table, title: str, fixed: list[str], questions: tuple[OpenQuestion, ...]) -> None:
    """One row for every open point; what is fixed stands beside the first of them."""
    rows = max(len(fixed), len(questions), 1)
    for k in range(rows):
        question = questions[k] if k < len(questions) else None
        cells = (
            title if k == 0 else "",
            fixed[k] if k < len(fixed) else "",
            question.question if question else "",
            "\n".join(question.suggestions) if question else "",
        )
        table.add_row(*(cell.replace("[", "\\[") for cell in cells))
