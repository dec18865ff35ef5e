from __future__ import annotations

import inspect
import io
import pydoc
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

import handwright
import handwright.review.judge  # binds the room of the same name, which must not hide the function
from handwright.errors import InvalidValueError, UnknownKeywordError, UnreadableImageError, UsageError
from handwright.options import DEFAULTS, DIFFUSION_OPTIONS, OPTIONS
from handwright.workflow.inputs import as_image
from handwright.workflow.keywords import RefineOptions
from tests.workflow.fakes import FakeEngine, heic_picture, opened, picture

FUNCTIONS = ("evaluate", "generate", "hands", "refine", "review", "synth")


def test_every_form_of_a_picture_gives_the_same(here: Path):
    picture(here / "a.png")
    pixels = np.array(opened("a.png"))
    given = (
        "a.png",
        Path("a.png"),
        Path("a.png").read_bytes(),
        opened("a.png"),
        pixels,
        pixels / 255.0,
        handwright.load_image("a.png"),
    )
    repairs = handwright.refine(list(given), seed=3)
    assert all((repair.after.pixels == repairs[0].after.pixels).all() for repair in repairs)
    assert (repairs[0].after.pixels != pixels).any()
    assert (repairs[0].before.pixels == pixels).all()


def test_a_heic_picture_is_refined_the_right_way_up_from_its_name_its_bytes_and_pillow(here: Path):
    pixels = heic_picture(here / "phone.heic", orientation=6)
    given = ("phone.heic", Path("phone.heic").read_bytes(), opened("phone.heic"))
    wanted = handwright.refine(pixels, seed=3).after.pixels
    assert (wanted != pixels).any()
    for repair in handwright.refine(list(given), seed=3):
        assert np.array_equal(repair.before.pixels, pixels)
        assert np.array_equal(repair.after.pixels, wanted)


@pytest.mark.parametrize(
    ("shape", "mode"), [((4, 5), "L"), ((4, 5, 1), "L"), ((4, 5, 3), "RGB"), ((4, 5, 4), "RGBA")]
)
def test_arrays_keep_their_mode(shape, mode):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    image = as_image(array)
    assert (image.pixels.shape, image.mode) == ((4, 5, 3), mode)
    assert (image.pixels[..., 0] == array.reshape(4, 5, -1)[..., 0]).all()


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "I;16", "1", "YCbCr"])
def test_pillow_images_of_every_mode_are_read_as_their_file_would_be(mode):
    image = PILImage.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3))
    image = image.convert("L").convert("I").convert("I;16") if mode == "I;16" else image.convert(mode)
    assert as_image(image).pixels.shape == (4, 5, 3)


def test_what_is_no_picture_is_refused():
    for bad in (np.zeros((2, 2, 5), np.uint8), np.zeros((2, 2, 3)) + 1.5, np.zeros((2, 2, 3), np.int32), 7):
        with pytest.raises(InvalidValueError):
            as_image(bad)
    with pytest.raises(UnreadableImageError):
        as_image(b"no picture")


def test_a_result_goes_out_again(here: Path):
    repair = handwright.refine(picture(here / "a.png"))
    repair.after.save("b.png")
    assert (np.asarray(repair.after) == np.asarray(repair.after.to_pil())).all()
    assert (np.array(opened("b.png")) == repair.after.pixels).all()
    assert [(hand.id, hand.side, hand.action) for hand in repair.hands] == [(1, "right", "refined")]
    assert repr(repair) == "<Repair 80×64: 1 right refined>"
    assert repr(repair.hands[0]).startswith("<HandRepair 1, right, refined: ")
    shown = repair._repr_html_()
    assert shown.count("<img") == 2 and "hand 1 (right): refined" in shown
    assert PILImage.open(io.BytesIO(repair.after._repr_png_())).size == (80, 64)


def test_hands_changes_nothing(here: Path):
    repair = handwright.hands(picture(here / "a.png", hands=2), engine=FakeEngine())
    assert [hand.action for hand in repair.hands] == ["skipped", "skipped"]
    assert (repair.after.pixels == repair.before.pixels).all()


def test_keywords_are_the_words_of_the_command_line(here: Path):
    path = picture(here / "a.png", hands=2)
    only = handwright.refine(path, hand=2)
    assert [hand.action for hand in only.hands] == ["skipped", "refined"]
    assert len(handwright.refine(path, box=(6, 20, 22, 40)).hands) == 1
    assert len(handwright.refine(path, box=[(6, 20, 22, 40), (30, 20, 46, 40)], all=True).hands) == 2
    mask = np.zeros((64, 80), bool)
    mask[20:40] = True
    assert handwright.refine(path, mask=mask).hands[0].action == "refined"


def test_an_unknown_keyword_names_the_nearest(here: Path):
    with pytest.raises(UnknownKeywordError, match="did you mean `painter`"):
        handwright.refine(picture(here / "a.png"), panter="draw")
    with pytest.raises(TypeError, match="did you mean `prompt`"):
        handwright.review("a.png", promt="a fist")
    with pytest.raises(UnknownKeywordError, match="did you mean `strength`"):
        handwright.HandRefiner(strenght=0.3)


def test_nonsense_is_refused(here: Path):
    with pytest.raises(UnreadableImageError):
        handwright.refine("gone.png")
    with pytest.raises(UsageError):
        handwright.refine(np.zeros((9, 9, 3), np.uint8), painter="oil")
    with pytest.raises(UsageError, match="has no use for `prompt`"):
        handwright.refine(np.zeros((9, 9, 3), np.uint8), prompt="a fist")
    with pytest.raises(AttributeError, match="nothing"):
        _ = handwright.nothing


def test_progress_shows_stages_and_pictures(here: Path):
    calls: list[tuple[str, int, int]] = []
    path = picture(here / "a.png")
    handwright.refine([path, path], progress=lambda *call: calls.append(call))
    assert [call for call in calls if not call[0]] == [("", 1, 2), ("", 2, 2)]
    assert ("find", 1, 2) in calls


def test_the_signature_of_refine_is_the_table_of_options():
    keywords = inspect.signature(handwright.refine).parameters
    assert set(OPTIONS) == set(keywords) - {"picture", "progress", "engine"}
    assert set(RefineOptions.__annotations__) == {*OPTIONS, "progress"}
    for name, option in OPTIONS.items():
        expected = None if name in DIFFUSION_OPTIONS else DEFAULTS[option.place]
        assert keywords[name].default == expected, name
        assert f"        {name}: " in (handwright.refine.__doc__ or ""), name


def test_the_public_names_are_functions_with_help_that_reads_like_a_librarys():
    assert {*FUNCTIONS, "HandRefiner", "load_image", "save_image"} <= set(dir(handwright))
    for name in FUNCTIONS:
        function = getattr(handwright, name)
        assert inspect.isfunction(function), name
        text = pydoc.plain(pydoc.render_doc(function))
        assert "Args:" in text and "Returns:" in text and ">>> " in text, name
    text = pydoc.plain(pydoc.render_doc(handwright))
    assert all(f"\n    {name}(" in text for name in FUNCTIONS)


def test_a_refiner_keeps_its_models_and_its_options(here: Path):
    path = picture(here / "a.png")
    with handwright.HandRefiner(seed=3) as refiner:
        engine = refiner.engine
        first, second = refiner(path), refiner(path, seed=4)
        assert refiner.engine is engine
    assert (first.after.pixels == handwright.refine(path, seed=3).after.pixels).all()
    assert (second.after.pixels != first.after.pixels).any()


def test_a_generator_draws_the_seed(here: Path):
    path = picture(here / "a.png")
    refiner = handwright.HandRefiner(engine=FakeEngine())
    drawn = [refiner(path, generator=np.random.default_rng(5)) for _ in range(2)]
    assert (drawn[0].after.pixels == drawn[1].after.pixels).all()
    other = refiner(path, generator=np.random.default_rng(6))
    assert (other.after.pixels != drawn[0].after.pixels).any()


@pytest.mark.parametrize(("strength", "painter"), [(None, "diffuse"), (1.0, "diffuse"), (0.4, "harmonise")])
def test_strength_is_the_noise_level_of_image_to_image(here: Path, monkeypatch, strength, painter):
    detected = []

    def remember(image, settings, engine):
        detected.append(settings)
        return handwright.hands(image, engine=engine)

    monkeypatch.setattr(sys.modules["handwright.refine.pipeline"], "refine_picture", remember)
    refiner = handwright.HandRefiner.from_pretrained(model="tiny")
    refiner(picture(here / "a.png"), strength=strength, controlnet_conditioning_scale=0.7)
    (settings,) = detected
    assert settings.painter == painter
    assert settings.diffusion.strength == 0.7
    assert strength in (None, 1.0) or settings.diffusion.start_level == strength
