"""`handwright refine` with a critic, file to file: real review, drawing and measures; scripted finder."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.apps.cli.main import main
from handwright.image import load_image
from handwright.refine import candidates, pipeline, redetection
from handwright.review import judge
from handwright.review.critic.holding import Holding
from handwright.workflow.report.document import SCHEMA_FILE
from tests.drawn import flat_hand, shoot
from tests.review.predictions import StubCritic, prediction

SHOT = shoot(flat_hand(curl=0.15), grain=2.5)
EXTRA = {"extra": 0.9}


def is_original(pixels: np.ndarray) -> bool:
    return np.array_equal(pixels, SHOT.pixels)


FOND = StubCritic(lambda pixels, _: prediction(0.93, EXTRA) if is_original(pixels) else prediction(0.02))
HARSH = StubCritic(
    lambda pixels, _: prediction(0.93, EXTRA) if is_original(pixels) else prediction(0.97, EXTRA)
)
CONTENT = StubCritic(lambda pixels, _: prediction(0.02, right=0.99))


@pytest.fixture
def refine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """Run ``refine a.png -o b.png --report r`` by a critic: exit code, stdout, the hand, the entry."""

    @contextmanager
    def no_landmarker(_path):
        yield None

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HANDWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "handwright.perception.models.download.ensure_models",
        lambda **_: SimpleNamespace(hand_landmarker=Path("task")),
    )
    monkeypatch.setattr(pipeline, "HandLandmarker", no_landmarker)
    monkeypatch.setattr(pipeline, "find_hands", lambda pixels, **_: [SHOT.observation(score=0.99)])
    for module in (pipeline, judge):
        monkeypatch.setattr(module, "find_people", lambda pixels, landmarker: [])
    monkeypatch.setattr(redetection, "redetect_hand", lambda pixels, wanted, landmarker: wanted)
    PILImage.fromarray(SHOT.pixels).save("a.png")

    def run(critic: StubCritic | None, *options: str, worse: float = 0.0):
        monkeypatch.setattr(pipeline, "open_critic", lambda: critic)
        compare = SimpleNamespace(features=None, worse=lambda before, after, square, size_px: worse)
        monkeypatch.setattr(pipeline, "open_comparison", lambda: compare)
        monkeypatch.setattr(pipeline, "open_appearance", lambda landmarker: None)
        with pytest.raises(SystemExit) as stopped:
            main(["refine", "a.png", "-o", "b.png", "--report", "r", "--force", *options])
        captured = capfd.readouterr()
        assert captured.err == ""
        report = json.loads(Path("r/report.json").read_text())
        jsonschema.validate(report, json.loads(SCHEMA_FILE.read_text()))
        (entry,) = report["pictures"]
        return int(stopped.value.code or 0), captured.out, entry["hands"][0], entry

    return run


def unchanged() -> bool:
    return Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_a_hand_that_the_critic_fails_is_repainted_and_passes(refine):
    code, out, hand, entry = refine(FOND, "--candidates", "2")
    assert (code, hand["action"], entry["judged_by"]) == (0, "refined", ["geometry", "network"])
    assert "hand 1 refined" in out
    before, after = hand["review_before"], hand["review_after"]
    assert before["verdict"] == "fail"
    assert before["checks"]["finger_count"]["reason"] == "There is a finger too many."
    assert after["verdict"] != "fail"
    assert after["checks"]["finger_count"]["verdict"] == "pass"
    assert [c["accepted"] for c in hand["candidates"]] == [True, True]
    scores = hand["candidates"][0]["scores"]
    assert (scores["malformed_before"], scores["malformed"]) == (0.93, 0.02)
    assert scores["fit_share"] <= 1
    mask = load_image(Path("r", hand["mask"])).pixels[..., 0] > 0
    changed = (load_image("b.png").pixels != SHOT.pixels).any(2)
    assert changed.any() and not (changed & ~mask).any()


def test_what_would_probably_look_worse_is_left_and_says_what_to_try(refine):
    code, out, hand, _ = refine(FOND, worse=0.8)
    assert (code, hand["action"]) == (1, "kept")
    assert unchanged()
    assert "it would probably look worse (0.80); name the hand by its number to have it all the same" in out
    assert hand["candidates"][0]["scores"]["worse"] == 0.8
    assert refine(FOND, "--all", worse=0.8)[2]["action"] == "kept"
    assert refine(FOND, "--all", worse=0.3)[2]["action"] == "refined"
    assert refine(FOND, worse=0.3)[2]["action"] == "kept"
    code, _, hand, _ = refine(FOND, "--hand", "1", worse=0.8)
    assert (code, hand["action"]) == (0, "refined")
    assert hand["candidates"][0]["scores"]["worse"] == 0.8
    assert "probability of looking worse 0.80" in hand["reason"]


def test_where_no_candidate_beats_it_the_original_stays_and_the_best_is_kept_aside(refine):
    code, out, hand, entry = refine(HARSH, "--candidates", "2")
    assert (code, hand["action"], entry["status"]) == (1, "kept", "unchanged")
    assert unchanged()
    assert "it is predicted malformed (0.97): the original stays" in out
    assert hand["candidates"][hand["best_rejected"] - 1]["rejection_reasons"] == [
        "it is predicted malformed (0.97)"
    ]
    would_be, was = (load_image(Path("r", hand["files"][name])).pixels for name in ("rejected", "before"))
    assert (would_be != was).any()
    assert hand["review_after"] is None


def test_a_hand_that_passes_is_left_alone_unless_it_is_asked_for(refine):
    code, out, hand, _ = refine(CONTENT)
    assert (code, hand["action"], hand["reason"]) == (0, "skipped", "passes the review")
    assert unchanged()
    assert "no hand failed the review, so none was attempted: --all attempts every hand" in out
    for option in (("--all",), ("--mask", "white.png")):
        PILImage.new("L", SHOT.pixels.shape[1::-1], 255).save("white.png")
        assert refine(CONTENT, *option)[2]["action"] == "refined"


def test_where_the_failing_hand_is_left_for_what_it_holds_a_line_says_so(refine, monkeypatch):
    holds = SimpleNamespace(limit=0.4, probability=lambda *_: 0.9)
    monkeypatch.setattr(Holding, "load", lambda *_: holds)
    code, out, hand, _ = refine(HARSH, "--leave-holding")
    assert (code, hand["action"]) == (1, "skipped")
    assert "may hold a thing, so it was not attempted: --leave-holding leaves it alone" in out


def test_without_a_critic_it_cannot_tell_of_a_sound_hand_and_says_so(refine):
    code, out, hand, entry = refine(None)
    assert (code, hand["action"], entry["judged_by"]) == (0, "skipped", ["geometry"])
    assert hand["reason"].startswith("cannot tell: ")
    assert "is not installed" in out and "--unsure attempts the 1" in out
    assert refine(None, "--unsure")[2]["action"] == "refined"


def test_what_the_critic_cannot_assess_is_held_against_the_original_all_the_same(refine, monkeypatch):
    monkeypatch.setattr(candidates, "_critic_scores", lambda pixels, regions, context: [None] * len(regions))
    code, out, hand, _ = refine(FOND, worse=0.8)
    assert (code, hand["action"]) == (1, "kept")
    assert "it would probably look worse (0.80)" in out
    code, _, hand, _ = refine(FOND, worse=0.1)
    assert (hand["action"], hand["candidates"][0]["scores"]["worse"]) == ("refined", 0.1)
