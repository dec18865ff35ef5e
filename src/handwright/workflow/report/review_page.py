"""The review as one page that opens offline: worst hands first, and a place to agree or disagree."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from handwright.workflow.report.page import STYLE, whole_page

_HERE = Path(__file__)
_ORDER = {"fail": 0, "unsure": 1, "pass": 2}
_CHECK_WORDS = {
    "finger_count": "finger count",
    "joint_bending": "joint bending",
    "left_right": "left–right",
    "grasp": "grasp",
}
Entry = Mapping[str, Any]


def render_page(review: Entry, views: Sequence[Mapping[int, str]]) -> str:
    """The review as HTML: one file, its pictures (``views``: data addresses by id of the hand) inside it."""
    hands = [
        (picture, hand, shown.get(hand["id"], ""))
        for picture, shown in zip(review["pictures"], views, strict=True)
        for hand in picture["hands"]
    ]
    hands.sort(key=lambda item: (_ORDER[item[1]["verdict"]], -_worst(item[1])))
    cards = "\n".join(_card(*item) for item in hands)
    empty = [picture["path"] for picture in review["pictures"] if not picture["hands"]]
    prompt = f"<p>Held against: “{escape(review['prompt'])}”</p>" if review["prompt"] else ""
    style = STYLE.read_text("utf-8") + _HERE.with_name("review_page.css").read_text("utf-8")
    body = f"""{prompt}
<p class="tools"><span id="count">No label yet.</span>
<button type="button" id="csv">Labels as CSV</button>
<button type="button" id="json">Labels as JSON</button></p>
<div class="cards">
{cards}
</div>
{_names("No hand was found in", empty)}
{_names("Could not be read", [entry["error"] for entry in review["unreadable"]])}
<script>
{_HERE.with_name("review_page.js").read_text("utf-8")}</script>"""
    return whole_page("review", _headline(review["summary"]), style, body)


def _headline(counts: Mapping[str, int]) -> str:
    words = {"fail": "fail", "unsure": "unsure", "pass": "pass", "no_hands": "without hands"}
    verdicts = ", ".join(f"{counts[name]} {word}" for name, word in words.items() if counts[name])
    pictures = "1 picture" if counts["pictures"] == 1 else f"{counts['pictures']} pictures"
    return f"{pictures}: {verdicts}" if verdicts else pictures


def _worst(hand: Entry) -> float:
    """How sure the surest failure is."""
    return max((c["confidence"] for c in hand["checks"].values() if c["verdict"] == "fail"), default=0.0)


def _card(picture: Entry, hand: Entry, view: str) -> str:
    image = f'<img src="{view}" alt="hand {hand["id"]} of {escape(picture["path"])}">' if view else ""
    checks = "\n".join(_check(picture, hand, name) for name in _CHECK_WORDS)
    notes = "".join(f'<p class="soft">{escape(note)}</p>' for note in picture["notes"])
    title = f"{escape(Path(picture['path']).name)} · hand {hand['id']} ({hand['side'] or 'side unknown'})"
    return f"""<article class="hand">
<header class="row"><h3>{title}</h3>
<span class="tag {hand["verdict"]}">{hand["verdict"]}</span></header>
<div class="look">{image}<div>
{checks}
{notes}<p class="soft">{escape(picture["path"])}</p>
</div></div>
</article>"""


def _check(picture: Entry, hand: Entry, name: str) -> str:
    check: Entry = hand["checks"][name]
    kind = str(check["verdict"]).replace(" ", "_")
    sure = f" · {100 * check['confidence']:.0f} % sure" if check["verdict"] != "cannot tell" else ""
    data = {
        "path": picture["path"],
        "hand": hand["id"],
        "box": " ".join(f"{value:g}" for value in hand["bbox_xyxy_px"]),
        "check": name,
        "verdict": check["verdict"],
        "confidence": check["confidence"],
    }
    attributes = " ".join(f'data-{key}="{escape(str(value))}"' for key, value in data.items())
    buttons = '<button type="button">agree</button><button type="button">disagree</button>'
    return f"""<div class="check" {attributes}><p><b>{_CHECK_WORDS[name]}</b>
<span class="tag {kind}">{escape(check["verdict"])}</span><span class="soft">{sure}</span></p>
<p>{escape(check["reason"])}</p><p class="say">{buttons}</p></div>"""


def _names(title: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"<section><h2>{title}</h2>{''.join(f'<p>{escape(name)}</p>' for name in names)}</section>"
