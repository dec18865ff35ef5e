"""``bench/real.py``: which finds answer for a label, groups of generators, and tables."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from real import Asked, area, era_of, estimate, page, pictures_found, recall, share


def hand(group, label, told, verdict="pass", agreed=True, picture=None):
    found = told is not None
    told = told if found else float("nan")
    return Asked(
        group, picture or group, label, agreed, "SDXL", (), 100.0, True, found, verdict, verdict, told, 0.5
    )


HANDS = [
    *(hand(f"a/{k % 4}", "good", 0.1 + 0.01 * k) for k in range(20)),
    *(hand(f"a/{k % 4}", "malformed", 0.8, "fail") for k in range(6)),
    hand("a/0", "malformed", None, "not found", agreed=False),
    hand("a/1", "unclear", 0.5, "unsure"),
]


def test_areas_and_recall_are_of_what_was_found():
    decided = [one for one in HANDS if one.label != "unclear"]
    assert area("told")(decided) == 1
    assert recall("told")(decided) == 1
    assert area("by_box")(decided) == pytest.approx(0.5)
    assert share("fail")([one for one in decided if one.label == "malformed"]) == pytest.approx(6 / 7)


def test_a_figure_without_both_kinds_does_not_exist():
    assert estimate([one for one in HANDS if one.label == "good"], area("told")) == "–"
    assert estimate([], share("fail")) == "–"
    assert estimate(HANDS[:20], share("pass")) == "1.00 [1.00, 1.00]"


@pytest.mark.parametrize(
    ("generator", "era"),
    [
        ("ControlNeXt-SVD animation frame", "animation"),
        ("FLUX.1-dev", "FLUX, SD 3, GPT-image and later"),
        ("SDXL-DMD2", "SDXL"),
        ("SD1.5 inpainting", "SD 1 and 2"),
        ("unknown", "not known"),
    ],
)
def test_generators_are_told_by_their_names(generator, era):
    assert era_of(generator) == era


def test_the_page_counts_every_label_and_leaves_out_groups_without_hands():
    text = page(HANDS, [hand("p", "good", 0.0)], "train", "critic-v1")
    assert "| both labels agree | 6, 20 | 1.00 [1.00, 1.00] |" in text
    assert "| all | 7, 20 |" in text
    assert "| malformed, all | 7 | 0.14" in text
    assert "| photographs, clear | 1 |" in text
    assert "malformed, animation" not in text


def test_a_picture_counts_once_whichever_of_its_hands_is_found():
    hands = [
        hand("a", "good", 0.1, picture="1"),
        hand("a", "malformed", None, picture="1"),
        hand("a", "unclear", None, picture="2"),
    ]
    assert pictures_found(hands) == 0.5
    assert "Of 2 pictures with a labelled hand of 64 px and larger one is found in 0.50" in page(
        hands, [hand("p", "good", 0.0)], "test", "critic-v1"
    )
