"""One picture from its file to its entry in the report: read, refine, write, record. Runs in any process.

`handwright hands` finds, fits, shows and saves; nothing is repainted.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handwright.errors import HandwrightError, OutputError, UnreadableImageError, memory_error
from handwright.plug_ins import PlugInError
from handwright.progress import Stopwatch
from handwright.workflow.files import Record, sha256_of_file
from handwright.workflow.jobs import Job
from handwright.workflow.report.document import Written, failed_entry, picture_entry
from handwright.workflow.run.request import Plan

if TYPE_CHECKING:
    from handwright.refine.pipeline import Engine
    from handwright.refine.result import HandRepair, Repair
    from handwright.refine.settings import RefineSettings
    from handwright.types import Image


@dataclass(frozen=True)
class Outcome:
    """What became of one picture."""

    record: Record  # Its entry in the report
    resumed: bool = False  # True when an earlier run had done it already
    trace: str | None = None  # The traceback of an internal error, for ``--debug``


Work = Callable[[Job, Plan, "Callable[[], Engine]"], Outcome]
"""What a worker does with one picture; the last argument opens the engine on its first call."""


def attempt(work: Work, job: Job, plan: Plan, engine: Callable[[], Engine]) -> Outcome:
    """Do the work; whatever goes wrong with this picture becomes its entry in the report."""
    try:
        return work(job, plan, engine)
    except PlugInError as error:  # the user's code: its trace is for the user, too
        why = PlugInError(f"{job.source} could not be worked on", f"{error.what}: {error.why}", error.fix)
        return Outcome(failed_entry(job, plan.settings, why), trace=traceback.format_exc())
    except HandwrightError as error:
        return Outcome(failed_entry(job, plan.settings, error))
    except Exception as error:  # noqa: BLE001 - one bad file never stops the rest; the trace goes with the outcome
        if lack := memory_error(error, f"{job.source} could not be worked on"):
            return Outcome(failed_entry(job, plan.settings, lack))
        return Outcome(failed_entry(job, plan.settings, error), trace=traceback.format_exc())


def refine_file(job: Job, plan: Plan, engine: Callable[[], Engine]) -> Outcome:
    """Refine one picture file; its entry is kept in the ledger.

    Raises:
        HandwrightError: The picture cannot be read, a setting does not fit, or the output cannot be written.
    """
    from handwright.refine.pipeline import refine_picture
    from handwright.workflow.run.deliver import check_format, check_hands, write_result

    def refine(image: Image, settings: RefineSettings, engine: Engine) -> Repair:
        check_format(job, image)
        repair = refine_picture(image, settings, engine)
        check_hands(job, plan.request, repair)
        return repair

    return process(job, plan, engine, refine, write_result)


def process(
    job: Job,
    plan: Plan,
    engine: Callable[[], Engine],
    work: Callable[[Image, RefineSettings, Engine], Repair],
    write: Callable[[Job, Plan, Repair, str], Written],
) -> Outcome:
    """Take one picture file from its bytes to its entry in the report, unless an earlier run did."""
    from handwright.image import load_image
    from handwright.workflow.report.evidence import Evidence
    from handwright.workflow.run.load import load_settings

    input_sha256 = sha256_of_input(job.source)
    record = None if plan.force else plan.ledger.done(job, input_sha256)
    if record is not None and all(Path(patch).is_file() for patch in record["patches"]):
        return Outcome(record, resumed=True)
    check_output(job, plan)
    watch = Stopwatch()
    with watch("read"):
        image = load_image(job.source)
        settings = load_settings(plan, image, input_sha256, engine)
    if settings.diffusion is not None and plan.settings["diffusion"] is not None:
        used = {**plan.settings["diffusion"], "prompt": settings.diffusion.prompt}
        plan = replace(plan, settings={**plan.settings, "diffusion": used})
    repair = work(image, settings, engine())
    with watch("write"):
        evidence = None
        if plan.ledger.report is not None:
            evidence = Evidence(plan.ledger.report, f"pictures/{job.name.as_posix()}").write(repair)
        written = write(job, plan, repair, input_sha256)
    seconds = {"read": watch.seconds["read"], **repair.seconds, "write": watch.seconds["write"]}
    record = picture_entry(job, plan.settings, repair, evidence, written, input_sha256, seconds)
    plan.ledger.keep(job, record, evidence_names(evidence))
    return Outcome(record)


def sha256_of_input(path: Path) -> str:
    """Sha256 of a picture file.

    Raises:
        UnreadableImageError: It is not there or cannot be read.
    """
    try:
        return sha256_of_file(path)
    except OSError as error:
        why = "it is a folder" if path.is_dir() else (error.strerror or str(error)).lower()
        raise UnreadableImageError(
            f"cannot read {path}", why, "check the name and the permissions"
        ) from error


def check_output(job: Job, plan: Plan) -> None:
    """Refuse to overwrite what is not ours, before any work is spent.

    Raises:
        OutputError: The output is the input, or a file that we did not write, and ``force`` is off.
    """
    if plan.force or not job.output.exists():
        return
    if job.output.samefile(job.source):
        raise OutputError(f"{job.output} is the input itself", "", "choose another output, or give `force`")
    if job.output.is_dir() or not plan.ledger.owns(job):
        kind = "a folder" if job.output.is_dir() else "there already and was not written by handwright"
        raise OutputError(f"{job.output} is {kind}", "", "choose another output, or give `force`")


def evidence_names(evidence: dict[str, Any] | None) -> list[str]:
    """Every file that a picture's evidence consists of."""
    if evidence is None:
        return []
    names: list[str] = list(evidence["files"].values())
    for hand in evidence["hands"]:
        names += [hand["mask"], hand["depth"], *hand["candidates"], *hand["views"]]
        names += [name for name in hand["steps"] if name is not None]
        names += [name for name in hand["files"].values() if isinstance(name, str)]
    return names


SUFFIX = ".hands.json"


def inspect_file(job: Job, plan: Plan, engine: Callable[[], Engine]) -> Outcome:
    """Save what is found in one picture file beside ``NAME.hands.json``; its entry is kept in the ledger.

    Raises:
        HandwrightError: The picture cannot be read, a setting does not fit, or an output cannot be written.
    """
    from handwright.refine.pipeline import inspect_picture

    return process(job, plan, engine, inspect_picture, write_hands)


def write_hands(job: Job, plan: Plan, repair: Repair, input_sha256: str) -> Written:
    """Write what was found beside the job's output, and the hands file last.

    Raises:
        OutputError: A file cannot be written.
    """
    with plan.ledger.claimed(job):
        _write_hands(job.output, repair, input_sha256)
    notes = () if repair.hands else ("No hand was found.",)
    return Written(sha256_of_file(job.output), notes)


def _write_hands(output: Path, repair: Repair, input_sha256: str) -> None:
    """Overlay, depth, mask and meshes, and the hands file last."""
    import numpy as np

    from handwright.hand.files.hands_file import hands_text, hands_to_json
    from handwright.image import write_png
    from handwright.workflow.files import make_folder, write_text
    from handwright.workflow.report.evidence import draw_overlay

    make_folder(output.parent)
    stem, image = output.name.removesuffix(SUFFIX), repair.before
    mask = np.zeros((image.height, image.width), np.bool_)
    for hand in repair.hands:
        mask |= hand.mask.inside
        _write_meshes(output.with_name(f"{stem}.hand-{hand.id}"), hand)
    write_png(output.with_name(f"{stem}.overlay.png"), draw_overlay(image, repair.hands))
    write_png(output.with_name(f"{stem}.depth.png"), repair.depth.depth)
    write_png(output.with_name(f"{stem}.mask.png"), mask.astype(np.uint8) * 255)
    numbered = [(hand.id, hand.observation, hand.fit.hand) for hand in repair.hands]
    write_text(output, hands_text(hands_to_json(numbered, (image.width, image.height), input_sha256)))


def _write_meshes(stem: Path, hand: HandRepair) -> None:
    from handwright.hand.files.mesh import mesh_to_glb, mesh_to_obj
    from handwright.hand.kinematics import mesh_of
    from handwright.image import write_atomically
    from handwright.workflow.files import write_text

    mesh = mesh_of(hand.fit.hand)
    glb = mesh_to_glb(mesh)
    write_atomically(f"{stem}.glb", lambda file: file.write(glb))
    write_text(Path(f"{stem}.obj"), mesh_to_obj(mesh))
