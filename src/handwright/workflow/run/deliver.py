"""Writing the result: the picture, its patches, and the settings that made it as the picture's own text."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handwright import __version__
from handwright.errors import UsageError
from handwright.image import encode_image, format_for, patch_png, save_image, save_unchanged, write_atomically
from handwright.image.facts import facts_of, with_png_chunk, with_png_text
from handwright.image.formats.appendix import FORMATS, TAG
from handwright.types import Image
from handwright.workflow.files import make_folder, sha256_of_file
from handwright.workflow.report.document import Written
from handwright.workflow.run.request import without_paths

if TYPE_CHECKING:
    from handwright.refine.result import Repair
    from handwright.workflow.jobs import Job
    from handwright.workflow.run.request import Plan, Request

TEXT_KEY = "handwright"  # Keyword of the PNG text that holds the settings
ORIGINAL_CHUNK = TAG  # Type of the PNG chunk that holds the samples which a repair replaced


def write_result(job: Job, plan: Plan, repair: Repair, input_sha256: str) -> Written:
    """Write a picture that was worked on; one that did not change is copied, byte for byte if it can be.

    Raises:
        OutputError: A file cannot be written.
    """
    make_folder(job.output.parent)
    with plan.ledger.claimed(job):
        if any(hand.action == "refined" for hand in repair.hands):
            entry = provenance(plan.settings, input_sha256)
            notes = save_with_entry(repair, entry, job.output, job.source.read_bytes, job.source)
        else:
            reason = "No hand was changed" if repair.hands or repair.undetected else "No hand was found"
            notes = (f"{reason}: the picture went through unchanged.", *_pass_through(job, repair.before))
        patches = write_patches(job, repair) if plan.patches else ()
    return Written(sha256_of_file(job.output), tuple(notes), patches)


def save_with_entry(
    repair: Repair,
    entry: str,
    output: Path,
    source_bytes: Callable[[], bytes],
    source: Path | None = None,
) -> tuple[str, ...]:
    """Write the repaired picture with its settings and what ``refine --again`` makes it from once more.

    A PNG from a PNG holds the samples that it lost. Every other PNG, JPEG or WebP holds the original file:
    nothing else gives back what a lossy codec or another format took from it. TIFF and BMP hold neither.

    Returns:
        Notes for the report.

    Raises:
        OutputError: The file cannot be written.
    """
    after, file_format = with_png_text(repair.after, TEXT_KEY, entry), format_for(output)
    appendix = None
    if file_format == "PNG" and facts_of(after).format == "PNG":
        packed = packed_original(repair.before, repair.after)
        after = with_png_chunk(after, ORIGINAL_CHUNK, packed)
        appendix = None if packed is not None else original_file(entry, source_bytes())
    elif file_format in FORMATS:
        appendix = original_file(entry, source_bytes())
    return save_image(after, output, overwrite=True, source_path=source, appendix=appendix)


def original_file(entry: str, data: bytes) -> bytes:
    """The settings and the file that they were used on: two lines of JSON, then its bytes."""
    head = {"file": len(data)}
    return json.dumps(head).encode() + b"\n" + entry.encode() + b"\n" + data


def packed_original(before: Image, after: Image) -> bytes | None:
    """The samples that a repair replaced, in one box: a line of JSON, and their differences compressed.

    None where nothing changed, or where the picture's mode did, so that samples cannot be put back.
    """
    old, new = before.native, after.native
    if old is None or new is None or before.mode != after.mode or before.mode == "P":
        return None
    changed = (old != new).any(2)
    if not changed.any():
        return None
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    y0, y1, x0, x1 = (int(v) for v in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    head = json.dumps({"box": [x0, y0, x1, y1], "dtype": old.dtype.str, "channels": old.shape[2]})
    steps = np.diff(
        np.diff(old[y0:y1, x0:x1], axis=0, prepend=old.dtype.type(0)), axis=1, prepend=old.dtype.type(0)
    )
    return head.encode() + b"\n" + zlib.compress(steps.tobytes(), 9)


def check_format(job: Job, image: Image) -> None:
    """Refuse an output format that cannot hold the picture, before any work is spent on it.

    Raises:
        OutputError: The format has no room for the picture's mode or size.
    """
    if job.output.suffix.lower() == job.source.suffix.lower():
        return
    for part in (np.s_[:1], np.s_[:, :1]):  # the whole width and the whole height, at little cost
        native = None if image.native is None else np.ascontiguousarray(image.native[part])
        strip = Image(np.ascontiguousarray(image.pixels[part]), native, image.mode, image.meta)
        encode_image(strip, format_for(job.output))


def check_hands(job: Job, request: Request, repair: Repair) -> None:
    """Refuse a picture that lacks a hand that was named, so that nothing is written for it.

    Raises:
        UsageError: There is no hand of that number.
    """
    found = [hand.id for hand in repair.hands] + [int(review["id"]) for review in repair.undetected]
    missing = [str(number) for number in request["hand"] if number not in found]
    if missing:
        there = f"its hands are {', '.join(map(str, found))}" if found else "no hand was found in it"
        raise UsageError(
            f"{job.source} has no hand {', '.join(missing)}", there, "see the report for the numbers"
        )


def write_patches(job: Job, repair: Repair) -> tuple[str, ...]:
    """One transparent PNG of the picture's size per refined hand, beside the output."""
    written: list[str] = []
    for hand in repair.hands:
        if hand.picked is not None:
            path = job.output.with_name(f"{job.output.stem}.hand-{hand.id}.png")
            layer = patch_png(repair.before, hand.candidates[hand.picked])
            write_atomically(path, methodcaller("write", layer))
            written.append(path.as_posix())
    return tuple(written)


def provenance(settings: Mapping[str, Any], input_sha256: str, **more: Any) -> str:  # noqa: ANN401 - any JSON
    """The settings that made a picture, as one line of JSON."""
    text = {"version": __version__, "input_sha256": input_sha256, "settings": without_paths(settings), **more}
    return json.dumps(text, sort_keys=True, ensure_ascii=True)


def _pass_through(job: Job, image: Image) -> tuple[str, ...]:
    if job.output.suffix.lower() == job.source.suffix.lower():
        save_unchanged(job.source, job.output, overwrite=True)
        return ()
    return tuple(save_image(image, job.output, overwrite=True, source_path=job.source))
