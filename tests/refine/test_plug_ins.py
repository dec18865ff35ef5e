"""`refine` and `review` with a user's own classes, file to file: real review and drawing, scripted finder."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import numpy as np
import pytest
from PIL import Image as PILImage

import handwright
from handwright.apps.cli.main import main
from handwright.errors import UsageError
from handwright.plug_ins import PlugInError
from handwright.refine import pipeline, redetection
from handwright.refine.engine import Engine
from handwright.review import judge
from handwright.review.review_json import SCHEMA_FILE as REVIEW_SCHEMA
from handwright.workflow.report.document import SCHEMA_FILE
from tests.drawn import flat_hand, shoot

SHOT = shoot(flat_hand(curl=0.15), grain=2.5)
SOURCE = """
from pathlib import Path
import numpy as np
from handwright.image import load_image
from handwright.perception.fit.hand_fit import fit_hand
from handwright.refine.painters import DrawPainter
from handwright.review.critic import CriticPrediction

with Path("imported.txt").open("a") as log:
    log.write(__name__ + "\\n")

class Judge:
    version = "1.0"
    def judge(self, pixels, regions):
        wrong = np.array_equal(pixels, load_image("a.png").pixels)
        named = {"extra": 0.9} if wrong else {}
        p = 0.9 if wrong else 0.05
        return [CriticPrediction(malformed=p, defects=named, reason="There are six fingers.")] * len(regions)

class Fitter:
    def fit(self, pixels, observation, camera):
        height, width = pixels.shape[:2]
        return fit_hand(observation, width, height).hand

class Painter:
    version = 2
    def paint(self, job):
        return DrawPainter().paint(job)

class Broken:
    def paint(self, job):
        raise RuntimeError("out of paint")
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with classes of every kind in the current folder, beside a picture of a hand."""

    @contextmanager
    def no_landmarker(_path: Any):
        yield None

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("HANDWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        "handwright.perception.models.download.ensure_models",
        lambda **_: SimpleNamespace(hand_landmarker=Path("task")),
    )
    for module in (pipeline, judge):
        monkeypatch.setattr(module, "HandLandmarker", no_landmarker)
        monkeypatch.setattr(module, "open_critic", lambda: None)
        monkeypatch.setattr(module, "open_proposer", lambda: None)
        monkeypatch.setattr(module, "open_appearance", lambda landmarker: None)
    monkeypatch.setattr(pipeline, "open_comparison", lambda: None)
    for module in (pipeline, judge):
        monkeypatch.setattr(module, "find_hands", lambda pixels, **_: [SHOT.observation(score=0.99)])
        monkeypatch.setattr(module, "find_people", lambda pixels, landmarker: [])
    monkeypatch.setattr(redetection, "redetect_hand", lambda pixels, wanted, landmarker: wanted)
    PILImage.fromarray(SHOT.pixels).save("a.png")
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    Path(f"{name}.py").write_text(SOURCE)
    return name


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]):
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(list(arguments))
        captured = capfd.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return run


def options(mine: str) -> tuple[str, ...]:
    return ("--critic", f"{mine}:Judge", "--fitter", f"{mine}:Fitter", "--painter", f"{mine}:Painter")


def imports() -> int:
    return len(Path("imported.txt").read_text().splitlines()) if Path("imported.txt").exists() else 0


def test_they_mend_a_hand_and_stand_in_the_report_and_in_the_picture(mine: str, run: Any):
    code, out, err = run("refine", "a.png", "-o", "b.png", "--report", "r", *options(mine))
    assert (code, err) == (0, "") and "hand 1 refined" in out
    report = json.loads(Path("r/report.json").read_text())
    jsonschema.validate(report, json.loads(SCHEMA_FILE.read_text()))
    (entry,) = report["pictures"]
    held = entry["settings"]["plug_ins"]
    assert {kind: (one["name"], one["version"]) for kind, one in held.items()} == {
        "critic": (f"{mine}:Judge", "1.0"),
        "fitter": (f"{mine}:Fitter", None),
        "painter": (f"{mine}:Painter", "2"),
    }
    assert entry["settings"]["painter"] == f"{mine}:Painter"
    assert entry["judged_by"] == ["geometry", f"{mine}:Judge"]
    (hand,) = entry["hands"]
    assert hand["review_before"]["checks"]["finger_count"]["reason"] == "There are six fingers."
    with PILImage.open("b.png") as refined:
        assert json.loads(refined.info["handwright"])["settings"]["plug_ins"] == held
        assert (np.asarray(refined) != SHOT.pixels).any()


def test_no_file_decides_what_is_imported_and_again_makes_the_same_bytes(mine: str, run: Any):
    run("refine", "a.png", "-o", "b.png", *options(mine))
    del sys.modules[mine]
    before = imports()
    for given in ((), options(mine)[2:], ("--painter", "draw", *options(mine)[:4])):
        code, out, err = run("refine", "--again", "b.png", "-o", "c.png", *given)
        assert (code, out, imports()) == (2, "", before)
        assert err.count("\n") == 1 and "code is imported only when you name it yourself; give --" in err
    code, out, _ = run("refine", "--again", "b.png", "-o", "c.png", *options(mine))
    assert (code, imports()) == (0, before + 1) and "the same bytes as b.png" in out
    assert Path("b.png").read_bytes() == Path("c.png").read_bytes()


def test_a_text_that_only_claims_a_painter_imports_nothing_either(mine: str, run: Any):
    run("refine", "a.png", "-o", "b.png", *options(mine)[:2], "--hand", "1")
    with PILImage.open("b.png") as refined:
        entry = json.loads(refined.info["handwright"])
    entry["settings"] |= {
        "painter": f"{mine}_other:Painter",
        "fitter": f"{mine}_other:Fitter",
        "plug_ins": {},
    }
    Path(f"{mine}_other.py").write_text(SOURCE)
    data = Path("b.png").read_bytes()
    from handwright.image import decode_image, encode_image
    from handwright.image.facts import with_png_text

    changed = with_png_text(decode_image(data), "handwright", json.dumps(entry))
    Path("b.png").write_bytes(encode_image(changed, "PNG")[0])
    before = imports()
    code, _, err = run("refine", "--again", "b.png", "-o", "c.png")
    assert (code, imports(), err.count("\n")) == (2, before, 1)
    assert not Path("c.png").exists()


def test_another_version_is_another_plug_in(mine: str, run: Any):
    run("refine", "a.png", "-o", "b.png", *options(mine))
    del sys.modules[mine]
    Path(f"{mine}.py").write_text(SOURCE.replace('"1.0"', '"1.1"'))
    code, _, err = run("refine", "--again", "b.png", "-o", "c.png", *options(mine))
    assert code == 2 and "was made with other files, weights or plug-ins: --" in err


def test_what_is_done_is_done_again_once_the_code_has_changed(mine: str, run: Any):
    assert "done before" not in run("refine", "a.png", "-o", "b.png", "--report", "r", *options(mine))[1]
    assert "done before" in run("refine", "a.png", "-o", "b.png", "--report", "r", *options(mine))[1]
    Path(f"{mine}.py").write_text(SOURCE + "\n# another thought\n")
    assert "done before" not in run("refine", "a.png", "-o", "b.png", "--report", "r", *options(mine))[1]


def test_one_that_fails_at_a_picture_fails_that_picture_alone(mine: str, run: Any):
    PILImage.fromarray(255 - SHOT.pixels).save("other.png")
    given = ("--critic", f"{mine}:Judge", "--painter", f"{mine}:Broken")
    code, out, err = run("refine", "a.png", "other.png", "-o", "out", *given)
    assert code == 2 and "other.png → out/other.png: hand 1" in out
    assert err.count("\n") == 1
    assert f"a.png could not be worked on: --painter {mine}:Broken failed: RuntimeError: out of paint" in err
    assert not Path("out/a.png").exists()
    assert "Traceback" in run("refine", "a.png", "-o", "c.png", *given, "--debug")[2]


@pytest.mark.parametrize(
    ("option", "name", "what"),
    [
        ("--fitter", "nowhere_at_all:Fitter", "cannot import --fitter nowhere_at_all:Fitter"),
        ("--fitter", "nonsense", "--fitter 'nonsense' names no class; give PKG.MOD:CLASS"),
        ("--critic", "MINE:Nobody", "is no class: there is no such name"),
        ("--critic", "MINE:Fitter", "has no method judge()"),
        ("--painter", "MINE:Judge", "has no method paint()"),
        ("--painter", "paint", "give draw, harmonise, diffuse, or PKG.MOD:CLASS"),
        ("--landmarker", "MINE:Judge", "has no method detect()"),
    ],
)
def test_one_that_is_none_is_refused_before_any_work(mine: str, run: Any, option: str, name: str, what: str):
    code, out, err = run("refine", "a.png", "-o", "b.png", option, name.replace("MINE", mine))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert what in err and not Path("b.png").exists()


def test_a_painter_of_the_users_has_no_use_for_options_of_diffusion(mine: str, run: Any):
    code, _, err = run("refine", "a.png", "-o", "b.png", *options(mine), "--prompt", "a hand")
    assert code == 2 and "has no use for --prompt" in err


def test_review_is_made_by_them_and_names_them(mine: str, run: Any):
    code, out, _ = run("review", "a.png", *options(mine)[:4], "--json")
    review = json.loads(out)
    jsonschema.validate(review, json.loads(REVIEW_SCHEMA.read_text()))
    assert code == 1 and review["plug_ins"]["critic"]["name"] == f"{mine}:Judge"
    assert "There are six fingers." in out
    assert "plug_ins" not in json.loads(run("review", "a.png", "--json")[1])
    Path("calibration.json").write_text("{}")
    refused = run("review", "a.png", *options(mine)[:2], "--calibration", "calibration.json")
    assert refused[0] == 2 and "--critic takes its place" in refused[2]


def no_models() -> Engine:
    nobody: Any = None
    return Engine(nobody)


class Judging:
    """A critic by API; ``calls`` counts the pictures that it was asked about."""

    def __init__(self) -> None:
        self.calls = 0

    def judge(self, pixels: Any, regions: Any):
        from handwright.review.critic import CriticPrediction

        self.calls += 1
        return [CriticPrediction(malformed=0.02) for _ in regions]


def test_objects_serve_in_python_and_stay_loaded(mine: str):
    critic = Judging()
    review = handwright.review(SHOT.pixels, critic=critic)
    assert critic.calls == 1 and review.hands[0].prediction is not None
    with handwright.HandRefiner(engine=no_models(), critic=critic) as refiner:
        repair = refiner(SHOT.pixels)
        assert repair.judged_by[1].endswith(":Judging") and repair.hands[0].action == "skipped"
        again = refiner(SHOT.pixels)
        assert again.judged_by == repair.judged_by
        assert refiner(SHOT.pixels, critic=f"{mine}:Judge").judged_by[1] == f"{mine}:Judge"
        with pytest.raises(PlugInError, match="failed"):
            refiner(SHOT.pixels, all=True, painter=f"{mine}:Broken")


def test_a_landmarker_file_belongs_to_the_refiner(mine: str):
    with (
        handwright.HandRefiner(engine=no_models()) as refiner,
        pytest.raises(UsageError, match="comes too late"),
    ):
        refiner(SHOT.pixels, landmarker="mine.task")
