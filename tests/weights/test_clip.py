"""The small CLIP that ships: it opens by name and likes true captions better than others'."""

from __future__ import annotations

import numpy as np

from handwright.data.hands.record import record_of
from handwright.data.hands.sample import render_hands
from handwright.metrics.extractors import open_extractor
from handwright.metrics.extractors.clip import FOLDER
from handwright.metrics.extractors.features import similarities, text_features

SEED, COUNT = 940_000, 40


def test_true_captions_of_hands_that_it_never_saw_are_liked_better_than_others():
    made = [render_hands(SEED, index, 256) for index in range(COUNT)]
    captions = [record_of(one, SEED, index)["captions"]["technical"] for index, one in enumerate(made)]
    clip = open_extractor("clip-hw-v1")
    assert clip.name == "clip-hw-v1"
    seen = clip(np.stack([one.pixels for one in made]))
    true, false = (similarities(seen, text_features(said, clip)) for said in (captions, np.roll(captions, 1)))
    assert (true > false).mean() > 0.7


def test_it_is_small_and_its_card_says_how_it_was_made():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3e6
    card = (FOLDER / "README.md").read_text("utf-8")
    for word in ("Data", "Command", "Measured", "Limits", "seed", "steps"):
        assert word in card
