"""What a text puts into a hand: which things can be drawn, fingers that close on them, and the picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from handwright.body import mean_parameters, pose_body
from handwright.data.hands.body import THING_LABEL
from handwright.data.hands.hold import THINGS
from handwright.data.people.in_pose import picture
from handwright.data.people.in_pose.held_things import HeldThing, held_things, is_held
from handwright.errors import MissingPackageError
from handwright.hand.kinematics import pose_of_dofs
from handwright.perception.body.body_pose import HANDS
from handwright.prompts.words import drawn_thing
from handwright.two_stage.diffusion_engine import DiffusionEngine
from handwright.two_stage.engine import PoseRequest, fit_hands
from handwright.two_stage.pipeline import TwoStagePipeline
from handwright.two_stage.pose_completion import complete_pose
from handwright.two_stage.render_engine import RenderEngine
from handwright.two_stage.settings import TwoStageSettings
from handwright.types import Hand
from handwright.workflow.generate.pose_source import pose_from_text
from tests.diffusion.models import write_sd


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("mug", "cup"), ("cup of coffee", "cup"), ("smartphone", "phone"), ("pencil", "pen"),
        ("business card", "card"), ("red apple", "ball"), ("sticks", "handle"), ("violin", ""),
        ("cup holder", ""), ("photo album", ""),
    ],
)  # fmt: skip
def test_things_are_known_by_the_last_word_for_them(words: str, kind: str) -> None:
    """A cup of coffee is a cup; a photo album is no photo."""
    assert drawn_thing(words) == kind
    assert kind in ("", *THINGS)


def test_a_thing_goes_into_the_hand_that_the_text_names() -> None:
    """The same for the same seed; a hand without a side is the right one; a pencil is too small for two."""
    one = held_things("a doctor holding a pen in her left hand", 3)
    assert set(one) == {"left"}
    assert one["left"].thing.name == "pen"
    again = held_things("a doctor holding a pen in her left hand", 3)["left"]
    np.testing.assert_array_equal(again.dofs_rad, one["left"].dofs_rad)
    assert set(held_things("a man holding a cup", 0)) == {"right"}
    assert held_things("a child holding a pencil with both hands", 0) == {}
    assert held_things("a woman holding a violin in her left hand", 0) == {}


def _hand(dofs_rad: np.ndarray) -> Hand:
    fingers, arch = pose_of_dofs(dofs_rad)
    return replace(pose_body(mean_parameters(256)).hands["right"], pose=fingers, palm_arch=arch)


def _held(name: str) -> HeldThing:
    return held_things(f"a man holding a {name} in his right hand", 1)["right"]


@pytest.mark.parametrize("name", ["cup", "phone", "pen", "ball", "card", "stick"])
def test_a_thing_is_held_by_its_own_fingers_alone(name: str) -> None:
    """Not by an open hand, nor by a fist that it would run through."""
    held = _held(name)
    assert is_held(held.thing, _hand(held.dofs_rad))
    assert not is_held(held.thing, _hand(np.zeros(24)))
    if name in ("cup", "ball"):
        fist = _held("pen").dofs_rad.copy()
        fist[[7, 8, 11, 12, 15, 16, 19, 20]] = 1.4
        assert not is_held(held.thing, _hand(fist))


@pytest.fixture(scope="module")
def request_with_cup() -> PoseRequest:
    """Somebody whom the embedded T2H draws for a text."""
    return _request("a man holding a mug in his right hand", 2)


def _request(text: str, seed: int) -> PoseRequest:
    source = pose_from_text(text, 192, seed)
    completed = complete_pose(source.pose, source.width, source.height)
    settings = TwoStageSettings(prompt=text, seed=seed)
    return PoseRequest(completed, source.width, source.height, settings, seed, source.body)


def test_the_renderer_draws_the_thing_in_the_hand(
    request_with_cup: PoseRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says so; where the fingers do not close on it, it is left out, and that is said."""
    seen: list[int] = []
    whole = picture.photograph

    def counted(*arguments: object) -> object:
        photo, stage = whole(*arguments)  # pyright: ignore[reportArgumentType]
        seen.append(int((photo.parts == THING_LABEL).sum()))
        return photo, stage

    monkeypatch.setattr(picture, "photograph", counted)
    made = RenderEngine().make(request_with_cup)
    assert seen[-1] > 40
    assert made.words.endswith("cup")
    assert made.notes == ()
    left_out = RenderEngine().make(
        replace(_request("a man waving with his right hand", 3), settings=request_with_cup.settings)
    )
    assert seen[-1] == 0
    assert "which is left out" in left_out.notes[0]


def test_the_renderer_draws_one_thing_in_both_hands() -> None:
    """Once, between the hands; where one hand is elsewhere, it is left out and that is said."""
    request = _request("a woman holding a ball with both hands", 1)
    made = RenderEngine().make(request)
    assert made.words.endswith("ball")
    assert made.notes == ()
    assert made.held is not None
    assert made.held.in_both_hands
    x, _, width, _ = cv2.boundingRect(made.held.mask.astype(np.uint8))
    palms = [request.completed.pose.points_px[part].mean(0)[0] for part in HANDS.values()]
    assert x - 0.1 * width < min(palms) < x + width / 2 < max(palms) < x + 1.1 * width
    apart = _request("a woman waving with both hands", 1)
    left_out = RenderEngine().make(replace(apart, settings=request.settings))
    assert left_out.held is None
    assert left_out.notes[0].startswith("both hands do not close on a")
    assert len(left_out.notes) == 1


def test_networks_paint_around_the_thing_that_is_drawn(
    request_with_cup: PoseRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands on the canvas before the hand and stays; without the renderer's body that is said."""
    engine = DiffusionEngine(TwoStagePipeline.from_pretrained(write_sd(tmp_path / "sd", 4), dtype="float32"))
    settings = replace(request_with_cup.settings, engine="diffuse", steps=2)
    drawn, made = (one.make(replace(request_with_cup, settings=settings)) for one in (RenderEngine(), engine))
    assert drawn.held is not None
    cup = drawn.held.mask
    assert 40 < cup.sum() < 0.1 * cup.size
    inner = cv2.erode(cup.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert inner.sum() > 0.2 * cup.sum()
    for shown in (made.canvas, made.pixels):
        assert np.array_equal(shown[inner], drawn.pixels[inner])
    assert made.mask[inner].all()
    assert made.mask[cup].mean() > 0.95
    hand_alone = made.mask & ~cup
    assert hand_alone.any()
    assert not np.array_equal(made.pixels[hand_alone], drawn.pixels[hand_alone])
    empty = engine.make(replace(request_with_cup, settings=replace(settings, prompt="a man waving")))
    assert empty.held is None
    assert not np.array_equal(empty.pixels[cup], drawn.pixels[cup])

    waving = _request("a man waving with his right hand", 3)
    for kind in ("harmonise", "diffuse"):
        left_out = engine.make(replace(waving, settings=replace(settings, engine=kind)))
        assert "which is left out" in left_out.notes[0]

    def missing(*_: object) -> None:
        raise MissingPackageError("people need MakeHuman's body", "", "install it")

    monkeypatch.setattr(RenderEngine, "make", missing)
    without = engine.make(replace(request_with_cup, settings=settings))
    assert without.held is None
    assert "cup is not drawn" in without.notes[0]


def test_the_hands_of_a_known_person_stay_as_they_are(request_with_cup: PoseRequest) -> None:
    """From their points alone they have other fingers."""
    body, completed = request_with_cup.body, request_with_cup.completed
    assert body is not None
    true = pose_body(body).hands["right"]
    known, fitted = (fit_hands(completed, 192, 192, person)["right"].hand for person in (body, None))
    assert (known.pose == true.pose).all()
    assert known.camera == true.camera
    assert np.abs(fitted.pose - true.pose).mean() > 0.001


def test_hands_behind_their_person_s_camera_are_fitted(request_with_cup: PoseRequest) -> None:
    body, completed = request_with_cup.body, request_with_cup.completed
    assert body is not None
    nearer = replace(body, transl=body.transl - [0, 0, pose_body(body).hands["right"].translation_m[2]])
    if nearer.transl[2] <= 0:  # the hand is farther away than the pelvis
        nearer = replace(body, transl=body.transl * [1, 1, 0.01 / body.transl[2]])
    hands = fit_hands(completed, 192, 192, nearer)
    assert all(fit.hand.translation_m[2] > 0.05 for fit in hands.values())
