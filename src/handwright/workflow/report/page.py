"""The report as one page: no script, no address outside its own folder, every text escaped."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from handwright.errors import HandwrightError
from handwright.hand.anatomy import LANDMARK_EDGES
from handwright.workflow.report.candidates import figure, plural, show_candidates, tag
from handwright.workflow.report.words import ACTION_WORDS, counts_in_words

STYLE = Path(__file__).with_name("page.css")
STATUS_WORDS = {
    "refined": "refined",
    "unchanged": "nothing changed",
    "no_hands": "no hand found",
    "failed": "not processed",
}
Entry = Mapping[str, Any]


FILTERS = {
    "all": "all", "refined": "refined", "kept": "put back", "fails": "still failing", "no_hands": "no hand",
    "failed": "not processed",
}  # fmt: skip
"""Which pictures of many a reader may want to see, by the class that their sections carry."""


def render_page(report: Entry, place: str = ".") -> str:
    """The report as HTML; pictures are referred to relative to the report's folder."""
    pictures: Sequence[Entry] = report["pictures"]
    ranked = sorted(range(len(pictures)), key=lambda index: (_rank(pictures[index]), index))
    place_of = {index: order for order, index in enumerate(ranked)}
    sections = "\n".join(
        _picture(index + 1, pictures[index], place_of[index], place) for index in range(len(pictures))
    )
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    several = len(pictures) > 1
    body = f"""<p class="soft">{escape(versions)}</p>
{_controls(pictures) if several else ""}
{_contents(pictures, place_of) if several else ""}
<main>
{sections}
</main>"""
    return whole_page(report["command"], _headline(report["summary"]), STYLE.read_text("utf-8"), body)


def whole_page(command: str, headline: str, style: str, body: str) -> str:
    """A page of HTML around its body."""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>handwright {escape(command)}: {escape(headline)}</title>
<style>
{style}</style>
<body>
<h1>{escape(headline)}</h1>
{body}
</body>
</html>
"""


def _headline(counts: Mapping[str, int]) -> str:
    pictures = f"{counts['pictures']} {plural(counts['pictures'], 'picture')}"
    failed = f"; {counts['pictures_failed']} not processed" if counts["pictures_failed"] else ""
    return f"{pictures}, {counts_in_words(counts)}{failed}"


def _rank(picture: Entry) -> tuple[int, int]:
    """What changed most comes first, pictures that could not be processed last."""
    count = Counter(hand["action"] for hand in picture["hands"])
    if picture["status"] == "failed":
        return 3, 0
    if count["refined"]:
        return 0, -count["refined"]
    return (1, -count["kept"]) if count["kept"] else (2, -len(picture["hands"]))


def _kinds(picture: Entry) -> list[str]:
    """The filters that a picture passes."""
    actions = {hand["action"] for hand in picture["hands"]}
    kinds = [name for name in ("refined", "kept") if name in actions]
    kinds += [picture["status"]] if picture["status"] in ("no_hands", "failed") else []
    left = [hand["review_after"] or hand["review_before"] for hand in picture["hands"]]
    left += list(picture.get("undetected", ()))
    return kinds + ["fails"] * any(review is not None and review["verdict"] == "fail" for review in left)


def _controls(pictures: Sequence[Entry]) -> str:
    """Which pictures are shown, and in which order: radio buttons and style sheets, no script."""
    count = Counter(kind for picture in pictures for kind in _kinds(picture))
    count["all"] = len(pictures)
    filters = "".join(
        f'<input type="radio" name="show" id="show-{name}"{" checked" if name == "all" else ""}>'
        f'<label for="show-{name}">{escape(words)} {count[name]}</label>'
        for name, words in FILTERS.items()
        if count[name]
    )
    order = "".join(
        f'<input type="radio" name="order" id="order-{name}"{" checked" if name == "change" else ""}>'
        f'<label for="order-{name}">by {words}</label>'
        for name, words in (("change", "what changed"), ("name", "name"))
    )
    return f'<form class="controls">{filters}<span class="gap"></span>{order}</form>'


def _contents(pictures: Sequence[Entry], place_of: Mapping[int, int]) -> str:
    links = (
        f'<a class="{" ".join(_kinds(picture))}" style="--name:{index};--change:{place_of[index]}" '
        f'href="#p{index + 1}">{escape(picture["name"])} {_badges(picture)}</a>'
        for index, picture in enumerate(pictures)
    )
    return f"<nav>{''.join(links)}</nav>"


def _badges(picture: Entry) -> str:
    """What happened to a picture, in a label for each kind of thing."""
    count = Counter(hand["action"] for hand in picture["hands"])
    count["skipped"] += len(picture.get("undetected", ()))
    badges = [tag(name, f"{count[name]} {ACTION_WORDS[name]}") for name in ACTION_WORDS if count[name]]
    if not badges:
        badges = [tag(str(picture["status"]), STATUS_WORDS[str(picture["status"])])]
    return " ".join([*badges, *([tag("failed", "still fails")] if "fails" in _kinds(picture) else [])])


def _picture(number: int, picture: Entry, rank: int, place: str) -> str:
    seconds = sum(picture["seconds"].values())
    size = f"{picture['width']} × {picture['height']} · {seconds:.1f} s · " if picture["width"] else ""
    where = escape(f"{size}{picture['input']}" + (f" → {picture['output']}" if picture["output"] else ""))
    shown = [_hand(hand, picture, place) for hand in picture["hands"]]
    hands = "\n".join([*shown, *(_undetected(review) for review in picture.get("undetected", ()))])
    kinds = " ".join(_kinds(picture))
    return f"""<section id="p{number}" class="{kinds}" style="--name:{number};--change:{rank}">
<header class="row"><h2>{escape(picture["name"])}</h2>{_badges(picture)}</header>
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
        figure(files[key], caption, alt=f"{caption}: {picture['name']}") for key, caption in panels
    )
    return f'<div class="pair">{figures}</div>'


def _hand(hand: Entry, picture: Entry, place: str) -> str:
    found = f"{hand['side']} hand, found by {hand['found_by']}, score {hand['score']:.2f}"
    facts = f"{found}; the fitted hand lies {100 * hand['fit_residual']:.2f} % of its size off"
    return f"""<div class="hand">
<header class="row"><h3>Hand {hand["id"]}</h3>{tag(hand["action"], ACTION_WORDS[hand["action"]])}</header>
<p>{escape(hand["reason"])}</p>
{_review("before", hand["review_before"])}{_review("after", hand["review_after"])}
<p class="soft">{escape(facts)}</p>
{_crops(hand, picture)}
{show_candidates(hand, picture, place)}
</div>"""


def _undetected(review: Entry) -> str:
    """A hand without landmarks, of which there is nothing but its review."""
    return f"""<div class="hand">
<header class="row"><h3>Hand {review["id"]}</h3>{tag("skipped", ACTION_WORDS["skipped"])}</header>
{_review("after", review)}
</div>"""


def _review(when: str, review: Entry | None) -> str:
    """The review's verdict on the hand, and why it does not pass."""
    if review is None:
        return ""
    reasons = "; ".join(
        f"{name.replace('_', ' ')}: {check['verdict']}. {check['reason']}"
        for name, check in review["checks"].items()
        if check["verdict"] != "pass"
    )
    line = "; ".join(part for part in (f"review {when}: {review['verdict']}", reasons) if part)
    return f'<p class="soft">{escape(line)}</p>'


def _crops(hand: Entry, picture: Entry) -> str:
    files: Entry | None = hand["files"]
    if files is None:
        return ""
    skeleton = _skeleton(hand["fit_landmarks_px"], files["crop_xyxy_px"])
    alt = f"hand {hand['id']} of {picture['name']}"
    after = [("after", "after", "")] if hand["action"] == "refined" else []
    if files["rejected"]:
        after = [("rejected", f"candidate {hand['best_rejected']}, rejected", "")]
    panels = [("before", "before", ""), *after, ("depth", "depth, with the fitted hand's bones", skeleton)]
    figures = "".join(figure(files[key], caption, over, f"{caption}: {alt}") for key, caption, over in panels)
    return f'<div class="crops">{figures}</div>'


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


def _settings(picture: Entry) -> str:
    shown = {key: picture[key] for key in ("settings", "seconds", "input_sha256", "output_sha256")}
    text = escape(json.dumps(shown, indent=1, ensure_ascii=False))
    return f"<details><summary>settings, seconds, checksums</summary><pre>{text}</pre></details>"
