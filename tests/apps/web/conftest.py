"""The page's own workers are other processes: nothing here is faked by the command line's fixtures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.apps.web import state
from handwright.apps.web.posing import plain_hand


@pytest.fixture
def fake_engine():
    """In place of the fixture of the same name of the command line."""


SIZE = (640, 480)


def review(verdict: str) -> dict:
    checks = {
        "finger_count": {"verdict": verdict, "reason": "There is a finger too many."},
        "grasp": {"verdict": "pass", "reason": "Open."},
    }
    return {"verdict": verdict, "bbox_xyxy_px": [1.0, 2.0, 3.0, 4.0], "checks": checks}


@pytest.fixture
def hands():
    """Two hands, as if they had been found: the first fails its review."""
    boxes = (40.0, 60.0, 260.0, 300.0), (350.0, 100.0, 560.0, 330.0)
    sides, verdicts = ("right", "left"), ("fail", "pass")
    return tuple(
        replace(plain_hand(box, side, SIZE), review=review(verdict), edited=False, wanted=verdict == "fail")
        for box, side, verdict in zip(boxes, sides, verdicts, strict=True)
    )


@pytest.fixture
def page(hands):
    picture = state.Picture(name="my <b>cat</b>.png", job_id="job", size=SIZE, sha256="0" * 64)
    return state.Page(picture=picture, found=hands, edits=state.Edits(hands=hands))


@pytest.fixture
def mended(page):
    """The page after a repair: hand 1 has two candidates, the second was taken; hand 2 was left alone."""
    candidates = [
        {
            "picked": k == 1,
            "accepted": k == 1,
            "rejection_reasons": [] if k else ["too blurred"],
            "view": f"v{k}.jpg",
        }
        for k in range(2)
    ]
    common = {
        "side": "right",
        "reason": "It is better.",
        "files": {"before": "b.png"},
        "review_after": review("pass"),
    }
    report = {
        "hands": [
            {**common, "id": 1, "action": "refined", "candidates": candidates},
            {**common, "id": 2, "action": "skipped", "candidates": [], "review_after": None},
        ],
        "notes": ["A note."],
    }
    return state.with_result(page, state.Mended(job_id="mend", report=report, options={}))


def points_of(hand) -> np.ndarray:
    return hand.observation.landmarks_px
