"""Batches: every kind of source, results as the commands make them, each once, whatever is killed."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import fsspec
import pytest

from handwright.apps.cli.main import run
from handwright.errors import OutputError, UsageError
from handwright.locks import make_held_folder, remove_left_folders
from handwright.review.checklist import PictureReview
from handwright.workflow import Request, RunOptions, refine_files
from handwright.workflow.batch import cluster
from handwright.workflow.batch.cluster import BatchOptions
from handwright.workflow.batch.items import Item, list_items, read_item
from handwright.workflow.batch.sink import Sink
from handwright.workflow.batch.summary import Summary
from handwright.workflow.batch.task import Task
from handwright.workflow.batch.worker import Worker, summary_row
from handwright.workflow.jobs import Job
from handwright.workflow.report.document import failed_entry
from handwright.workflow.run.picture import Outcome
from handwright.workflow.run.request import Plan
from tests.workflow import fakes
from tests.workflow.batch import actor
from tests.workflow.fakes import BREAKS, KILLS, open_fake_engine, picture

ROOT = Path(__file__).parents[3]


def task(sink: str, **given: object) -> Task:
    request = Request()
    plain = {"name": "refine", "run": "now", "fingerprint": "f", "open_engine": open_fake_engine}
    return Task(request=request, settings=request.as_json(), sink=sink, **{**plain, **given})


def shard(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w") as tar:
        for name in names:
            data = picture(path.parent / "one.png").read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    (path.parent / "one.png").unlink(missing_ok=True)
    return path


def test_a_folder_is_searched_and_hidden_files_and_the_sink_are_left_out(tmp_path: Path):
    for name in ("b.png", "sub/a.jpg", ".hidden/c.png", "out/pictures/b.png"):
        picture(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    items = list_items([str(tmp_path)], leave_out=str(tmp_path / "out"))
    assert [item.key for item in items] == ["b.png", "sub/a.jpg"]
    assert items[0].url == f"file://{tmp_path}/b.png"


def test_a_pattern_names_pictures_by_what_it_leaves_open(tmp_path: Path):
    for name in ("x/1.png", "y/1.png", "y/2.webp"):
        picture(tmp_path / name)
    assert [item.key for item in list_items([f"{tmp_path}/*/1.png"])] == ["x/1.png", "y/1.png"]


def test_the_members_of_a_shard_are_read_where_they_lie(tmp_path: Path):
    path = shard(tmp_path / "s-000.tar", "0001.png", "0001.json", "deep/0002.png")
    items = list_items([f"{tmp_path}/s-*.tar"])
    assert [item.key for item in items] == ["s-000/0001.png", "s-000/deep/0002.png"]
    with tarfile.open(path) as tar:
        file = tar.extractfile("deep/0002.png")
        assert file is not None
        assert read_item(items[1]) == file.read()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_manifest_names_pictures_with_their_prompts(tmp_path: Path, kind: str):
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "b.png")
    rows = [
        {"path": "in/a.png", "name": "", "prompt": "a fist"},
        {"path": str(tmp_path / "b.png"), "name": "x/second.png", "prompt": ""},
    ]
    path = tmp_path / f"list.{kind}"
    if kind == "csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    else:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(pa.Table.from_pylist(rows), path)
    first, second = list_items([str(path)])
    assert (first.key, first.prompt, second.key) == ("in/a.png", "a fist", "x/second.png")
    assert read_item(first) == (tmp_path / "in" / "a.png").read_bytes()
    assert read_item(second) == (tmp_path / "b.png").read_bytes()


def test_what_cannot_be_a_source_is_refused_in_one_line(tmp_path: Path):
    for name in ("a/1.png", "b/1.png"):
        picture(tmp_path / name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.tar").write_bytes(b"no tar" * 200)
    (tmp_path / "bad.parquet").write_bytes(b"no parquet")
    (tmp_path / "no_path.csv").write_text("name\nx\n")
    (tmp_path / "out.csv").write_text(f"path,name\n{tmp_path}/a/1.png,../../x.png\n")
    wrong = {
        f"{tmp_path}/empty": "hold no picture",
        f"{tmp_path}/nothing.png": "there is no",
        f"{tmp_path}/*.gif": "nothing matches",
        f"{tmp_path}/bad.tar": "is no tar file",
        f"{tmp_path}/bad.parquet": "cannot be read as a manifest",
        f"{tmp_path}/no_path.csv": "row 1 of .* has no path",
        f"{tmp_path}/out.csv": "leads out of a folder",
        "nonsense://x/y.png": "cannot be opened",
    }
    for source, words in wrong.items():
        with pytest.raises(UsageError, match=words):
            list_items([source])
    with pytest.raises(UsageError, match=r"would both be named 1\.png"):
        list_items([f"{tmp_path}/a/1.png", f"{tmp_path}/b/1.png"])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"task": "paint"}, "--task 'paint'"),
        ({"workers": 0}, "--workers is 0"),
        ({"fail_on": "x"}, "--fail-on"),
    ],
)
def test_options_without_sense_are_refused(given: dict[str, object], words: str):
    with pytest.raises(UsageError, match=words):
        BatchOptions(**given).check()  # type: ignore[arg-type]


def test_a_worker_makes_the_bytes_that_the_command_makes(tmp_path: Path):
    source = picture(tmp_path / "in" / "a.png", hands=2)
    refine_files([source], tmp_path / "by_command.png", options=RunOptions(open_engine=open_fake_engine))
    (item,) = list_items([str(source.parent)])
    record = Worker(task(str(tmp_path / "out"))).work(item)
    made = (tmp_path / "out/pictures/a.png").read_bytes()
    assert made == (tmp_path / "by_command.png").read_bytes()
    assert made != source.read_bytes()
    assert record["entry"]["output"] == "pictures/a.png"
    assert record["entry"]["input"] == item.url
    assert json.loads((tmp_path / "out/records/a.png.json").read_text()) == record
    assert not list((tmp_path / "out").rglob("*.0"))  # no claim is left


def test_what_is_done_is_not_done_again_unless_settings_changed_or_its_result_is_gone(tmp_path: Path):
    (item,) = list_items([str(picture(tmp_path / "a.png"))])
    out = tmp_path / "out"
    first = Worker(task(str(out), run="first")).work(item)
    assert Worker(task(str(out))).work(item) == first
    assert Worker(task(str(out), redo="everything")).work(item)["run"] == "now"
    assert Worker(task(str(out), run="third", fingerprint="other")).work(item)["run"] == "third"
    (out / "pictures/a.png").unlink()
    assert Worker(task(str(out), run="fourth", fingerprint="other")).work(item)["run"] == "fourth"
    assert (out / "pictures/a.png").is_file()


def test_pictures_that_cannot_be_worked_on_are_quarantined_with_the_reason(tmp_path: Path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    picture(tmp_path / "bug.png", corner=BREAKS)
    worker = Worker(task(str(tmp_path / "out")))
    bad, bug = (summary_row(item, worker.work(item)) for item in list_items([str(tmp_path)]))
    assert "file://" in bad["error"]
    assert "in a format that is known" in bad["error"]
    assert not bad["internal"]
    assert bug["internal"]
    missing = Item("gone.png", f"file://{tmp_path}/gone.png")
    gone = summary_row(missing, worker.work(missing))
    assert "cannot read" in gone["error"]
    summary = Summary("now")
    for row in (bad, bug):
        summary.add(row)
    assert [row[0] for row in csv.reader(io.StringIO(summary.quarantine_csv()))] == [
        "key",
        "bad.png",
        "bug.png",
    ]
    assert not list((tmp_path / "out").glob("pictures/*"))
    (tmp_path / "bad.png").write_bytes(picture(tmp_path / "good.png").read_bytes())
    (item,) = list_items([str(tmp_path / "bad.png")])
    assert Worker(task(str(tmp_path / "out"), run="later")).work(item)["error"] is not None
    assert Worker(task(str(tmp_path / "out"), run="later", redo="quarantined")).work(item)["error"] is None


def test_a_full_sink_stops_the_batch_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (item,) = list_items([str(picture(tmp_path / "a.png"))])

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    worker = Worker(task(str(tmp_path / "out")))
    rows = {name: [value] for name, value in item.row().items()}
    for name in ("write_bytes", "mkdir"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, name, full)
            (line,) = worker(rows)["stop"]
        assert "o space left on device" in line
        assert "\n" not in line
        assert not list((tmp_path / "out").glob("records/*"))
    assert worker(rows)["stop"] == [""]
    assert (tmp_path / "out/records/a.png.json").is_file()


def test_local_copies_of_a_worker_that_was_killed_are_removed_by_the_next(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "handwright-batch-killed"
    (left / "in").mkdir(parents=True)
    (left / ".lock").touch()
    living, held = make_held_folder("handwright-batch-")
    (item,) = list_items([str(picture(tmp_path / "a.png"))])
    assert Worker(task(str(tmp_path / "out"))).work(item)["error"] is None
    assert list(tmp_path.glob("handwright-batch-*")) == [living]
    held.close()
    remove_left_folders("handwright-batch-")
    assert not living.exists()


def test_no_room_for_a_local_copy_stops_the_batch_and_blames_no_picture(tmp_path: Path, monkeypatch):
    (item,) = list_items([str(picture(tmp_path / "a.png"))])
    work = Worker(task(str(tmp_path / "out"))).work
    said = r"cannot write .*: No space left on device; free some space"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def half(_: object, job: Job, plan: Plan, __: object) -> Outcome:
        error = OutputError(f"cannot write {job.output}", "No space left on device", "")
        return Outcome(failed_entry(job, plan.settings, error))

    for name, instead in (("make_held_folder", full), ("attempt", half)):
        with monkeypatch.context() as patch:
            patch.setattr(f"handwright.workflow.batch.worker.{name}", instead)
            with pytest.raises(OutputError, match=said):
                work(item)
        assert not list((tmp_path / "out").glob("records/*"))
    assert work(item)["error"] is None


def test_a_picture_at_which_workers_die_is_given_up_after_some_attempts(tmp_path: Path):
    (item,) = list_items([str(picture(tmp_path / "a.png"))])
    sink = Sink(str(tmp_path / "out"))
    assert [sink.claim("now", item.key, 2) for _ in range(3)] == [0, 1, 2]
    record = Worker(task(str(tmp_path / "out"), attempts=2)).work(item)
    assert "its worker died 2 times" in record["error"]["why"]
    assert not list((tmp_path / "out/claims").rglob("*.0"))


def test_sources_and_sinks_may_lie_in_a_store(tmp_path: Path):
    files = fsspec.filesystem("memory")
    files.pipe_file("/bucket/in/a.png", picture(tmp_path / "a.png").read_bytes())
    (item,) = list_items(["memory://bucket/in"])
    assert (item.key, item.url) == ("a.png", "memory:///bucket/in/a.png")
    Worker(task("memory://bucket/out")).work(item)
    assert files.cat_file("/bucket/out/pictures/a.png").startswith(b"\x89PNG")
    assert Worker(task("memory://bucket/out", run="later")).work(item)["run"] == "now"


def test_hands_and_reviews_are_tasks_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (item,) = list_items([str(picture(tmp_path / "deep" / "a.png"))])
    record = Worker(task(str(tmp_path / "hands"), name="hands")).work(item)
    assert record["entry"]["output"] == "pictures/a.png.hands.json"
    assert {Path(name).suffix for name in record["outputs"]} == {".json", ".png", ".glb", ".obj"}
    importlib.import_module("handwright.review.judge")  # the package has a function of that name
    seen: list[object] = []

    def review(image: object, judge: object, expected: object) -> PictureReview:
        seen.append(expected)
        return PictureReview((), 80, 64, notes=("One hand was asked for.",))

    monkeypatch.setattr(sys.modules["handwright.review.judge"], "review_picture", review)
    monkeypatch.setattr(fakes.FakeEngine, "judge", None, raising=False)
    asked = Item(item.key, item.url, prompt="her left hand in a fist")
    record = Worker(task(str(tmp_path / "review"), name="review")).work(asked)
    assert record["entry"]["path"] == "a.png"
    assert record["entry"]["verdict"] == "unsure"
    assert seen[0].hands[0].side == "left"  # type: ignore[attr-defined]


def test_the_summary_keeps_the_worst_hundred(tmp_path: Path):
    del tmp_path
    summary = Summary("now")
    for k in range(300):
        row = {
            "key": f"{k:03}",
            "pictures": 1,
            "error": "",
            "run": "now",
            "hands": 3,
            "refined": 0,
            "seconds": 1.0,
            "output": "",
        }
        summary.add({**row, "fail": 2 if k == 299 else k % 3, "unsure": int(k == 299)})
    assert len(summary.worst) == 100
    assert summary.worst[0]["key"] == "299"
    assert {one["fail"] for one in summary.worst} == {2}
    assert (summary.counts["hands"], summary.seconds) == (900, 300.0)
    assert "<td>299</td>" in summary.page("review")


def test_the_command_says_in_one_line_what_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    for arguments in (["batch", str(tmp_path)], ["batch", str(tmp_path), "-o", str(tmp_path / "out")]):
        assert run(arguments) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.count("\n") == 1


def _workers(driver: int) -> list[int]:
    """Processes of a driver's session that are actors."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                name = (entry / "cmdline").read_bytes().decode(errors="replace")
                environment = (entry / "environ").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if name.startswith("ray::MapWorker") and f"HANDWRIGHT_TEST_DRIVER={driver}" in environment:
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize(("gpus", "there", "seen"), [("1", "1", "0"), ("0.5", "0", None)])
def test_a_worker_gets_its_gpu_and_is_not_waited_for_where_there_is_none(
    tmp_path: Path, gpus: str, there: str, seen: str | None
):
    picture(tmp_path / "in" / "one.png")
    place = tmp_path / "seen"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "CUDA_VISIBLE_DEVICES": "0"}
    done = subprocess.run(
        [sys.executable, "-m", actor.__name__, str(tmp_path / "in"), str(tmp_path / "out"), gpus, there],
        env={**environment, "HANDWRIGHT_TEST_DRIVER": "gpu", "HANDWRIGHT_TEST_SEEN": str(place)},
        cwd=tmp_path, text=True, capture_output=True, timeout=300,
    )  # fmt: skip
    if seen is None:
        assert "the cluster has no 0.5 GPU" in done.stderr
        assert "logging.cc" not in done.stderr
        assert not place.exists()
    else:
        assert done.returncode == 0, done.stderr
        assert place.read_text() == seen


@pytest.mark.parametrize("gpus", [-1.0, 1.5])
def test_no_worker_has_such_a_part_of_a_gpu(gpus: float):
    with pytest.raises(UsageError, match="--gpus"):
        BatchOptions(gpus=gpus).check()


def test_a_cluster_that_does_not_start_is_said_in_one_line(tmp_path: Path, monkeypatch, capsys):
    import ray

    asked: list[object] = []

    def starting(address: str, **_: object) -> None:
        asked.append(address)
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", starting)
    picture(tmp_path / "in" / "one.png")
    assert run(["batch", str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert line.startswith("handwright: Ray did not start: The current node timed out")
    assert run(["batch", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--address", "127.0.0.1:1"]) == 2
    assert "there is no cluster at 127.0.0.1:1" in capsys.readouterr().err
    assert asked == ["local", "127.0.0.1:1"]  # without an address Ray joins any cluster of this machine


@pytest.mark.parametrize("interrupts", [signal.default_int_handler, signal.SIG_IGN])
def test_a_batch_whose_workers_hang_ends_in_one_line(tmp_path: Path, monkeypatch, capsys, interrupts: object):
    """Ray waits for ever for a worker that spins in native code: here, no result comes at all.

    A script's shell lets what it starts in the background ignore SIGINT.
    """
    picture(tmp_path / "in" / "one.png")
    before = signal.signal(signal.SIGINT, interrupts)

    def hang(*_: object):
        time.sleep(60)
        yield from ()

    with monkeypatch.context() as patched:
        patched.setattr(cluster, "_START_S", 0.3)
        patched.setattr(cluster, "_results", hang)
        patched.setattr(cluster, "_cluster", lambda _: nullcontext())
        began = time.monotonic()
        assert run(["batch", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--max-seconds", "0.1"]) == 2
    assert signal.signal(signal.SIGINT, before) == interrupts
    assert 1.2 <= time.monotonic() - began < 20
    (line,) = capsys.readouterr().err.splitlines()[-1:]
    assert "no picture was ended in 1.2 seconds: a worker hangs" in line
    assert not (tmp_path / "out" / "report.json").exists()


@pytest.mark.parametrize(
    ("count", "pictures", "workers", "in_a_block"),
    [(1, 1, 1, 1), (3, 1, 2, 2), (100, 1, 2, 9), (16, 250, 2, 8 * 250)],
)
def test_a_batch_is_given_the_time_of_all_attempts_at_a_block(
    count: int, pictures: int, workers: int, in_a_block: int
):
    items = [Item(str(k), str(k), pictures=pictures) for k in range(count)]
    options = BatchOptions(workers=workers, max_seconds=7.0, attempts=3)
    expected = 3 * (in_a_block * 7.0 + cluster._START_S)
    assert cluster.silence_s(items, options) == pytest.approx(expected)


def test_the_watch_leaves_a_batch_alone_whose_results_come():
    with cluster._Watch(0.4) as watch:
        for _ in range(6):
            time.sleep(0.15)
            watch.look()
    time.sleep(0.6)  # nothing interrupts what comes later


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_worker_and_driver_are_killed_and_every_result_is_there_once(tmp_path: Path):
    """Twenty pictures: one ends its worker, one is no picture; a worker and then the driver get kill -9."""
    for k in range(18):
        picture(tmp_path / "in" / f"{k:02}.png", hands=1 + k % 2)
    picture(tmp_path / "in" / "killer.png", corner=KILLS)
    (tmp_path / "in" / "text.png").write_text("no picture")
    out = tmp_path / "out"
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": paths, "HANDWRIGHT_CACHE": str(tmp_path / "cache")}

    def start(number: int) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", actor.__name__, str(tmp_path / "in"), str(out)],
            env={**environment, "HANDWRIGHT_TEST_DRIVER": str(number)}, cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def wait_for(driver: subprocess.Popen[str], count: int) -> None:
        deadline = time.monotonic() + 240
        while len(list(out.glob("records/*.json"))) < count:
            assert driver.poll() is None, driver.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    first = start(1)
    wait_for(first, 3)
    os.kill(_workers(1)[0], signal.SIGKILL)
    wait_for(first, 8)
    first.kill()
    first.communicate()
    before = {path.name: json.loads(path.read_text())["run"] for path in out.glob("records/*.json")}
    (out / "pictures" / ".00.png.0123456789ab.part").write_bytes(b"half")
    second = start(2)
    printed, errors = second.communicate(timeout=300)
    assert second.returncode == 0, errors
    assert "Traceback" not in errors
    counts = json.loads(printed)
    assert (counts["pictures"], counts["quarantined"], counts["exit_code"]) == (20, 2, 2)
    assert counts["done_before"] >= 8
    records = {path.name: json.loads(path.read_text()) for path in out.glob("records/*.json")}
    assert len(records) == 20
    assert all(records[name]["run"] == run for name, run in before.items())  # nothing was done twice
    assert "its worker died 2 times" in records["killer.png.json"]["error"]["why"]
    for k in range(18):
        refine_files(
            [tmp_path / "in" / f"{k:02}.png"], tmp_path / "one.png",
            options=RunOptions(open_engine=open_fake_engine, force=True),
        )  # fmt: skip
        assert (out / f"pictures/{k:02}.png").read_bytes() == (tmp_path / "one.png").read_bytes()
    assert {path.name for path in out.iterdir()} == {
        "pictures", "records", "batch.json", "report.json", "quarantine.csv", "index.html",
    }  # fmt: skip
    assert not list(out.rglob("*.part"))
