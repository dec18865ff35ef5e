"""Pictures with their hands' parameters: whatever window or mirror image is drawn, both belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handwright.errors import UsageError
from handwright.hand.kinematics import hand_landmarks_m
from handwright.training.hand_pictures import HandPicture, HandPictureStream
from handwright.types import Hand
from tests.training.hand_shards import SIDE, entry, hand_record, hand_shard, hands_of_person


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> HandPictureStream:
    return HandPictureStream(hand_shard(tmp_path_factory.mktemp("hands")), 64)


def seen(hand: Hand) -> np.ndarray:
    return hand.camera.project(hand_landmarks_m(hand))


def test_malformed_doubled_and_unknown_hands_are_left_out(stream: HandPictureStream) -> None:
    assert [found.record["index"] for found in stream.stored] == [0, 1, 2]


def test_a_whole_picture_has_its_hands_at_its_own_scale(stream: HandPictureStream) -> None:
    for number, picture in enumerate(stream.shown(3)):
        assert picture.pixels.shape == (64, 64, 3)
        assert set(picture.hands) == {"left", "right"}
        for side, hand in hands_of_person(number).items():
            np.testing.assert_allclose(seen(picture.hands[side]), seen(hand) * 64 / SIDE, atol=1e-6)


def test_a_window_moves_hands_with_the_pixels(stream: HandPictureStream) -> None:
    """The window begins where its pixels are found in the picture."""
    stored = stream.stored[0]
    whole = stream.window(stored, 1.0, (0.5, 0.5), 0)
    for at in ((0.0, 0.0), (1.0, 0.3)):
        cut = _at_side(stream, 72).window(stored, 0.75, at, 0)  # 72 of 96 pixels: not scaled
        whole_px = _at_side(stream, SIDE).window(stored, 1.0, (0.5, 0.5), 0).pixels
        found = [
            (x, y)
            for x in range(SIDE - 72 + 1)
            for y in range(SIDE - 72 + 1)
            if np.array_equal(whole_px[y : y + 72, x : x + 72], cut.pixels)
        ]
        assert len(found) == 1
        for side, hand in whole.hands.items():
            np.testing.assert_allclose(seen(cut.hands[side]), seen(hand) * SIDE / 64 - found[0], atol=1e-6)


def _at_side(stream: HandPictureStream, side: int) -> HandPictureStream:
    other = object.__new__(HandPictureStream)
    other.resolution, other.stored = side, stream.stored
    return other


def test_the_mirror_image_has_the_other_hands(stream: HandPictureStream) -> None:
    picture = stream.shown(1)[0]
    turned = stream.mirrored(picture)
    np.testing.assert_array_equal(turned.pixels, picture.pixels[:, ::-1])
    assert turned.caption.startswith("the right hand of a woman and the left hand of a man")
    for side, other in (("left", "right"), ("right", "left")):
        points = seen(picture.hands[side])  # pyright: ignore[reportArgumentType]
        again = seen(turned.hands[other])  # pyright: ignore[reportArgumentType]
        np.testing.assert_allclose(again, points * [-1, 1] + [64, 0], atol=1e-6)


def test_the_same_random_numbers_draw_the_same_samples(stream: HandPictureStream) -> None:
    one, again, other = (stream.draw(np.random.default_rng(seed), 4) for seed in (3, 3, 4))
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, again, strict=True))
    assert not all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, other, strict=True))
    assert all(isinstance(sample, HandPicture) for sample in one)


def test_a_folder_without_parameters_is_refused(tmp_path: Path) -> None:
    from handwright.data.shards import write_shard

    write_shard(tmp_path / "empty.tar", [entry(0, [])])
    with pytest.raises(UsageError, match="synth --kind hands"):
        HandPictureStream(tmp_path, 64)
    assert hand_record(hands_of_person(0)["left"])["side"] == "left"
