"""The folder that a study is: blind pictures, a page that needs nothing else, a key kept apart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.errors import HandwrightError, OutputError, UnreadableImageError, UsageError
from handwright.preference import make_study


def folder(root: Path, name: str, pictures: int, tone: int) -> dict[str, Path]:
    (root / name).mkdir()
    files = {}
    for k in range(pictures):
        files[f"p{k}"] = root / name / f"p{k}.png"
        noise = np.random.default_rng(k).integers(0, 60, (48, 64, 3))
        PILImage.fromarray((tone + noise).astype(np.uint8)).save(files[f"p{k}"])
    return files


@pytest.fixture
def systems(tmp_path: Path) -> dict[str, dict[str, Path]]:
    return {name: folder(tmp_path, name, 6, 40 * k) for k, name in enumerate(("ours", "base", "other"))}


def pixels_of(path: Path) -> np.ndarray:
    with PILImage.open(path) as opened:
        return np.asarray(opened.convert("RGB"))


def shown(output: Path) -> dict:
    html = (output / "page" / "index.html").read_text("utf-8")
    (data,) = re.findall(r'<script type="application/json" id="study">(.*?)</script>', html, re.DOTALL)
    return json.loads(data)


def test_every_two_systems_meet_on_every_picture_and_the_key_names_what_is_shown(systems, tmp_path: Path):
    key = make_study(systems, tmp_path / "study", checks=2, seed=3)
    page = shown(tmp_path / "study")
    assert len(key["trials"]) == 3 * 6
    assert len(page["trials"]) == 3 * 6 + 2
    assert json.loads((tmp_path / "study" / "key.json").read_text("utf-8")) == key
    by_id = {trial["id"]: trial for trial in page["trials"]}
    for trial in key["trials"]:
        for side in "ab":
            written = tmp_path / "study" / "page" / by_id[trial["id"]][side]
            given = systems[trial[side]][trial["picture"]]
            assert np.array_equal(pixels_of(written), pixels_of(given))


def test_the_page_and_its_pictures_do_not_tell_which_system_made_what(systems, tmp_path: Path):
    key = make_study(systems, tmp_path / "study", checks=2)
    html = (tmp_path / "study" / "page" / "index.html").read_text("utf-8")
    assert not any(name in html for name in systems)
    first = [trial["a"] for trial in key["trials"]]
    assert len(set(first)) == len(systems)
    numbers = sorted(path.stem for path in (tmp_path / "study" / "page" / "pictures").iterdir())
    assert len(numbers) == 3 * 6 + 2 * 2


def test_the_page_loads_nothing_from_elsewhere(systems, tmp_path: Path):
    make_study(systems, tmp_path / "study", prompts={f"p{k}": "</script><b>a hand" for k in range(6)})
    html = (tmp_path / "study" / "page" / "index.html").read_text("utf-8")
    assert "http" not in html
    assert shown(tmp_path / "study")["trials"][0]["prompt"] == "</script><b>a hand"


def test_an_attention_check_shows_the_intact_picture_where_the_key_puts_it(systems, tmp_path: Path):
    key = make_study(systems, tmp_path / "study", checks=4)
    by_id = {trial["id"]: trial for trial in shown(tmp_path / "study")["trials"]}
    originals = []
    for by_name in systems.values():
        for path in by_name.values():
            originals.append(pixels_of(path))
    for check in key["checks"]:
        for side in "ab":
            pixels = pixels_of(tmp_path / "study" / "page" / by_id[check["id"]][side])
            intact = any(np.array_equal(pixels, each) for each in originals)
            assert intact == (side == check["intact"])


def test_one_seed_gives_one_study(systems, tmp_path: Path):
    keys = [make_study(systems, tmp_path / name, seed=seed) for name, seed in (("x", 1), ("y", 1), ("z", 2))]
    assert keys[0] == keys[1]
    assert keys[0]["study"] != keys[2]["study"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"systems": 1}, "at least two"),
        ({"questions": ("beauty",)}, "plausibility, relevance"),
        ({"questions": ()}, "none was named"),
        ({"questions": ("relevance",)}, "give prompts"),
        ({"checks": -1}, "not negative"),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_written(systems, tmp_path: Path, change, words):
    if "systems" in change:
        systems = dict(list(systems.items())[: change.pop("systems")])
    with pytest.raises(UsageError, match=words):
        make_study(systems, tmp_path / "study", **change)
    assert not (tmp_path / "study").exists()


def test_folders_without_a_common_picture_are_refused(systems, tmp_path: Path):
    systems["ours"] = {f"q{name}": path for name, path in systems["ours"].items()}
    with pytest.raises(UsageError, match="no picture in common"):
        make_study(systems, tmp_path / "study")


def test_a_system_may_not_be_named_like_an_answer(systems, tmp_path: Path):
    with pytest.raises(UsageError, match="neither"):
        make_study({"neither": systems["ours"], "base": systems["base"]}, tmp_path / "study")


def test_a_folder_with_content_is_left_alone(systems, tmp_path: Path):
    with pytest.raises(OutputError, match="exists"):
        make_study(systems, tmp_path / "ours")


def test_a_broken_picture_leaves_nothing_behind(systems, tmp_path: Path):
    systems["base"]["p3"].write_bytes(b"no picture")
    with pytest.raises(UnreadableImageError):
        make_study(systems, tmp_path / "study")
    assert {path.name for path in tmp_path.iterdir()} == {"ours", "base", "other"}


def test_errors_are_the_users_to_mend(tmp_path: Path):
    with pytest.raises(HandwrightError):
        make_study({}, tmp_path / "study")
