"""Files of the corpus of bench/fuzz.py, in this process: an error is one line."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

import fuzz
import fuzz_calls
from handwright.errors import HandwrightError
from handwright.hand.files.hands_file import load_numbered_hands
from handwright.image import decode_image
from handwright.image.generation_data import generation_data
from handwright.review.calibration.calibration import Calibration
from handwright.workflow import Request, refine_again
from handwright.workflow.generate.pose_source import pose_from_file
from hostile import Hostile, odd, polyglots
from hostile_json import corpus, sources


@cache
def files() -> list[Hostile]:
    return corpus(0, fuzz.sound_files(), 1)


def of(use: str, *kinds: str) -> list[Hostile]:
    return [one for one in files() if one.use == use and (not kinds or one.kind in kinds)]


def in_one_line(call: Callable[..., object], *given: object) -> None:
    try:
        call(*given)
    except HandwrightError as error:
        assert "\n" not in str(error)


def test_the_corpus_is_large_and_the_same_for_the_same_seed():
    assert len(files()) >= 500
    assert max(len(one.data) for one in files()) <= 8_000_000
    for part in (polyglots, odd, sources):
        assert list(part(np.random.default_rng(3))) == list(part(np.random.default_rng(3)))


def test_pictures_are_decoded_or_refused_in_one_line():
    seen: dict[str, int] = {}
    for one in of("picture"):
        seen[one.kind] = seen.get(one.kind, 0) + 1
        if one.kind != "bomb" and (seen[one.kind] <= 3 or one.kind in ("hostile text", "lying header")):
            in_one_line(lambda one=one: generation_data(decode_image(one.data, max_pixels=1_000_000)))


def test_json_files_are_read_or_refused_in_one_line(tmp_path: Path):
    for one in [*of("hands"), *of("pose")]:
        file = tmp_path / one.name
        file.write_bytes(one.data)
        if one.use == "hands":
            in_one_line(load_numbered_hands, file)
        else:
            in_one_line(pose_from_file, file, None, 128)
            in_one_line(Calibration.load, file)


def test_manifests_and_shards_are_listed_or_refused_and_nothing_leaves_the_sink(tmp_path: Path):
    row, root = fuzz_calls.Row(), tmp_path / "deep" / "down"
    for one in of("sources"):
        root.mkdir(parents=True, exist_ok=True)
        (root / one.name).write_bytes(one.data)
        fuzz_calls.list_and_write(row, one, root / one.name, root / "sink")
    assert row.wrong == []
    assert row.refused > 20
    assert row.done > 0
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"down"}


def test_pictures_with_hostile_settings_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def opened(*_: object) -> None:
        raise HandwrightError("it would be refined")

    importlib.import_module("handwright.refine.pipeline")  # the package has a function named refine
    monkeypatch.setattr(sys.modules["handwright.refine.pipeline"], "open_engine", opened)
    for one in of("again"):
        file = tmp_path / "a.png"
        file.write_bytes(one.data)
        in_one_line(refine_again, file, tmp_path / "out" / "b.png", Request())
        assert not (tmp_path / "out").exists()
