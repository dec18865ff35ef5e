"""HEIC pictures are read through an optional package, or the error names it."""

from __future__ import annotations

import importlib.util
import sys
from io import BytesIO
from types import ModuleType

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.errors import MissingPackageError, UnreadableImageError
from handwright.image import decode_image
from handwright.image.load import HEIF_BRANDS


def header(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1heic" + bytes(200)


@pytest.mark.parametrize("brand", HEIF_BRANDS)
def test_without_pillow_heif_the_error_names_what_to_install(brand, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(
        MissingPackageError, match=r"hand\.heic.*pillow-heif.*pip install 'handwright\[heic\]'"
    ):
        decode_image(header(brand), name="hand.heic")


def test_another_picture_does_not_ask_for_pillow_heif(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnreadableImageError):
        decode_image(header(b"qt  "), name="film.mov")


def test_pillow_heif_is_registered_when_a_heic_picture_comes(monkeypatch):
    registered: list[bool] = []
    fake = ModuleType("pillow_heif")
    monkeypatch.setattr(fake, "register_heif_opener", lambda: registered.append(True), raising=False)
    monkeypatch.setitem(sys.modules, "pillow_heif", fake)
    with pytest.raises(UnreadableImageError):
        decode_image(header(b"heic"))
    assert registered == [True]


@pytest.mark.skipif(importlib.util.find_spec("pillow_heif") is None, reason="pillow-heif is not installed")
def test_a_real_heic_picture_is_read():
    import pillow_heif

    pillow_heif.register_heif_opener()
    samples = np.full((48, 64, 3), (200, 120, 90), np.uint8)
    file = BytesIO()
    PILImage.fromarray(samples).save(file, "HEIF", quality=95)
    image = decode_image(file.getvalue())
    assert image.pixels.shape == (48, 64, 3)
    assert np.abs(image.pixels.astype(int) - samples).max() <= 4
