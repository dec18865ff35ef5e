"""A refined PNG, JPEG or WebP is made once more from itself alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL.PngImagePlugin import PngInfo

from handwright.errors import HandsFileError, OutputError, UsageError
from handwright.image import decode_image, encode_image, load_image
from handwright.image.formats.appendix import appendix_of, with_appendix
from handwright.workflow import Request, refine_again, refine_files
from handwright.workflow.run.again import original, original_bytes
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
    refine_files(["a.png"], "b.png", Request(box=(BOX,)))
    with opened("b.png") as refined:
        text = PngInfo()
        text.add_text("handwright", refined.text["handwright"])
        refined.save("b.png", pnginfo=text)
    with pytest.raises(HandsFileError, match="does not hold the pixels"):
        refine_again(B, C, Request())


@pytest.mark.parametrize("source", ["a.jpg", "a.webp", "a.png", "p.png"])
@pytest.mark.parametrize("output", ["b.jpg", "b.webp", "b.png"])
def test_lossy_files_and_other_formats_come_back_from_the_file_alone(source: str, output: str, here: Path):
    picture(here / "x.png")
    with opened("x.png") as drawn:
        kind = drawn.quantize(64) if source == "p.png" else drawn
        kind.save(source, **({} if source.endswith("png") else {"quality": 80}))
    data = Path(source).read_bytes()
    refine_files([source], output, Request(seed=5, box=(BOX,)))
    for name in ("x.png", source):
        Path(name).unlink()
    again = Path(f"again{Path(output).suffix}")
    assert refine_again(Path(output), again, Request())
    assert again.read_bytes() == Path(output).read_bytes()
    held = original_bytes(appendix_of(again.read_bytes()))
    assert held == (None if (source, output) == ("a.png", "b.png") else data)
    with opened(output) as shown:
        assert shown.size == (80, 64)


def test_a_picture_refined_twice_holds_one_original(here: Path):
    picture(here / "x.png", hands=2)
    with opened("x.png") as drawn:
        drawn.save("a.jpg", quality=90)
    refine_files(["a.jpg"], "b.jpg", Request(seed=5, box=(BOX,)))
    refine_files(["b.jpg"], "c.jpg", Request(seed=6, box=(BOX,)))
    assert original_bytes(appendix_of(Path("c.jpg").read_bytes())) == Path("b.jpg").read_bytes()
    assert refine_again(Path("c.jpg"), Path("d.jpg"), Request())


def test_a_jpeg_whose_original_was_removed_or_cut_is_refused_in_one_line(here: Path):
    picture(here / "x.png")
    refine_files(["x.png"], "b.jpg", Request(seed=5, box=(BOX,)))
    with opened("b.jpg") as refined:
        refined.save("c.jpg")
    with pytest.raises(HandsFileError, match="holds no settings"):
        refine_again(Path("c.jpg"), Path("d.jpg"), Request())
    data = Path("b.jpg").read_bytes()
    cut = with_appendix(decoded_again(data), "JPEG", appendix_of(data)[:-9])
    Path("c.jpg").write_bytes(cut)
    with pytest.raises(HandsFileError, match="holds no settings"):
        refine_again(Path("c.jpg"), Path("d.jpg"), Request())


def decoded_again(data: bytes) -> bytes:
    return encode_image(decode_image(data), "JPEG")[0]


def test_what_is_there_is_not_overwritten(here: Path):
    refine_files([picture(here / "a.png")], "b.png", Request())
    with pytest.raises(OutputError, match="exists already"):
        refine_again(B, B, Request())
    assert refine_again(B, B, Request(), force=True) is True
