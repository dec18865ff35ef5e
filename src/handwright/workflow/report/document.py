"""The report of a run: report.json by a published schema, and one page that opens offline."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from handwright.errors import HandsFileError
from handwright.workflow.files import Record, write_text
from handwright.workflow.report.record import versions

SCHEMA_NAME = "handwright/report-1"
SCHEMA_FILE = Path(__file__).with_name("report-1.schema.json")  # JSON Schema of report.json


ACTION_WORDS = {"refined": "refined", "kept": "put back", "skipped": "left as it was"}
"""What a user reads for ``action``: painted anew; attempted, the original stays; not attempted."""


def counts_in_words(counts: Mapping[str, int]) -> str:
    """'3 hands: 1 refined, 1 put back, 1 left as it was; of 1 the review cannot tell'."""
    hands = counts["hands"]
    words = {
        **ACTION_WORDS,
        "skipped": "left as it was" if counts["hands_skipped"] == 1 else "left as they were",
    }
    done = ", ".join(f"{counts[f'hands_{name}']} {words[name]}" for name in words if counts[f"hands_{name}"])
    unsure = counts["hands_left_unsure"]
    cannot = f"; of {unsure} the review cannot tell" if unsure else ""
    return f"{hands} {'hand' if hands == 1 else 'hands'}: {done}{cannot}"


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
        report = json.loads(file.read_text(encoding="utf-8"))
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
