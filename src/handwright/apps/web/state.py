"""What one visitor's page knows, as a value: the picture, the edits, how to undo them, and the result.

Every function returns a new value; nothing here knows gradio, a queue or a browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from handwright.apps.web.posing import PosedHand, Size
from handwright.errors import UsageError
from handwright.hand.files.hands_file import hands_from_json, hands_text, hands_to_json
from handwright.options import OPTIONS

Json = dict[str, Any]

MOST_UNDO = 50  # Edits that can be taken back
MOST_HANDS = 32  # Hands of one picture that the page edits


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """A picture that was loaded: what the worker found in it."""

    name: str  # The file's name, for display and for what is downloaded
    job_id: str  # Of the job that holds its bytes
    size: Size
    sha256: str
    undetected: tuple[Mapping[str, Any], ...] = ()  # Reviews of hands without joints, and of bare arms
    notes: tuple[str, ...] = ()
    generation: Mapping[str, Any] | None = None  # What its generator wrote (``image.generation_data``)


@dataclass(frozen=True, eq=False, kw_only=True)
class Edits:
    """What the user can change and take back."""

    hands: tuple[PosedHand, ...] = ()
    mask_png: bytes | None = None  # Brushed at the view's size, white may change; None: computed
    shown: str = ""  # The job that took these candidates; empty: the repair itself
    picks: Mapping[int, int] = field(
        default_factory=dict[int, int]
    )  # Hand → candidate of the result; 0: as it was


@dataclass(frozen=True, eq=False, kw_only=True)
class Mended:
    """A repair that was carried out."""

    job_id: str
    report: Mapping[str, Any]  # The picture's entry of the report
    options: Mapping[str, Any]  # What was asked for, by the names of ``handwright.options``


@dataclass(frozen=True, eq=False, kw_only=True)
class Page:
    """Everything that one visitor's page knows."""

    picture: Picture | None = None
    found: tuple[PosedHand, ...] = ()  # Hands as they were found
    edits: Edits = field(default_factory=Edits)
    history: tuple[Edits, ...] = ()  # Earlier edits, the last at the end
    mended: Mended | None = None

    @property
    def size(self) -> Size:
        """Width and height of the picture.

        Raises:
            UsageError: There is no picture.
        """
        if self.picture is None:
            raise UsageError("there is no picture", "", "choose one first")
        return self.picture.size


def loaded(name: str, job_id: str, found: Mapping[str, Any]) -> Page:
    """The page of a picture that the worker has looked at (``work.look``)."""
    picture = Picture(
        name=name,
        job_id=job_id,
        size=(found["width"], found["height"]),
        sha256=found["sha256"],
        undetected=tuple(found["undetected"]),
        notes=tuple(found["notes"]),
        generation=found["generation"],
    )
    hands = found_hands(found)
    return Page(picture=picture, found=hands, edits=Edits(hands=hands))


def found_hands(found: Mapping[str, Any]) -> tuple[PosedHand, ...]:
    """The hands of ``work.look``; those that fail their review are to be repaired."""
    document = {
        "schema": "handwright/hands-1",
        "picture": {"width": found["width"], "height": found["height"]},
        "hands": [entry["record"] for entry in found["hands"]],
    }
    reviews = [entry["review"] for entry in found["hands"]]
    return tuple(
        PosedHand(observation=observation, hand=hand, review=review, wanted=verdict_of(review) == "fail")
        for (_, observation, hand), review in zip(hands_from_json(document), reviews, strict=True)
    )


def verdict_of(review: Mapping[str, Any] | None) -> str:
    """'pass', 'fail', 'unsure', or 'not reviewed'."""
    return "not reviewed" if review is None else str(review["verdict"])


def changed(page: Page, edits: Edits) -> Page:
    """The page with other edits; those before can be had back."""
    return replace(page, edits=edits, history=(*page.history, page.edits)[-MOST_UNDO:])


def undone(page: Page) -> Page:
    """The page without its last edit; the same page where there is none."""
    if not page.history:
        return page
    return replace(page, edits=page.history[-1], history=page.history[:-1])


def with_hand(page: Page, number: int, edit: Callable[[PosedHand], PosedHand]) -> Page:
    """The page with one hand changed.

    Raises:
        UsageError: There is no hand of that number.
    """
    check_hand(page, number)
    hands = list(page.edits.hands)
    hands[number - 1] = edit(hands[number - 1])
    return changed(page, replace(page.edits, hands=tuple(hands)))


def check_hand(page: Page, number: int) -> None:
    """Refuse the number of a hand that there is not.

    Raises:
        UsageError: There is no hand of that number.
    """
    if not 1 <= number <= len(page.edits.hands):
        raise UsageError(
            f"there is no hand {number}", f"there are {len(page.edits.hands)}", "choose one of them"
        )


def with_more(page: Page, hands: tuple[PosedHand, ...]) -> Page:
    """The page with more hands, after those that it has.

    Raises:
        UsageError: They are too many.
    """
    together = (*page.edits.hands, *hands)
    if len(together) > MOST_HANDS:
        raise UsageError(f"there are more than {MOST_HANDS} hands", "", "remove some")
    return changed(page, replace(page.edits, hands=together))


def without_hand(page: Page, number: int) -> Page:
    """The page without one hand; the numbers behind it move up.

    Raises:
        UsageError: There is no hand of that number.
    """
    check_hand(page, number)
    hands = (*page.edits.hands[: number - 1], *page.edits.hands[number:])
    return changed(page, replace(page.edits, hands=hands))


def with_wanted(page: Page, number: int, wanted: bool) -> Page:
    """The page with a hand that is to be repaired, or is not."""
    return with_hand(page, number, lambda hand: replace(hand, wanted=wanted))


def with_mask(page: Page, png: bytes | None) -> Page:
    """The page with a brushed mask; None: the computed one."""
    return changed(page, replace(page.edits, mask_png=png))


def with_result(page: Page, mended: Mended) -> Page:
    """The page with a repair; choices among the candidates of an earlier one are forgotten."""
    kept: list[Edits] = []
    for edits, after in zip(page.history, (*page.history, page.edits)[1:], strict=True):
        if edits.hands is not after.hands or edits.mask_png is not after.mask_png:
            kept.append(replace(edits, picks={}, shown=""))
    return replace(page, mended=mended, edits=replace(page.edits, picks={}, shown=""), history=tuple(kept))


def with_pick(page: Page, number: int, pick: int) -> Page:
    """The page with another candidate of a repaired hand; 0: the hand as it was.

    The picture that shows it has yet to be made; then ``shown_by``.

    Raises:
        UsageError: There is no such hand, or no such candidate.
    """
    hands = {hand["id"]: hand for hand in (page.mended.report["hands"] if page.mended else ())}
    if number not in hands or not 0 <= pick <= len(hands[number]["candidates"]):
        raise UsageError(f"hand {number} has no candidate {pick}", "", "choose one that is shown")
    if picks_now(page).get(number, 0) == pick:
        return page
    return changed(page, replace(page.edits, picks={**page.edits.picks, number: pick}))


def shown_by(page: Page, job_id: str) -> Page:
    """The page whose chosen candidates are in the picture of a job."""
    return replace(page, edits=replace(page.edits, shown=job_id))


def picks_now(page: Page) -> dict[int, int]:
    """Which candidate every repaired hand shows; 0: the hand as it was."""
    if page.mended is None:
        return {}
    shown = {
        hand["id"]: next((k for k, one in enumerate(hand["candidates"], start=1) if one["picked"]), 0)
        for hand in page.mended.report["hands"]
    }
    return {**shown, **page.edits.picks}


def edited(page: Page) -> bool:
    """Whether the hands are other than those that were found, so that they have to be brought along."""
    pairs = zip(page.edits.hands, page.found, strict=False)
    same = all(now.observation is then.observation and now.hand is then.hand for now, then in pairs)
    return not same or len(page.edits.hands) != len(page.found)


def hands_document(page: Page) -> str:
    """The hands as a hands file, which ``--hands`` takes too."""
    numbered = [(k, one.observation, one.hand) for k, one in enumerate(page.edits.hands, start=1)]
    sha256 = page.picture.sha256 if page.picture else None
    return hands_text(hands_to_json(numbered, page.size, sha256))


def mend_request(page: Page, options: Mapping[str, Any]) -> tuple[Json, dict[str, bytes]]:
    """Options and files of a repair, as the command line would be given them.

    Hands that nobody edited and whose choice is the review's own are left to the refinement, so that its
    bytes are those of ``handwright refine``.

    Args:
        page: The page.
        options: What the form holds, by the names of ``handwright.options``; None and '' : not given.

    Returns:
        The options, and the files ``hands`` and ``mask`` where they are needed.

    Raises:
        UsageError: There is no picture, or no hand is to be repaired.
    """
    wanted = [k for k, hand in enumerate(page.edits.hands, start=1) if hand.wanted]
    if page.size and not wanted:
        raise UsageError("no hand is chosen", "", "tick the hands to repair")
    given = {name: value for name, value in options.items() if value not in (None, "")}
    given = {name: value for name, value in given.items() if given_to(name, given)}
    files: dict[str, bytes] = {}
    if edited(page):
        files["hands"] = hands_document(page).encode()
    if page.edits.mask_png is not None:
        files["mask"] = page.edits.mask_png
    own_choice = [k for k, hand in enumerate(page.edits.hands, start=1) if verdict_of(hand.review) == "fail"]
    if files or wanted != own_choice:
        given["hand"] = tuple(wanted)
    return given, files


def given_to(name: str, given: Mapping[str, Any]) -> bool:
    """Whether an option means something to the painter, and is not its default."""
    option = OPTIONS[name]
    painter = given.get("painter", OPTIONS["painter"].default)
    return painter in option.painters and given[name] != option.default


def seed_of(generation: Mapping[str, Any] | None) -> int:
    """The seed that the picture was generated with, where a refinement can take it; else 0."""
    seed = (generation or {}).get("seed")
    return seed if isinstance(seed, int) and 0 <= seed <= OPTIONS["seed"].high else 0


def box_of(value: Any, size: Size) -> tuple[float, float, float, float]:  # noqa: ANN401 - what a browser sent
    """A box from what a browser sent, cut to the picture.

    Raises:
        UsageError: It is no box, or lies outside.
    """
    try:
        x0, y0, x1, y1 = (float(number) for number in value)
    except (TypeError, ValueError) as error:
        raise UsageError("that is no box", "", "draw it again") from error
    corners = np.array([[x0, y0], [x1, y1]])
    if not np.isfinite(corners).all():
        raise UsageError("that is no box", "", "draw it again")
    low, high = np.clip(corners.min(0), 0, size), np.clip(corners.max(0), 0, size)
    if not (low < high).all():
        raise UsageError("the box lies outside the picture", "", "draw it inside")
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
