from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.apps.cli.main import main
from handwright.workflow.report.document import SCHEMA_FILE
from tests.workflow import fakes
from tests.workflow.fakes import heic_picture, opened, picture


@pytest.fixture
def cli(here: Path, capfd: pytest.CaptureFixture[str]):
    """Run the command line in this process: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        captured = capfd.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return run


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


MOST_MODULES = 450
"""A share of them is Python's own; each that is added makes the help slower on any machine."""


def test_help_loads_few_modules_and_nothing_heavy():
    heavy = ("numpy", "numba", "cv2", "mediapipe", "PIL", "jaxtyping")
    code = f"""
import sys
from handwright.apps.cli import main
try:
    main(["refine", "--help"])
except SystemExit:
    assert len(sys.modules) <= {MOST_MODULES}, len(sys.modules)
    sys.exit(str([name for name in {heavy} if name in sys.modules] or ""))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
    assert "--candidates" in done.stdout


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, handwright; sys.exit(str([m for m in ('numpy', 'typer') if m in sys.modules] or ''))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr.strip() == ""


def test_refine_writes_the_picture_and_a_line_about_it(cli):
    picture(Path("a.png"), hands=2)
    code, out, err = cli("refine", "a.png", "-o", "b.png", "--report", "r")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "a.png → b.png: hand 1 refined, hand 2 refined",
        "in all: 2 hands: 2 refined",
        f"report: {Path('r/index.html')}",
    ]
    assert Path("b.png").is_file()
    assert "done before" in cli("refine", "a.png", "-o", "b.png", "--report", "r")[1]


def test_json_stands_alone_on_stdout_and_obeys_the_schema(cli):
    picture(Path("in/a.png"))
    Path("in/b.png").write_bytes(b"")
    code, out, err = cli("refine", "in", "-o", "out", "--json")
    assert code == 2
    report = json.loads(out)
    jsonschema.validate(report, json.loads(SCHEMA_FILE.read_text()))
    assert [entry["status"] for entry in report["pictures"]] == ["refined", "failed"]
    assert len(err.splitlines()) == 1


def test_no_hand_is_no_error(cli):
    picture(Path("a.png"), hands=0)
    code, out, err = cli("refine", "a.png", "-o", "b.png")
    assert (code, err) == (0, "")
    assert "no hand found" in out
    assert "went through unchanged" in out


def test_when_nothing_was_attempted_a_line_shows_what_to_do(cli):
    picture(Path("a.png"), corner=fakes.PUZZLES)
    code, out, err = cli("refine", "a.png", "-o", "b.png")
    assert (code, err) == (0, "")
    assert out.splitlines()[1] == (
        "no hand failed the review, so none was attempted (the network that judges hands is not "
        "installed, and geometry alone fails few): --unsure attempts the 1 that it cannot tell, "
        "--all attempts every hand"
    )
    for option in ("--unsure", "--all"):
        shown = cli("refine", "a.png", "-o", f"{option}.png", option)[1]
        assert "hand 1 refined" in shown and "none was attempted" not in shown


def test_a_hand_that_still_fails_makes_the_exit_code_1(cli):
    picture(Path("a.png"))
    code, out, err = cli("refine", "a.png", "-o", "b.png", "--seed", "666")
    assert (code, err) == (1, "")
    assert "hand 1 put back (" in out
    assert out.splitlines()[-1] == "in all: 1 hand: 1 put back; exit code 1: 1 still fails the review"
    picture(Path("c.png"), corner=fakes.PUZZLES)
    assert cli("refine", "c.png", "-o", "d.png", "--fail-on", "unsure")[0] == 1


def test_a_hand_that_nobody_could_read_is_shown_and_makes_the_exit_code_1(cli):
    picture(Path("a.png"), hands=0, corner=fakes.MANGLED)
    code, out, err = cli("refine", "a.png", "-o", "b.png")
    assert (code, err) == (1, "")
    assert "hand 1 left as it was (its joints cannot be made out)" in out
    assert out.splitlines()[1:] == [
        "no hand that fails the review could be made out, so none was attempted",
        "in all: 1 hand: 1 left as it was; exit code 1: 1 still fails the review",
    ]


def test_another_candidate_can_be_picked(cli):
    picture(Path("a.png"), hands=2)
    cli("refine", "a.png", "-o", "b.png", "--report", "r", "--candidates", "3")
    code, out, err = cli("refine", "--from", "r/report.json", "--hand", "2", "--pick", "3", "-o", "c.png")
    assert (code, err) == (0, "")
    assert "hand 2 is now candidate 3" in out
    assert Path("c.png").read_bytes() != Path("b.png").read_bytes()


BAD_USAGE = {
    "unknown command": ("mend", "a.png"),
    "unknown option": ("refine", "a.png", "--oops"),
    "no output": ("refine", "a.png"),
    "no input": ("refine", "-o", "b.png"),
    "unknown painter": ("refine", "a.png", "-o", "b.png", "--painter", "oil"),
    "seed that is no number": ("refine", "a.png", "-o", "b.png", "--seed", "seven"),
    "seed out of range": ("refine", "a.png", "-o", "b.png", "--seed", "-1"),
    "negative budget": ("refine", "a.png", "-o", "b.png", "--budget", "-1"),
    "fail on what is no verdict": ("refine", "a.png", "-o", "b.png", "--fail-on", "pass"),
    "no candidates": ("refine", "a.png", "-o", "b.png", "--candidates", "0"),
    "box of three": ("refine", "a.png", "-o", "b.png", "--box", "1,2,3"),
    "box of words": ("refine", "a.png", "-o", "b.png", "--box", "a,b,c,d"),
    "box that is not finite": ("refine", "a.png", "-o", "b.png", "--box", "0,0,inf,nan"),
    "box inside out": ("refine", "a.png", "-o", "b.png", "--box", "9,9,1,1"),
    "box outside": ("refine", "a.png", "-o", "b.png", "--box", "900,900,990,990"),
    "no workers": ("refine", "a.png", "-o", "b.png", "--workers", "0"),
    "hand zero": ("refine", "a.png", "-o", "b.png", "--hand", "0"),
    "hands file missing": ("refine", "a.png", "-o", "b.png", "--hands", "gone.json"),
    "mask missing": ("refine", "a.png", "-o", "b.png", "--mask", "gone.png"),
    "mask of another size": ("refine", "a.png", "-o", "b.png", "--mask", "small.png"),
    "mask that is no picture": ("refine", "a.png", "-o", "b.png", "--mask", "text.txt"),
    "depth of another size": ("refine", "a.png", "-o", "b.png", "--depth", "small.png"),
    "report is a file": ("refine", "a.png", "-o", "b.png", "--report", "text.txt"),
    "pick without report": ("refine", "a.png", "-o", "b.png", "--pick", "2", "--hand", "1"),
    "pick without hand": ("refine", "--from", "r", "-o", "b.png", "--pick", "2"),
    "hands into a file": ("hands", "a.png", "-o", "text.txt"),
    "output is the input": ("refine", "a.png", "-o", "a.png"),
    "output of an unknown kind": ("refine", "a.png", "-o", "b.xyz"),
    "output below a file": ("refine", "a.png", "-o", "text.txt/b.png"),
    "several into one": ("refine", "a.png", "small.png", "-o", "b.png"),
    "pattern without a match": ("refine", "*.webp", "-o", "b.png"),
}


@pytest.mark.parametrize("name", BAD_USAGE)
def test_bad_usage_is_one_line_and_exit_2(cli, name: str):
    picture(Path("a.png"))
    PILImage.new("L", (3, 3), 255).save("small.png")
    Path("text.txt").write_text("no picture")
    before = bytes_of(Path())
    code, out, err = cli(*BAD_USAGE[name])
    assert code == 2
    assert out == ""
    assert err.startswith("handwright: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert bytes_of(Path()) == before


def bad_pictures() -> dict[str, bytes]:
    whole = picture(Path("whole.png")).read_bytes()
    Path("whole.png").unlink()
    return {
        "empty.png": b"",
        "text.png": b"no picture",
        "cut.png": whole[: len(whole) // 2],
        "page.jpg": b"<html>",
    }


def test_bad_pictures_are_a_line_each_and_the_rest_is_done(cli):
    Path("in").mkdir()
    for name, data in bad_pictures().items():
        Path("in", name).write_bytes(data)
    picture(Path("in/good.png"))
    PILImage.fromarray(np.zeros((1, 1, 3), np.uint8)).save("in/one.png")
    frames = [PILImage.new("RGB", (8, 8), (k, 0, 0)) for k in (0, 200)]
    frames[0].save("in/moving.gif", save_all=True, append_images=frames[1:])
    code, out, err = cli("refine", "in", "missing.png", "-o", "out")
    assert code == 2
    assert len(out.splitlines()) == 3
    assert out.splitlines()[-1] == (
        "in all: 1 hand: 1 refined; exit code 2: 6 of 8 pictures could not be done"
    )
    assert sorted(path.name for path in Path("out").iterdir()) == ["good.png", "one.png"]
    assert all(line.startswith("handwright: cannot read ") for line in err.splitlines())
    assert len(err.splitlines()) == 6


def test_a_heic_picture_is_refined_and_written_upright_as_png(cli):
    Path("in").mkdir()
    pixels = heic_picture(Path("in/phone.heic"), orientation=6)
    code, out, err = cli("refine", "in", "-o", "out")
    assert (code, err) == (0, "")
    assert "phone.png: hand 1 refined" in out
    after = np.asarray(opened("out/phone.png"))
    changed = (after != pixels).any(-1)
    assert after.shape == pixels.shape
    assert changed.any() and not changed[:16].any()


def test_without_the_extra_a_heic_picture_is_one_line_and_the_rest_is_done(cli, monkeypatch):
    picture(Path("in/a.png"))
    heic_picture(Path("in/phone.heic"))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    code, out, err = cli("refine", "in", "-o", "out")
    assert code == 2
    (line,) = err.splitlines()
    assert "phone.heic" in line and "pip install 'handwright[heic]'" in line
    assert "a.png → out/a.png: hand 1 refined" in out.replace("in/a.png", "a.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_one_line(cli):
    picture(Path("a.png"))
    Path("locked").mkdir()
    Path("locked").chmod(stat.S_IRUSR | stat.S_IXUSR)
    code, _, err = cli("refine", "a.png", "-o", "locked/b.png")
    assert code == 2
    assert len(err.splitlines()) == 1


def test_a_bug_is_one_line_exit_70_and_a_traceback_only_when_asked_for(cli):
    picture(Path("a.png"), corner=fakes.BREAKS)
    code, _, err = cli("refine", "a.png", "-o", "b.png")
    assert code == 70
    assert len(err.splitlines()) == 1
    assert "--debug" in err
    assert "Traceback" in cli("refine", "a.png", "-o", "b.png", "--debug")[2]
    assert not Path("b.png").exists()


def test_a_bug_outside_the_pictures_is_one_line_and_exit_70(cli, monkeypatch: pytest.MonkeyPatch):
    picture(Path("a.png"))
    monkeypatch.setattr("handwright.workflow.run.batch.find_sources", lambda *_, **__: 1 / 0)
    code, _, err = cli("refine", "a.png", "-o", "b.png")
    assert code == 70
    assert len(err.splitlines()) == 1


def test_missing_models_are_one_line_and_exit_2(cli, monkeypatch: pytest.MonkeyPatch):
    from handwright.errors import MissingModelError

    def missing(**_: object):
        raise MissingModelError("The hand model is missing", "no network", "run `handwright setup`")

    monkeypatch.setattr("handwright.perception.models.download.ensure_models", missing)
    picture(Path("a.png"))
    code, _, err = cli("refine", "a.png", "-o", "b.png")
    assert code == 2
    assert err == "handwright: The hand model is missing: no network; run `handwright setup`.\n"


def test_stopping_by_hand_is_one_line(cli, monkeypatch: pytest.MonkeyPatch):
    def stop(*_: object, **__: object):
        raise KeyboardInterrupt

    monkeypatch.setattr("handwright.workflow.run.batch.find_sources", stop)
    code, _, err = cli("refine", "a.png", "-o", "b.png")
    assert code == 130
    assert "go on where it was" in err


@pytest.mark.parametrize("command", ["serve", "web"])
def test_the_service_and_the_page_refuse_a_wide_address_without_a_key(command, capsys, monkeypatch):
    monkeypatch.delenv("HANDWRIGHT_API_KEYS", raising=False)
    with pytest.raises(SystemExit) as stopped:
        main([command, "--host", "0.0.0.0"])
    assert stopped.value.code == 2
    assert "without an API key" in capsys.readouterr().err
