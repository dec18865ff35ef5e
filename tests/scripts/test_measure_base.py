"""The curve of a base in training: held-out pictures only, a floor beside the figure, a line a call."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

import measure_base
from handwright.data.shards import Entry, write_shard
from handwright.errors import UsageError
from handwright.training.streams.picture_shards import held_out

SIDE, COUNT = 16, 1000


def write_kind(folder, seed):
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    entries = [
        Entry(
            f"{k:08d}",
            {"image": rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)},
            {"caption": f"hand {k}", "hands": []},
        )
        for k in range(COUNT)
    ]
    write_shard(folder / "lot.tar", iter(entries))


def test_only_held_out_pictures_are_asked_for_and_each_call_adds_a_line(tmp_path, monkeypatch, capsys):
    for seed, kind in enumerate(measure_base.KINDS):
        write_kind(tmp_path / "world" / kind, seed)
    asked = []

    def painted(model, captions, side, params):
        asked.append(captions)
        return np.full((len(captions), side, side, 3), 200, np.uint8)  # far from every picture

    monkeypatch.setattr(measure_base, "painted", painted)
    output = tmp_path / "run" / "kid.jsonl"
    options = ["--shards", str(tmp_path / "world"), "--resolution", "32", "--n", "12", "--note", "step 1"]
    monkeypatch.setattr(sys, "argv", ["measure_base.py", "model", *options, "-o", str(output)])
    measure_base.main()
    measure_base.main()
    first, second = map(json.loads, output.read_text("utf-8").splitlines())
    assert first["hands"] == second["hands"]
    assert first["note"] == "step 1"
    for kind in measure_base.KINDS:
        assert first[kind]["n"] == len(asked[0]) <= 12
        assert first[kind]["kid"][1] > first[kind]["floor"][2]  # intervals apart
    names = [f"lot.tar/{int(caption.split()[1]):08d}" for captions in asked for caption in captions]
    assert all(map(held_out, names))
    assert output.with_suffix(".png").exists()
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == second


def test_too_few_pictures_are_named(tmp_path):
    (tmp_path / "hands").mkdir()
    picture = {"image": np.zeros((SIDE, SIDE, 3), np.uint8)}
    write_shard(tmp_path / "hands" / "lot.tar", iter([Entry("a", picture, {"caption": "x", "hands": []})]))
    with pytest.raises(UsageError, match="no pictures to measure progress on"):
        measure_base.held_out_pictures(tmp_path / "hands", SIDE, 4)
