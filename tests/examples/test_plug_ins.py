"""The worked examples of plug-ins do what they promise, with small stand-ins for what is not at hand."""

from __future__ import annotations

import base64
import importlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from handwright.data.hands import render_hands
from handwright.hand.anatomy import FINGER_BONES, SHAPE_NAMES
from handwright.hand.files.mano import MANO_FROM_OURS, to_mano
from handwright.hand.kinematics import mirror_hand_x
from handwright.hand.rig import axis_angle_matrix, load_rig
from handwright.perception.detect.search import find_hands
from handwright.perception.fit.hand_fit import picture_camera
from handwright.perception.fit.own_fitter import OwnFitter
from handwright.plug_ins import PlugIn, PlugInError
from handwright.refine.painters.own_painter import OwnPainter
from handwright.refine.settings import RefineSettings
from handwright.review.critic.own_critic import OwnCritic
from handwright.review.critic.upright_crops import OrientedSquare
from tests.drawn import Shot, flat_hand, shoot
from tests.refine.conftest import job_of, task_of

EXAMPLES = Path(__file__).parents[2] / "examples"
J0 = np.array([0.096, 0.006, 0.006])
"""Where the wrist lies in the stand-in's template, metres: not at its origin, as in MANO's."""


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch):
    """Import one of the examples."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return lambda name: importlib.import_module(f"plug_ins.{name}")


@pytest.fixture
def mano_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in MANO's layout made of our own rig: beta 0 enlarges it by 5 %, beta 1 its index finger."""
    rig, random = load_rig(), np.random.default_rng(1)
    points = random.normal(0.0, 0.05, (778, 3))
    points[:16] = rig.joints_m[:16]
    points[[744, 320, 443, 554, 671]] = rig.tips_m
    vertices = points @ MANO_FROM_OURS.T + J0
    directions = np.zeros((778, 3, 10))
    directions[..., 0] = 0.05 * (vertices - J0)
    first, *rest = FINGER_BONES[1]
    for vertex in (*rest, 320):
        directions[vertex, :, 1] = 0.1 * (vertices[vertex] - vertices[first])
    path = tmp_path / "MANO_RIGHT.npz"
    np.savez(
        path, v_template=vertices, shapedirs=directions, J_regressor=np.eye(16, 778), hands_mean=np.zeros(45)
    )
    monkeypatch.setenv("MANO_RIGHT", str(path))
    return path


def stand_in(module: Any, shot: Shot, betas: np.ndarray, crops: list[np.ndarray]):
    """The example's fitter with a network that knows the hand of the picture, and keeps the crops it sees."""
    camera = picture_camera(*shot.pixels.shape[1::-1])
    hand = shot.hand if shot.hand.side == "right" else mirror_hand_x(shot.hand, shot.pixels.shape[1])
    x0, y0, x1, y1 = shot.observation().bbox_xyxy_px
    if shot.hand.side == "left":
        x0, x1 = shot.pixels.shape[1] - x1, shot.pixels.shape[1] - x0
    side = module.PADDING * max(4 / 3 * (x1 - x0), y1 - y0)
    truth = to_mano(hand, wrist_rest_m=J0)
    depth = truth.transl[2]
    offset = (np.array([x0 + x1, y0 + y1]) / 2 - np.array(camera.center_px)) * depth / camera.focal_px
    weak = np.array([2 * camera.focal_px / (side * depth), *(truth.transl[:2] - offset)])

    class StandIn(module.HamerFitter):  # pyright: ignore[reportUntypedBaseClass]
        def predict(self, crop: Any):
            crops.append(crop)
            turn = axis_angle_matrix(truth.global_orient)
            return module.Predicted(turn, axis_angle_matrix(truth.hand_pose), betas, weak)

    return StandIn


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_mano_fitter_finds_the_hand_again_that_the_network_knows(example: Any, mano_file: Any, side: str):
    shot, crops = shoot(flat_hand(curl=0.4, side=side, at=(0.05, 0.03))), []
    fitter = stand_in(example("mano_fitter"), shot, np.zeros(10), crops)
    fit = OwnFitter(PlugIn("fitter", fitter))(shot.pixels, shot.observation())
    assert fit.hand.side == side
    assert np.abs(fit.landmarks_px - shot.landmarks_px).max() < 0.01
    assert np.abs(fit.hand.shape).max() < 1e-9
    shown = np.abs(crops[0][96:160, 96:160].astype(int).reshape(-1, 3) - (96, 128, 150)).max(1) > 20
    assert shown.mean() > 0.5, "the middle of the crop does not show the hand"
    flipped = crops[0] if side == "right" else crops[0][:, ::-1]
    assert flipped.shape == (256, 256, 3)


def test_the_mano_file_turns_betas_into_proportions(example: Any, mano_file: Any):
    shape = example("mano_fitter").ManoFile.load(mano_file).shape
    assert shape(np.eye(10)[0])[0] == pytest.approx(np.log(1.05))
    longer = shape(np.eye(10)[1])
    assert longer[SHAPE_NAMES.index("index_length")] == pytest.approx(np.log(1.1))
    assert np.count_nonzero(np.abs(longer) > 1e-9) == 1


def test_without_a_mano_file_it_is_refused_in_one_line(example: Any, monkeypatch: Any, tmp_path: Any):
    fitter = example("mano_fitter").HamerFitter
    monkeypatch.delenv("MANO_RIGHT", raising=False)
    with pytest.raises(PlugInError, match="could not be made: KeyError: 'MANO_RIGHT'"):
        PlugIn("fitter", fitter)
    np.savez(tmp_path / "bad.npz", v_template=np.array([{}], dtype=object))
    monkeypatch.setenv("MANO_RIGHT", str(tmp_path / "bad.npz"))
    with pytest.raises(PlugInError, match="allow_pickle=False"):
        PlugIn("fitter", fitter)


@contextmanager
def server(monkeypatch: pytest.MonkeyPatch, answer: Any):
    """A chat endpoint on this machine that answers with ``answer(request)``; yields the requests."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            asked[-1]["path"] = self.path
            data = json.dumps({"choices": [{"message": {"content": answer(asked[-1])}}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any): ...

    here = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=here.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("VLM_URL", f"http://127.0.0.1:{here.server_port}/v1/")
    monkeypatch.setenv("VLM_MODEL", "stand-in")
    try:
        yield asked
    finally:
        here.shutdown()
        here.server_close()
        thread.join()


def brightness(request: Any) -> float:
    """Mean of the picture that was sent, in [0, 1]."""
    text = request["messages"][0]["content"][1]["image_url"]["url"].partition("base64,")[2]
    picture: Any = cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (448, 448, 3)
    return float(picture.mean() / 255)


def test_the_vlm_judge_asks_about_every_hand_and_reads_the_answer(example: Any, monkeypatch: Any):
    def answer(request: Any):
        dark = brightness(request) < 0.5
        found = {"malformed": 0.9 if dark else 0.1, "defects": {"fused": 0.8, "horns": 1} if dark else {}}
        return f"Five fingers, I think.\n```json\n{json.dumps({**found, 'reason': 'Two are one.'})}\n```"

    pixels = np.full((200, 400, 3), 250, np.uint8)
    pixels[:, :200] = 20
    squares = [OrientedSquare((100.0, 100.0), 60.0, 0.0), OrientedSquare((300.0, 100.0), 60.0, 1.0)]
    with server(monkeypatch, answer) as asked:
        judge = OwnCritic(PlugIn("critic", example("vlm_judge").VlmJudge))
        dark, bright = judge.judge(pixels, squares)
    assert (dark.malformed, dark.defects["fused"], dark.reason) == (0.9, 0.8, "Two are one.")
    assert dark.is_malformed and not bright.is_malformed
    assert [(one["path"], one["model"], one["temperature"]) for one in asked] == [
        ("/v1/chat/completions", "stand-in", 0)
    ] * 2


@pytest.mark.parametrize("answer", ["I cannot tell.", '{"malformed": 7}', '{"defects": {}}', "{oops}"])
def test_an_answer_that_is_none_is_one_line(example: Any, monkeypatch: Any, answer: Any):
    with server(monkeypatch, lambda _: answer):
        judge = OwnCritic(PlugIn("critic", example("vlm_judge").VlmJudge))
        with pytest.raises(PlugInError, match="VlmJudge"):
            judge.judge(np.zeros((64, 64, 3), np.uint8), [OrientedSquare((32.0, 32.0), 40.0, 0.0)])


def test_the_clay_painter_shades_the_hand_in_the_old_hands_colour(example: Any):
    shot = shoot(flat_hand(curl=0.2))
    job = job_of(shot, task_of(shot, RefineSettings()))
    painter = OwnPainter(PlugIn("painter", example("clay_painter").ClayPainter))
    result = painter.paint(job)
    assert np.array_equal(result.pixels, painter.paint(job).pixels)
    x0, y0, x1, y1 = job.window
    hand = (job.control[y0:y1, x0:x1] > 0) & job.repair_mask
    old = np.median(job.crop[job.tasks[0].region.inside], axis=0)
    painted = result.pixels[hand]
    assert np.abs(np.median(painted, axis=0) - old).max() < 0.35 * old.max()
    assert painted.std(0).min() > 3, "it has no shading"
    changed = result.alpha > 0
    assert changed[hand].all() and not (changed & ~job.repair_mask).any()


@pytest.mark.models
def test_the_landmarker_finds_the_hands_of_a_picture(example: Any, monkeypatch: Any):
    from handwright.perception.detect.landmarker import HandLandmarker
    from handwright.perception.detect.own_landmarker import OwnLandmarker
    from handwright.perception.models.download import ensure_models

    model = ensure_models().hand_landmarker
    monkeypatch.setenv("HAND_TASK", str(model))
    pixels = render_hands(4711, 5, 256).pixels
    with HandLandmarker(model) as usual:
        wanted = find_hands(pixels, landmarker=usual)
        own = OwnLandmarker(PlugIn("landmarker", example("tasks_landmarker").MirroredLandmarker), usual)
        found = find_hands(pixels, landmarker=own)
    assert len(found) == len(wanted) >= 1
    for hand, other in zip(found, wanted, strict=True):
        assert hand.side == other.side
        away = np.linalg.norm(hand.landmarks_px - other.landmarks_px, axis=1).mean()
        assert away < 0.1 * other.size_px
