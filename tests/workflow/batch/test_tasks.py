"""Generate, evaluate and synth in a batch: what the commands of these names make, and what is refused."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handwright.data.synthesise import synthesise
from handwright.errors import DataError, HandwrightError, UsageError
from handwright.image import write_png
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.pose_file import openpose_json
from handwright.two_stage.settings import TwoStageSettings
from handwright.workflow import Request
from handwright.workflow.batch.cluster import BatchOptions, run_batch
from handwright.workflow.batch.items import Item
from handwright.workflow.batch.kinds import KINDS
from handwright.workflow.batch.sink import Sink
from handwright.workflow.batch.summary import Summary
from handwright.workflow.batch.task import Finished, Task, TaskName, read_values, switch, whole
from handwright.workflow.batch.worker import Worker, summary_row
from handwright.workflow.evaluation import evaluate
from handwright.workflow.generate.generation import Generation, generate_from_pose
from tests.two_stage.poses import CANVAS, arrays, pose_of_array
from tests.workflow.generate.test_generation import FakeEngine, FakeEstimator, FakeReviewer

ROOT = Path(__file__).parents[3]


def task(name: TaskName, sink: Path, request: Request | None = None, **values: Any) -> Task:
    request = request or Request()
    given = read_values(KINDS[name].values, values, "--set")
    return Task(
        name=name,
        request=request,
        settings=request.as_json(),
        fingerprint=request.fingerprint(name),
        sink=str(sink),
        run="now",
        values=given,
    )


def work(asked: Task, sources: Sequence[str | Path]) -> tuple[list[Item], list[dict[str, Any]]]:
    """What a batch does, in this process: the items, and the summary's rows."""
    items = KINDS[asked.name].items([str(source) for source in sources], asked)
    worker = Worker(asked)
    rows = [
        {name: values[0] for name, values in worker({"item": [item.row()["item"]]}).items()} for item in items
    ]
    return items, rows


def finish(asked: Task, items: Sequence[Item]) -> Finished:
    end = KINDS[asked.name].finish
    assert end is not None
    return end(asked, Sink(asked.sink), items)


# --- generate


@pytest.fixture
def fake_models(monkeypatch: pytest.MonkeyPatch) -> list[TwoStageSettings]:
    """The models of ``handwright generate`` replaced where the command and a batch open them."""
    opened: list[TwoStageSettings] = []
    shifted = BodyPose(arrays()[:, :2] / 2, np.ones(133))

    def open_engine(settings: TwoStageSettings) -> FakeEngine:
        opened.append(settings)
        return FakeEngine()

    monkeypatch.setattr("handwright.workflow.generate.engines.open_engine", open_engine)
    monkeypatch.setattr(
        "handwright.workflow.generate.attempts.open_reviewer",
        lambda: nullcontext(FakeReviewer("pass")),
    )
    monkeypatch.setattr("handwright.perception.body.estimate.BodyEstimator", lambda: FakeEstimator(shifted))
    monkeypatch.setattr("handwright.perception.models.download.ensure_models", lambda: None)
    return opened


def pose_file(folder: Path) -> Path:
    path = folder / "poses" / "pose.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(openpose_json(pose_of_array(arrays()), CANVAS, CANVAS)))
    return path


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_row_of_prompts_makes_the_bytes_that_the_command_makes(
    tmp_path: Path, fake_models: list[TwoStageSettings], kind: str
):
    pose = pose_file(tmp_path)
    rows = [{"prompt": f"a woman, {k}", "seed": k, "pose": "poses/pose.json", "side": 256} for k in (3, 40)]
    manifest = tmp_path / f"prompts.{kind}"
    if kind == "csv":
        lines = ["prompt,seed,pose,side", *(f'"{r["prompt"]}",{r["seed"]},{r["pose"]},256' for r in rows)]
        manifest.write_text("\n".join(lines))
    else:
        manifest.write_text("\n".join(map(json.dumps, rows)))
    request = Request(strength=0.25, negative_prompt="blur")  # as --start-level and --negative give them
    items, results = work(task("generate", tmp_path / "out", request), [manifest])
    assert [item.key for item in items] == ["prompts/000000.png", "prompts/000001.png"]
    assert [row["error"] for row in results] == ["", ""]
    assert len(fake_models) == 1  # one engine for both: only words and seeds differ
    for row, item in zip(rows, items, strict=True):
        alone = tmp_path / f"alone-{row['seed']}.png"
        words = {"prompt": str(row["prompt"]), "negative": "blur"}
        settings = TwoStageSettings(**words, seed=int(row["seed"]), start_level=0.25)  # type: ignore[arg-type]
        made = generate_from_pose(Generation(output=alone, settings=settings, pose=pose, side=256))
        assert (tmp_path / "out/pictures" / item.key).read_bytes() == alone.read_bytes()
        entry = json.loads((tmp_path / f"out/records/{item.key}.json").read_text())["entry"]
        assert entry["output"] == f"pictures/{item.key}"
        (picture,) = made.report["pictures"]
        same = ("sha256", "seed", "passed", "pose", "words", "notes", "pose_error")
        assert {name: entry[name] for name in same} == {name: picture[name] for name in same}
        assert entry["settings"] == made.report["settings"]
        assert entry["hands"] == picture["review"]["hands"]


def test_each_row_has_its_own_way_and_its_own_mending(tmp_path: Path, fake_models: list[TwoStageSettings]):
    pose_file(tmp_path)
    common = {"prompt": "a woman", "pose": "poses/pose.json", "side": 256}
    rows = [{**common, "mend": "off"}, {**common, "via": "base"}, {**common, "via": "handiffuser"}]
    manifest = tmp_path / "prompts.jsonl"
    manifest.write_text("\n".join(map(json.dumps, [*rows, {**common, "via": "telepathy"}])))
    items, results = work(task("generate", tmp_path / "out"), [manifest])
    assert [bool(row["error"]) for row in results] == [False, False, False, True]
    assert "`via` 'telepathy' is not known" in results[3]["error"]
    assert [settings.mend for settings in fake_models] == ["off", "draw", "draw"]
    assert [settings.via for settings in fake_models] == ["two-stage", "base", "handiffuser"]
    entries = [
        json.loads((tmp_path / f"out/records/{item.key}.json").read_text())["entry"] for item in items[:3]
    ]
    assert [entry["settings"]["via"] for entry in entries] == ["two-stage", "base", "handiffuser"]


@pytest.mark.usefixtures("fake_models")
def test_a_changed_prompt_is_made_again_and_a_bad_row_is_quarantined(tmp_path: Path):
    pose_file(tmp_path)
    manifest = tmp_path / "prompts.jsonl"

    def rows(*prompts: str) -> None:
        common = {"pose": "poses/pose.json", "side": 256}
        lines = [{"prompt": prompt, **common} for prompt in prompts]
        manifest.write_text(
            "\n".join(map(json.dumps, [*lines, {"engine": "paint"}, {"prompt": "x", "side": 9}]))
        )

    rows("one", "two")
    _, results = work(task("generate", tmp_path / "out"), [manifest])
    assert [bool(row["error"]) for row in results] == [False, False, True, True]
    assert "nothing to generate" in results[2]["error"]
    assert "--side is 9" in results[3]["error"]
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out/pictures").rglob("*.png")}
    rows("one", "three")
    work(task("generate", tmp_path / "out"), [manifest])
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out/pictures").rglob("*.png")}
    assert [name for name in before if before[name] != after[name]] == ["000001.png"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"prompt": "x", "sead": 3}', "row 1 of .*: 'sead' is not known; this task takes prompt, seed"),
        ('{"prompt": "x", "seed": "three"}', "seed is 'three'"),
        ('{"prompt": "x", "name": "../x.png"}', "leads out of a folder"),
        ('{"prompt": "x", "name": "a"}\n{"prompt": "y", "name": "a"}', "would both be named a.png"),
        ("[1]", "a line is no object"),
        ('{"prompt": "x", "seed": 1e999}', "seed is inf"),
        ('{"prompt": ' + "[" * 100_000, "cannot be read as a manifest"),
        ("", "hold no prompt"),
    ],
)
def test_a_manifest_of_prompts_without_sense_is_refused_in_one_line(tmp_path: Path, text: str, words: str):
    path = tmp_path / "prompts.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        work(task("generate", tmp_path / "out"), [path])


# --- evaluate


def sets(folder: Path) -> tuple[Path, Path]:
    """Two sets of twelve pictures, one of which is broken, and labels of people in one of both."""
    rng = np.random.default_rng(0)
    for called in ("real", "fake"):
        (folder / called).mkdir(parents=True)
        for k in range(12):
            write_png(folder / called / f"{k:02}.png", rng.integers(0, 255, (40, 30 + k, 3), np.uint8))
            points = np.concatenate([rng.random((133, 2)) * 30, np.ones((133, 1))], 1)
            labels = {
                "people": [{"wholebody": points.tolist()}],
                "hands": [{"pose": rng.random((4, 3)).tolist()}],
            }
            (folder / called / f"{k:02}.json").write_text(json.dumps(labels))
    (folder / "fake" / "03.png").write_bytes(b"no picture")
    return folder / "real", folder / "fake"


def test_an_evaluation_has_the_numbers_of_the_command(tmp_path: Path):
    names = "kid,dap,mpjpe-body,diversity"
    pair = sets(tmp_path)
    asked = task("evaluate", tmp_path / "out", metrics=names, extractor="rand-v1", seed=3)
    items, results = work(asked, pair)
    assert [row["key"] for row in results if row["error"]] == ["fake/03"]
    finished = finish(asked, items)
    page = Summary("now").page("evaluate", KINDS["evaluate"].counted, finished.figures)
    assert "kid[rand-v1]" in page
    assert "The worst" not in page
    alone = evaluate(*pair, metrics=names.split(","), extractor="rand-v1", seed=3).to_json()
    assert len(alone["estimates"]) >= 6
    stored = json.loads((tmp_path / "out/evaluation.json").read_text())
    assert {**stored, "skipped": 0} == {**alone, "skipped": 0}
    assert [one["path"] for one in stored["skipped"]] == [one["path"] for one in alone["skipped"]]
    assert finished.exit_code == 2


def test_a_third_set_is_compared_as_the_command_does(tmp_path: Path):
    real, fake = sets(tmp_path)
    asked = task("evaluate", tmp_path / "out", metrics="kid", extractor="rand-v1")
    items, _ = work(asked, (real, fake, real))
    found = finish(asked, items).evaluation
    assert found is not None
    alone = evaluate(real, fake, versus=real, metrics=["kid"], extractor="rand-v1")
    assert found.to_json()["estimates"] == alone.to_json()["estimates"]
    assert len(found.estimates) == 2  # KID and its difference


def test_what_cannot_be_evaluated_is_refused_in_one_line(tmp_path: Path):
    real, fake = sets(tmp_path)
    wrong: list[tuple[list[Any], dict[str, str], str]] = [
        ([real], {}, "two sets of pictures"),
        (["s3://bucket/real", fake], {}, "two sets of pictures"),
        ([real, fake], {"metrics": "magic"}, "there is no metric magic"),
        ([real, fake], {"real_masks": str(real)}, "one set has masks"),
        ([real, fake], {"hands": "perhaps"}, "neither true nor false"),
        ([real, tmp_path / "*.gif"], {}, "FAKE: no picture matches"),
    ]
    for given, values, words in wrong:
        with pytest.raises(HandwrightError, match=words):
            finish(*work_first(task("evaluate", tmp_path / "out", **values), given))


def work_first(asked: Task, sources: Sequence[Any]) -> tuple[Task, list[Item]]:
    return asked, work(asked, sources)[0]


# --- synth


def test_a_shard_has_the_bytes_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in ("handwright.data.synthesise.PER_SHARD",):
        monkeypatch.setattr(module, 2)
    synthesise(tmp_path / "alone", "poses", count=5, seed=7, size=64)
    asked = task("synth", tmp_path / "out", Request(seed=7), kind="poses", size=64)
    items, results = work(asked, ["5"])
    assert [item.pictures for item in items] == [2, 2, 1]
    assert sum(row["pictures"] for row in results) == 5
    made = {path.name: path.read_bytes() for path in (tmp_path / "out/pictures").iterdir()}
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "alone").iterdir()}


def test_a_rendered_shard_has_the_bytes_of_the_command(tmp_path: Path):
    synthesise(tmp_path / "alone", "hands", count=1, seed=2, size=64)
    manifest = tmp_path / "seeds.csv"
    manifest.write_text("seed,n,name\n2,1,a\n3,1,b\n")
    work(task("synth", tmp_path / "out", size=64), [manifest])
    (shard,) = (tmp_path / "alone").glob("*.tar")
    assert (tmp_path / "out/pictures/a" / shard.name).read_bytes() == shard.read_bytes()
    other = (tmp_path / "out/pictures/b" / shard.name).read_bytes()
    assert other != shard.read_bytes()
    with tarfile.open(fileobj=io.BytesIO(other)) as tar:
        assert "00000000.depth.png" in tar.getnames()


def test_a_larger_number_replaces_the_last_shard_of_a_smaller_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("handwright.data.synthesise.PER_SHARD", 2)
    for count in ("3", "2:6"):
        asked = task("synth", tmp_path / "out", kind="poses", size=64)
        items, _ = work(asked, [count])
        removed = finish(asked, items).report["removed"]
    assert removed == ["poses-00000002-00000002.tar"]
    names = sorted(path.name for path in (tmp_path / "out/pictures").glob("*.tar"))
    assert names == [f"poses-{k:08d}-{k + 1:08d}.tar" for k in (0, 2, 4)]
    with pytest.raises(DataError, match="holds another world"):
        work(task("synth", tmp_path / "out", kind="poses", size=64, seed=1), ["3"])


@pytest.mark.parametrize(
    ("source", "values", "words"),
    [
        ("0", {}, "n is 0"),
        ("1:500", {}, "is no range of shards"),
        ("500:500", {}, "is no range of shards"),
        ("5", {"kind": "cats"}, "there is no kind 'cats'"),
        ("5", {"colour": "red"}, "--set: 'colour' is not known"),
        ("nothing.csv", {}, "there is no nothing.csv"),
    ],
)
def test_what_cannot_be_made_is_refused(tmp_path: Path, source: str, values: dict[str, Any], words: str):
    with pytest.raises(UsageError, match=words):
        work(task("synth", tmp_path / "out", **values), [source])


# --- all of them


def test_options_of_other_tasks_are_refused(tmp_path: Path):
    for name, option in (("synth", "painter"), ("evaluate", "seed"), ("generate", "box")):
        value = {"painter": "draw", "seed": 3, "box": ((0, 0, 9, 9),)}[option]
        with pytest.raises(UsageError, match=f"`{option}` has no meaning for --task {name}"):
            run_batch(["5"], str(tmp_path), Request(**{option: value}), BatchOptions(task=name))  # type: ignore[arg-type]


def by_command(*arguments: str | Path) -> str:
    """The command in a process of its own: Ray's warnings are no errors there."""
    paths = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "handwright", "batch", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=True, timeout=900,
    )  # fmt: skip
    return done.stdout


def test_a_batch_goes_on_where_it_was(tmp_path: Path):
    """On a real cluster: shards that are there count as done, one that is gone is made again."""
    asked = ("600", "-o", tmp_path, "--task", "synth", "--set", "kind=poses", "--set", "size=64")
    assert by_command(*asked).startswith("600 pictures (0 done before); 0 in quarantine")
    shard = tmp_path / "pictures" / "poses-00000250-00000499.tar"
    before = shard.read_bytes()
    shard.unlink()
    assert by_command(*asked).startswith("600 pictures (350 done before); 0 in quarantine")
    assert shard.read_bytes() == before
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["counts"]["pictures"], report["counts"]["done_before"]) == (600, 350)


def test_cells_become_values():
    assert [whole(value) for value in (3, "3", 3.0)] == [3, 3, 3]
    assert [switch(value) for value in (True, "no", "1")] == [True, False, True]
    for value in (3.5, "3.5", "x"):
        with pytest.raises(ValueError, match=r"."):
            whole(value)
    gaps = {"side": None, "seed": float("nan"), "steps": ""}
    assert read_values(dict.fromkeys(gaps, whole), gaps, "row 1") == {}
    with pytest.raises(UsageError, match="row 1 has more cells than columns"):
        read_values({"prompt": str}, {"prompt": "a woman", None: [" waving"]}, "row 1")  # type: ignore[dict-item]
    assert (
        summary_row(
            Item("a", "a", pictures=4),
            {"error": None, "run": "r", "task": "synth", "entry": {"output": None}},
        )["pictures"]
        == 4
    )
