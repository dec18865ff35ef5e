"""The service as a client sees it."""

from __future__ import annotations

import base64
import json

import pytest
from starlette.testclient import TestClient

from handwright.apps.cli.main import run
from handwright.apps.service import queue as queue_module
from handwright.apps.service.app import create_app
from handwright.apps.service.bodies import checked
from handwright.apps.service.settings import ServiceSettings
from handwright.errors import UsageError
from tests.apps.service import fakes

KEY = "a-key-that-is-long-enough"


@pytest.fixture
def client(monkeypatch):
    """A function that opens a client of a service with bounds."""
    monkeypatch.setattr(queue_module, "work_until_closed", fakes.act)
    opened = []

    def open_client(**bounds):
        opened.append(TestClient(create_app(ServiceSettings(**bounds))).__enter__())
        return opened[-1]

    yield open_client
    for one in opened:
        one.__exit__(None, None, None)


def form(picture=b"x", options=None, **more):
    return {"files": {"picture": picture}, "data": {"options": json.dumps(options or {})}, **more}


def body(picture=b"x", **more):
    return {"picture": base64.b64encode(picture).decode(), **more}


@pytest.mark.parametrize("kind", ["review", "refine", "hands"])
def test_a_picture_becomes_a_job_with_a_result_and_files(client, kind):
    asked = client().post(f"/v1/{kind}?wait=20", **form(b"abc"))
    assert asked.status_code == 200
    job = asked.json()
    assert (job["status"], job["kind"], job["result"]["kind"]) == ("done", kind, kind)
    assert asked.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["files"] == {"output.png": f"/v1/jobs/{job['id']}/files/output.png"}


def test_json_with_base64_does_the_same(client):
    service = client()
    options = {"seed": 3, "box": [1, 2, 30, 40], "hand": [1, 2], "all": True, "painter": "draw"}
    job = service.post("/v1/refine?wait=20", json=body(b"abc", options=options)).json()
    seen = job["result"]["options"]
    assert seen == {"seed": 3, "box": [[1, 2, 30, 40]], "hand": [1, 2], "all": True, "painter": "draw"}
    file = service.get(job["files"]["output.png"])
    assert (file.content, file.headers["content-type"]) == (b"mended abc", "image/png")
    data = "data:image/png;base64," + body(b"abc")["picture"]
    assert service.post("/v1/refine?wait=20", json={"picture": data}).json()["status"] == "done"


def test_without_waiting_the_job_is_asked_for_later(client):
    service = client()
    asked = service.post("/v1/review", **form(b"sleep0.3"))
    assert (asked.status_code, asked.json()["result"]) == (202, None)
    place = asked.headers["location"]
    assert service.get(f"{place}?wait=20").json()["status"] == "done"
    assert service.delete(place).json()["status"] == "done"


def test_a_job_can_be_cancelled(client):
    service = client()
    place = service.post("/v1/refine", **form(b"sleep60")).headers["location"]
    assert service.delete(place).json()["status"] == "cancelled"
    assert service.post("/v1/refine?wait=20", **form()).json()["status"] == "done"


def test_events_tell_every_stage_until_the_end(client):
    service = client()
    place = service.post("/v1/refine", **form(b"sleep1.5")).headers["location"]
    with service.stream("GET", f"{place}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
    states = [json.loads(line[6:]) for line in lines]
    assert states[-1]["status"] == "done"
    assert "find" in [state["stage"] for state in states]


def test_a_bad_picture_fails_its_job_with_the_reason(client):
    service = client()
    answer = service.post("/v1/review?wait=20", **form(b"bad"))
    job = answer.json()
    assert answer.status_code == 422
    assert service.get(answer.headers["location"]).status_code == 200
    assert (job["status"], job["result"], job["files"]) == ("failed", None, {})
    assert job["error"] == {"what": "cannot read it", "why": "it is bad", "fix": "send another"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"colour": 1}, "no option `colour`"),
        ({"mask": "/etc/passwd"}, "no option `mask`"),
        ({"model": "../../x"}, "no option `model`"),
        ({"seed": "7"}, "`seed` '7' is of the wrong type"),
        ({"seed": True}, "wrong type"),
        ({"seed": -1}, "seed"),
        ({"all": 1}, "wrong type"),
        ({"box": [1, 2, 3]}, "x0, y0, x1, y1"),
        ({"box": [[1, 2, 3, "4"]]}, "x0, y0, x1, y1"),
        ({"box": [30, 2, 3, 40]}, "box"),
        ({"candidates": 1000}, "more than 16"),
        ({"painter": "magic"}, "painter"),
        ({"prompt": "x" * 5000}, "longer than 4000"),
        ({"seed": [1, 2]}, "is a list"),
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_named(client, options, words):
    answer = client().post("/v1/refine", json=body(options=options))
    assert answer.status_code == 422
    assert words in answer.json()["error"]["line"]


def test_a_review_knows_what_is_generated_and_a_repair_does_not():
    assert checked("review", {"generated": True}) == {"generated": True}
    for options in ({"generated": 1}, {"generated": "yes"}):
        with pytest.raises(UsageError, match="wrong type"):
            checked("review", options)
    for kind in ("refine", "hands"):
        with pytest.raises(UsageError, match="no option `generated`"):
            checked(kind, {"generated": True})


@pytest.mark.parametrize(
    ("send", "words"),
    [
        ({"content": b"x", "headers": {"content-type": "image/png"}}, "the body is image/png"),
        ({"content": b"x"}, "no stated type"),
        ({"json": {"options": {}}}, "no picture"),
        ({"json": {"picture": 7}}, "no text"),
        ({"json": {"picture": "***"}}, "not base64"),
        ({"json": {"picture": "eA==", "path": "x"}}, "no field 'path'"),
        ({"json": {"picture": "eA==", "options": []}}, "`options` is no object"),
        ({"json": ["picture"]}, "no JSON object"),
        ({"content": b"{" * 9, "headers": {"content-type": "application/json"}}, "not JSON"),
        ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, "not JSON"),
        ({"data": {"options": "{}"}, "files": {"file": b"x"}}, "field `picture`"),
        ({"data": {"options": "{"}, "files": {"picture": b"x"}}, "`options` is not JSON"),
        ({"files": {"picture": b"x", "more": b"y"}}, "cannot be read"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, "cannot be read"),
        ({"files": {"picture": b""}}, "no picture"),
    ],
    ids=range(15),
)
def test_bodies_of_another_form_are_refused_in_one_line(client, send, words):
    answer = client().post("/v1/review", **send)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["line"]
    assert "\n" not in answer.json()["error"]["line"]


def test_too_large_a_body_is_refused_stated_or_not(client):
    service = client(max_bytes=1000)
    assert service.post("/v1/review", **form(b"x" * 2000)).status_code == 413
    parts = (b"x" * 100 for _ in range(20))
    hidden = service.post("/v1/review", content=parts, headers={"content-type": "application/json"})
    assert hidden.status_code == 413
    assert "larger than 1000 bytes" in hidden.json()["error"]["line"]
    assert service.post("/v1/review?wait=20", **form()).status_code == 200


def test_a_full_queue_says_when_to_come_again(client):
    service = client(max_queue=1)
    answers = [service.post("/v1/refine", **form(b"sleep60")) for _ in range(4)]
    assert 503 in [answer.status_code for answer in answers]
    full = next(answer for answer in answers if answer.status_code == 503)
    assert full.headers["retry-after"] == "1"
    assert "the queue is full" in full.json()["error"]["line"]


def test_without_a_key_nothing_but_health_is_answered(client):
    service = client(keys=(KEY,))
    assert service.get("/healthz").json()["status"] == "ok"
    for method, place in (("post", "/v1/review"), ("get", "/v1/jobs/x"), ("get", "/metrics")):
        for headers in ({}, {"x-api-key": "wrong"}, {"authorization": f"Basic {KEY}"}):
            answer = getattr(service, method)(place, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["what"] == "the API key is missing or wrong"
    for headers in ({"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}):
        assert service.post("/v1/review?wait=20", headers=headers, **form()).status_code == 200


def test_a_job_of_another_key_is_not_there(client):
    service = client(keys=(KEY, KEY + "2"))
    place = service.post("/v1/refine?wait=20", headers={"x-api-key": KEY}, **form()).headers["location"]
    for path in (place, f"{place}/events", f"{place}/files/output.png"):
        assert service.get(path, headers={"x-api-key": KEY}).status_code == 200
        assert service.get(path, headers={"x-api-key": KEY + "2"}).status_code == 404


@pytest.mark.parametrize("name", ["input", "../input", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "x"])
def test_only_files_of_the_result_are_read(client, name):
    service = client()
    place = service.post("/v1/refine?wait=20", **form()).headers["location"]
    assert service.get(f"{place}/files/{name}").status_code == 404


def test_who_asks_too_often_is_told_to_wait(client):
    service = client(rate_per_minute=3)
    codes = [service.get("/v1/jobs/x").status_code for _ in range(4)]
    assert codes == [404, 404, 404, 429]
    assert int(service.get("/v1/jobs/x").headers["retry-after"]) >= 15


def test_counters_count(client):
    service = client()
    service.post("/v1/refine?wait=20", **form())
    service.post("/v1/refine?wait=20", **form(b"bad"))
    service.get("/v1/jobs/x")
    page = service.get("/metrics").text
    assert 'handwright_jobs_total{kind="refine",status="done"} 1.0' in page
    assert 'handwright_jobs_total{kind="refine",status="failed"} 1.0' in page
    assert 'handwright_requests_total{route="/v1/refine",status="200"} 1.0' in page
    assert 'handwright_requests_total{route="/v1/refine",status="422"} 1.0' in page
    assert "handwright_jobs_waiting 0.0" in page


def test_a_prompt_is_planned_as_the_command_line_does(client, capsys):
    service, text = client(), "a person waving with the left hand"
    plan = service.post("/v1/generate", json={"text": text, "plan": True})
    assert run(["generate", "--plan", text, "--json"]) == 0
    assert (plan.status_code, plan.json()) == (200, json.loads(capsys.readouterr().out))


def test_a_text_and_a_pose_become_a_job(client):
    pose, options = {"people": []}, {"seed": 7, "engine": "harmonise", "start_level": 1, "n": 2}
    job = (
        client().post("/v1/generate?wait=20", json={"text": "a man", "pose": pose, "options": options}).json()
    )
    assert (job["kind"], job["status"]) == ("generate", "done")
    assert job["result"]["options"] == {**options, "text": "a man"}
    assert json.loads(job["result"]["input"]) == pose


def test_without_a_pose_the_text_decides(client):
    job = client().post("/v1/generate?wait=20", json={"text": "a man"}).json()
    assert job["result"]["input"] == ""


@pytest.mark.parametrize(
    ("send", "words"),
    [
        ({}, "nothing to generate"),
        ({"text": " "}, "nothing to generate"),
        ({"text": 7}, "`text` is no text"),
        ([], "no JSON object"),
        ({"text": "x" * 4001}, "longer than 4000"),
        ({"text": "a", "plan": 1}, "`plan` is no switch"),
        ({"plan": True}, "there is no text"),
        ({"text": "a", "plan": True, "pose": {}}, "a plan has no field 'pose'"),
        ({"text": "a", "path": "/etc/passwd"}, "no field 'path'"),
        ({"text": "a", "pose": "/etc/passwd"}, "`pose` is no object"),
        ({"text": "a", "options": []}, "`options` is no object"),
        *(
            ({"text": "a", "options": options}, words)
            for options, words in (
                ({"model": "sd15"}, "no option `model`"),
                ({"controlnet": "x"}, "no option `controlnet`"),
                ({"reference": "x.jpg"}, "no option `reference`"),
                ({"enigne": "render"}, "did you mean `engine`"),
                ({"engine": "magic"}, "`engine` 'magic' is not known"),
                ({"engine": 7}, "`engine` 7 is of the wrong type"),
                ({"blend": "magic"}, "`blend` 'magic' is not known"),
                ({"via": "magic"}, "`via` 'magic' is not known"),
                ({"mend": "magic"}, "`mend` 'magic' is not known"),
                ({"via": "base", "engine": "diffuse"}, "the picture is made via base"),
                ({"mend": "repaint"}, "the engine `render` has no network"),
                ({"seed": -1}, "`seed` is -1"),
                ({"seed": "7"}, "`seed` '7' is of the wrong type"),
                ({"side": 127}, "`side` is 127"),
                ({"side": 548}, "from 128 to 547"),
                ({"side": True}, "wrong type"),
                ({"side": 256.0}, "wrong type"),
                ({"n": 17}, "`n` is 17"),
                ({"attempts": 0}, "`attempts` is 0"),
                ({"attempts": 17}, "`attempts` is 17"),
                ({"person": -1}, "`person` is -1"),
                ({"start_level": 0}, "`start_level` is 0"),
                ({"num_inference_steps": 0}, "`num_inference_steps` is 0"),
                ({"negative_prompt": "x" * 4001}, "longer than 4000"),
            )
        ),
    ],
    ids=str,
)
def test_generations_that_make_no_sense_are_refused_in_one_line(client, send, words):
    answer = client(max_pixels=300_000).post("/v1/generate", json=send)
    assert answer.status_code == 422
    assert words in answer.json()["error"]["line"]
    assert "\n" not in answer.json()["error"]["line"]


def test_the_default_side_is_held_to_the_pixels_that_may_be(client):
    service = client(max_pixels=512 * 512 - 1)
    assert "`side` is 512" in service.post("/v1/generate", json={"text": "a"}).json()["error"]["line"]
    sent = {"text": "a", "options": {"side": 511}}
    assert service.post("/v1/generate?wait=20", json=sent).status_code == 200


def test_the_call_of_a1111_returns_the_picture(client):
    service = client()
    answer = service.post(
        "/sdapi/v1/extra-single-image", json={"image": body(b"abc")["picture"], "upscaler_1": "x"}
    )
    assert base64.b64decode(answer.json()["image"]) == b"mended abc"
    assert answer.json()["html_info"] == "hand 1 refined: a &lt; b"
    assert service.post("/sdapi/v1/extra-single-image", json={"image": 3}).status_code == 422
    bad = service.post("/sdapi/v1/extra-single-image", json={"image": body(b"bad")["picture"]})
    assert (bad.status_code, bad.json()["error"]["what"]) == (422, "cannot read it")


def test_the_description_names_every_call(client):
    paths = client().get("/openapi.json").json()["paths"]
    assert {"/v1/review", "/v1/refine", "/v1/hands", "/v1/generate", "/v1/jobs/{job_id}", "/healthz"} <= set(
        paths
    )
    assert "pose" in str(paths["/v1/generate"]["post"]["requestBody"])
    assert "attempts" in paths["/v1/generate"]["post"]["description"]
    assert "multipart/form-data" in paths["/v1/refine"]["post"]["requestBody"]["content"]
