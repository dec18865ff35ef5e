"""``handwright synth``: worlds with exact truth, as WebDataset shards."""

from pathlib import Path
from typing import Annotated

import typer

from handwright.apps.cli.options import Debug, option
from handwright.apps.cli.show import Screen


def synth(
    output: Annotated[Path, option("-o --output", "DIR", "Folder of the shards.")],
    kind: Annotated[str, option("--kind", "KIND", "Hands, defects, holds, people or poses.")] = "hands",
    count: Annotated[int, option("--n", "N", "Number of pictures.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same pictures.")] = 0,
    size: Annotated[int, option("--size", "PX", "Side of the pictures.")] = 256,
    workers: Annotated[int, option("--workers", "N", "Processes; same pictures.")] = 1,
    photos: Annotated[
        Path | None, option("--photos", "DIR", "Photographs: half of the backgrounds; half of all defects.")
    ] = None,
    defect: Annotated[str | None, option("--defect", "NAME", "Of --kind defects: only this one.")] = None,
    sheet: Annotated[bool, typer.Option("--sheet", help="Also write sheet.jpg, the first hundred.")] = False,
    debug: Debug = False,
) -> None:
    """Render pictures with their depth, masks, parts, keypoints and captions; a second run goes on.

    Shards hold 250 pictures each and appear under their names only when they are complete.
    """
    from handwright.data.synthesise import synthesise

    screen = Screen(debug=debug)
    written = synthesise(
        output,
        kind,
        count=count,
        seed=seed,
        size=size,
        workers=workers,
        photos=photos,
        defect=defect,
        sheet=sheet,
        progress=lambda done, total: screen.notify(f"{done} of {total}"),
        notify=screen.notify,
    )
    shards = f"{written.shards} shards ({written.new_shards} of them new)"
    screen.write(f"{written.samples} pictures in {shards}: {written.folder}")
