"""``handwright reproduce``: a paper's tables re-run."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen

if TYPE_CHECKING:
    from handwright.progress import Progress

PAPERS = ("handrefiner", "two-stage")


@opt.with_options(
    "model", "controlnet", "num_inference_steps", "sampler", "guidance_scale", "prompt", "dtype", "device"
)
def reproduce(
    paper: Annotated[str, typer.Argument(metavar="PAPER", help="handrefiner or two-stage.")],
    output: Annotated[
        Path | None,
        opt.option(
            "-o --output",
            "FILE.md",
            "The page; plots are put beside it (docs/research/handrefiner.md, handrefiner_tables.md or "
            "two-stage.md).",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="At most an hour on two cores; the same as --scale quick.")
    ] = False,
    scale: Annotated[
        str, opt.option("--scale", "quick|paper", "How many pictures: few, or the paper's.")
    ] = "quick",
    n: Annotated[
        int | None, opt.option("--n", "N", "Pictures (poses) a row of the table, instead of the scale's.")
    ] = None,
    hagrid: Annotated[
        Path | None,
        opt.option("--hagrid", "DIR", "Table 1 alone, against photographs in HaGRID's layout."),
    ] = None,
    freihand: Annotated[
        Path | None,
        opt.option("--freihand", "DIR", "Table 2 alone, against photographs in FreiHAND's layout."),
    ] = None,
    data: Annotated[
        Path | None,
        opt.option(
            "--data",
            "DIR",
            "Your pictures instead of rendered ones; with folders real and made, or every second each. "
            "For Tables 1 and 2 generated ones, in folders gesture and free by their prompts, or in one. "
            "For two-stage photographs of people, whose poses are painted.",
        ),
    ] = None,
    variants: Annotated[
        Path | None,
        opt.option(
            "--variants",
            "DIR",
            "Folder of networks trained other ways, by name: ControlNets (untuned, unmasked, normals, …); "
            "for two-stage networks of either stage or of a baseline, or their runs, a row each.",
        ),
    ] = None,
    choices: Annotated[
        Path | None, opt.option("--choices", "FILE", "CSV picture,strength: what people found best.")
    ] = None,
    hand_generator: Annotated[
        Path | None, opt.option("--hand-generator", "DIR", "two-stage: stage I's own network.")
    ] = None,
    outpainter: Annotated[
        Path | None, opt.option("--outpainter", "DIR", "two-stage: stage II's own network.")
    ] = None,
    pose_controlnet: Annotated[
        str | None,
        opt.option(
            "--pose-controlnet", "DIR|HUB_ID|FILE", "two-stage: the OpenPose ControlNet to compare with."
        ),
    ] = None,
    work: Annotated[
        Path | None, opt.option("--work", "DIR", "Keeps every painting; by default in the cache.")
    ] = None,
    extractor: Annotated[
        str, opt.option("--extractor", "NAME", "Features of KID-H and FID-H (hw-v2).")
    ] = "hw-v2",
    seed: opt.Seed = 0,
    landmarker: opt.Landmarker = None,
    debug: opt.Debug = False,
    **given: Any,  # noqa: ANN401 - the options of a diffusing painter
) -> None:
    """Re-run a paper's tables and write them as a page; stopped, the same command goes on where it was.

    two-stage: a person in every pose by text alone, refined, by a pose ControlNet, rendered, and by both
    stages with each blend and without each part (docs/two-stage.md).

    handrefiner: with --hagrid or --freihand it is Tables 1 and 2: pictures generated with and without a
    gesture in the prompt, repainted, and held against these photographs; --n is then the number of pictures
    of each kind.
    """
    from handwright.errors import UsageError
    from handwright.refine.settings import diffusion_settings
    from handwright.reproduce import SCALES, Study, reproduce_handrefiner, reproduce_photo_tables

    if paper not in PAPERS:
        raise UsageError(f"there is no paper {paper!r}", "", f"choose one of: {', '.join(PAPERS)}")
    if scale not in SCALES or (quick and scale != "quick"):
        raise UsageError(f"--scale is {scale}", "", f"choose one of: {', '.join(SCALES)}")
    if n is not None and n < 1:
        raise UsageError(f"--n is {n}", "", "give 1 or more")
    networks = {
        "--hand-generator": hand_generator, "--outpainter": outpainter, "--pose-controlnet": pose_controlnet
    }  # fmt: skip
    if paper == "two-stage":
        of_others = {
            "--choices": choices, "--hagrid": hagrid, "--freihand": freihand,
            "--sampler": given.get("sampler"), "--landmarker": landmarker,
        }  # fmt: skip
        _refuse(of_others, "two-stage")
        page = output or Path("docs/research/two-stage.md")
        screen = Screen(debug=debug)
        with screen.progress() as progress:
            folder = _two_stage(
                page, work, networks, given, n=n, scale=scale, data=data, variants=variants,
                extractor=extractor, seed=seed, progress=progress,
            )  # fmt: skip
        screen.write(f"{page} is written; all pictures are in {folder}")
        return
    _refuse(networks, "handrefiner")
    diffusion = diffusion_settings("diffuse", given)
    assert diffusion is not None
    photographed = hagrid is not None or freihand is not None
    folders = {"--variants": variants, "--choices": choices}
    for option, path in folders.items() if photographed else ():
        if path is not None:
            raise UsageError(f"{option} means nothing to Tables 1 and 2", "", "leave it out")
    screen = Screen(debug=debug)
    counted = {} if n is None else {"generated" if photographed else "table": n}
    chosen = replace(SCALES[scale], **counted)
    named = {"--hagrid": hagrid, "--freihand": freihand, "--data": data, "--variants": variants}
    command = f"handwright reproduce {paper} --scale {scale}" + ("" if n is None else f" --n {n}")
    command += "".join(f" {option} {path.name}" for option, path in named.items() if path is not None)
    page = output or Path("docs/research") / f"handrefiner{'_tables' if photographed else ''}.md"
    with screen.progress() as progress:
        study = Study(
            scale=chosen,
            diffusion=diffusion,
            data=data,
            variants=variants,
            choices=choices,
            extractor=extractor,
            seed=seed,
            landmarker=landmarker,
            progress=progress,
        )
        if photographed:
            folder = reproduce_photo_tables(study, hagrid, freihand, page, command, work)
        else:
            folder = reproduce_handrefiner(study, page, command, work)
    kept = "all pictures are in" if photographed else "all paintings and handwright.json are in"
    screen.write(f"{page} is written; {kept} {folder}")


def _refuse(given: Mapping[str, object], paper: str) -> None:
    """Raise if an option is given that another paper's study has."""
    from handwright.errors import UsageError

    for option, value in given.items():
        if value is not None:
            raise UsageError(f"{option} means nothing to {paper}", "", "leave it out")


def _two_stage(
    page: Path,
    work: Path | None,
    networks: Mapping[str, object],
    given: Mapping[str, Any],
    *,
    n: int | None,
    scale: str,
    data: Path | None,
    variants: Path | None,
    extractor: str,
    seed: int,
    progress: "Progress",
) -> Path:
    """Run the study of the two-stage system; its work folder."""
    from handwright.reproduce import TwoStageStudy, reproduce_two_stage
    from handwright.reproduce.two_stage.study import SCALES as POSES

    named = {option: None if place is None else str(place) for option, place in networks.items()}
    count = POSES[scale] if n is None else n
    study = TwoStageStudy(
        n=count,
        seed=seed,
        data=data,
        prompt=given.get("prompt", "a person"),
        model=given.get("model", "tiny"),
        controlnet=given.get("controlnet"),
        pose_controlnet=named["--pose-controlnet"],
        hand_generator=named["--hand-generator"],
        outpainter=named["--outpainter"],
        variants=variants,
        steps=given.get("num_inference_steps"),
        guidance=given.get("guidance_scale"),
        dtype=given.get("dtype", "auto"),
        device=given.get("device", "auto"),
        extractor=extractor,
        progress=progress,
    )
    model = None if study.model == "tiny" else study.model
    shown = {**named, "--model": model, "--data": data, "--variants": variants}
    command = f"handwright reproduce two-stage --n {count} --seed {seed}"
    command += "".join(f" {option} {Path(str(place)).name}" for option, place in shown.items() if place)
    return reproduce_two_stage(study, page, command, work)
