"""``handwright reproduce``: a paper's tables re-run."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from handwright.apps.cli import options as opt
from handwright.apps.cli.show import Screen

PAPERS = ("handrefiner", "two-stage", "handiffuser")


@opt.with_options(
    "model", "controlnet", "num_inference_steps", "sampler", "guidance_scale", "prompt", "dtype", "device"
)
def reproduce(
    paper: Annotated[str, typer.Argument(metavar="PAPER", help="handrefiner, two-stage or handiffuser.")],
    output: Annotated[
        Path | None,
        opt.option(
            "-o --output",
            "FILE.md",
            "The page; plots are put beside it (docs/research/handrefiner.md, handrefiner_tables.md, "
            "two-stage.md or handiffuser.md).",
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
            "For two-stage photographs of people, whose poses are painted; for handiffuser a text file, a "
            "prompt a line.",
        ),
    ] = None,
    variants: Annotated[
        Path | None,
        opt.option(
            "--variants",
            "DIR",
            "Folder of networks trained other ways, by name: ControlNets (untuned, unmasked, normals, …); "
            "for two-stage networks of either stage or of a baseline, for handiffuser T-H2I models, or their "
            "runs, a row each.",
        ),
    ] = None,
    rows: Annotated[
        str | None,
        opt.option(
            "--rows", "NAMES", "two-stage, handiffuser: paint these rows alone, by commas: text,pose,ours."
        ),
    ] = None,
    poses: Annotated[
        str | None,
        opt.option("--poses", "any|meeting", "two-stage: people as they stand, or whose two hands meet."),
    ] = None,
    choices: Annotated[
        Path | None, opt.option("--choices", "FILE", "CSV picture,strength: what people found best.")
    ] = None,
    handiffuser: Annotated[
        Path | None,
        opt.option("--handiffuser", "DIR", "handiffuser: T-H2I, model/ of `handwright train handiffuser`."),
    ] = None,
    hand_generator: Annotated[
        Path | None, opt.option("--hand-generator", "DIR", "two-stage, handiffuser: stage I's own network.")
    ] = None,
    outpainter: Annotated[
        Path | None, opt.option("--outpainter", "DIR", "two-stage, handiffuser: stage II's own network.")
    ] = None,
    pose_controlnet: Annotated[
        str | None,
        opt.option(
            "--pose-controlnet",
            "DIR|HUB_ID|FILE",
            "two-stage, handiffuser: the OpenPose ControlNet to compare with.",
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

    handiffuser: people by the base's text alone, by T-H2I from their exact parameters and from T2H's,
    refined, and by what other training gave (docs/handiffuser.md).

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
    own = {"--handiffuser": handiffuser}
    networks = {
        "--hand-generator": hand_generator, "--outpainter": outpainter, "--pose-controlnet": pose_controlnet
    }  # fmt: skip
    if paper != "handrefiner":
        of_others = {
            "--choices": choices, "--hagrid": hagrid, "--freihand": freihand,
            "--sampler": given.get("sampler"), "--landmarker": landmarker,
        }  # fmt: skip
        if paper == "handiffuser":
            networks |= own
            of_others["--poses"] = poses
            of_others |= {name: given.get(name.strip("-")) for name in ("--controlnet", "--prompt")}
        else:
            of_others |= own
        _refuse(of_others, paper)
        page = output or Path(f"docs/research/{paper}.md")
        screen = Screen(debug=debug)
        with screen.progress() as progress:
            folder = _paint_people(
                paper, page, work, networks, given, n=n, scale=scale, data=data, variants=variants,
                rows=tuple(name.strip() for name in rows.split(",")) if rows else (),
                extractor=extractor, seed=seed, progress=progress, poses=poses,
            )  # fmt: skip
        screen.write(f"{page} is written; all pictures are in {folder}")
        return
    _refuse({**networks, **own, "--rows": rows, "--poses": poses}, "handrefiner")
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


def _paint_people(
    paper: str,
    page: Path,
    work: Path | None,
    networks: Mapping[str, object],
    given: Mapping[str, Any],
    *,
    n: int | None,
    scale: str,
    poses: str | None,
    **further: Any,  # noqa: ANN401 - of every study of people
) -> Path:
    """Run the study of the two-stage system or of HanDiffuser; its work folder."""
    from handwright.reproduce import (
        HanDiffuserStudy,
        TwoStageStudy,
        reproduce_handiffuser,
        reproduce_two_stage,
    )
    from handwright.reproduce.handiffuser.study import SCALES as PEOPLE
    from handwright.reproduce.two_stage.study import SCALES as POSES

    ours = paper == "handiffuser"
    fields: dict[str, Any] = {
        **{option.strip("-").replace("-", "_"): place and str(place) for option, place in networks.items()},
        "n": (PEOPLE if ours else POSES)[scale] if n is None else n,
        "model": given.get("model", "tiny"),
        "steps": given.get("num_inference_steps"),
        "guidance": given.get("guidance_scale"),
        "dtype": given.get("dtype", "auto"),
        "device": given.get("device", "auto"),
        **further,
    }
    command = _command(paper, fields["n"], networks, given, {**further, "poses": poses})
    if ours:
        return reproduce_handiffuser(HanDiffuserStudy(**fields), page, command, work)
    named: dict[str, Any] = {
        "prompt": given.get("prompt", "a person"),
        "controlnet": given.get("controlnet"),
        "poses": poses or "any",
    }
    return reproduce_two_stage(TwoStageStudy(**fields, **named), page, command, work)


def _command(
    paper: str,
    n: int,
    networks: Mapping[str, object],
    given: Mapping[str, Any],
    further: Mapping[str, Any],
) -> str:
    """What made a page, without folders of this machine."""
    model = given.get("model", "tiny")
    shown = {
        **networks, "--model": None if model == "tiny" else model, "--data": further["data"],
        "--variants": further["variants"], "--rows": ",".join(further["rows"]),
        "--poses": further["poses"],
    }  # fmt: skip
    named = (f" {option} {Path(str(place)).name}" for option, place in shown.items() if place)
    return f"handwright reproduce {paper} --n {n} --seed {further['seed']}{''.join(named)}"
