"""What is counted of default repairs on pictures that nobody here made."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

import real_repairs
from handwright.refine.settings import RefineSettings
from sheets import CAPTION_PX, TILE_PX


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
    refused = SimpleNamespace(**vars(hand) | {"id": 2, "action": "kept", "best_rejected": 0})
    patch = np.full((9, 12, 3), 99, np.uint8)
    refused.candidates = [SimpleNamespace(pixels=patch, inside=np.ones((9, 12), bool), origin_xy_px=(34, 22))]
    repair = SimpleNamespace(hands=[hand, refused], after=SimpleNamespace(pixels=after))
    monkeypatch.setattr(real_repairs, "refine_picture", lambda image, settings, engine: repair)
    labels = [((28.0, 18.0, 52.0, 42.0), "malformed"), ((0.0, 0.0, 9.0, 9.0), "good")]
    row = real_repairs.refined("a/b.png", before, labels, RefineSettings(seed=3), tmp_path, None)
    assert row["labelled"] == ["malformed", "good"]
    told, left = row["hands"]
    assert (told["label"], told["verdict"], told["action"]) == ("malformed", "fail", "refined")
    pair = told["pair"]
    assert (pair["id"], pair["group"]) == ("b-3-1", "malformed")
    old, new = (np.asarray(real_repairs.PILImage.open(pair[which])) for which in ("old", "new"))
    assert old.shape == new.shape == (48, 48, 3)
    x0, y0, x1, y1 = (int(v) for v in pair["box"])
    assert (new[y0:y1, x0:x1] == 255).all()
    assert not old.any()
    assert "pair" not in left
    assert left["refused"]["group"] == "refused"
    new = np.asarray(real_repairs.PILImage.open(left["refused"]["new"]))
    assert ((new == 99).all(-1)).sum() == 9 * 12
    assert sorted(np.unique(new)) == [0, 99]


def test_sheets_hide_which_is_which_and_the_key_knows(tmp_path):
    pairs = []
    for k in range(9):
        pair = {"id": f"hand{k}", "group": "good", "box": [10.0, 10.0, 40.0, 40.0]}
        for which, grey in (("old", 0), ("new", 255)):
            path = tmp_path / f"{k}-{which}.png"
            real_repairs.PILImage.fromarray(np.full((50, 50, 3), grey, np.uint8)).save(path)
            pair[which] = str(path)
        pairs.append(pair)
    key = json.loads(real_repairs.save_sheets(pairs, tmp_path).read_text())
    assert {entry["id"] for entry in key.values()} == {pair["id"] for pair in pairs}
    assert {entry["new"] for entry in key.values()} == {"left", "right"}
    sheet = np.asarray(real_repairs.PILImage.open(tmp_path / "sheet_00.png"))
    tile, gap = TILE_PX, CAPTION_PX
    middle = gap + tile // 2
    for k in range(6):
        left = sheet[middle, k * (2 * tile + 6) + tile // 2, 0]
        assert (left == 255) == (key[f"p{k:03d}"]["new"] == "left")


def test_a_picture_in_which_nothing_is_attempted_is_refined_once(tmp_path, monkeypatch):
    from contextlib import nullcontext

    asked = []

    def refined(key, pixels, labels, settings, work, engine):
        asked.append((key, settings.seed))
        action = "kept" if key == "tried" else "skipped"
        hands = [{"label": "good", "verdict": "fail", "action": action, "reason": ""}]
        return {"key": key, "seed": settings.seed, "labelled": ["good"], "hands": hands}

    some = [(key, np.zeros((8, 8, 3), np.uint8), []) for key in ("tried", "left")]
    monkeypatch.setattr(real_repairs, "pictures", lambda photos, split: iter(some))
    monkeypatch.setattr(real_repairs, "open_engine", lambda: nullcontext())
    monkeypatch.setattr(real_repairs, "refined", refined)
    for _ in range(2):
        text = real_repairs.repairs_page(tmp_path, "test", tmp_path / "work", 3, every=False, answers=[])
    assert asked == [("tried", 0), ("tried", 1), ("tried", 2), ("left", 0)]
    assert "| good | 6 | 6: 100 % [61, 100] | 0: 0 % [0, 39] |" in text


def test_with_every_hand_only_pictures_with_a_malformed_one_are_refined_as_all(tmp_path, monkeypatch):
    from contextlib import nullcontext

    asked = []

    def refined(key, pixels, labels, settings, work, engine):
        asked.append((key, settings.hands_named))
        return {"key": key, "seed": settings.seed, "labelled": [], "hands": []}

    box = (0.0, 0.0, 4.0, 4.0)
    some = [
        (name, np.zeros((8, 8, 3), np.uint8), [(box, "good"), (box, name)]) for name in ("malformed", "good")
    ]
    monkeypatch.setattr(real_repairs, "pictures", lambda photos, split: iter(some))
    monkeypatch.setattr(real_repairs, "open_engine", lambda: nullcontext())
    monkeypatch.setattr(real_repairs, "refined", refined)
    real_repairs.repairs_page(tmp_path, "test", tmp_path / "work", 1, every=True, answers=[])
    assert asked == [("malformed", True)]
