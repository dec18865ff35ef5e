from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from handwright.workflow import Request, RunOptions, refine_files
from tests.workflow.fakes import HOLDS, picture

ROOT = Path(__file__).parents[3]
HOLDING_RUN = """
import sys
from functools import partial
from pathlib import Path
from tests.workflow import fakes
from handwright.workflow import RunOptions, refine_files

if __name__ == "__main__":
    fakes.install()
    holding = partial(fakes.open_fake_engine, holds=True)
    options = RunOptions(report=Path(sys.argv[1]), workers=int(sys.argv[2]), open_engine=holding)
    refine_files(["in"], sys.argv[3], None, options)
"""


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def resumed(result) -> list[bool]:
    return [outcome.resumed for outcome in result.outcomes]


def test_a_second_run_does_nothing_again(here: Path):
    for number in range(3):
        picture(here / f"in/{number}.png", hands=number)
    for options in (RunOptions(), RunOptions(report=Path("r"))):
        out = "with" if options.report else "without"
        first = refine_files(["in"], out, None, options)
        stamps = {path: path.stat().st_mtime_ns for path in Path(out).iterdir()}
        second = refine_files(["in"], out, None, options)
        assert resumed(first) == [False] * 3
        assert resumed(second) == [True] * 3
        assert stamps == {path: path.stat().st_mtime_ns for path in Path(out).iterdir()}
        assert first.report == second.report


def test_what_changed_is_done_again(here: Path):
    picture(here / "a.png")
    options = RunOptions(report=Path("r"))

    def again(request: Request | None = None) -> bool:
        return not resumed(refine_files(["a.png"], "b.png", request, options))[0]

    assert again()
    assert not again()
    assert again(Request(seed=1))
    assert not again(Request(seed=1))
    picture(here / "a.png", hands=2)
    assert again(Request(seed=1))
    next(Path("r/pictures").rglob("*mask.png")).unlink()
    assert again(Request(seed=1))
    Path("b.png").unlink()
    assert again(Request(seed=1))
    assert not again(Request(seed=1))


def test_a_file_of_the_user_is_never_overwritten_unasked(here: Path):
    picture(here / "a.png")
    Path("b.png").write_bytes(b"mine")
    result = refine_files(["a.png"], "b.png")
    assert "not written by handwright" in result.report["pictures"][0]["error"]["what"]
    assert Path("b.png").read_bytes() == b"mine"
    assert refine_files(["a.png"], "b.png", None, RunOptions(force=True)).exit_code == 0
    Path("b.png").write_bytes(b"mine again")
    assert refine_files(["a.png"], "b.png", Request(seed=3)).exit_code == 2
    assert Path("b.png").read_bytes() == b"mine again"


def test_the_input_is_overwritten_only_when_forced_and_is_not_refined_twice(here: Path):
    before = picture(here / "a.png").read_bytes()
    assert "input itself" in refine_files(["a.png"], "a.png").report["pictures"][0]["error"]["what"]
    assert "input itself" in refine_files([here], here).report["pictures"][0]["error"]["what"]
    assert Path("a.png").read_bytes() == before
    refine_files(["a.png"], "a.png", None, RunOptions(force=True))
    refined = Path("a.png").read_bytes()
    assert refined != before
    assert resumed(refine_files(["a.png"], "a.png")) == [True]
    assert Path("a.png").read_bytes() == refined


def test_a_failed_write_leaves_the_file_of_the_last_run(here: Path, monkeypatch):
    from handwright.errors import OutputError

    def full(*_, **__):
        raise OutputError("the disk is full")

    picture(here / "a.png")
    refine_files(["a.png"], "b.png")
    before = Path("b.png").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("handwright.workflow.run.deliver.save_image", full)
        assert refine_files(["a.png"], "b.png", Request(seed=2)).exit_code == 2
    assert Path("b.png").read_bytes() == before
    assert refine_files(["a.png"], "b.png", Request(seed=2)).exit_code == 0


def test_a_killed_run_leaves_whole_files_and_goes_on_to_the_same_bytes(here: Path):
    for number in range(6):
        picture(here / f"in/{number}.png", corner=(10, 20, 30) if number < 3 else HOLDS)
    fresh = RunOptions(report=Path("r-fresh"))
    refine_files(["in"], "fresh", None, fresh)
    for workers in (1, 2):
        out, report = here / f"out{workers}", here / f"r{workers}"
        command = [sys.executable, "-c", HOLDING_RUN, report.name, str(workers), out.name]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as run:
            until(lambda folder=out, run=run: len(list(folder.glob("*.png"))) == 3 or run.poll() is not None)
            assert run.poll() is None
            run.send_signal(signal.SIGKILL)
            run.communicate(timeout=60)  # its workers hold the other end: a file that they write stays
        left = {name: data for name, data in files(out).items() if not name.endswith(".part")}
        assert sorted(left) == ["0.png", "1.png", "2.png"]
        assert all(files(here / "fresh")[name] == data for name, data in left.items())
        (out / ".5.png.00ff00ff00ff.part").write_bytes(b"half")
        (report / "records" / ".5.png.json.00ff00ff00ff.part").write_bytes(b"half")
        result = refine_files(["in"], out.name, None, RunOptions(report=report))
        assert result.exit_code == 0
        assert sum(resumed(result)) >= 1
        assert files(out) == files(here / "fresh")
        assert not list(report.rglob("*.part"))
        assert files(report / "pictures") == files(here / "r-fresh" / "pictures")


def test_a_run_killed_while_it_wrote_is_swept_and_done_again(here: Path):
    from handwright.workflow.files import cache_folder
    from handwright.workflow.jobs import Job
    from handwright.workflow.run.ledger import Ledger

    source = picture(here / "a.png")
    job = Job(source, source.relative_to(here), Path("b.png"))  # pyright: ignore[reportArgumentType]
    claim = Ledger("any", cache_folder()).claimed(job)
    claim.__enter__()
    Path("b.png").write_bytes(b"an older whole file")
    Path(".b.png.0123456789ab.part").write_bytes(b"half a file")
    assert refine_files(["a.png"], "b.png").exit_code == 0
    assert sorted(path.name for path in here.iterdir()) == ["a.png", "b.png"]


def until(condition, seconds: float = 600.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "took too long"
        time.sleep(0.02)
