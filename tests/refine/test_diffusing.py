from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from handwright.drawing.photo.detail import fine_detail
from handwright.drawing.photo.grain import measure_grain
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network_loader import NetworkLoader
from handwright.handrefiner.square import resized, square_around
from handwright.handrefiner.strength import schedule
from handwright.image.compositing import depth_inside
from handwright.refine.compositing.blend import composite_paint
from handwright.refine.painters import DrawPainter, diffusing, open_painter
from handwright.refine.painters.diffusing import DiffusePainter, HarmonisePainter, laid_over, surely_hands
from handwright.refine.painters.draw import DrawnHands
from handwright.refine.settings import RefineSettings
from tests.drawn import flat_hand, shoot
from tests.handrefiner.networks import Network, as_started, noise
from tests.refine.conftest import job_of, task_of

SETTINGS = DiffusionSettings(strength=0.7, prompt="a hand")
PAINTERS = (DiffusePainter, HarmonisePainter)


@pytest.fixture(scope="module")
def job(one: Any):
    return job_of(one, task_of(one, RefineSettings()), seed=11)


def paint(kind: Any, job: Any, network: Any, **options: Any):
    return kind(SETTINGS, lambda: network, **options).paint(job)


@pytest.mark.parametrize("kind", PAINTERS)
@pytest.mark.parametrize("resolution", [64, 300])
def test_the_network_gets_the_square_at_its_own_resolution(job: Any, kind: Any, resolution: Any):
    network = Network(resolution=resolution)
    paint(kind, job, network)
    (request,) = network.requests
    assert request.picture.shape == (resolution, resolution, 3)
    assert request.mask.shape == request.control.shape == (resolution, resolution)
    assert (request.seed, request.settings) == (11, replace(SETTINGS, steps=network.default_steps))
    assert (request.start is None) == (kind is DiffusePainter)
    points = np.concatenate([job.tasks[0].observation.landmarks_px, job.tasks[0].fit.landmarks_px])
    side = square_around(points, job.repair_mask, job.window).side
    assert request.mask.sum() / resolution**2 == pytest.approx(job.repair_mask.sum() / side**2, rel=0.12)
    assert not request.control[~request.mask].any()


@pytest.mark.parametrize("kind", PAINTERS)
def test_outside_the_mask_nothing_changes_and_inside_it_does(job: Any, kind: Any):
    pixels, inside = composite_paint(job, paint(kind, job, Network(noise)))
    assert not (inside & ~job.repair_mask).any()
    assert np.array_equal(pixels[~job.repair_mask], job.crop[~job.repair_mask])
    hand = job.repair_mask & job.new_hands
    assert (pixels[hand] != job.crop[hand]).any(1).mean() > 0.8


@pytest.mark.parametrize("kind", PAINTERS)
def test_what_lies_in_front_is_no_business_of_the_network(job: Any, kind: Any, monkeypatch: Any):
    front = np.zeros(job.repair_mask.shape, bool)
    middle = int(np.median(np.nonzero(job.repair_mask)[0]))
    front[middle : middle + 12] = True
    monkeypatch.setattr(diffusing, "job_occluders", lambda _: front)
    network = Network(noise, resolution=job.crop.shape[0])
    pixels, inside = composite_paint(job, paint(kind, job, network))
    assert not (inside & front).any()
    assert np.array_equal(pixels[front], job.crop[front])
    without = Network(noise, resolution=job.crop.shape[0])
    monkeypatch.setattr(diffusing, "job_occluders", lambda _: np.zeros_like(front))
    paint(kind, job, without)
    assert network.requests[0].mask.sum() < without.requests[0].mask.sum()


@pytest.mark.parametrize("kind", PAINTERS)
def test_around_its_hands_nothing_of_the_network_is_seen(job: Any, kind: Any):
    drawn, painted = DrawPainter().paint(job), paint(kind, job, Network(noise))
    pixels, _ = composite_paint(job, painted)
    beyond = cv2.dilate(job.new_hands.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    assert (beyond & job.repair_mask).sum() > 100
    assert np.array_equal(pixels[beyond], drawn.pixels[beyond])
    published = kind(replace(SETTINGS, box_mask=True), lambda: Network(noise)).paint(job)
    assert (published.alpha[beyond & job.repair_mask] > 0).all()
    assert published.behind is None


@pytest.mark.parametrize("kind", PAINTERS)
def test_what_a_network_that_paints_surroundings_well_makes_is_taken_near_the_hands(job: Any, kind: Any):
    painted = paint(kind, job, Network(noise, surroundings="painted"))
    away = cv2.distanceTransform((~(job.new_hands | job.old_hands)).astype(np.uint8), cv2.DIST_L2, 5)
    far = job.repair_mask & (away > 1.1 * diffusing.KEPT_FROM * job.hand_px)
    near = job.repair_mask & (away > 0) & (away < 0.5 * diffusing.KEPT_FROM * job.hand_px)
    assert min(far.sum(), near.sum()) > 100
    assert not painted.alpha[far].any()
    assert painted.alpha[near].mean() > 0.5
    assert painted.behind is None


@pytest.mark.parametrize("kind", PAINTERS)
def test_at_the_wrist_the_drawn_hand_goes_on_as_the_arm(job: Any, kind: Any):
    alpha = paint(kind, job, Network(noise)).alpha
    (task,) = job.tasks
    wrist, knuckle = task.fit.landmarks_px[0], task.fit.landmarks_px[9]
    rows, columns = np.nonzero(job.new_hands)
    x0, y0, _, _ = job.window
    at = np.stack((columns + x0, rows + y0), 1) + 0.5
    along = (at - wrist) @ (knuckle - wrist) / ((knuckle - wrist) ** 2).sum()
    shares = alpha[rows, columns]
    assert shares[along < -0.1].mean() < 0.05
    assert shares[along < -0.1].mean() < shares[(along > 0) & (along < 0.2)].mean() < 0.8
    assert np.median(shares[(along > 0.5) & (along < 0.7)]) > 0.99


def test_a_light_rim_that_the_network_leaves_is_not_seen(job: Any):
    def rimmed(request: Any) -> np.ndarray:
        inner = cv2.erode((request.control > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        skin = np.random.default_rng(1).normal((190, 140, 115), 3, request.picture.shape)
        return np.where(inner[..., None], skin, 255.0)

    network = Network(rimmed, resolution=288)
    around = composite_paint(job, paint(DiffusePainter, job, replace(network, surroundings="painted")))[0]
    alone = composite_paint(job, paint(DiffusePainter, job, network))[0]
    drawn = DrawPainter().paint(job).pixels
    where = job.new_hands & job.repair_mask
    assert (around[where].min(1) > 215).mean() > 0.01
    assert (alone[where].min(1) > 215).mean() <= (drawn[where].min(1) > 215).mean()


def test_where_the_networks_hand_ends_early_no_stripes_of_what_lies_behind_remain(job: Any):
    skin, behind = np.array((200.0, 150.0, 120.0)), np.random.default_rng(2).uniform(0, 255, (288, 288, 3))

    def aside(request: Any) -> np.ndarray:
        hand = np.roll(request.control > 0, 6, axis=1).astype(np.float32)
        mixed = cv2.GaussianBlur(hand, (0, 0), 2.0)[..., None]
        return behind + mixed * (skin + np.random.default_rng(1).normal(0, 3, behind.shape) - behind)

    quiet = replace(SETTINGS, no_grain=True)
    painted = DiffusePainter(quiet, lambda: Network(aside, resolution=288)).paint(job)
    band = job.new_hands & job.repair_mask & (depth_inside(job.new_hands) < 6)
    assert np.abs(painted.pixels[band] - skin).max(1).mean() < 20
    steps = np.abs(np.diff(painted.pixels, axis=0)).max(2)[band[1:] & band[:-1]]
    assert np.quantile(steps, 0.99) < 6, "colours change smoothly along the outline"


def test_detail_is_that_of_the_old_hand_where_surroundings_are_drawn(job: Any, monkeypatch: Any):
    wanted: list[float] = []
    monkeypatch.setattr(diffusing, "match_detail", lambda pixels, _, much: (wanted.append(much), pixels)[1])
    paint(DiffusePainter, job, Network(noise, surroundings="painted"))
    DiffusePainter(replace(SETTINGS, no_grain=True), lambda: Network(noise)).paint(job)
    paint(HarmonisePainter, job, Network(noise))
    assert not wanted
    paint(DiffusePainter, job, Network(noise))
    assert wanted == [pytest.approx(fine_detail(job.crop, job.old_hands & job.new_hands))]


def test_a_networks_hands_lie_over_the_background_and_not_over_drawn_ones(job: Any):
    shape, ones = job.crop.shape, np.ones(job.crop.shape[:2], np.float32)
    background, pixels = np.full(shape, 40, np.uint8), np.full(shape, 90, np.uint8)
    drawn = DrawnHands(pixels, background, ones > 0, ones / 2, ones)
    alpha, behind = laid_over(job.crop, drawn, ones)
    assert (alpha == 0.5).all()
    assert (behind == 40).all()
    alpha, behind = laid_over(job.crop, replace(drawn, past_wrist=0 * ones), ones)
    assert not alpha.any()
    assert (behind == 90).all()
    alpha, behind = laid_over(job.crop, drawn, 0 * ones)
    assert not alpha.any()
    assert np.array_equal(behind, job.crop)
    alpha, behind = laid_over(job.crop, drawn, ones / 2)
    laid = behind + alpha[..., None] * (200.0 - behind)
    assert np.abs(laid - (job.crop / 2.0 + (40 + 200) / 4)).max() <= 1


def test_a_light_rim_and_a_finger_that_ends_early_are_not_the_hands():
    hands = np.zeros((96, 96), np.bool_)
    hands[20:80, 10:70] = True
    picture = np.full((96, 96, 3), (250.0, 250.0, 255.0))
    picture[26:80, 16:64] = (190, 130, 100)
    picture += np.random.default_rng(0).normal(0, 3, picture.shape)
    own = surely_hands(picture, hands, 96)
    assert not own[~hands].any()
    assert not own[:26].any()
    assert not own[:, 64:].any()
    assert own[45:60, 30:50].all()
    both = np.concatenate([hands, hands[:, :30]], 1)
    dark = np.concatenate([picture, np.full((96, 30, 3), 60.0)], 1)
    assert surely_hands(dark, both, 96)[40:60, 112:118].all(), "another hand has its own skin"
    own = surely_hands(np.full((96, 96, 3), 200.0), hands, 48)
    assert own[50, 17]
    assert not own[50, 14], "enlarged pictures are blurred farther"


def test_near_a_patch_of_another_colour_nothing_is_the_hands_but_single_pixels_are_noise():
    hands = np.zeros((96, 96), np.bool_)
    hands[20:80, 10:70] = True
    picture = np.full((96, 96, 3), (190.0, 130, 100)) + np.random.default_rng(0).normal(0, 2, (96, 96, 3))
    picture[26:31, 30:40] = 20, 200, 40
    picture[28, 50] = 20, 200, 40
    own = surely_hands(picture, hands, 96)
    assert not own[25:33, 29:41].any()
    assert own[35, 30:40].all()
    assert own[28, 47:49].all()
    picture[:, :, 0] += 30 * (np.indices((96, 96)).sum(0) % 5 == 0)  # So few pixels alike that some must do
    small = np.zeros_like(hands)
    small[40:52, 40:52] = True
    assert surely_hands(picture, small, 96).any()


@pytest.mark.parametrize("kind", PAINTERS)
def test_a_mask_with_nothing_in_it_opens_no_network(job: Any, kind: Any, monkeypatch: Any):
    monkeypatch.setattr(diffusing, "job_occluders", lambda job: np.ones(job.repair_mask.shape, bool))

    def refuse():
        raise AssertionError

    painted = kind(SETTINGS, refuse).paint(job)
    assert not painted.alpha.any()


def test_diffuse_paints_what_the_network_made_at_its_place(job: Any):
    network = Network(
        lambda request: request.control[..., None].repeat(3, 2).astype(np.float32), resolution=288
    )
    painted = paint(DiffusePainter, job, network)
    x0, y0, x1, y1 = job.window
    wanted = job.control[y0:y1, x0:x1].astype(np.float32)
    result = painted.pixels[..., 0]
    inner = job.repair_mask & (cv2.erode(job.new_hands.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0)
    assert inner.sum() > 1000
    assert np.abs(result - wanted)[inner].mean() < 3


@pytest.mark.parametrize("surroundings", ["painted", "drawn"])
def test_smooth_paint_takes_on_the_pictures_grain(surroundings: Any):
    shot = shoot(flat_hand(), grain=6.0)
    job = job_of(shot, task_of(shot, RefineSettings()))
    network = Network(lambda request: np.full(request.picture.shape, 128.0), surroundings=surroundings)
    painted = paint(DiffusePainter, job, network)
    residual = painted.pixels[job.repair_mask] - 128
    assert 3.5 < residual.std() < 8.5
    assert abs(residual.mean()) < 0.3


def test_grain_is_as_strong_along_the_outline_as_farther_inside():
    shot = shoot(flat_hand(), grain=3.0)
    job = job_of(shot, task_of(shot, RefineSettings()))

    def grained(request: Any) -> np.ndarray:
        return 150 + np.random.default_rng(1).normal(0, 3, request.picture.shape)

    painted = paint(DiffusePainter, job, Network(grained, resolution=288)).pixels
    depth = depth_inside(job.new_hands & job.repair_mask)
    rim, deep = (painted[where].std() for where in ((depth > 1) & (depth < 6), depth > 16))
    assert 0.7 < rim / deep < 1.3


def test_deep_inside_the_networks_picture_stands_alone(job: Any):
    quiet = replace(SETTINGS, no_grain=True)
    network = Network(lambda request: np.full(request.picture.shape, 150.0) + _waves(request), resolution=288)
    painted = DiffusePainter(quiet, lambda: network).paint(job)
    square = square_around(
        np.concatenate([job.tasks[0].observation.landmarks_px, job.tasks[0].fit.landmarks_px]),
        job.repair_mask,
        job.window,
    )
    (request,) = network.requests
    wanted = square.in_window(resized(150.0 + _waves(request), square.side), job.window)
    deep = job.repair_mask & (depth_inside(job.new_hands) > 16)
    assert deep.sum() > 500
    assert np.abs(painted.pixels - wanted)[deep].max() < 1


def _waves(request: Any) -> np.ndarray:
    """A pattern of a few levels, too faint to be another colour."""
    rows = np.arange(request.picture.shape[0])[:, None, None]
    return np.broadcast_to(4 * np.sin(rows), request.picture.shape)


@pytest.mark.parametrize("resolution", [48, 64, 288])
def test_a_network_that_changes_nothing_leaves_the_drawn_hand_to_the_last_detail(job: Any, resolution: Any):
    painted = paint(HarmonisePainter, job, Network(as_started, resolution=resolution))
    drawn = DrawPainter().paint(job).pixels
    assert np.abs(painted.pixels - drawn).max() < 1e-3


def test_of_the_network_only_its_change_reaches_the_drawn_hand(job: Any):
    warmer = Network(lambda request: as_started(request) + np.array([8, 0, -8], np.float32), resolution=48)
    drawn = DrawPainter().paint(job).pixels.astype(np.float32)
    painted = paint(HarmonisePainter, job, warmer)
    middle = job.repair_mask & (drawn > 16).all(2) & (drawn < 239).all(2)
    change = (painted.pixels - drawn)[middle]
    assert np.abs(change - (8, 0, -8)).max() < 0.5


def test_grain_of_the_drawn_hand_that_the_network_takes_for_noise_is_put_back():
    shot = shoot(flat_hand(), grain=6.0)
    grainy = job_of(shot, task_of(shot, RefineSettings()))
    smooth = Network(lambda request: cv2.GaussianBlur(as_started(request), (0, 0), 2.0), resolution=288)
    pixels = paint(HarmonisePainter, grainy, smooth).pixels
    inner = cv2.erode((grainy.new_hands & grainy.repair_mask).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    drawn = measure_grain(DrawPainter().paint(grainy).pixels, inner).sigma_rgb.mean()
    assert drawn > 3
    assert measure_grain(pixels, inner).sigma_rgb.mean() == pytest.approx(drawn, rel=0.25)


@pytest.mark.parametrize("kind", PAINTERS)
def test_strength_and_steps_travel_with_the_paint(job: Any, kind: Any):
    kept = paint(kind, job, Network(resolution=64, steps=5), keep_steps=True)
    assert kept.strength == 0.7
    assert kept.strip.shape == (64 * 2 + 4, 6 * 64 + 5 * 4, 3)
    assert paint(kind, job, Network()).strip is None


@pytest.mark.parametrize("kind", PAINTERS)
def test_words_become_the_numbers_of_the_controlnet_at_hand(job: Any, kind: Any):
    def request(word: Any, stored: Any):
        network = Network(fixed_strength=stored)
        painted = kind(DiffusionSettings(strength=word, steps=4), lambda: network).paint(job)
        assert painted.strength == network.requests[0].strength
        return painted.strength

    assert request("fixed", 0.6) == 0.6
    assert request("auto", 0.6) == schedule(4, 0.6)
    assert request(0.3, 0.6) == 0.3


def test_names_open_their_painters_and_models_wait_until_something_is_painted(job: Any):
    opened = []

    def opener(settings: Any):
        opened.append(settings)
        return Network()

    inpainters = NetworkLoader(opener)
    assert isinstance(open_painter(RefineSettings(), lambda: inpainters(SETTINGS)), DrawPainter)
    for name, kind in (("diffuse", DiffusePainter), ("harmonise", HarmonisePainter)):
        painter = open_painter(RefineSettings(painter=name, diffusion=SETTINGS), lambda: inpainters(SETTINGS))
        assert isinstance(painter, kind)
        assert painter.together
    assert opened == []
    painter.paint(job)
    painter.paint(job)
    assert opened == [SETTINGS]


def test_models_are_opened_once_for_the_same_names_whatever_else_is_asked():
    opened = []
    inpainters = NetworkLoader(lambda settings: opened.append(settings.model) or Network())
    first = inpainters(DiffusionSettings(model="a", prompt="x"))
    assert inpainters(DiffusionSettings(model="a", prompt="y", strength=1.0)) is first
    assert inpainters(DiffusionSettings(model="b")) is not first
    assert opened == ["a", "b"]
