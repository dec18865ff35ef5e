"""The generate tab: a text's plan, the person it becomes, and the picture with its review; no gradio here."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from handwright.apps.service.generation import OUTPUT, checked_text, read_generation
from handwright.apps.web.handlers import Step, follow
from handwright.apps.web.sessions import CancelledError, Sessions
from handwright.apps.web.work import POSE, SKELETON
from handwright.errors import HandwrightError, UsageError
from handwright.json_text import parse_json

if TYPE_CHECKING:
    from handwright.prompts.plan import OpenQuestion, Plan

MOST_POSE_BYTES = 1_000_000  # Of a pose file; OpenPose's of ten people has 60,000
_NAME = "generated.png"  # Name of a generated picture on the page


@dataclass(frozen=True)
class Current:
    """What the tab shows: the person of a text, and the picture that was painted last."""

    pose_job: str = ""  # Whose file the skeleton is
    picture_job: str = ""  # Whose file the picture is
    report: Mapping[str, Any] | None = None  # The picture's entry in its report
    seed: int = 0  # Of the person that is shown
    side: int = 512  # Longer side of what is shown, pixels


@dataclass(frozen=True)
class MakingStep:
    """How far it is."""

    line: str
    current: Current | None = None  # What is there from now on; None: as it was
    busy: bool = False
    bad: bool = False


def planned(text: str) -> Plan:
    """What a text leaves open about hands.

    Raises:
        UsageError: There is none, or it is too long.
    """
    from handwright.prompts.plan import plan_prompt

    if not checked_text(text).strip():
        raise UsageError("there is no text", "", "write what the picture shows")
    return plan_prompt(text)


def make(
    sessions: Sessions, owner: str, kind: str, current: Current, given: Mapping[str, Any], max_pixels: int
) -> Generator[MakingStep | Step]:
    """Draw the person of a text ('person'), or make the picture ('generate'); errors are one line.

    Args:
        sessions: Does the jobs.
        owner: The visitor.
        kind: Which of the two.
        current: What the tab shows.
        given: ``text``, ``pose`` (a pose file's bytes, or None), ``seed``, ``side``, ``attempts`` and
            ``engine`` of the form.
        max_pixels: Pixels that a picture may have.
    """
    text = given.get("text") or ""
    try:
        whole = {name: int(given[name]) for name in ("seed", "side", "attempts")}
        wanted: dict[str, Any] = {"text": text, "options": {**whole, "engine": given["engine"]}}
        if given.get("pose"):
            wanted["pose"] = read_pose_file(given["pose"])
        pose, options = read_generation(wanted, max_pixels)
        job = yield from follow(sessions, owner, kind, pose, options)
    except CancelledError:
        yield MakingStep("Cancelled.", current)
        return
    except (HandwrightError, TypeError, ValueError) as error:
        line = str(error) if isinstance(error, HandwrightError) else "A field of the form is empty."
        yield MakingStep(f"{line[:1].upper()}{line[1:]}", current, bad=True)
        return
    report, side = job.result or {}, whole["side"]
    if kind == "person":
        notes = " ".join(f"Note: {note}." for note in report["pose"]["notes"])
        whose = "The pose of the file" if given.get("pose") else f"Person of seed {whole['seed']}"
        line = f"{whose}. {notes}".strip()
        yield MakingStep(line, Current(pose_job=job.id, seed=whole["seed"], side=side))
        return
    entry = report["pictures"][0]
    tries = len(entry["attempts"])
    line = f"Made, seed {entry['seed']}{f', after {tries} tries' if tries > 1 else ''}: {_verdict(entry)}."
    yield MakingStep(line, Current(job.id, job.id, entry, entry["seed"], side))


def read_pose_file(data: bytes) -> Any:  # noqa: ANN401 - any JSON
    """The JSON of a pose file; whether it is a pose is for the job to find.

    Raises:
        UsageError: It is too large, or no JSON.
    """
    if len(data) > MOST_POSE_BYTES:
        raise UsageError(f"the pose file is larger than {MOST_POSE_BYTES} bytes", "", "give one picture's")
    try:
        return parse_json(data)
    except ValueError as error:
        hint = "give OpenPose's or COCO-WholeBody's JSON, a file of hands, or body parameters"
        raise UsageError("the pose file is no JSON", "", hint) from error


def picture_bytes(sessions: Sessions, current: Current) -> tuple[str, bytes]:
    """Name and bytes of the picture that is shown.

    Raises:
        UsageError: There is none, or it has expired.
    """
    if not current.picture_job:
        raise UsageError("there is no picture", "", "make one first")
    return _NAME, (sessions.job(current.picture_job).folder / OUTPUT).read_bytes()


def plan_html(plan: Plan) -> str:
    """What is fixed and what is left open, for the picture and for each hand."""
    rows = [("The picture", plan.fixed, plan.open), *((one.title, one.fixed, one.open) for one in plan.hands)]
    shown = [_plan_row(*row) for row in rows if row[1] or row[2]]
    warnings = "".join(f"<p>{escape(line)}</p>" for line in plan.warnings)
    return f'{warnings}<ul class="hw-list">{"".join(shown)}</ul>'


def picture_html(sessions: Sessions, current: Current) -> str:
    """The skeleton, beside it the picture with the verdict of each hand, and the downloads."""
    if not current.pose_job:
        return ""
    if not current.picture_job:
        shown = [_figure(sessions.link(current.pose_job, SKELETON), "The pose", current.side)]
        link = sessions.link(current.pose_job, POSE)
        button = (
            f'<a class="hw-button" download="pose.json" href="{link}">Pose (JSON), to edit and give back</a>'
        )
        return f'<div class="hw-made">{"".join(shown)}</div><div class="hw-downloads">{button}</div>'
    link = sessions.link(current.picture_job, OUTPUT.name)
    shown = [
        _figure(sessions.link(current.pose_job, "report/0000/skeleton.png"), "The pose", current.side),
        _figure(link, "The picture", current.side),
    ]
    entry = current.report or {}
    rows = "".join(map(_hand_row, entry["review"]["hands"]))
    mended = [line for attempt in entry["attempts"] for line in attempt["mended"]]
    notes = [*entry["notes"], *entry["pose"]["notes"], *mended, *entry["review"]["notes"]]
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    report = sessions.link(current.picture_job, "report/report.json")
    downloads = (
        f'<a class="hw-button" download="{_NAME}" href="{link}">Picture (PNG)</a>'
        f'<a class="hw-button" download="report.json" href="{report}">Report (JSON)</a>'
    )
    return (
        f'<div class="hw-made">{"".join(shown)}</div><div class="hw-downloads">{downloads}</div>'
        f'<ul class="hw-list">{rows}</ul><ul class="hw-reasons">{listed}</ul>'
    )


def _verdict(entry: Mapping[str, Any]) -> str:
    hands = entry["review"]["hands"]
    if not hands:
        return "no hand was found in it"
    return ", ".join(f"hand {hand['id']} {hand['verdict'].replace('_', ' ')}" for hand in hands)


def _figure(link: str, words: str, side: int) -> str:
    return (
        f'<figure><img src="{escape(link)}" alt="{words}" width="{side}" height="{side}">'
        f"<figcaption>{words}</figcaption></figure>"
    )


def _hand_row(hand: Mapping[str, Any]) -> str:
    reasons = "".join(
        f"<li>{escape(name.replace('_', ' '))}: {escape(check['reason'])}</li>"
        for name, check in hand["checks"].items()
        if check["verdict"] != "pass"
    )
    verdict = hand["verdict"]
    return (
        f'<li><div class="hw-row"><b>Hand {hand["id"]}</b><span class="hw-verdict {escape(verdict)}">'
        f'{escape(verdict.replace("_", " "))}</span></div><ul class="hw-reasons">{reasons}</ul></li>'
    )


def _plan_row(title: str, fixed: Mapping[str, str], questions: Sequence[OpenQuestion]) -> str:
    lines = [f"{point}: {words}" for point, words in fixed.items()]
    lines += [f"open: {one.question}: {' / '.join(one.suggestions)}" for one in questions]
    listed = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<li><b>{escape(title[:1].upper() + title[1:])}</b><ul class="hw-reasons">{listed}</ul></li>'
