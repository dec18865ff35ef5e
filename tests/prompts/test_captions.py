"""Captions say the poses that are there, in several wordings, with the domain's word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from handwright.hand.grammar import NAMED, parse_pose_text, parse_pose_words
from handwright.prompts.captions import PHOTOGRAPH, RENDERED, WORDINGS, Scene, caption, captions

RNG = np.random.default_rng(0)
PEACE = replace(NAMED["peace"], side="left")
SCENE = Scene(
    (PEACE,),
    skin="dark brown skin",
    age="elderly",
    wears=("a navy shirt", "a gold ring"),
    holds="a white cup",
    setting="in a garden",
    light="by a window",
)


@pytest.mark.parametrize("wording", WORDINGS)
@pytest.mark.parametrize("domain", [RENDERED, PHOTOGRAPH])
def test_every_wording_names_the_domain_and_the_held_thing(wording: str, domain: str):
    said = caption(replace(SCENE, domain=domain), wording, RNG)
    assert domain in said
    assert "white cup" in said


def test_a_technical_caption_says_everything_and_its_pose_is_read_back():
    said = caption(SCENE, "technical", RNG)
    for part in ("dark brown skin", "elderly", "navy shirt", "gold ring", "in a garden", "by a window"):
        assert part in said
    assert parse_pose_words(said.split("; ")[1]) == PEACE


def test_a_natural_caption_names_the_pose_and_the_side():
    for _ in range(20):
        said = caption(SCENE, "natural", RNG)
        assert parse_pose_text(said).names == ("peace",)
        assert parse_pose_text(said).side == "left"


def test_two_hands_are_both_said():
    scene = Scene((PEACE, replace(NAMED["fist"], side="right")), meeting="crossing")
    for wording in WORDINGS:
        said = caption(scene, wording, RNG)
        assert "left" in said
        assert "right" in said


def test_the_same_random_numbers_give_the_same_captions():
    first, second = (captions(SCENE, np.random.default_rng(3)) for _ in range(2))
    assert first == second
    assert set(first) == set(WORDINGS)


def test_defects_are_said():
    for wording in WORDINGS:
        assert "an extra finger" in caption(replace(SCENE, defects=("extra",)), wording, RNG)
