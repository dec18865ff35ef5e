"""The attempts at a hand on the report's page: pictures with a command to take each, and their numbers."""

import shlex
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any
from urllib.parse import quote


def figure(file: str, caption: str, over: str = "", alt: str = "") -> str:
    """A picture of the report's folder with its caption, and perhaps an SVG over it."""
    image = f'<img loading="lazy" src="{address(file)}" alt="{escape(alt)}">'
    return (
        f'<figure><span class="stage">{image}{over}</span><figcaption>{escape(caption)}</figcaption></figure>'
    )


def address(file: str) -> str:
    """A file of the report's folder as an address."""
    return escape(quote(file, errors="surrogateescape"))


def tag(kind: str, words: str) -> str:
    """A small label, coloured by its kind."""
    return f'<span class="tag {escape(kind)}">{escape(words)}</span>'


def plural(count: int, noun: str) -> str:
    """The noun, with an s unless there is one."""
    return noun if count == 1 else f"{noun}s"


Entry = Mapping[str, Any]
SCORE_WORDS = {
    "malformed": "seems malformed", "malformed_before": "the original",
    "worse": "probably looks worse", "found_again": "found again",
    "joint_error": "joints off", "found_before": "original found again",
    "joint_error_before": "original's joints off", "failed_checks": "failed checks",
    "lost": "of the old hand gone", "fit_sharpness": "sharpness off", "fit_grain": "grain off",
    "fit_colour": "colour off", "fit_seam": "seam", "fit_share": "worst of these four / its limit",
    "painted_share": "repainted",
}  # fmt: skip
"""The columns of the numbers, in a reader's words."""


def show_candidates(hand: Entry, picture: Entry, place: str) -> str:
    """Every attempt at a hand as a small picture with the command that takes it, and a table of numbers."""
    candidates: Sequence[Entry] = hand["candidates"]
    if not candidates:
        return ""
    shown = [
        _figure(
            candidate["view"],
            f"candidate {number}, {_verdict(candidate)}",
            _command(hand, picture, place, number),
        )
        for number, candidate in enumerate(candidates, start=1)
        if candidate["view"]
    ]
    if shown and hand["action"] == "refined":
        command = _command(hand, picture, place, 0)
        shown.append(_figure(hand["files"]["before"], "the original", command))
    return f'<div class="candidates">{"".join(shown)}</div>{_table(candidates)}'


def _command(hand: Entry, picture: Entry, place: str, number: int) -> str:
    """The command that writes the picture again with this candidate; 0 puts the original back."""
    output = PurePath(picture["output"])
    other = output.with_name(f"{output.stem}-hand{hand['id']}-pick{number}{output.suffix}")
    words = ["handwright", "refine", picture["input"], "--from", place, "--hand", str(hand["id"])]
    return shlex.join([*words, "--pick", str(number), "-o", other.as_posix()])


def _figure(file: str, caption: str, command: str) -> str:
    image = f'<img loading="lazy" src="{address(file)}" alt="{escape(caption)}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption><code>{escape(command)}</code></figure>"


def _verdict(candidate: Entry) -> str:
    if candidate["picked"]:
        return "taken"
    if candidate["accepted"]:
        return "acceptable"
    reasons = "; ".join(candidate["rejection_reasons"])
    return f"rejected: {reasons}" if reasons else "rejected"


def _table(candidates: Sequence[Entry]) -> str:
    names: list[str] = sorted({name for candidate in candidates for name in candidate["scores"]})
    titles = (
        "candidate",
        "seed",
        "control strength",
        "pose",
        "size",
        *(SCORE_WORDS.get(name, name.replace("_", " ")) for name in names),
    )
    head = "".join(f"<th>{escape(title)}</th>" for title in (*titles, "verdict", "files"))
    rows = "".join(_row(number, candidate, names) for number, candidate in enumerate(candidates, start=1))
    return (
        "<details><summary>numbers of the candidates</summary>"
        f'<div class="scroll"><table><tr>{head}</tr>{rows}</table></div></details>'
    )


def _row(number: int, candidate: Entry, names: Sequence[str]) -> str:
    scores = ["–" if score is None else f"{score:.4g}" for score in map(candidate["scores"].get, names)]
    strength = _strength(candidate["control_strength"]) + _how(candidate.get("control_strength_choice"))
    how = candidate["pose_hypothesis"], candidate.get("size", "hand")
    cells = [str(number), str(candidate["seed"]), strength, *how, *scores, _verdict(candidate)]
    files = (("patch", candidate["file"]), ("steps", candidate["steps"]))
    links = ", ".join(f'<a href="{address(file)}">{name}</a>' for name, file in files if file) or "–"
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
        f"{_strength(one['control_strength'])}: {100 * one['joint_error']:.1f} %" for one in choice["tried"]
    )
    errors = f" (joint errors {tried})" if len(choice["tried"]) > 1 else ""
    return f", {choice['strategy']}: {choice['why']}{errors}"
