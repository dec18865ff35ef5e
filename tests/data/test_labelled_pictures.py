"""Labelled pictures of image generators: which lines are read, and what their labels are."""

import json

import numpy as np
import pytest

from handwright.data.labelled_pictures import FILE, box_of, label_of, labelled_pictures, read_pixels
from handwright.image import write_png


def test_only_generated_pictures_of_the_named_splits_are_read(tmp_path):
    lines = [
        {"file": f"{number}.png", "split": split, "origin": origin, "hands": []}
        for number, (split, origin) in enumerate([("train", "ai"), ("test", "ai"), ("train", "real")])
    ]
    (tmp_path / FILE).write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert [line["file"] for line in labelled_pictures(tmp_path, "train")] == ["0.png"]
    assert [line["file"] for line in labelled_pictures(tmp_path, "train", "test")] == ["0.png", "1.png"]
    assert labelled_pictures(tmp_path) == []
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    write_png(tmp_path / "0.png", pixels)
    assert np.array_equal(read_pixels(tmp_path, lines[0]), pixels)


@pytest.mark.parametrize(
    ("hand", "label"),
    [
        ({"label": "good", "second": {"label": "good"}}, "good"),
        ({"label": "malformed", "second": {"label": "malformed"}}, "malformed"),
        ({"label": "good", "second": {"label": "malformed"}}, "unclear"),
        ({"label": "good", "second": None}, "unclear"),
        ({"label": "malformed"}, "unclear"),
    ],
)
def test_a_label_is_what_two_people_say(hand, label):
    assert label_of(hand) == label


def test_a_box_has_four_floats():
    assert box_of([1, 2, 3.5, 4]) == (1.0, 2.0, 3.5, 4.0)
