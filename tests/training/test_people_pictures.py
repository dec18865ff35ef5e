"""People to learn stage II from: which pictures count, and that points and hands follow the pixels."""

import cv2
import numpy as np
import pytest

from handwright.data.hands.body import hand_pixels
from handwright.data.shards import Entry
from handwright.errors import DataError, UsageError
from handwright.training.people_pictures import LEAST_HAND_SHARE, PeopleStream
from tests.training.people_shards import SIDE, parts, people_shard, record


@pytest.fixture(name="stream")
def _stream(tmp_path):
    return PeopleStream(people_shard(tmp_path), 64)


def entry(key, labels, **changes):
    return Entry(key, {"image": np.zeros((SIDE, SIDE, 3), np.uint8), "parts": labels}, record(9, **changes))


def test_hands_are_their_own_parts_without_arms_and_a_ring_is_the_hands():
    labels = parts()
    labels[40, 24] = 23  # A ring
    inside = hand_pixels(labels)
    assert inside[30:50, 20:32].all()
    assert inside[30:50, 50:62].all()
    assert inside.sum() == 2 * 20 * 12


def test_pictures_of_two_people_and_of_small_hands_are_left_out(tmp_path):
    small = np.zeros((SIDE, SIDE), np.uint8)
    least = int(np.ceil(LEAST_HAND_SHARE * SIDE**2))
    small.ravel()[:least] = 1
    enough = small.copy()
    small.ravel()[least - 1] = 0
    more = (entry("a", parts(), people=2), entry("b", small), entry("c", enough))
    stream = PeopleStream(people_shard(tmp_path, 2, more), 64)
    assert [one.record["index"] for one in stream.stored] == [0, 1, 9]
    with pytest.raises(UsageError, match="holds no pictures of one person whose hands fill"):
        PeopleStream(tmp_path / "none", 64)


def test_a_test_only_photograph_is_refused(tmp_path):
    folder = people_shard(tmp_path, 0, (entry("a", parts(), domain="photograph", sha256="00" * 32),))
    with pytest.raises(DataError, match="test-only photograph"):
        PeopleStream(folder, 64)


def test_samples_show_both_hands_at_the_resolution(stream):
    for person in stream.draw(np.random.default_rng(0), 12):
        assert person.pixels.shape == (64, 64, 3)
        count, _ = cv2.connectedComponents(person.hands.astype(np.uint8))
        assert count == 3
        assert person.hands.sum() > 2 * 20 * 12 * (64 / SIDE) ** 2 * 0.9


def test_the_same_generator_draws_the_same_and_sides_are_named_anew_in_the_mirror(stream):
    first, second = (stream.draw(np.random.default_rng(3), 8) for _ in range(2))
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, second, strict=True))
    assert {"left" in person.caption for person in first} == {True, False}
    assert all(("left" in p.caption) != ("right" in p.caption) for p in first)


def test_points_lie_in_the_window_as_the_pixels_do(stream):
    (person,) = stream.shown(1)
    points = np.array(stream.stored[0].record["people"][0]["wholebody"])[:, :2]
    assert np.allclose(person.pose.points_px, points * 64 / SIDE)
    rows, columns = np.nonzero(person.hands)
    assert (rows.min(), columns.min()) == (20, 13)
