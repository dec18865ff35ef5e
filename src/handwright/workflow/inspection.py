"""One picture through `handwright hands`: find, fit, show and save; nothing is repainted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

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
from handwright.workflow.request import sha256_of_file, stopwatch

if TYPE_CHECKING:
    from handwright.handrefiner.pipeline import Engine
    from handwright.types import Repair

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
    seconds: dict[str, float] = {}
    with stopwatch(seconds, "read"):
        image = load_image(job.source)
        settings = load_settings(plan.request, image, engine)
    repair = inspect_picture(image, settings, engine())
    with stopwatch(seconds, "write"):
        evidence = write_evidence(plan, job, repair)
        with plan.ledger.claimed(job):
            _write_hands(job.output, repair, input_sha256)
    seconds = {"read": seconds["read"], **repair.seconds, "write": seconds["write"]}
    notes = () if repair.hands else ("No hand was found.",)
    written = Written(sha256_of_file(job.output), notes)
    record = picture_entry(job, plan.settings, repair, evidence, written, input_sha256, seconds)
    plan.ledger.keep(job, record, evidence_names(evidence))
    return Outcome(record)


def _write_hands(output: Path, repair: Repair, input_sha256: str) -> None:
    """Overlay, depth, mask and meshes, and the hands file last."""
    import numpy as np

    from handwright.hand.export import save_glb, save_obj
    from handwright.hand.files import save_hands
    from handwright.image import write_png
    from handwright.workflow.ledger import make_folder
    from handwright.workflow.overlay import draw_overlay

    make_folder(output.parent)
    stem = output.name.removesuffix(SUFFIX)
    mask = np.zeros(repair.before.pixels.shape[:2], np.bool_)
    for hand in repair.hands:
        mask |= hand.mask.inside
    write_png(output.with_name(f"{stem}.overlay.png"), draw_overlay(repair.before, repair.hands))
    write_png(output.with_name(f"{stem}.depth.png"), repair.depth.depth)
    write_png(output.with_name(f"{stem}.mask.png"), mask.astype(np.uint8) * 255)
    for hand in repair.hands:
        save_glb(output.with_name(f"{stem}.hand-{hand.id}.glb"), hand.fit.hand)
        save_obj(output.with_name(f"{stem}.hand-{hand.id}.obj"), hand.fit.hand)
    save_hands(output, repair.before, [(hand.observation, hand.fit) for hand in repair.hands])
