"""Units that all studies of people have: a picture of each row, who is found in it, and its review."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from handwright.perception.body.estimate import PeopleIn
from handwright.reproduce.people_cases import Case
from handwright.reproduce.people_study import PeopleStudy
from handwright.reproduce.sheets import save_sheet
from handwright.reproduce.store import Record, Store
from handwright.two_stage.engine import CANVAS_GREY
from handwright.types import Image
from handwright.workflow.files import cache_folder, fingerprint
from handwright.workflow.weights import folder_digests, judge_digests

if TYPE_CHECKING:
    from collections.abc import Generator

    from handwright.workflow.generate.attempts import Reviewer

Pixels = UInt8[np.ndarray, "h w 3"]

ORIGINAL = "pictures"  # Group of the pictures that poses come from
PEOPLE, REVIEW = "-people", "-review"  # Behind a row's name: who is found in its units; their hands' review

_REVIEWS = 2  # Raised where the review's rules, or what is kept of a review, change
_SHOWN = 8  # People on a sheet


class PeopleBench:
    """Makes units that are not there yet.

    Args:
        store: Where they are kept.
        people_in: Finds people.
        reviewer: Gives the judge; None: there is none.
    """

    def __init__(self, store: Store, people_in: PeopleIn, reviewer: Callable[[], Reviewer] | None) -> None:
        self.store, self.people_in, self.reviewer = store, people_in, reviewer

    def look(self, group: str, case: Case, make: Callable[[], tuple[Record, Pixels]]) -> None:
        """A unit, and beside it who is found in it, with the picture of them alone, and its review."""
        self.store.unit(group, case.name, make)
        name = case.name
        self.store.unit(f"{group}{PEOPLE}", name, lambda: self._people(self.store.crop(group, name)))
        if self.reviewer is not None:
            self.store.unit(f"{group}{REVIEW}", name, lambda: (self._review(group, case), None))

    def _people(self, picture: Pixels) -> tuple[Record, Pixels]:
        bodies = list(self.people_in(picture))
        anybody = np.zeros(picture.shape[:2], np.bool_)
        for body in bodies:
            anybody |= body.mask
        found = [np.round(body.pose.wholebody, 3).tolist() for body in bodies]
        alone = np.where(anybody[..., None], picture, np.uint8(CANVAS_GREY))
        return {"found": found, "shown": bool(anybody.any())}, alone

    def _review(self, group: str, case: Case) -> Record:
        """Verdicts on the hands of a unit, with and without its text, where they are, how many are wanted."""
        from handwright.prompts.parse import parse_prompt
        from handwright.review.expectation_check import check_expectation

        assert self.reviewer is not None
        image = Image(self.store.crop(group, case.name))
        alone = self.reviewer().review(image, None)
        review = check_expectation(alone, parse_prompt(case.caption))
        seen = [hand.observation for hand in review.hands if hand.observation is not None]
        found = [
            {"score": round(one.score, 4), "landmarks_px": np.round(one.landmarks_px, 2).tolist()}
            for one in seen
        ]
        return {
            "verdicts": [hand.verdict for hand in review.hands],
            "verdicts_without_text": [hand.verdict for hand in alone.hands],
            "wanted": len(case.completed.hands),
            "found": found,
        }


@contextmanager
def body_estimator() -> Generator[Any]:
    """MediaPipe's, as in the two-stage paper."""
    from handwright.perception.body.estimate import BodyEstimator

    with BodyEstimator() as estimator:
        yield estimator


def open_store(study: PeopleStudy, work: Path | None, variants: Mapping[str, Path]) -> Store:
    """The work folder of a study; by default it lies in the cache, by everything that decides the units.

    Args:
        study: What is asked for.
        work: The folder; None: that in the cache.
        variants: Folders of networks that were trained otherwise, by the names of their units.

    Raises:
        OutputError: It holds another study.
    """
    identity = study.identity()
    store = Store(work or cache_folder() / "reproduce" / fingerprint(identity)[:16], identity)
    store.claim("judge", {"reviews": _REVIEWS, **judge_digests()})
    for name, folder in variants.items():
        store.claim(name, {"weights": folder_digests(str(folder))})
    return store


def write_sheet(store: Store, cases: Sequence[Case], rows: Sequence[str], page: Path) -> str:
    """Put a sheet of the first people beside a page, the pictures that they come from first; its name."""
    page.parent.mkdir(parents=True, exist_ok=True)
    sheet, titles = page.with_name(f"{page.stem}_rows.jpg"), [ORIGINAL, *rows]
    shown = [
        (case.name, [sheet_square(store.crop(title, case.name)) for title in titles])
        for case in cases[:_SHOWN]
    ]
    save_sheet(sheet, titles, shown)
    return sheet.name


def sheet_square(picture: Pixels) -> Pixels:
    """A picture in a square, grey beyond it."""
    from handwright.two_stage.canvas import squared

    side = max(picture.shape[:2])
    return np.asarray(squared(picture, side, side))
