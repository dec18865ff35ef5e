from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import handwright
from handwright.errors import UnreadableImageError, UsageError
from tests.workflow.fakes import FakeEngine, opened, picture


def test_a_file_an_array_and_an_image_give_the_same(here: Path):
    picture(here / "a.png")
    pixels = np.array(opened("a.png"))
    repairs = [
        handwright.refine(given, seed=3) for given in ("a.png", pixels, handwright.load_image("a.png"))
    ]
    assert all((repair.after.pixels == repairs[0].after.pixels).all() for repair in repairs)
    assert (repairs[0].after.pixels != pixels).any()
    assert (repairs[0].before.pixels == pixels).all()


def test_hands_changes_nothing(here: Path):
    repair = handwright.hands(picture(here / "a.png", hands=2), engine=FakeEngine())
    assert [hand.action for hand in repair.hands] == ["skipped", "skipped"]
    assert (repair.after.pixels == repair.before.pixels).all()


def test_nonsense_is_refused(here: Path):
    with pytest.raises(UnreadableImageError):
        handwright.refine("gone.png")
    with pytest.raises(UsageError):
        handwright.refine(np.zeros((9, 9, 3), np.uint8), painter="oil")
    with pytest.raises(AttributeError, match="nothing"):
        _ = handwright.nothing
