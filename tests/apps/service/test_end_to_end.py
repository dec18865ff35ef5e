"""A real worker: the same answers and the same bytes as the command line's."""

from __future__ import annotations

import io
import json

import pytest
from PIL import Image as PILImage
from starlette.testclient import TestClient

from handwright.apps.service.app import create_app
from handwright.apps.service.settings import ServiceSettings
from handwright.data.hands import render_one_hand
from handwright.hand.defects import Defect
from handwright.workflow import Request, RunOptions, refine_files

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
    job = ask(service, "refine", picture, all=True, seed=4)
    assert job["status"] == "done", job["error"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input.png").write_bytes(picture)
    here = refine_files(["input.png"], "output.png", Request(all=True, seed=4), RunOptions())
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
