"""What is counted of default repairs on pictures that nobody here made."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

import real_repairs


def test_a_label_counts_where_both_viewers_agree():
    assert real_repairs.label_of({"label": "good", "second": {"label": "good"}}) == "good"
    assert real_repairs.label_of({"label": "good", "second": {"label": "malformed"}}) == "unclear"
    assert real_repairs.label_of({"label": "good"}) == "unclear"


def test_hands_are_counted_by_label():
    hands = [
        {"label": "malformed", "verdict": "fail", "action": "refined"},
        {"label": "good", "verdict": "fail", "action": "kept"},
        {"label": "not labelled", "verdict": "pass", "action": "kept"},
    ]
    text = real_repairs.tables([{"labelled": ["malformed", "good", "good"], "hands": hands}])
    assert "| good | 2 | 1: 50 % [9, 91] | 0: 0 % [0, 66] |" in text
    assert "| malformed | 1 | 1: 100 % [21, 100] | 1: 100 % [21, 100] |" in text
    assert "| not labelled | 0 | 0 | 0 |" in text


def test_answers_are_turned_into_better_and_worse(tmp_path):
    key = {"p0": {"new": "left", "group": "good"}, "p1": {"new": "right", "group": "malformed"}}
    (tmp_path / "key.json").write_text(json.dumps(key))
    viewers = [("left", "right"), ("left", "left")]
    for k, sides in enumerate(viewers):
        lines = [{"n": f"p{n}", "better": side, "why": ["stain"]} for n, side in enumerate(sides)]
        (tmp_path / f"{k}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    text = real_repairs.scored(tmp_path / "key.json", [tmp_path / "0.jsonl", tmp_path / "1.jsonl"])
    assert "| all | 2 | 1: 50 % [9, 91] | 0: 0 % [0, 66] | 0: 0 % [0, 66] | 1: 50 % [9, 91] |" in text
    assert "Viewers agree on 1: 50 % [9, 91]. Worse for: stain 1." in text


def test_a_replaced_hand_becomes_a_pair_of_crops(tmp_path, monkeypatch):
    before = np.zeros((60, 80, 3), np.uint8)
    after = before.copy()
    after[20:40, 30:50] = 255
    inside = np.zeros((60, 80), bool)
    inside[10:45, 20:60] = True
    seen = SimpleNamespace(bbox_xyxy_px=(30, 20, 50, 40), landmarks_px=np.array([[30.0, 20.0], [50.0, 40.0]]))
    hand = SimpleNamespace(
        id=1,
        observation=seen,
        action="refined",
        reason="why",
        review_before={"verdict": "fail"},
        mask=SimpleNamespace(inside=inside),
    )
    repair = SimpleNamespace(hands=[hand], after=SimpleNamespace(pixels=after))
    monkeypatch.setattr(real_repairs, "refine_picture", lambda image, settings, engine: repair)
    labels = [((28.0, 18.0, 52.0, 42.0), "malformed"), ((0.0, 0.0, 9.0, 9.0), "good")]
    row = real_repairs.refined("a/b.png", before, labels, 3, tmp_path, None)
    assert row["labelled"] == ["malformed", "good"]
    (told,) = row["hands"]
    assert (told["label"], told["verdict"], told["action"]) == ("malformed", "fail", "refined")
    pair = told["pair"]
    assert (pair["id"], pair["group"]) == ("b-3-1", "malformed")
    old, new = (np.asarray(real_repairs.PILImage.open(pair[which])) for which in ("old", "new"))
    assert old.shape == new.shape == (48, 48, 3)
    x0, y0, x1, y1 = (int(v) for v in pair["box"])
    assert (new[y0:y1, x0:x1] == 255).all()
    assert not old.any()
