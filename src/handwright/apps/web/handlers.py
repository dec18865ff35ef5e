"""What happens when the page is used: each handler takes a visitor's page and yields what to show next.

Nothing here knows gradio. An error becomes the last step, with one line.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handwright.apps.service.queue import Job
from handwright.apps.web import posing, state, work
from handwright.apps.web.sessions import CancelledError, Sessions
from handwright.apps.web.state import Json, Page
from handwright.errors import HandwrightError, UsageError
from handwright.hand.files.hands_file import parse_hands
from handwright.options import DIFFUSING, PAINTERS
from handwright.types import Side
from handwright.workflow.report.words import counts_in_words

MOST_MASK_BYTES = 8_000_000  # Of a brushed mask's PNG
_PNG = "data:image/png;base64,"


@dataclass(frozen=True)
class Step:
    """What the page shows next."""

    line: str  # What is being done, or what came of it
    page: Page | None = None  # The page from now on; None: as it was
    busy: bool = False  # Whether a job runs
    bad: bool = False  # Whether the line is an error


Steps = Generator[Step, None, None]
Work = Callable[[Sessions, Page, str, Any], Steps]
"""A handler: the sessions, the page, the visitor, and what the browser or the form sent."""


def reported(handler: Work, sessions: Sessions, page: Page, owner: str, given: Any) -> Steps:  # noqa: ANN401
    """The steps of a handler; whatever goes wrong is one line, and the page stays as it was."""
    try:
        yield from handler(sessions, page, owner, given)
    except CancelledError:
        yield Step("Cancelled.", page)
    except HandwrightError as error:
        yield Step(_sentence(str(error)), page, bad=True)
    except Exception as error:  # noqa: BLE001 - the last net: one line, and the page lives
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        yield Step(f"Internal error: {detail}. Please report it.", page, bad=True)


def open_picture(sessions: Sessions, page: Page, owner: str, given: Mapping[str, Any]) -> Steps:
    """Load an upload and find, fit and review its hands.

    Raises:
        HandwrightError: The upload is no picture, or too large.
    """
    del page
    if given.get("error"):
        raise UsageError("the file could not be uploaded", str(given["error"])[:200], "choose a smaller one")
    name, data = given["name"], given["data"]
    job = yield from follow(sessions, owner, "look", data, {})
    yield Step(
        _found(state.loaded(name, job.id, job.result or {})), state.loaded(name, job.id, job.result or {})
    )


def mend(sessions: Sessions, page: Page, owner: str, options: Mapping[str, Any]) -> Steps:
    """Repair the hands that are ticked.

    Raises:
        HandwrightError: There is nothing to repair, or an option makes no sense.
    """
    from handwright.refine.settings import refine_settings

    request, files = state.mend_request(page, options)
    refine_settings(request)
    names = {"hands": work.HANDS_IN, "mask": work.MASK_IN}
    beside = {names[name]: data for name, data in files.items()}
    job = yield from follow(sessions, owner, "mend", sessions.picture_of(page), request, beside)
    report = job.result or {}
    entry = report["pictures"][0]
    page = state.with_result(page, state.Mended(job_id=job.id, report=entry, options=request))
    yield Step(_sentence(counts_in_words(report["summary"])), page)


def choose(sessions: Sessions, page: Page, owner: str, given: Mapping[str, Any]) -> Steps:
    """Take another candidate of a hand, or put the hand back.

    Raises:
        HandwrightError: There is no such candidate, or the repair has expired.
    """
    hand, pick = _whole(given, "hand"), _whole(given, "pick")
    chosen = state.with_pick(page, hand, pick)
    if chosen is page or page.mended is None:
        yield Step("", page)
        return
    folder = sessions.job(page.mended.job_id).folder / "report"
    options = {"report": str(folder), "picks": state.picks_now(chosen)}
    job = yield from follow(sessions, owner, "pick", sessions.picture_of(page), options)
    line = f"Hand {hand} is now candidate {pick}." if pick else f"Hand {hand} is as it was."
    yield Step(line, state.shown_by(chosen, job.id))


def edit(sessions: Sessions, page: Page, owner: str, given: Mapping[str, Any]) -> Steps:
    """Carry out an edit of the editor: ``op`` names it.

    Raises:
        HandwrightError: There is no such edit, or it makes no sense.
    """
    edits = {**_PLAIN, "box": _find_in_box, "pose": _take_pose}
    op = edits.get(str(given.get("op")))
    if op is None:
        raise UsageError(f"there is no edit {given.get('op')!r}", "", "load the page again")
    page.size  # noqa: B018 - raises where there is no picture
    yield from op(sessions, page, owner, given)


def dragged(given: Mapping[str, Any]) -> tuple[posing.PosedHand, posing.Size]:
    """The hand of a joint that is being dragged, from what the editor sends, without any session.

    Raises:
        HandwrightError: The record is none, or the joint cannot be put there.
    """
    from handwright.hand.files.hands_file import hands_from_json

    size = _whole(given, "width"), _whole(given, "height")
    document = {
        "schema": "handwright/hands-1",
        "picture": {"width": size[0], "height": size[1]},
        "hands": [given.get("record")],
    }
    ((_, observation, hand),) = hands_from_json(document)
    moved = frozenset(k for k in given.get("moved") or () if isinstance(k, int) and 0 <= k <= 20)
    one = posing.PosedHand(observation=observation, hand=hand, moved=moved)
    joint, x, y = _whole(given, "joint"), _number(given, "x"), _number(given, "y")
    return posing.with_joint_at(one, joint, x, y, size), size


def _plain(change: Callable[[Page, Mapping[str, Any]], Page]) -> Work:
    """A handler of an edit that needs no job."""

    def handle(sessions: Sessions, page: Page, owner: str, given: Mapping[str, Any]) -> Steps:
        del sessions, owner
        yield Step("", change(page, given))

    return handle


def _of_hand(
    change: Callable[[posing.PosedHand, Mapping[str, Any], posing.Size], posing.PosedHand],
) -> Work:
    """A handler of an edit of one hand."""
    return _plain(
        lambda page, given: state.with_hand(
            page, _whole(given, "hand"), lambda hand: change(hand, given, page.size)
        )
    )


_PLAIN: Mapping[str, Work] = {
    "joint": _of_hand(
        lambda hand, given, size: posing.with_joint_at(
            hand, _whole(given, "joint"), _number(given, "x"), _number(given, "y"), size
        )
    ),
    "move": _of_hand(
        lambda hand, given, size: posing.moved_by(hand, _number(given, "dx"), _number(given, "dy"), size)
    ),
    "flip": _of_hand(lambda hand, given, size: posing.flipped(hand, size)),
    "want": _plain(
        lambda page, given: state.with_wanted(page, _whole(given, "hand"), given.get("on") is True)
    ),
    "remove": _plain(lambda page, given: state.without_hand(page, _whole(given, "hand"))),
    "mask": _plain(lambda page, given: state.with_mask(page, _png(given.get("png")))),
    "unmask": _plain(lambda page, given: state.with_mask(page, None)),
    "undo": _plain(lambda page, given: state.undone(page)),
}


def _find_in_box(sessions: Sessions, page: Page, owner: str, given: Mapping[str, Any]) -> Steps:
    """Find a hand in a box; where none is recognised, lay a plain one there."""
    box = state.box_of(given.get("box"), page.size)
    job = yield from follow(sessions, owner, "look", sessions.picture_of(page), {"box": (box,)})
    hands = state.found_hands(job.result or {})
    line = "A hand was found in the box."
    if not hands:
        sides: set[Side] = {hand.observation.side for hand in page.edits.hands}
        side: Side = "left" if sides == {"right"} else "right"
        hands = (posing.plain_hand(box, side, page.size),)
        line = "No hand was recognised in the box, so a plain one lies there: drag its joints."
    yield Step(line, state.with_more(page, tuple(replace(hand, wanted=True) for hand in hands)))


def _take_pose(sessions: Sessions, page: Page, owner: str, given: Mapping[str, Any]) -> Steps:
    """Give a hand the pose of the surest hand in a photograph, or of the first in a hands file."""
    number = _whole(given, "hand")
    state.check_hand(page, number)
    name, data = sessions.taken(given.get("upload"))
    if name.lower().endswith(".json"):
        found = parse_hands(data.decode("utf-8", "replace"))
        if not found:
            raise UsageError(f"{name} holds no hand", "", "choose another file")
        pose, arch = found[0][1].pose, found[0][1].palm_arch
    else:
        job = yield from follow(sessions, owner, "pose", data, {})
        result = job.result or {}
        pose, arch = np.array(result["pose"]), np.array(result["palm_arch"])
    posed = state.with_hand(page, number, lambda hand: posing.with_pose(hand, pose, arch))
    yield Step(f"Hand {number} has the pose of {name}.", posed)


def follow(
    sessions: Sessions,
    owner: str,
    kind: str,
    picture: bytes,
    options: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
) -> Generator[Step, None, Job]:
    """Have a job done, with a step whenever there is something new to show."""
    steps, last = sessions.run(owner, kind, picture, options, files or {}), ""
    while True:
        try:
            line = next(steps)
        except StopIteration as stop:
            return stop.value
        if line != last:
            last = line
            yield Step(f"{line[:1].upper()}{line[1:]}", busy=True)


def _found(page: Page) -> str:
    hands, more = len(page.edits.hands), len(page.picture.undetected) if page.picture else 0
    fail = sum(hand.wanted for hand in page.edits.hands)
    if not hands and not more:
        return "No hand was found: draw a box around one."
    also = f", and {more} whose joints cannot be made out" if more else ""
    verdict = f"{fail} to repair" if fail else "none fails the review; tick those to repair all the same"
    return f"{hands} {'hand' if hands == 1 else 'hands'} found{also}: {verdict}."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?", "!")) else ".")


def _whole(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"{name} is {value!r}", "it is no whole number", "load the page again")
    return value


def _number(given: Mapping[str, Any], name: str) -> float:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{name} is {value!r}", "it is no number", "load the page again")
    return float(value)


def _png(text: Any) -> bytes:  # noqa: ANN401 - what a browser sent
    """The bytes of a mask from its data: address.

    Raises:
        UsageError: It is none, or too large.
    """
    if not isinstance(text, str) or not text.startswith(_PNG) or len(text) > MOST_MASK_BYTES * 4 // 3:
        raise UsageError("the mask cannot be read", "", "paint it again")
    try:
        return base64.b64decode(text.removeprefix(_PNG), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError("the mask cannot be read", "", "paint it again") from error


def form_options(values: Mapping[str, Any]) -> Json:
    """The form's values as options; words are for painters that read them.

    Raises:
        UsageError: The painter is none of the package's.
    """
    options = {name: value for name, value in values.items() if value not in (None, "")}
    if options.get("painter", PAINTERS[0]) not in PAINTERS:  # a client names no code to run here
        raise UsageError(f"`painter` {options['painter']!r} is not known", "", f"give {', '.join(PAINTERS)}")
    if options.get("painter", PAINTERS[0]) not in DIFFUSING:
        options = {
            name: value for name, value in options.items() if name not in ("prompt", "negative_prompt")
        }
    for name in ("seed", "candidates"):
        value = options.get(name)
        if isinstance(value, float) and value.is_integer():
            options[name] = int(value)
    return options
