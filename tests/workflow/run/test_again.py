"""A refined PNG is made once more from itself alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL.PngImagePlugin import PngInfo

from handwright.errors import HandsFileError, OutputError, UsageError
from handwright.image import load_image
from handwright.workflow import Request, refine_again, refine_files
from handwright.workflow.run.again import original
from tests.workflow.fakes import opened, picture

B, C = Path("b.png"), Path("c.png")
BOX = (6.0, 20.0, 22.0, 40.0)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_the_bytes_come_back_when_everything_else_is_gone(mode: str, here: Path):
    info = PngInfo()
    info.add_text("parameters", "a hand\nSteps: 20, Seed: 5")
    picture(here / "a.png")
    with opened("a.png") as drawn:
        drawn.convert(mode).save("t.png", pnginfo=info)
    refine_files(["t.png"], "b.png", Request(seed=5, candidates=2, box=(BOX,)))
    before = load_image("t.png")
    for name in ("a.png", "t.png"):
        Path(name).unlink()
    assert (load_image(B).pixels != before.pixels).any()
    assert refine_again(B, C, Request())
    assert B.read_bytes() == C.read_bytes()
    found = original(load_image(B), B)
    assert found.mode == before.mode
    assert np.array_equal(found.native, before.native)
    assert np.array_equal(found.pixels, before.pixels)


def test_another_seed_is_refused_and_so_is_another_version(here: Path, monkeypatch: pytest.MonkeyPatch):
    refine_files([picture(here / "a.png")], "b.png", Request(seed=5))
    with pytest.raises(UsageError, match="`seed` differ"):
        refine_again(B, C, Request(seed=6))
    monkeypatch.setattr("handwright.workflow.run.again.__version__", "99")
    with pytest.raises(UsageError, match="was made by handwright"):
        refine_again(B, C, Request())
    assert not C.exists()


def test_a_mask_must_be_given_again(here: Path):
    picture(here / "a.png")
    with opened("a.png") as drawn:
        drawn.convert("L").point(lambda _: 255).save("m.png")
    refine_files(["a.png"], "b.png", Request(mask=Path("m.png")))
    with pytest.raises(UsageError, match="`mask` differ"):
        refine_again(B, C, Request())
    assert refine_again(B, C, Request(mask=Path("m.png")))


def test_a_picture_without_settings_or_without_its_pixels_is_refused_in_one_line(here: Path):
    picture(here / "a.png")
    with pytest.raises(HandsFileError, match="holds no settings"):
        refine_again(Path("a.png"), C, Request())
    with opened("a.png") as drawn:
        drawn.save("a.jpg", quality=95)
    refine_files(["a.jpg"], "b.png", Request(box=(BOX,)))
    with pytest.raises(HandsFileError, match="does not hold the pixels"):
        refine_again(B, C, Request())


def test_what_is_there_is_not_overwritten(here: Path):
    refine_files([picture(here / "a.png")], "b.png", Request())
    with pytest.raises(OutputError, match="exists already"):
        refine_again(B, B, Request())
    assert refine_again(B, B, Request(), force=True) is True
