"""The report as one page: no script, no address outside its own folder, every text escaped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from handwright.errors import HandwrightError
from handwright.hand.anatomy import LANDMARK_EDGES

STYLE = Path(__file__).with_name("page.css")
STATUS_WORDS = {
    "refined": "refined",
    "unchanged": "nothing changed",
    "no_hands": "no hand found",
    "failed": "not processed",
}
Entry = Mapping[str, Any]


def render_page(report: Entry) -> str:
    """The report as HTML; pictures are referred to relative to the report's folder.

    Args:
        report: From ``build_report``.
    """
    pictures: Sequence[Entry] = report["pictures"]
    sections = "\n".join(_picture(number, picture) for number, picture in enumerate(pictures, start=1))
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>handwright {escape(report["command"])}: {escape(_headline(report["summary"]))}</title>
<style>
{STYLE.read_text(encoding="utf-8")}</style>
<body>
<h1>{escape(_headline(report["summary"]))}</h1>
<p class="soft">{escape(versions)}</p>
{_contents(pictures)}
{sections}
</body>
</html>
"""


def _headline(counts: Mapping[str, int]) -> str:
    pictures, hands = counts["pictures"], counts["hands"]
    parts = [
        f"{counts[f'hands_{action}']} {action}"
        for action in ("refined", "kept", "skipped")
        if counts[f"hands_{action}"]
    ]
    found = f"{pictures} {_plural(pictures, 'picture')}, {hands} {_plural(hands, 'hand')}"
    failed = f"; {counts['pictures_failed']} not processed" if counts["pictures_failed"] else ""
    return f"{found}{': ' + ', '.join(parts) if parts else ''}{failed}"


def _contents(pictures: Sequence[Entry]) -> str:
    if len(pictures) < 2:
        return ""
    links = (f'<a href="#p{n}">{escape(picture["name"])}</a>' for n, picture in enumerate(pictures, start=1))
    return f"<nav>{''.join(links)}</nav>"


def _picture(number: int, picture: Entry) -> str:
    status = str(picture["status"])
    seconds = sum(picture["seconds"].values())
    size = f"{picture['width']} × {picture['height']} · {seconds:.1f} s · " if picture["width"] else ""
    where = escape(f"{size}{picture['input']}" + (f" → {picture['output']}" if picture["output"] else ""))
    shown = [_hand(hand, picture) for hand in picture["hands"]]
    hands = "\n".join([*shown, *(_unread(review) for review in picture.get("unread", ()))])
    return f"""<section id="p{number}">
<header class="row"><h2>{escape(picture["name"])}</h2>{_tag(status, STATUS_WORDS[status])}</header>
<p class="soft">{where}</p>
{_error(picture["error"])}{"".join(f"<p>{escape(note)}</p>" for note in picture["notes"])}
{_pair(picture)}
{hands}
{_settings(picture)}
</section>"""


def _error(error: Entry | None) -> str:
    if error is None:
        return ""
    text = str(HandwrightError(error["what"], error["why"], error["fix"]))
    return f'<p class="failed">{escape(text)}</p>'


def _pair(picture: Entry) -> str:
    files: Entry | None = picture["files"]
    if files is None:
        return ""
    changed = picture["status"] == "refined"
    panels = [("before", "before")] + ([("after", "after")] if changed else [])
    figures = "".join(
        _figure(files[key], caption, alt=f"{caption}: {picture['name']}") for key, caption in panels
    )
    return f'<div class="pair">{figures}</div>'


def _hand(hand: Entry, picture: Entry) -> str:
    found = f"{hand['side']} hand, found by {hand['found_by']}, score {hand['score']:.2f}"
    facts = f"{found}, fit residual {100 * hand['fit_residual']:.2f} % of its size"
    return f"""<div class="hand">
<header class="row"><h3>Hand {hand["id"]}</h3>{_tag(hand["action"], hand["action"])}</header>
<p>{escape(hand["reason"])}</p>
{_review("before", hand["review_before"])}{_review("after", hand["review_after"])}
<p class="soft">{escape(facts)}</p>
{_crops(hand, picture)}
{_candidates(hand["candidates"])}
</div>"""


def _unread(review: Entry) -> str:
    """A hand of which there is nothing but what the review says in the end."""
    return f"""<div class="hand">
<header class="row"><h3>Hand {review["id"]}</h3>{_tag("skipped", "skipped")}</header>
{_review("after", review)}
</div>"""


def _review(when: str, review: Entry | None) -> str:
    """What the review says of the hand, and why it does not pass."""
    if review is None:
        return ""
    said = "; ".join(
        f"{name.replace('_', ' ')}: {check['verdict']}. {check['reason']}"
        for name, check in review["checks"].items()
        if check["verdict"] != "pass"
    )
    told = "; ".join(part for part in (f"review {when}: {review['verdict']}", said) if part)
    return f'<p class="soft">{escape(told)}</p>'


def _crops(hand: Entry, picture: Entry) -> str:
    files: Entry | None = hand["files"]
    if files is None:
        return ""
    skeleton = _skeleton(hand["fit_landmarks_px"], files["crop_xyxy_px"])
    alt = f"hand {hand['id']} of {picture['name']}"
    after = [("after", "after", "")] if hand["action"] == "refined" else []
    if files["refused"]:
        after = [("refused", f"candidate {hand['best_refused']}, refused", "")]
    panels = [("before", "before", ""), *after, ("depth", "depth, with the fitted hand's bones", skeleton)]
    figures = "".join(
        _figure(files[key], caption, over, f"{caption}: {alt}") for key, caption, over in panels
    )
    return f'<div class="crops">{figures}</div>'


def _figure(file: str, caption: str, over: str = "", alt: str = "") -> str:
    image = f'<img loading="lazy" src="{_address(file)}" alt="{escape(alt)}">'
    return (
        f'<figure><span class="stage">{image}{over}</span><figcaption>{escape(caption)}</figcaption></figure>'
    )


def _skeleton(points: Sequence[Sequence[float]], crop: Sequence[int]) -> str:
    x0, y0, x1, y1 = crop
    width = max(x1 - x0, y1 - y0) / 160
    bones = "".join(
        f"M{points[i][0] - x0:.1f} {points[i][1] - y0:.1f}L{points[j][0] - x0:.1f} {points[j][1] - y0:.1f}"
        for i, j in LANDMARK_EDGES
    )
    strokes = "".join(
        f'<path class="{name}" stroke-width="{scale * width:.2f}" d="{bones}"/>'
        for name, scale in (("under", 2.2), ("bone", 1.0))
    )
    return f'<svg viewBox="0 0 {x1 - x0} {y1 - y0}" aria-hidden="true">{strokes}</svg>'


def _candidates(candidates: Sequence[Entry]) -> str:
    if not candidates:
        return ""
    names = sorted({name for candidate in candidates for name in candidate["scores"]})
    head = "".join(
        f"<th>{escape(name.replace('_', ' '))}</th>"
        for name in ("candidate", "seed", "strength", "reading", *names, "verdict", "files")
    )
    rows = "".join(
        _candidate_row(number, candidate, names) for number, candidate in enumerate(candidates, start=1)
    )
    return f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div>'


def _candidate_row(number: int, candidate: Entry, names: Sequence[str]) -> str:
    verdict = "picked" if candidate["picked"] else "accepted" if candidate["accepted"] else "refused"
    scores = ["–" if score is None else f"{score:.4g}" for score in map(candidate["scores"].get, names)]
    strength = _strength(candidate["strength"]) + _how(candidate.get("strength_choice"))
    why = f": {'; '.join(candidate['refused'])}" if candidate["refused"] else ""
    cells = [str(number), str(candidate["seed"]), strength, candidate["reading"], *scores, f"{verdict}{why}"]
    files = (("patch", candidate["file"]), ("steps", candidate["steps"]))
    links = ", ".join(f'<a href="{_address(file)}">{name}</a>' for name, file in files if file) or "–"
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}<td>{links}</td></tr>"


def _strength(strength: float | Sequence[float] | None) -> str:
    """One number, or the numbers that a schedule goes through."""
    if strength is None:
        return "–"
    each = strength if isinstance(strength, Sequence) else [strength]
    return " → ".join(f"{value:.4g}" for value in dict.fromkeys(each))


def _how(choice: Entry | None) -> str:
    """How a strength came about; of a number that the user gave, nothing."""
    if choice is None or choice["strategy"] == "given":
        return ""
    tried = ", ".join(
        f"{_strength(one['strength'])}: {100 * one['joint_error']:.1f} %" for one in choice["tried"]
    )
    errors = f" (joint errors {tried})" if len(choice["tried"]) > 1 else ""
    return f", {choice['strategy']}: {choice['why']}{errors}"


def _settings(picture: Entry) -> str:
    shown = {key: picture[key] for key in ("settings", "seconds", "input_sha256", "output_sha256")}
    text = escape(json.dumps(shown, indent=1, ensure_ascii=False))
    return f"<details><summary>settings, seconds, checksums</summary><pre>{text}</pre></details>"


def _address(file: str) -> str:
    return escape(quote(file, errors="surrogateescape"))


def _tag(kind: str, words: str) -> str:
    return f'<span class="tag {escape(kind)}">{escape(words)}</span>'


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
