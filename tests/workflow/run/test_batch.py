from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.errors import HandsFileError, OutputError, UsageError
from handwright.review.review_json import SCHEMA_FILE as REVIEW_SCHEMA
from handwright.workflow import Request, RunOptions, inspect_files, refine_files
from handwright.workflow.report.document import SCHEMA_FILE
from tests.workflow import fakes
from tests.workflow.fakes import opened, picture


def pixels(path: str | Path) -> np.ndarray:
    return np.asarray(opened(path))


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_pixels_change_inside_the_hands_only(here: Path):
    picture(here / "a.png", hands=2)
    refine_files(["a.png"], "b.png")
    changed = (pixels("a.png") != pixels("b.png")).any(2)
    assert changed[21:39, 8:20].all()
    assert not changed[:20].any()
    assert not changed[40:].any()


def test_a_picture_without_a_hand_is_copied_byte_for_byte(here: Path):
    picture(here / "a.png", hands=0)
    result = refine_files(["a.png"], "b.png")
    assert (here / "b.png").read_bytes() == (here / "a.png").read_bytes()
    assert result.exit_code == 0
    assert result.report["pictures"][0]["status"] == "no_hands"
    assert "No hand was found" in result.report["pictures"][0]["notes"][0]


@pytest.mark.parametrize(("hands", "status"), [(0, "unchanged"), (1, "refined")])
def test_a_hand_that_nobody_could_read_and_that_fails_is_in_report_page_and_exit_code(
    here: Path, hands, status
):
    picture(here / "a.png", hands=hands, corner=fakes.MANGLED)
    result = refine_files(["a.png"], "b.png", None, RunOptions(report=Path("r")))
    assert result.exit_code == 1
    entry = result.report["pictures"][0]
    assert (entry["status"], len(entry["hands"])) == (status, hands)
    assert [(hand["id"], hand["verdict"]) for hand in entry["undetected"]] == [(hands + 1, "fail")]
    counts = result.report["summary"]
    assert (counts["hands"], counts["hands_skipped"], counts["hands_left_fail"]) == (hands + 1, 1, 1)
    jsonschema.validate(result.report, json.loads(SCHEMA_FILE.read_text()))
    assert f"Hand {hands + 1}" in Path("r/index.html").read_text()
    assert "No hand was found" not in "".join(entry["notes"])


def test_a_picture_in_which_nothing_was_accepted_is_copied_byte_for_byte(here: Path):
    picture(here / "a.png")
    result = refine_files(["a.png"], "b.png", Request(seed=666), RunOptions(report=Path("r")))
    assert (here / "b.png").read_bytes() == (here / "a.png").read_bytes()
    entry = result.report["pictures"][0]
    assert entry["status"] == "unchanged"
    assert entry["hands"][0]["action"] == "kept"
    assert Path("r", entry["hands"][0]["candidates"][0]["file"]).is_file()


@pytest.mark.parametrize("command", [refine_files, inspect_files])
def test_the_report_obeys_the_published_schema(here: Path, command):
    picture(here / "in/a.png", hands=2)
    picture(here / "in/none.png", hands=0)
    picture(here / "in/bug.png", corner=fakes.BREAKS)
    Path("in/broken.jpg").write_bytes(b"no picture")
    request = Request(candidates=2, box=((1, 2, 30, 40),)) if command is refine_files else Request()
    for name, ask in (("r1", request), ("r2", Request())):
        command(["in"], f"out-{name}", ask, RunOptions(report=Path(name)))
        jsonschema.validate(
            json.loads(Path(name, "report.json").read_text()), json.loads(SCHEMA_FILE.read_text())
        )
    without = command(["in"], "out-r3", request).report
    jsonschema.validate(json.loads(json.dumps(without, allow_nan=False)), json.loads(SCHEMA_FILE.read_text()))


def test_the_schema_itself_is_one():
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA_FILE.read_text()))


def test_reviews_in_the_report_obey_the_schema_of_reviews(here: Path):
    picture(here / "a.png", hands=2)
    hands = refine_files(["a.png"], "b.png", Request(hand=(1,))).report["pictures"][0]["hands"]
    schema = json.loads(REVIEW_SCHEMA.read_text())
    of_hand = {"$defs": schema["$defs"], "$ref": "#/$defs/hand"}
    for review in (hands[0]["review_before"], hands[0]["review_after"], hands[1]["review_before"]):
        jsonschema.validate(review, of_hand)
    assert hands[1]["review_after"] is None


def test_the_exit_code_tells_whether_a_hand_still_fails(here: Path):
    picture(here / "a.png")
    picture(here / "puzzle.png", corner=fakes.PUZZLES)
    assert refine_files(["a.png"], "b.png").exit_code == 0
    kept = refine_files(["a.png"], "c.png", Request(seed=666))
    assert kept.exit_code == 1
    assert kept.report["summary"]["hands_left_fail"] == 1
    assert refine_files(["a.png"], "c.png", Request(seed=666)).exit_code == 1, "done before"
    left = refine_files(["puzzle.png"], "d.png")
    assert (left.exit_code, left.report["summary"]["hands_left_unsure"]) == (0, 1)
    assert refine_files(["puzzle.png"], "e.png", None, RunOptions(fail_on="unsure")).exit_code == 1
    assert refine_files(["puzzle.png"], "f.png", Request(unsure=True)).report["summary"]["hands_refined"] == 1
    with pytest.raises(UsageError, match="fail_on"):
        refine_files(["a.png"], "b.png", None, RunOptions(fail_on="pass"))


def test_a_file_that_cannot_be_read_outweighs_findings(here: Path):
    picture(here / "a.png")
    Path("b.png").write_bytes(b"")
    assert refine_files(["a.png", "b.png"], "out", Request(seed=666)).exit_code == 2


def test_the_best_rejected_candidate_is_shown_in_its_picture(here: Path):
    picture(here / "a.png")
    result = refine_files(["a.png"], "b.png", Request(seed=666), RunOptions(report=Path("r")))
    (hand,) = result.report["pictures"][0]["hands"]
    assert hand["best_rejected"] == 1
    assert hand["candidates"][0]["rejection_reasons"] == ["it is the number of the beast"]
    shown, before = (pixels(Path("r", hand["files"][name])) for name in ("rejected", "before"))
    assert shown.shape == before.shape
    assert (shown != before).any()
    page = Path("r/index.html").read_text()
    assert hand["files"]["rejected"] in page
    assert "candidate 1, rejected" in page
    refined = refine_files(["a.png"], "c.png", None, RunOptions(report=Path("r2"))).report["pictures"][0]
    assert refined["hands"][0]["files"]["rejected"] is None


def test_mask_and_depth_have_the_size_of_the_picture(here: Path):
    picture(here / "a.png")
    entry = refine_files(["a.png"], "b.png", None, RunOptions(report=Path("r"))).report["pictures"][0]
    for name in (entry["hands"][0]["mask"], entry["hands"][0]["depth"], entry["files"]["depth"]):
        assert opened(Path("r", name)).size == (entry["width"], entry["height"])


def test_one_bad_file_stops_nothing_and_is_told(here: Path):
    picture(here / "in/a.png")
    picture(here / "in/c.png", corner=fakes.BREAKS)
    Path("in/b.png").write_bytes(b"")
    result = refine_files(["in", "missing.png"], "out")
    status = {entry["name"]: entry["status"] for entry in result.report["pictures"]}
    assert status == {"a.png": "refined", "b.png": "failed", "c.png": "failed", "missing.png": "failed"}
    assert sorted(files(here / "out")) == ["a.png"]
    assert result.exit_code == 70
    assert refine_files(["in/a.png", "in/b.png"], "out").exit_code == 2


def test_the_number_of_workers_changes_no_byte(here: Path):
    for number in range(4):
        picture(here / f"in/{number}.png", hands=number % 3)
    Path("in/bad.png").write_bytes(b"")
    for workers in (1, 2):
        options = RunOptions(
            report=Path(f"r{workers}"), workers=workers, patches=True, open_engine=fakes.open_fake_engine
        )
        refine_files(["in"], f"out{workers}", Request(candidates=2), options)
    assert files(here / "out1") == files(here / "out2")
    evidence = [files(here / f"r{workers}" / "pictures") for workers in (1, 2)]
    assert evidence[0] == evidence[1]


def test_same_seed_same_bytes_and_another_seed_others(here: Path):
    picture(here / "a.png")
    for name, seed in (("b", 1), ("c", 1), ("d", 2)):
        refine_files(["a.png"], f"{name}.png", Request(seed=seed))
    assert Path("b.png").read_bytes() == Path("c.png").read_bytes()
    assert (pixels("b.png") != pixels("d.png")).any()


def test_an_output_png_says_what_made_it_and_keeps_what_it_said_before(here: Path):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("parameters", "a hand, Steps: 20")
    opened(picture(here / "a.png")).save("t.png", pnginfo=info)
    refine_files(["t.png"], "b.png", Request(seed=5))
    refine_files(["b.png"], "c.png", Request(seed=6, box=((6, 20, 22, 40),)))
    text = opened("c.png").text
    assert text["parameters"] == "a hand, Steps: 20"
    assert json.loads(text["handwright"])["settings"]["seed"] == 6
    assert Path("c.png").read_bytes().count(b"tEXthandwright") == 1


def test_a_png_made_from_a_jpeg_says_what_made_it(here: Path):
    opened(picture(here / "a.png")).save("a.jpg", quality=95)
    refine_files(["a.jpg"], "b.png", Request(seed=5, box=((6, 20, 22, 40),)))
    assert json.loads(opened("b.png").text["handwright"])["settings"]["seed"] == 5


def test_a_patch_laid_over_the_input_gives_the_output(here: Path):
    picture(here / "a.png", hands=2)
    entry = refine_files(["a.png"], "b.png", None, RunOptions(patches=True)).report["pictures"][0]
    assert entry["patches"] == ["b.hand-1.png", "b.hand-2.png"]
    layered = opened("a.png").convert("RGBA")
    for patch in entry["patches"]:
        layered.alpha_composite(opened(patch))
    assert (np.asarray(layered)[..., :3] == pixels("b.png")).all()


def test_names_with_spaces_quotes_and_other_scripts(here: Path):
    name = "été 手 #1 %20 'a' <b>&.png"
    picture(here / "in" / name)
    result = refine_files(["in"], "out put", None, RunOptions(report=Path("re port")))
    assert result.exit_code == 0
    assert (here / "out put" / name).is_file()
    assert all(Path("re port", hand["mask"]).is_file() for hand in result.report["pictures"][0]["hands"])


def test_only_the_named_hand_is_attempted(here: Path):
    picture(here / "a.png", hands=2)
    hands = refine_files(["a.png"], "b.png", Request(hand=(2,))).report["pictures"][0]["hands"]
    assert [hand["action"] for hand in hands] == ["skipped", "refined"]


def test_a_named_hand_that_is_not_there_is_an_error_and_nothing_is_written(here: Path):
    picture(here / "a.png", hands=2)
    absent = refine_files(["a.png"], "c.png", Request(hand=(2, 7)), RunOptions(report=Path("r")))
    assert absent.exit_code == 2
    error = absent.report["pictures"][0]["error"]
    assert error["what"] == "a.png has no hand 7"
    assert "1, 2" in error["why"]
    assert not Path("c.png").exists() and not Path("r/pictures").exists()


def test_an_output_that_cannot_be_written_is_refused_before_any_work(here: Path):
    picture(here / "a.png")
    with pytest.raises(OutputError, match=r"\.gif"):
        refine_files(["a.png"], "b.gif")
    PILImage.new("RGB", (16400, 4)).save("wide.png")
    stages: list[str] = []
    options = RunOptions(progress=lambda stage, *_: stages.append(stage))
    result = refine_files(["wide.png"], "wide.webp", None, options)
    assert result.exit_code == 2 and "find" not in stages, "WebP ends at 16383 pixels"


def test_progress_is_called_before_the_first_and_after_each_picture_and_at_stages(here: Path):
    for name in "ab":
        picture(here / f"in/{name}.png")
    calls: list[tuple[str, int, int]] = []
    refine_files(["in"], "out", None, RunOptions(progress=lambda *call: calls.append(call)))
    whole = [call for call in calls if not call[0]]
    assert whole == [("", 0, 2), ("", 1, 2), ("", 2, 2)]
    assert ("find", 0, 2) in calls and ("find", 1, 2) in calls


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (Request(painter="oil"), UsageError),
        (Request(seed=-1), UsageError),
        (Request(candidates=0), UsageError),
        (Request(box=((5, 5, 5, 9),)), UsageError),
        (Request(hand=(0,)), UsageError),
        (Request(budget=-1.0), UsageError),
        (Request(mask=Path("gone.png")), HandsFileError),
        (Request(hands=Path("gone.json")), HandsFileError),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(
    here: Path, request_: Request, error: type[Exception]
):
    picture(here / "a.png")
    with pytest.raises(error):
        refine_files(["a.png"], "b.png", request_)
    assert sorted(files(here)) == ["a.png"]


def test_a_mask_belongs_to_one_picture_and_has_its_size(here: Path):
    picture(here / "a.png")
    picture(here / "c.png")
    PILImage.new("L", (3, 3), 255).save("m.png")
    with pytest.raises(UsageError, match="one picture"):
        refine_files(["a.png", "c.png"], "out", Request(mask=Path("m.png")))
    result = refine_files(["a.png"], "b.png", Request(mask=Path("m.png")))
    assert "3 × 3" in result.report["pictures"][0]["error"]["what"]
    assert result.exit_code == 2


def test_a_box_outside_the_picture_is_an_error_and_one_across_its_edge_is_cut(here: Path):
    picture(here / "a.png")
    outside = refine_files(["a.png"], "b.png", Request(box=((500, 0, 600, 9),)))
    assert "outside the picture" in outside.report["pictures"][0]["error"]["what"]
    across = refine_files(["a.png"], "b.png", Request(box=((-5, 10, 30, 40),)))
    assert across.report["pictures"][0]["hands"][0]["bbox_xyxy_px"] == [0, 10, 30, 40]


def test_a_killed_worker_costs_one_picture(here: Path):
    for number in range(3):
        picture(here / f"in/{number}.png", corner=fakes.KILLS if number == 1 else (1, 2, 3))
    options = RunOptions(workers=2, open_engine=fakes.open_fake_engine)
    result = refine_files(["in"], "out", None, options)
    assert [entry["status"] for entry in result.report["pictures"]] == ["refined", "failed", "refined"]
    assert "killed" in result.report["pictures"][1]["error"]["what"]
