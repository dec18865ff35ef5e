"""Every example runs by itself and makes what it promises."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from handwright.data.hands import render_hands

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("[0-9]*.py"))


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    """A rendered picture of hands, as a file."""
    path = tmp_path_factory.mktemp("examples") / "photo.png"
    Image.fromarray(render_hands(4711, 5, 256).pixels).save(path)
    return path


def run(monkeypatch, name, *arguments):
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def folder_of_noise(place, seed, count=12):
    place.mkdir()
    random = np.random.default_rng(seed)
    for k in range(count):
        Image.fromarray(random.integers(0, 256, (48, 48, 3), np.uint8)).save(place / f"{k}.png")
    return place


@pytest.mark.models
def test_mend_one_picture_writes_a_picture_of_the_same_size(monkeypatch, photo, tmp_path):
    run(monkeypatch, "01_mend_one_picture.py", photo, tmp_path)
    assert size_of(tmp_path / "refined.png") == size_of(photo)


@pytest.mark.models
def test_review_names_every_check(monkeypatch, photo, capsys):
    run(monkeypatch, "02_review_pictures.py", photo)
    out = capsys.readouterr().out
    assert all(name in out for name in ("finger_count", "joint_bending", "left_right", "grasp"))


@pytest.mark.models
def test_change_a_finger_writes_a_picture(monkeypatch, photo, tmp_path):
    run(monkeypatch, "03_change_a_finger.py", photo, tmp_path)
    assert (tmp_path / "index_straight.png").exists()


def test_plan_a_prompt_offers_wordings(monkeypatch, capsys):
    run(monkeypatch, "04_plan_a_prompt.py", "a woman holding a cup")
    assert "cup" in capsys.readouterr().out


def test_rendered_data_are_read_back(monkeypatch, tmp_path, capsys):
    run(monkeypatch, "05_render_training_data.py", tmp_path / "world")
    assert capsys.readouterr().out.count("of 21 joints seen") >= 4


def test_two_sets_are_measured_with_an_interval(monkeypatch, tmp_path, capsys):
    sets = [folder_of_noise(tmp_path / name, seed) for name, seed in (("real", 1), ("fake", 2))]
    run(monkeypatch, "06_measure_two_sets.py", *sets, "rand-v1")
    assert "kid[rand-v1]" in capsys.readouterr().out


@pytest.mark.models
def test_one_loaded_model_paints_twice(monkeypatch, photo, tmp_path):
    pytest.importorskip("diffusers")
    run(monkeypatch, "07_many_pictures_one_model.py", photo, tmp_path)
    assert len(list(tmp_path.glob("strength_*.png"))) == 2


def test_the_callback_works_in_a_stock_pipeline(monkeypatch, photo, tmp_path):
    pytest.importorskip("diffusers")
    from tests.diffusion.models import write_sd

    model = write_sd(tmp_path / "model", 4)  # small random weights in the published layout
    with Image.open(photo) as picture:
        small = picture.resize((64, 64))
    for name in ("photo.png", "mask.png", "depth.png"):
        small.convert("RGB" if name == "photo.png" else "L").save(tmp_path / name)
    files = [tmp_path / name for name in ("photo.png", "mask.png", "depth.png", "out.png")]
    run(monkeypatch, "08_blend_in_a_stock_pipeline.py", model, model / "controlnet", *files)
    assert size_of(tmp_path / "out.png") == (64, 64)


@pytest.mark.parametrize(
    ("layout", "stock"), [("sd15", "StableDiffusionPipeline"), ("sdxl", "StableDiffusionXLPipeline")]
)
def test_a_stock_pipeline_paints_text_and_hands(monkeypatch, tmp_path, capsys, layout, stock):
    """Small random weights in both published layouts, each painted with by diffusers' own class."""
    pytest.importorskip("diffusers")
    from handwright.body import read_parameters
    from handwright.diffusion.loading.libraries import quiet
    from tests.handiffuser.test_pipeline import with_encoder

    model = with_encoder(layout, tmp_path / "model")
    with quiet():
        run(monkeypatch, "09_hands_in_a_stock_text_to_image_pipeline.py", model, "a woman", tmp_path / "out")
    assert capsys.readouterr().out.startswith(f"{stock} {{'prompt_embeds': (1, ")
    person = read_parameters(tmp_path / "out" / "person.json")
    assert size_of(tmp_path / "out" / "picture.png") == person.size_px


def test_every_script_is_run_by_this_file():
    text = Path(__file__).read_text()
    assert SCRIPTS
    assert all(name in text for name in SCRIPTS)
