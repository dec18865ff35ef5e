"""``handwright reproduce``: a paper's tables re-run."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen

PAPERS = ("handrefiner",)


@opt.with_options(
    "model", "controlnet", "num_inference_steps", "sampler", "guidance_scale", "prompt", "dtype", "device"
)
def reproduce(
    paper: Annotated[str, typer.Argument(metavar="PAPER", help="handrefiner.")],
    output: Annotated[
        Path, opt.option("-o --output", "FILE.md", "The page; plots are put beside it.")
    ] = Path("docs/research/handrefiner.md"),
    quick: Annotated[
        bool, typer.Option("--quick", help="At most an hour on two cores; the same as --scale quick.")
    ] = False,
    scale: Annotated[
        str, opt.option("--scale", "quick|paper", "How many pictures: few, or the paper's.")
    ] = "quick",
    n: Annotated[
        int | None, opt.option("--n", "N", "Pictures a row of the table, instead of the scale's.")
    ] = None,
    data: Annotated[
        Path | None,
        opt.option(
            "--data",
            "DIR",
            "Your pictures instead of rendered ones; with folders real and made, or every second each.",
        ),
    ] = None,
    variants: Annotated[
        Path | None,
        opt.option(
            "--variants",
            "DIR",
            "Folder of ControlNets trained other ways, by name: untuned, unmasked, normals, …",
        ),
    ] = None,
    choices: Annotated[
        Path | None, opt.option("--choices", "FILE", "CSV picture,strength: what people found best.")
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
    """Re-run a paper's tables and write them as a page; stopped, the same command goes on where it was."""
    from handwright.errors import UsageError
    from handwright.refine.settings import diffusion_settings
    from handwright.reproduce import SCALES, Study, reproduce_handrefiner

    if paper not in PAPERS:
        raise UsageError(f"there is no paper {paper!r}", "", f"choose one of: {', '.join(PAPERS)}")
    if scale not in SCALES or (quick and scale != "quick"):
        raise UsageError(f"--scale is {scale}", "", f"choose one of: {', '.join(SCALES)}")
    if n is not None and n < 1:
        raise UsageError(f"--n is {n}", "", "give 1 or more")
    diffusion = diffusion_settings("diffuse", given)
    assert diffusion is not None
    screen = Screen(debug=debug)
    chosen = SCALES[scale] if n is None else replace(SCALES[scale], table=n)
    command = f"handwright reproduce {paper} --scale {scale}" + ("" if n is None else f" --n {n}")
    command += "" if variants is None else f" --variants {variants.name}"
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
        folder = reproduce_handrefiner(study, output, command, work)
    screen.write(f"{output} is written; all paintings and handwright.json are in {folder}")
