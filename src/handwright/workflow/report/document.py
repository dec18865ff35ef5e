"""The report of a run: report.json by a published schema, and one page that opens offline."""

from __future__ import annotations

import json
import math
import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from handwright import __version__
from handwright.errors import HandsFileError, HandwrightError
from handwright.json_text import parse_json
from handwright.workflow.files import Record, write_text

if TYPE_CHECKING:
    import numpy as np

    from handwright.handrefiner.strength import Strength, StrengthChoice
    from handwright.refine.result import HandRepair, Repair
    from handwright.workflow.jobs import Job

PX_DECIMALS = 3
DIGITS = 16  # How many digits of a sha256 stand for a version

Entry = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """What was written for a picture."""

    output_sha256: str  # Of the output file
    notes: tuple[str, ...] = ()  # Sentences about the file (a lossy codec, a copy, …)
    patches: tuple[str, ...] = field(default=())  # Transparent patches, one per refined hand


def picture_entry(
    job: Job,
    settings: Mapping[str, Any],
    repair: Repair,
    evidence: Entry | None,
    written: Written,
    input_sha256: str,
    seconds: Mapping[str, float],
) -> Entry:
    """The entry of a picture that was worked on: of ``pictures`` in report-1.schema.json."""
    files = evidence["hands"] if evidence else [None] * len(repair.hands)
    return {
        **_head(job, settings),
        "output": job.output.as_posix(),
        "input_sha256": input_sha256,
        "output_sha256": written.output_sha256,
        "width": repair.before.width,
        "height": repair.before.height,
        "status": _status(repair),
        "error": None,
        "notes": [*repair.notes, *written.notes],
        "seconds": {stage: round(value, 4) for stage, value in seconds.items()},
        "files": evidence["files"] if evidence else None,
        "patches": list(written.patches),
        "judged_by": list(repair.judged_by),
        "hands": list(map(_hand_entry, repair.hands, files)),
        "undetected": [dict(review) for review in repair.undetected],
    }


def failed_entry(job: Job, settings: Mapping[str, Any], error: Exception) -> Entry:
    """The entry of a picture that could not be worked on: an ``error``, and nothing else but its name."""
    known = isinstance(error, HandwrightError)
    return {
        **_head(job, settings),
        **dict.fromkeys(("output", "input_sha256", "output_sha256", "width", "height")),
        "status": "failed",
        "error": {
            "kind": type(error).__name__,
            "internal": not known,
            "what": error.what if known else f"{job.source} could not be refined",
            "why": error.why
            if known
            else f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": "),
            "fix": error.fix if known else "run it again with --debug and report what it prints",
        },
        "notes": [],
        "seconds": {},
        "files": None,
        "patches": [],
        "judged_by": [],
        "hands": [],
        "undetected": [],
    }


def versions() -> dict[str, str]:
    """Versions of everything that has a hand in the result, by name.

    Of the packaged judge's files the first digits of their sha256; of the diffusion libraries where they are.
    """
    from handwright.workflow.weights import judge_digests

    return {**_installed(), **{name: digest[:DIGITS] for name, digest in judge_digests().items()}}


@cache
def _installed() -> dict[str, str]:
    found = {"handwright": __version__, "python": platform.python_version()}
    for name in ("numpy", "numba", "mediapipe", "opencv-contrib-python", "pillow", "onnxruntime"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    for name in ("torch", "diffusers", "transformers"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _head(job: Job, settings: Mapping[str, Any]) -> Entry:
    return {
        "name": job.name.as_posix(),
        "input": job.source.as_posix(),
        "settings": dict(settings),
        "versions": versions(),
    }


def _status(repair: Repair) -> str:
    if not repair.hands and not repair.undetected:
        return "no_hands"
    return "refined" if any(hand.action == "refined" for hand in repair.hands) else "unchanged"


def _hand_entry(hand: HandRepair, files: Entry | None) -> Entry:
    detection, fit = hand.observation, hand.fit
    return {
        "id": hand.id,
        "side": detection.side,
        "found_by": detection.found_by,
        "score": round(detection.score, 6),
        "bbox_xyxy_px": [round(value, PX_DECIMALS) for value in detection.bbox_xyxy_px],
        "landmarks_px": _points(detection.landmarks_px),
        "fit_landmarks_px": _points(fit.landmarks_px),
        "distance_m": round(float(fit.hand.translation_m[2]), 6),
        "fit_residual": round(float(fit.residual), 6),
        "mask": files["mask"] if files else None,
        "depth": files["depth"] if files else None,
        "files": files["files"] if files else None,
        "action": hand.action,
        "reason": hand.reason,
        "review_before": hand.review_before,
        "review_after": hand.review_after,
        "best_rejected": None if hand.best_rejected is None else hand.best_rejected + 1,
        "candidates": [
            {
                "seed": candidate.seed,
                "control_strength": _strength(candidate.strength),
                "control_strength_choice": _choice(candidate.strength_choice),
                "pose_hypothesis": candidate.pose_hypothesis,
                "size": candidate.size,
                "scores": {name: _finite(score) for name, score in candidate.scores.items()},
                "file": files["candidates"][index] if files else None,
                "view": files["views"][index] if files else None,
                "steps": files["steps"][index] if files else None,
                "origin_xy_px": [int(value) for value in candidate.origin_xy_px],
                "accepted": bool(candidate.accepted),
                "rejection_reasons": list(candidate.rejection_reasons),
                "picked": index == hand.picked,
            }
            for index, candidate in enumerate(hand.candidates)
        ],
    }


def _strength(strength: Strength | None) -> float | list[float] | None:
    return list(strength) if isinstance(strength, tuple) else strength


def _choice(choice: StrengthChoice | None) -> Entry | None:
    if choice is None:
        return None
    tried = [
        {"control_strength": _strength(one.strength), "joint_error": one.joint_error} for one in choice.tried
    ]
    return {"strategy": choice.strategy, "tried": tried, "won": choice.won + 1, "why": choice.why}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _points(points: np.ndarray) -> list[list[float]]:
    return [[round(float(x), PX_DECIMALS), round(float(y), PX_DECIMALS)] for x, y in points]


SCHEMA_NAME = "handwright/report-1"
SCHEMA_FILE = Path(__file__).with_name("report-1.schema.json")  # JSON Schema of report.json


def build_report(command: str, records: Sequence[Record], folder: str = ".") -> dict[str, Any]:
    """The whole report as JSON."""
    return {
        "schema": SCHEMA_NAME,
        "command": command,
        "versions": versions(),
        "folder": folder,
        "summary": summary(records),
        "pictures": list(records),
    }


def verdict_left(hand: Record) -> str | None:
    """The review's verdict on a hand as it leaves, repainted or not; None where nobody reviewed it."""
    review = hand["review_after"] or hand["review_before"]
    return review["verdict"] if review else None


def verdicts_left(records: Iterable[Record]) -> Counter[str | None]:
    """How often each verdict stands on the hands as they leave, undetected ones included."""
    pictures = list(records)
    left = Counter(verdict_left(hand) for record in pictures for hand in record["hands"])
    left.update(review["verdict"] for record in pictures for review in record.get("undetected", ()))
    return left


def summary(records: Sequence[Record]) -> dict[str, int]:
    """Counts over a run: pictures by status, hands by action and by the review's verdict in the end."""
    status = Counter(cast(str, record["status"]) for record in records)
    hands: list[Record] = [hand for record in records for hand in record["hands"]]
    action = Counter(cast(str, hand["action"]) for hand in hands)
    undetected = sum(len(record.get("undetected", ())) for record in records)
    left = verdicts_left(records)
    action["skipped"] += undetected
    return {
        "pictures": len(records),
        **{f"pictures_{name}": status[name] for name in ("refined", "unchanged", "no_hands", "failed")},
        "hands": action.total(),
        **{f"hands_{name}": action[name] for name in ("refined", "kept", "skipped")},
        **{f"hands_left_{name}": left[name] for name in ("pass", "unsure", "fail")},
    }


def write_report(folder: Path, command: str, records: Sequence[Record]) -> Path:
    """Write report.json, whose path is returned, and index.html.

    Raises:
        OutputError: A file cannot be written.
    """
    from handwright.workflow.report.page import render_page

    report = build_report(command, records, _way_to_here(folder))
    path = folder / "report.json"
    write_text(folder / "index.html", render_page(report, folder.as_posix()))
    write_text(path, json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return path


def read_report(path: Path) -> dict[str, Any]:
    """A report that an earlier run wrote.

    Raises:
        HandsFileError: It is not there, or not such a report.
    """
    file = path / "report.json" if path.is_dir() else path
    fix = "give the report.json that `handwright refine --report DIR` wrote"
    try:
        report = parse_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise HandsFileError(f"cannot read {file}", error.strerror or str(error), fix) from error
    except ValueError as error:
        raise HandsFileError(f"{file} is not JSON", str(error), fix) from error
    if not isinstance(report, dict) or cast("dict[str, Any]", report).get("schema") != SCHEMA_NAME:
        raise HandsFileError(f"{file} is no report", f'its "schema" is not "{SCHEMA_NAME}"', fix)
    return cast("dict[str, Any]", report)


def _way_to_here(folder: Path) -> str:
    try:
        return Path(os.path.relpath(Path.cwd(), folder)).as_posix()
    except ValueError:  # another drive on Windows
        return Path.cwd().as_posix()
