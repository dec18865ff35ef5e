"""One picture through `handwright hands`: find, fit, show and save; nothing is repainted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from handwright.workflow.files import sha256_of_file
from handwright.workflow.jobs import Job
from handwright.workflow.report.record import Written
from handwright.workflow.run.picture import Outcome, process
from handwright.workflow.run.request import Plan

if TYPE_CHECKING:
    from handwright.refine.pipeline import Engine
    from handwright.refine.result import HandRepair, Repair

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
