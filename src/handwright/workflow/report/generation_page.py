"""The page of pictures that were generated from a pose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from handwright.workflow.report.candidates import figure, tag
from handwright.workflow.report.page import STYLE, whole_page

Entry = Mapping[str, Any]

_CAPTIONS = {
    "skeleton": "the pose", "person": "the person as the parameters have it",
    "picture": "the picture", "before-mending": "as it was generated",
    "found": "the pose that is found in it", "canvas": "the hands that it was begun with",
    "mask": "the initial mask",
}  # fmt: skip


def render_generation(report: Entry) -> str:
    """The report as one page of HTML beside its pictures."""
    measures = "".join(
        f"<li>{escape(name)}: {_number(one['value'])} [{_number(one['low'])}, {_number(one['high'])}]</li>"
        for name, one in report["measures"].items()
    )
    body = f"""<ul>{measures}</ul>
{"".join(_picture(picture) for picture in report["pictures"])}"""
    count = len(report["pictures"])
    settings = report["settings"]
    by = settings["engine"] if settings["via"] == "two-stage" else settings["via"]
    title = f"{count} picture{'' if count == 1 else 's'} by {by}"
    return whole_page("generate", title, STYLE.read_text("utf-8"), body)


def _picture(picture: Entry) -> str:
    error, pose = picture["pose_error"], picture["pose"]
    completed = ", ".join(pose["completed"]) or "nothing"
    files: Entry = picture["files"]
    panels = "".join(
        figure(files[part], caption, alt=caption) for part, caption in _CAPTIONS.items() if part in files
    )
    crops = "".join(
        figure(name, f"stage I: {part.removeprefix('hand-').replace('-', ' and ')} hand", alt=part)
        for part, name in files.items()
        if part.startswith("hand-")
    )
    steps = figure(files["steps"], "what is predicted at its steps", alt="steps") if "steps" in files else ""
    verdicts = "".join(_verdict(hand) for hand in picture["review"]["hands"])
    found = f"{error['hands_found']} of {error['hands_wanted']} hands found"
    far = f"MPJPE {_number(error['mpjpe'])}, of the hands {_number(error['mpjpe_hands'])}"
    facts = f"seed {picture['seed']}, {far}"
    return f"""<section><h2>{escape(picture["output"])}</h2>
<p>Pose of {escape(pose["source"])}, {pose["width"]} × {pose["height"]} pixels; completed:
{escape(completed)}.</p>
<p>{escape(facts)}; {escape(found)}; {picture["seconds"]:.1f} s</p>
<p class="soft">{escape(picture["words"])}</p>
{"".join(f'<p class="soft">{escape(note)}</p>' for note in (*pose["notes"], *picture["notes"]))}
{_attempts(picture["attempts"])}
{verdicts}
<div class="crops">{panels}</div>
<div class="crops">{crops}{steps}</div>
</section>"""


def _attempts(attempts: Sequence[Entry]) -> str:
    """A line a try, and what was mended in it."""
    rows: list[str] = []
    for attempt in attempts:
        steps = (attempt["verdict_before_mending"], *attempt["mended"])
        if attempt["mended"]:
            steps = (*steps, attempt["verdict"])
        rows.append(f"<li>seed {attempt['seed']}: {escape(' → '.join(steps))}</li>")
    return f"<ol>{''.join(rows)}</ol>"


def _verdict(hand: Entry) -> str:
    side = hand["side"] or "side unknown"
    return f"<p>hand {hand['id']} ({escape(side)}): {tag(hand['verdict'], hand['verdict'])}</p>"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
