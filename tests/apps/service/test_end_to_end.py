"""A real worker: the same answers and the same bytes as the command line's."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image as PILImage
from starlette.testclient import TestClient

from handwright.apps.cli.main import run
from handwright.apps.service.app import create_app
from handwright.apps.service.settings import ServiceSettings
from handwright.data.hands import render_one_hand
from handwright.hand.defects import Defect
from handwright.perception.body.pose_file import openpose_json
from handwright.workflow import Request, RunOptions, refine_files
from tests.two_stage.poses import CANVAS, arrays, pose_of_array

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def service():
    with TestClient(create_app(ServiceSettings(max_pixels=100_000, rate_per_minute=0))) as client:
        yield client


@pytest.fixture(scope="module")
def picture():
    data = io.BytesIO()
    PILImage.fromarray(render_one_hand(9, 256, Defect.EXTRA).pixels).save(data, "PNG")
    return data.getvalue()


def ask(service, kind, picture, **options):
    form = {"files": {"picture": picture}, "data": {"options": json.dumps(options)}}
    return service.post(f"/v1/{kind}?wait=120", **form).json()


def test_a_repair_has_the_bytes_of_the_command_line(service, picture, tmp_path, monkeypatch):
    job = ask(service, "refine", picture, hand=[1], seed=4)
    assert job["status"] == "done", job["error"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input.png").write_bytes(picture)
    here = refine_files(["input.png"], "output.png", Request(hand=[1], seed=4), RunOptions())
    assert service.get(job["files"]["output.png"]).content == (tmp_path / "output.png").read_bytes()
    hands = [
        [hand["action"] for hand in report["pictures"][0]["hands"]] for report in (job["result"], here.report)
    ]
    assert hands[0] == hands[1] == ["refined"]


def test_a_review_and_hands_come_as_the_command_line_has_them(service, picture):
    review = ask(service, "review", picture)["result"]
    assert review["pictures"][0]["path"] == "input.png"
    assert review["pictures"][0]["verdict"] in ("fail", "unsure", "pass")
    hands = ask(service, "hands", picture)
    assert "hands/input.hands.json" in hands["files"]
    assert len(service.get(hands["files"]["hands/input.hands.json"]).json()["hands"]) == 1


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"no picture", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "cannot read"),
        ("large", "more than the limit of 100000"),
        ("cut", "damaged or cut off"),
    ],
)
def test_hostile_pictures_fail_in_one_line_and_the_worker_lives(service, picture, bad, words):
    if bad == "large":
        data = io.BytesIO()
        PILImage.new("L", (400, 300)).save(data, "PNG")
        bad = data.getvalue()
    elif bad == "cut":
        bad = picture[: len(picture) // 2]
    job = ask(service, "refine", bad)
    assert job["status"] == "failed"
    assert words in " ".join(job["error"].values())
    assert service.app.state.queue.restarts == 0


@pytest.mark.parametrize("given", ["text", "pose", "both, two of them"])
def test_a_generation_has_the_bytes_and_the_json_of_the_command_line(
    service, given, tmp_path, monkeypatch, capsys
):
    pytest.importorskip("anny")
    pose = openpose_json(pose_of_array(arrays()), CANVAS, CANVAS)
    body = {"options": {"seed": 3, "side": 160, "attempts": 1}}
    command = ["generate", "--seed", "3", "--side", "160", "--attempts", "1", "--report", "report", "--json"]
    if given != "pose":
        pytest.importorskip("torch")
        body["text"] = "a man waving with his left hand"
        command += ["--prompt", body["text"]]
    if given != "text":
        body["pose"] = pose
        (tmp_path / "pose.json").write_text(json.dumps(pose))
        command += ["--pose", "pose.json"]
    if "two" in given:
        body["options"]["n"] = 2
        command += ["--n", "2"]
    monkeypatch.chdir(tmp_path)
    code = run([*command, "-o", "output" if "two" in given else "output.png"])
    here = json.loads(capsys.readouterr().out)
    job = service.post("/v1/generate?wait=300", json=body).json()
    assert job["status"] == "done", job["error"]
    assert job["result"]["exit_code"] == code in (0, 1)
    assert timeless(job["result"]) == timeless(here)
    assert len(here["pictures"]) == (2 if "two" in given else 1)
    for name in [picture["output"] for picture in here["pictures"]] + ["report/0000/skeleton.png"]:
        assert service.get(job["files"][name]).content == (tmp_path / name).read_bytes()
    assert {"report/report.json", "report/index.html", "report/0000/pose.json"} <= set(job["files"])


@pytest.mark.parametrize(
    ("pose", "words"),
    [
        ({}, "neither people nor annotations"),
        ({"people": [{"pose_keypoints_2d": [1e308] * 75}], "canvas_width": 1e400}, "far outside"),
        ([[]], "no pose file"),
        ({"handwright_body": 1}, "lacks 'betas'"),
    ],
)
def test_hostile_poses_fail_in_one_line_and_the_worker_lives(service, pose, words):
    sent = json.dumps({"text": "a man", "pose": pose, "options": {"side": 160}})
    answer = service.post("/v1/generate?wait=120", content=sent, headers={"content-type": "application/json"})
    job = answer.json()
    assert (answer.status_code, job["status"]) == (422, "failed")
    assert words in " ".join(job["error"].values())
    assert "internal error" not in job["error"]["why"]
    assert service.app.state.queue.restarts == 0


def timeless(report):
    """A report without the seconds that things took."""
    if isinstance(report, dict):
        return {name: timeless(value) for name, value in report.items() if name != "seconds"}
    return [timeless(value) for value in report] if isinstance(report, list) else report
