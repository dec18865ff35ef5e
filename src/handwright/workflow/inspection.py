"""One picture through `handwright hands`: find, fit, show and save; nothing is repainted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from handwright.handrefiner.stopwatch import Stopwatch
from handwright.workflow.jobs import Job
from handwright.workflow.picture import (
    Outcome,
    Plan,
    check_output,
    evidence_names,
    finished,
    sha256_of_input,
    write_evidence,
)
from handwright.workflow.record import Written, picture_entry
from handwright.workflow.request import sha256_of_file

if TYPE_CHECKING:
    from handwright.handrefiner.pipeline import Engine
    from handwright.types import HandRepair, Repair

SUFFIX = ".hands.json"


def inspect_file(job: Job, plan: Plan, engine: Callable[[], Engine]) -> Outcome:
    """Save what is found in one picture file.

    Args:
        job: The picture; its output is ``NAME.hands.json``, the other files lie beside it.
        plan: What the run shares.
        engine: Opens the finder on first use.

    Returns:
        The picture's entry, stored in the ledger.

    Raises:
        HandwrightError: The picture cannot be read, a setting does not fit, or an output cannot be written.
    """
    from handwright.handrefiner.pipeline import inspect_picture
    from handwright.image import load_image
    from handwright.workflow.load import load_settings

    input_sha256 = sha256_of_input(job.source)
    record = finished(job, plan, input_sha256)
    if record is not None:
        return Outcome(record, resumed=True)
    check_output(job, plan)
    watch = Stopwatch()
    with watch("read"):
        image = load_image(job.source)
        settings = load_settings(plan.request, image, input_sha256, engine)
    repair = inspect_picture(image, settings, engine())
    with watch("write"):
        evidence = write_evidence(plan, job, repair)
        with plan.ledger.claimed(job):
            _write_hands(job.output, repair, input_sha256)
    seconds = {"read": watch.seconds["read"], **repair.seconds, "write": watch.seconds["write"]}
    notes = () if repair.hands else ("No hand was found.",)
    written = Written(sha256_of_file(job.output), notes)
    record = picture_entry(job, plan.settings, repair, evidence, written, input_sha256, seconds)
    plan.ledger.keep(job, record, evidence_names(evidence))
    return Outcome(record)


def _write_hands(output: Path, repair: Repair, input_sha256: str) -> None:
    """Overlay, depth, mask and meshes, and the hands file last."""
    import numpy as np

    from handwright.hand.files import hands_text, hands_to_json
    from handwright.image import write_png
    from handwright.workflow.ledger import make_folder, write_text
    from handwright.workflow.overlay import draw_overlay

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
    from handwright.hand.export import mesh_to_glb, mesh_to_obj
    from handwright.hand.kinematics import mesh_of
    from handwright.image import write_atomically
    from handwright.workflow.ledger import write_text

    mesh = mesh_of(hand.fit.hand)
    glb = mesh_to_glb(mesh)
    write_atomically(f"{stem}.glb", lambda file: file.write(glb))
    write_text(Path(f"{stem}.obj"), mesh_to_obj(mesh))
