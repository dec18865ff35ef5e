"""A picture that is written and read again is the same picture, but for what was painted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handwright.errors import OutputError
from handwright.image import decode_image, encode_image, load_image, save_image, with_edits
from handwright.image.formats.encode import SUFFIXES
from handwright.image.modes import CHANNELS, widen
from handwright.types import Image
from tests.image.pictures import MODES, WRITABLE, noise, stored_turned

cases = [
    (suffix, mode) for suffix, modes in WRITABLE.items() for mode in modes if (suffix, mode) != (".bmp", "P")
]


def in_mode(image: Image, mode: str) -> np.ndarray:
    return widen(image.native, image.mode, image.meta["file"].palette, mode)


@settings(max_examples=200, deadline=None)
@given(
    case=st.sampled_from(cases),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    orientation=st.integers(1, 8),
    seed=st.integers(0, 99),
    rate=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_samples_outside_the_mask_come_back_bit_for_bit(
    case: tuple[str, str], height: int, width: int, orientation: int, seed: int, rate: float
) -> None:
    suffix, mode = case
    format_ = SUFFIXES[suffix]
    source = decode_image(
        encode_image(stored_turned(mode, height, width, seed, suffix, orientation), format_)[0]
    )
    assert source.meta["file"].orientation == (1 if suffix == ".bmp" else orientation)
    random = np.random.default_rng(seed)
    inside = random.random((height, width)) < rate
    painted = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    edited = with_edits(source, painted, inside)
    again = decode_image(encode_image(edited, format_)[0])
    assert np.array_equal(again.native[~inside], in_mode(source, again.mode)[~inside])
    assert np.array_equal(again.pixels, edited.pixels)
    if not inside.any():
        assert again.mode == source.mode
        assert np.array_equal(again.native, source.native)
    if CHANNELS[again.mode] in (2, 4) and again.mode != "CMYK":
        assert np.array_equal(again.native[..., -1], in_mode(source, again.mode)[..., -1]), "alpha changed"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_format_keeps_a_mode_or_refuses_it_in_words(tmp_path: Path, suffix: str, mode: str) -> None:
    picture = noise(mode, 9, 11, 0)
    path = tmp_path / f"picture{suffix}"
    lossy = suffix in (".jpg", ".jpeg")
    legal = ("1", "L", "RGB", "CMYK") if lossy else WRITABLE[suffix.replace("tiff", "tif")]
    if mode in legal and (suffix, mode) != (".bmp", "P"):
        notes = save_image(picture, path)
        assert bool(notes) == lossy
        again = load_image(path)
        assert again.pixels.shape == picture.pixels.shape
        assert lossy or np.array_equal(again.native, in_mode(picture, again.mode))
    else:
        with pytest.raises(OutputError, match=r"cannot write this picture as .*choose \.(png|tif)"):
            save_image(picture, path)
        assert not list(tmp_path.iterdir())


def test_an_opaque_palette_stays_a_palette_everywhere() -> None:
    picture = noise("P", 20, 30, 1, transparent=False)
    for suffix in (".png", ".tif", ".bmp"):
        again = decode_image(encode_image(picture, SUFFIXES[suffix])[0])
        assert again.mode == "P"
        assert np.array_equal(again.native, picture.native)
        assert np.array_equal(again.pixels, picture.pixels)


def test_a_painted_pixel_never_turns_transparent_by_hitting_the_key_colour() -> None:
    picture = noise("RGB", 4, 4, 2, key_colour=(10, 20, 30))
    white_key = noise("L", 4, 4, 2, key_colour=(0,))
    everywhere = np.ones((4, 4), np.bool_)
    painted = np.full((4, 4, 3), (10, 20, 30), np.uint8)
    assert (with_edits(picture, painted, everywhere).native == (10, 20, 29)).all(-1).all()
    assert (with_edits(white_key, np.zeros_like(painted), everywhere).native != 0).all()


def test_a_key_colour_survives_the_file() -> None:
    for mode, key in (("RGB", (10, 20, 30)), ("L", (7,)), ("I;16", (40000,)), ("RGB;16", (1, 50000, 3))):
        first, _ = encode_image(noise(mode, 5, 6, 3, format="PNG", key_colour=key), "PNG")
        again = decode_image(first)
        assert (again.mode, again.meta["file"].key_colour) == (mode, key)
        assert encode_image(again, "PNG")[0] == first


def test_a_second_way_through_the_file_changes_no_byte() -> None:
    for suffix, mode in cases:
        first, _ = encode_image(stored_turned(mode, 17, 23, 5, suffix, 6), SUFFIXES[suffix])
        second, _ = encode_image(decode_image(first), SUFFIXES[suffix])
        assert first == second, (suffix, mode)
