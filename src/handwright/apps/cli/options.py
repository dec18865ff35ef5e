"""The options of the commands, each with its one line of help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from handwright.handrefiner.diffusion_settings import DEVICES, DTYPES, SAMPLERS, DiffusionSettings

_DEFAULTS = DiffusionSettings()


def _choice(names: tuple[str, ...], default: str) -> str:
    return ", ".join(f"({name})" if name == default else name for name in names) + "."


Inputs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="IN...", help="Pictures, folders or patterns.", show_default=False),
]
Landmarker = Annotated[
    Path | None, typer.Option("--landmarker", metavar="FILE", help="Your own hand_landmarker.task.")
]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="DIR", help="Write report.json, index.html and the evidence here."),
]
Boxes = Annotated[
    list[str] | None,
    typer.Option(
        "--box",
        metavar="X0,Y0,X1,Y1",
        help="A hand is here, in pixels; may be repeated; wins over the finder.",
    ),
]
Hands = Annotated[
    Path | None,
    typer.Option("--hands", metavar="FILE", help="Edited hands of `handwright hands`, instead of finding."),
]
Workers = Annotated[
    int, typer.Option("--workers", metavar="N", help="Processes; the result is the same for any number.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write the report to stdout, and nothing else there.")]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite files, the input included; do again what is done.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="OUT", help="File for one picture, or a folder.")
]


Hand = Annotated[
    list[int] | None, typer.Option("--hand", metavar="ID", help="Attempt only this hand; may be repeated.")
]
AllHands = Annotated[bool, typer.Option("--all", help="Attempt every hand, not only those that fail.")]
Unsure = Annotated[bool, typer.Option("--unsure", help="Attempt also hands of which the review cannot tell.")]
FailOn = Annotated[
    str,
    typer.Option("--fail-on", metavar="fail|unsure", help="What of a hand makes the exit code 1."),
]
Mask = Annotated[Path | None, typer.Option("--mask", metavar="FILE", help="White: may change.")]
Depth = Annotated[Path | None, typer.Option("--depth", metavar="FILE", help="Your own depth control image.")]
HandPose = Annotated[
    Path | None,
    typer.Option(
        "--hand-pose", metavar="FILE|PHOTO", help="Take the pose from a saved hand or a photo of one."
    ),
]
Painter = Annotated[
    str,
    typer.Option(
        "--painter",
        metavar="NAME",
        help="draw (no network), harmonise (draw, then a few diffusion steps) or diffuse (as published); "
        "options marked * are for the last two.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Same seed, same bytes.")]
Candidates = Annotated[
    int,
    typer.Option(
        "--candidates",
        metavar="N",
        help="Attempts per hand; * in turn with --strength and with strength 1 (adaptive: by itself).",
    ),
]
Budget = Annotated[
    float,
    typer.Option("--budget", metavar="SECONDS", help="Begin no further attempt at a hand after so long."),
]
Patches = Annotated[bool, typer.Option("--patches", help="Also one transparent PNG per refined hand.")]
FromReport = Annotated[
    Path | None,
    typer.Option("--from", metavar="REPORT", help="Take another candidate of an earlier run."),
]
Pick = Annotated[
    int | None,
    typer.Option("--pick", metavar="N", help="With --from and --hand: the Nth candidate; 0: the original."),
]
Prompt = Annotated[
    str | None,
    typer.Option("--prompt", metavar="TEXT", help=f"* What the picture shows ({_DEFAULTS.prompt})."),
]
Negative = Annotated[
    str | None,
    typer.Option(
        "--negative", metavar="TEXT", help="* What it must not look like, in place of the usual words."
    ),
]
Strength = Annotated[
    str | None,
    typer.Option(
        "--strength",
        metavar="auto|fixed|adaptive|S",
        help="* How much the depth image decides: (auto) much for shape, less for texture; fixed, as stored "
        "with the ControlNet; adaptive, as published, several times the work; or a number, 0 to 2.",
    ),
]
Steps = Annotated[
    int | None, typer.Option("--steps", metavar="N", help=f"* Steps of the sampler ({_DEFAULTS.steps}).")
]
StartLevel = Annotated[
    float | None,
    typer.Option(
        "--start-level",
        metavar="L",
        help=f"* harmonise: noise level to set out from, 1 is pure noise ({_DEFAULTS.start_level:g}).",
    ),
]
Sampler = Annotated[
    str | None, typer.Option("--sampler", metavar="NAME", help=f"* {_choice(SAMPLERS, _DEFAULTS.sampler)}")
]
Guidance = Annotated[
    float | None,
    typer.Option("--guidance", metavar="W", help="* How much the prompt decides (the model's own)."),
]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="tiny|DIR|HUB_ID", help=f"* Diffusion model ({_DEFAULTS.model})."),
]
ControlNet = Annotated[
    str | None,
    typer.Option("--controlnet", metavar="DIR|HUB_ID|FILE", help="* Depth ControlNet (the model's own)."),
]
Dtype = Annotated[
    str | None, typer.Option("--dtype", metavar="NAME", help=f"* {_choice(DTYPES, _DEFAULTS.dtype)}")
]
Device = Annotated[
    str | None, typer.Option("--device", metavar="NAME", help=f"* {_choice(DEVICES, _DEFAULTS.device)}")
]
KeepIntermediates = Annotated[
    bool,
    typer.Option("--keep-intermediates", help="* Keep pictures of the steps beside the report."),
]
