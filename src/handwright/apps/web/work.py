"""What the page has its worker process do: look at a picture, mend it, take other candidates, read a pose.

Every job works on one picture's file in a folder of its own (``apps.service.worker``); all names in it are
chosen here.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwright.apps.service.generation import generate_job
from handwright.apps.service.worker import Kinds, Result, raise_first, review_job

if TYPE_CHECKING:
    import numpy as np

    from handwright.refine.pipeline import Engine
    from handwright.refine.result import Repair

VIEW_PX = 1600  # Longer side of what a browser is shown of a picture
VIEW_QUALITY = 90  # Of that JPEG

OUTPUT = "output.png"  # What is downloaded: lossless whatever the picture came as
VIEW, MASK, BEFORE, AFTER = "view.jpg", "mask.png", "before.jpg", "after.jpg"
SKELETON = "skeleton.png"  # The person of a text
POSE = "report/0000/pose.json"  # The same person's pose, as OpenPose's JSON
PATCHES, REPORT = "patches.zip", "report.zip"
HANDS_IN, MASK_IN = "hands.json", "given-mask.png"  # What a mending job is given beside its picture

_NO_HAND = (2**31,)  # A number that no hand has: every hand is found, fitted and reviewed, none attempted


def look(source: Path, options: Mapping[str, Any], engine: Callable[[], Engine]) -> Result:
    """Find, fit and review the hands of a picture as a refinement would.

    Args:
        source: The picture.
        options: ``box``, where hands are; nothing else is searched then.
        engine: Opens the models.

    Returns:
        Size and sha256 of the picture, its hands as records of a hands file with their review, what has no
        joints, what its generator wrote, and notes; with a view of it, and the mask that a repair would use.
    """
    from handwright.image import load_image
    from handwright.image.generation_data import generation_data
    from handwright.refine.pipeline import refine_picture
    from handwright.refine.settings import refine_settings
    from handwright.workflow.files import sha256_of_file
    from handwright.workflow.run.load import settings_given

    image = load_image(source)
    given = settings_given(options, image, None, engine)
    repair = refine_picture(image, refine_settings({**given, "hand": _NO_HAND}), engine())
    written = generation_data(image)
    _write_view(image.pixels, VIEW)
    _write_mask(repair, MASK)
    found = {
        "width": image.width,
        "height": image.height,
        "sha256": sha256_of_file(source),
        "notes": list(repair.notes),
        "judged_by": list(repair.judged_by),
        "hands": _hands(repair),
        "undetected": [dict(review) for review in repair.undetected],
        "generation": None if written is None else dict(vars(written)),
    }
    return found, [VIEW, MASK]


def mend(source: Path, options: Mapping[str, Any], engine: Callable[[], Engine]) -> Result:
    """Refine a picture, with the edited hands and the mask that may lie beside it.

    Args:
        source: The picture.
        options: As ``handwright.refine`` has them.
        engine: Opens the models.

    Returns:
        The report of a run; with the refined picture, its patches, the report and views.
    """
    from handwright.workflow import Request, RunOptions, refine_files

    opened, report, output = engine(), Path("report"), Path(OUTPUT)
    files = {"hands": Path(HANDS_IN)} if Path(HANDS_IN).is_file() else {}
    if Path(MASK_IN).is_file():
        files["mask"] = _mask_of_picture_size(Path(MASK_IN), source)
    run = RunOptions(force=True, report=report, patches=True, open_engine=lambda: nullcontext(opened))
    result = refine_files([source], output, Request(**{**options, **files}), run).report
    raise_first(result["pictures"])
    picture = result["pictures"][0]
    views = [
        hand["candidates"][k]["view"] for hand in picture["hands"] for k in range(len(hand["candidates"]))
    ]
    befores = [hand["files"]["before"] for hand in picture["hands"] if hand["candidates"]]
    _view_of_file(source, BEFORE)
    _view_of_file(output, AFTER)
    _zip(PATCHES, list(map(Path, picture["patches"])), Path())
    _zip(REPORT, sorted(path for path in report.rglob("*") if path.is_file()), report)
    shown = [f"{report}/{name}" for name in (*views, *befores)]
    return result, [output.name, BEFORE, AFTER, PATCHES, REPORT, *shown]


def pick(source: Path, options: Mapping[str, Any], engine: Callable[[], Engine]) -> Result:
    """Take other candidates of a mending job: nothing is painted.

    Args:
        source: The picture.
        options: ``report``, the folder of that job's report, and ``picks``, hand → candidate (0: original).
        engine: Not needed.
    """
    from handwright.image import load_image, patch_png
    from handwright.workflow.files import make_folder
    from handwright.workflow.run.pick import pick_candidates

    del engine
    output, folder = Path(OUTPUT), Path("patches")
    after, pasted, notes = pick_candidates(Path(options["report"]), options["picks"], source, output)
    before = load_image(source)
    make_folder(folder)
    for hand, candidate in pasted.items():
        (folder / f"{output.stem}.hand-{hand}.png").write_bytes(patch_png(before, candidate))
    _write_view(after.pixels, AFTER)
    _zip(PATCHES, sorted(folder.iterdir()), folder)
    return {"notes": list(notes)}, [output.name, AFTER, PATCHES]


def read_pose(source: Path, options: Mapping[str, Any], engine: Callable[[], Engine]) -> Result:
    """The articulation of the surest hand in a photograph: ``pose`` and ``palm_arch`` of a hands file."""
    from handwright.workflow.run.load import pose_from

    del options
    hand = pose_from(source, engine)
    return {"pose": hand.pose.tolist(), "palm_arch": hand.palm_arch.tolist()}, []


def draw_person(source: Path, options: Mapping[str, Any], engine: Callable[[], Engine]) -> Result:
    """The person of a pose file, or of a text and a seed, as skeleton and pose file; nothing is painted."""
    from handwright.apps.service.generation import settings_of
    from handwright.workflow.generate.generation import Generation, generate_from_pose

    del engine
    wanted = Generation(
        output=None,
        settings=settings_of(options),
        pose=source.rename("pose.json") if source.stat().st_size else None,
        side=options["side"],
        skeleton=Path(SKELETON),
        report=Path("report"),
        force=True,
    )
    return generate_from_pose(wanted).report, [SKELETON, POSE]


KINDS: Kinds = {
    "look": look, "mend": mend, "pick": pick, "pose": read_pose, "review": review_job, "person": draw_person,
    "generate": generate_job,
}  # fmt: skip
"""What the page's worker does."""


def _hands(repair: Repair) -> list[dict[str, Any]]:
    from handwright.hand.files.hands_file import hands_to_json

    size = repair.before.width, repair.before.height
    records = hands_to_json([(hand.id, hand.observation, hand.fit.hand) for hand in repair.hands], size)
    return [
        {"record": record, "review": None if hand.review_before is None else dict(hand.review_before)}
        for record, hand in zip(records["hands"], repair.hands, strict=True)
    ]


def _write_mask(repair: Repair, name: str) -> None:
    """Pixels that a repair of all hands may change, at the size of the view: white on black."""
    import numpy as np
    from PIL import Image as PILImage

    inside = np.zeros((repair.before.height, repair.before.width), np.bool_)
    for hand in repair.hands:
        inside |= hand.mask.inside
    mask = PILImage.fromarray(inside.astype(np.uint8) * 255)
    mask.thumbnail((VIEW_PX, VIEW_PX), PILImage.Resampling.BOX)
    mask.save(name)


def _mask_of_picture_size(given: Path, source: Path) -> Path:
    """The mask that was brushed on the view, at the picture's size.

    Raises:
        UnreadableImageError: It is no picture.
    """
    import numpy as np
    from PIL import Image as PILImage

    from handwright.image import load_image, write_png

    image, mask, out = load_image(source), load_image(given), Path("mask.png")
    grey = PILImage.fromarray(mask.pixels.max(2)).resize((image.width, image.height))
    write_png(out, np.asarray(grey))
    return out


def _view_of_file(path: Path, name: str) -> None:
    from handwright.image import load_image

    _write_view(load_image(path).pixels, name)


def _write_view(pixels: np.ndarray, name: str) -> None:
    from PIL import Image as PILImage

    view = PILImage.fromarray(pixels)
    view.thumbnail((VIEW_PX, VIEW_PX))
    view.save(name, "JPEG", quality=VIEW_QUALITY)


def _zip(name: str, files: Sequence[Path], folder: Path) -> None:
    """Pack files under their names below a folder; pictures are packed as they are."""
    with zipfile.ZipFile(name, "w") as archive:
        for file in files:
            kind = zipfile.ZIP_DEFLATED if file.suffix in (".json", ".html") else zipfile.ZIP_STORED
            archive.write(file, file.relative_to(folder), compress_type=kind)
