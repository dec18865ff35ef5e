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
        Path | None,
        opt.option(
            "-o --output",
            "FILE.md",
            "The page; plots are put beside it (docs/research/handrefiner.md, or handrefiner_tables.md).",
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="At most an hour on two cores; the same as --scale quick.")
    ] = False,
    scale: Annotated[
        str, opt.option("--scale", "quick|paper", "How many pictures: few, or the paper's.")
    ] = "quick",
    n: Annotated[
        int | None, opt.option("--n", "N", "Pictures a row of the table, instead of the scale's.")
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
            "For Tables 1 and 2 generated ones, in folders gesture and free by their prompts, or in one.",
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
    """Re-run a paper's tables and write them as a page; stopped, the same command goes on where it was.

    With --hagrid or --freihand it is Tables 1 and 2: pictures generated with and without a gesture in the
    prompt, repainted, and held against these photographs; --n is then the number of pictures of each kind.
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
