"""Take other candidates of an earlier run: nothing is painted again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from handwright.errors import HandsFileError, OutputError, UsageError
from handwright.image import load_image, save_image, with_patch
from handwright.image.facts import with_png_chunk, with_png_text
from handwright.refine.result import Candidate
from handwright.types import Image
from handwright.workflow.files import make_folder
from handwright.workflow.report.document import read_report
from handwright.workflow.run.deliver import ORIGINAL_CHUNK, TEXT_KEY, provenance
from handwright.workflow.run.picture import sha256_of_input

Entry = dict[str, Any]


def pick_candidate(
    report: Path, hand: int, pick: int, output: Path, *, source: Path | None = None, force: bool = False
) -> tuple[str, ...]:
    """Write a picture again with another of a hand's candidates; the other hands stay as they were refined.

    Candidates count from 1; 0 puts the original hand back. ``source`` is the input where it is not where it
    was.

    Raises:
        HandsFileError: No such report, hand or candidate file, or the picture is not the one of the report.
        UsageError: No such candidate.
        OutputError: The output cannot be written.
    """
    folder = report if report.is_dir() else report.parent
    entry, path = _picture(read_report(report), folder, hand, source)
    pasted = _pasted(folder, _choices(entry, {hand: pick}))
    after = with_patch(load_image(path), *pasted.values())
    return _save(after, entry, path, output, force, hand=hand, pick=pick)


def pick_candidates(
    report: Path, picks: Mapping[int, int], source: Path, output: Path
) -> tuple[Image, Mapping[int, Candidate], tuple[str, ...]]:
    """Write a picture again with other candidates of several hands, over whatever is at the output.

    Args:
        report: The report's folder.
        picks: Number of a hand → number of its candidate, from 1; 0 puts the original back. Hands that are
            not named stay as they were refined.
        source: The input.
        output: Where the picture goes.

    Returns:
        The picture as it was written, the candidate of every hand that is not the original, and notes.

    Raises:
        HandsFileError: No such report, hand or candidate file, or the picture is not the one of the report.
        UsageError: No such candidate.
        OutputError: The output cannot be written.
    """
    entry, path = _picture(read_report(report), report, 0, source)
    pasted = _pasted(report, _choices(entry, picks))
    after = with_patch(load_image(path), *pasted.values())
    chosen = {str(hand): pick for hand, pick in sorted(picks.items())}
    return after, pasted, _save(after, entry, path, output, True, picks=chosen)


def _pasted(folder: Path, chosen: Mapping[int, Entry | None]) -> dict[int, Candidate]:
    """The candidates to paste by their hands, the farthest first."""
    return {hand: load_candidate(folder, one) for hand, one in chosen.items() if one is not None}


def _save(
    after: Image,
    entry: Entry,
    path: Path,
    output: Path,
    force: bool,
    **picked: Any,  # noqa: ANN401 - numbers, or a table of them
) -> tuple[str, ...]:
    text = provenance(entry["settings"], entry["input_sha256"], **picked)
    if output.exists() and not force:
        kind = "is the input itself" if output.samefile(path) else "exists already"
        raise OutputError(f"{output} {kind}", "", "choose another output, or give `force`")
    make_folder(output.parent)
    after = with_png_chunk(with_png_text(after, TEXT_KEY, text), ORIGINAL_CHUNK, None)
    return save_image(after, output, overwrite=True, source_path=path)


def load_candidate(folder: Path, entry: Entry) -> Candidate:
    """A candidate from its transparent patch beside the report.

    Raises:
        HandsFileError: The report was written without patches, or this one is gone.
    """
    if entry["file"] is None or not (folder / entry["file"]).is_file():
        raise HandsFileError(
            f"the candidate {entry['file'] or ''} is not beside the report".replace("  ", " "),
            "it was moved or removed",
            "refine the picture again with a `report`",
        )
    patch = load_image(folder / entry["file"])
    samples = patch.native
    if samples is None or patch.mode != "RGBA":
        raise HandsFileError(
            f"{folder / entry['file']} is no candidate", "it has no transparency", "refine again"
        )
    x, y = entry["origin_xy_px"]
    inside = np.ascontiguousarray(samples[..., 3] > np.uint8(0))
    scores = {
        name: float("nan") if score is None else float(score) for name, score in entry["scores"].items()
    }
    pixels = np.ascontiguousarray(samples[..., :3])
    recorded = entry["control_strength"]
    strength = tuple(recorded) if isinstance(recorded, list) else recorded
    return Candidate(
        seed=entry["seed"],
        pixels=pixels,
        inside=inside,
        origin_xy_px=(x, y),
        scores=scores,
        accepted=entry["accepted"],
        strength=strength,
    )


def _picture(document: Entry, folder: Path, hand: int, source: Path | None) -> tuple[Entry, Path]:
    """The report's entry that the hand belongs to, and the picture itself, known by its checksum."""
    entries: list[Entry] = [entry for entry in document["pictures"] if entry["input_sha256"] is not None]
    if source is not None:
        sha256 = sha256_of_input(source)
        entries = [entry for entry in entries if entry["input_sha256"] == sha256]
        if not entries:
            raise HandsFileError(
                f"{source} is not in the report",
                "its bytes differ from every input",
                "give the original input",
            )
        return entries[0], source
    entries = [entry for entry in entries if any(found["id"] == hand for found in entry["hands"])]
    if len(entries) != 1:
        why = f"it has {len(entries)} pictures with a hand {hand}"
        raise UsageError("the report does not say which picture", why, "name the input picture as well")
    given = Path(cast(str, entries[0]["input"]))
    places = (given, folder / cast(str, document["folder"]) / given)
    for place in places:
        if place.is_file() and sha256_of_input(place) == entries[0]["input_sha256"]:
            return entries[0], place
    gone = not any(place.is_file() for place in places)
    raise HandsFileError(
        f"the input {given} {'is not there' if gone else 'is not the picture of the report'}",
        "" if gone else "its bytes have changed",
        "name the original input as well",
    )


def _choices(entry: Entry, picks: Mapping[int, int]) -> dict[int, Entry | None]:
    """Per hand, the farthest first, the candidate to paste: what was picked then, except for ``picks``."""
    hands: list[Entry] = sorted(entry["hands"], key=lambda found: -found["distance_m"])
    chosen: dict[int, Entry | None] = {
        found["id"]: next((candidate for candidate in found["candidates"] if candidate["picked"]), None)
        for found in hands
    }
    candidates: dict[int, list[Entry]] = {found["id"]: found["candidates"] for found in hands}
    for hand, pick in picks.items():
        if hand not in chosen:
            raise HandsFileError(
                f"there is no hand {hand} in the report", f"it has {sorted(chosen)}", "give one of these"
            )
        if not 0 <= pick <= len(candidates[hand]):
            raise UsageError(
                f"--pick is {pick}",
                f"hand {hand} has {len(candidates[hand])} candidates",
                "give one of them, or 0",
            )
        chosen[hand] = candidates[hand][pick - 1] if pick else None
    return chosen
