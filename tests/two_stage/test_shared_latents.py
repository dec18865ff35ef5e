"""One latent space for both stages: where crops lie, what the canvas holds, and how near it is to stage I."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from handwright.diffusion.latents import decode, encode, picture_array, picture_tensor
from handwright.diffusion.loading.places import EMBEDDED
from handwright.diffusion.loading.zoo import load_vae
from handwright.errors import UsageError
from handwright.two_stage.canvas import HALF, compose
from handwright.two_stage.engine import StageOneHand, fit_hands
from handwright.two_stage.hand_crops import CROP_PER_BOX, LEAST_SHARE, HandCrop, LatentGrid, hand_crops
from handwright.two_stage.pose_completion import complete_pose
from handwright.two_stage.shared_latents import closeness_db, grey_latents, latent_canvas, latent_grid
from tests.two_stage.poses import arrays, pose_of_array

SIDE = 128


@pytest.fixture(scope="module", name="pipe")
def _pipe() -> Any:
    """As much of a pipeline as the canvas needs, with the embedded family's autoencoder."""
    vae = load_vae(EMBEDDED["tiny"] / "vae", torch.float32)
    unet = SimpleNamespace(config={"block_out_channels": (64, 128, 192)})
    return SimpleNamespace(vae=vae, unet=unet, _execution_device=torch.device("cpu"))


def test_crops_lie_on_whole_latents_inside_the_square_and_hold_their_hands() -> None:
    fits = fit_hands(complete_pose(pose_of_array(arrays(("left", "right"))), 512, 512), 512, 512)
    grid = LatentGrid(pitch_px=16.0, pixels=8, cells=32, unit=4)
    for crop in hand_crops(fits, 256, grid):
        assert crop.corner is not None
        x0, y0, x1, y1 = crop.window
        assert (x0, y0) == (crop.corner[0] * 16, crop.corner[1] * 16)
        assert x1 - x0 == y1 - y0 == 2 * crop.resolution
        assert crop.resolution % (8 * 4) == 0
        assert crop.resolution >= LEAST_SHARE * 256
        points = np.concatenate([fits[side].landmarks_px for side in crop.sides])
        assert ((points > [x0, y0]) & (points < [x1, y1])).all()
        assert x1 - x0 >= CROP_PER_BOX * np.ptp(points, axis=0).max()
        inside = np.argwhere(crop.depth > 0)[:, ::-1] * 2 + np.array([x0, y0])
        assert np.abs(inside.mean(0) - points.mean(0)).max() < 16


def test_a_hand_at_the_edge_moves_its_crop_inside_and_a_large_one_takes_all() -> None:
    points = arrays(("left",))
    points[points[:, 2] > 0, :2] += [110, -150]
    fits = fit_hands(complete_pose(pose_of_array(points), 512, 512), 512, 512)
    (crop,) = hand_crops(fits, 64, LatentGrid(64.0, 8, 8, 2))
    assert crop.corner is not None
    assert crop.corner[0] + crop.resolution // 8 <= 8
    assert crop.corner[1] == 0
    (whole,) = hand_crops(fits, 64, LatentGrid(8.0, 8, 8, 2))
    assert (whole.corner, whole.resolution) == ((0, 0), 64)


def _case(pipe: Any) -> tuple[list[HandCrop], list[StageOneHand], list[np.ndarray]]:
    """A hand-like disc in a crop of 64² at (4, 2) latents of a picture of 128², and latents with detail."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.uniform(0, 255, (64, 64, 3)).astype(np.float32), (0, 0), 1.5)
    picture = np.clip(127 + 6 * (noise - 127), 0, 255).astype(np.uint8)
    with torch.no_grad():
        latents = encode(pipe.vae, picture_tensor(picture[None]))
        latents = latents + 0.3 * torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
        own = np.rint(picture_array(decode(pipe.vae, latents))[0]).astype(np.uint8)
    cover = np.zeros((64, 64))
    cv2.circle(cover, (32, 32), 28, 1.0, -1)
    crop = HandCrop(("left",), (32, 16, 96, 80), (), 64, (4, 2))
    return [crop], [StageOneHand(("left",), crop.window, own, None, latents)], [cover]


def test_the_canvas_has_stage_ones_latents_in_the_hands_and_grey_around_them(pipe: Any) -> None:
    crops, hands, covers = _case(pipe)
    canvas = latent_canvas(pipe, crops, hands, covers, SIDE)
    assert canvas.shape == (1, hands[0].latents.shape[1], 16, 16)
    assert torch.equal(canvas[..., 6, 8], hands[0].latents[..., 4, 4])
    assert torch.equal(canvas[..., :1, :1], grey_latents(pipe, SIDE)[..., :1, :1])
    grey = np.full((1, SIDE, SIDE, 3), 127, np.uint8)
    with torch.no_grad():
        wanted = encode(pipe.vae, picture_tensor(grey))
    torch.testing.assert_close(canvas[..., 12:, :], wanted[..., 12:, :], atol=1e-3, rtol=1e-3)


class LocalCodec:
    """A lossy codec of 8 px patches: what a latent decodes to depends on no other."""

    config: ClassVar = {"block_out_channels": (1,) * 4, "latent_channels": 16, "scaling_factor": 1.0}
    dtype = torch.float32

    def __init__(self) -> None:
        rows = torch.linalg.qr(torch.randn(192, 16, generator=torch.Generator().manual_seed(1)))[0].T
        self.maps = rows.reshape(16, 3, 8, 8)

    def encode(self, x: torch.Tensor) -> Any:
        return SimpleNamespace(latents=functional.conv2d(x, self.maps, stride=8))

    def decode(self, z: torch.Tensor) -> Any:
        return SimpleNamespace(sample=functional.conv_transpose2d(z, self.maps, stride=8))


def test_of_a_local_codec_shared_latents_are_three_decibels_nearer_to_stage_ones_own_decode() -> None:
    """One that normalises over the whole picture decodes a hand otherwise there: docs/two-stage.md."""
    pipe = SimpleNamespace(vae=LocalCodec(), _execution_device=torch.device("cpu"))
    crops, hands, covers = _case(pipe)
    pixels, cover = compose(hands, covers, SIDE, SIDE)
    inner = cv2.erode((cover > HALF).astype(np.uint8), np.ones((33, 33), np.uint8)) > 0
    assert inner.sum() > 100
    with torch.no_grad():
        shared = decode(pipe.vae, latent_canvas(pipe, crops, hands, covers, SIDE))
        through = decode(pipe.vae, encode(pipe.vae, picture_tensor(pixels[None])))
    near, far = (
        closeness_db(np.rint(picture_array(one)[0]).astype(np.uint8), pixels, inner)
        for one in (shared, through)
    )
    assert math.isfinite(far)
    assert near >= far + 3


def test_closeness_is_the_psnr_inside_the_mask() -> None:
    inside = np.eye(4, dtype=bool)
    black = np.zeros((4, 4, 3), np.uint8)
    assert closeness_db(black, black + np.uint8(255), inside) == pytest.approx(0)
    assert closeness_db(black, np.where(inside[..., None], black, 9), inside) == math.inf
    assert math.isnan(closeness_db(black, black, np.zeros((4, 4), bool)))


def test_only_families_with_a_unet_share_latents(pipe: Any) -> None:
    assert latent_grid(pipe, 512, 256) == LatentGrid(16.0, 8, 32, 4)
    with pytest.raises(UsageError, match="leave shared latents out"):
        latent_grid(SimpleNamespace(vae=pipe.vae, transformer=None), 512, 256)
