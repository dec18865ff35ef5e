"""Repainted hands: good under their own depth or through the codec alone, else malformed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from handwright.data.hands import render_one_hand
from handwright.data.shards import Entry
from handwright.diffusion.latents import picture_tensor
from make_repainted_pictures import LEVELS, MALFORMED_FROM, entry_of

SIDE = 64


class Painter:
    """A family that paints nothing and keeps what it was asked."""

    traits = SimpleNamespace(guidance=2.5)

    def __init__(self):
        config = SimpleNamespace(sample_size=SIDE // 8)
        vae = SimpleNamespace(config={"block_out_channels": (1, 1, 1, 1)})
        self.pipe = SimpleNamespace(unet=SimpleNamespace(config=config), vae=vae)
        self.asked = []

    def __call__(self, prompt, image, mask, control, **options):
        self.asked.append({"control": control, "mask": mask, **options})
        return SimpleNamespace(images=picture_tensor(np.asarray(image)[None]))


@pytest.fixture(scope="module")
def made():
    hand = render_one_hand(3, 160)
    pictures = {"image": hand.pixels, "depth": np.full((160, 160), 90, np.uint8)}
    entry = Entry("0", pictures, {"domain": "rendered", "seed": 3, "index": 0})
    painter, records = Painter(), []
    found = entry, np.array(hand.hands[0].keypoints_px), "right"
    for seed in range(60):
        rng = np.random.default_rng(seed)
        other = [np.full((SIDE, SIDE, 3), 200, np.uint8)]
        records.append(entry_of(painter, None, rng, found, other, str(seed)).record)
    return records, painter.asked


def test_what_was_done_to_a_hand_is_its_label(made):
    records, _ = made
    for record in records:
        sound = record["own_depth"] or record["level"] < MALFORMED_FROM
        assert record["hands"][0]["label"] == ("good" if sound else "malformed")
    assert {record["level"] for record in records} == set(LEVELS)
    assert {"good", "malformed"} == {
        record["hands"][0]["label"] for record in records if record["level"] == 1
    }


def test_its_own_depth_decides_all_it_can_and_none_is_no_control(made):
    for record, asked in zip(*made, strict=True):
        if record["own_depth"]:
            assert asked["controlnet_conditioning_scale"] == 1
            assert asked["control_guidance"] == Painter.traits.guidance
        elif not record["wrong_depth"]:
            assert asked["controlnet_conditioning_scale"] == 0
            assert len(np.unique(np.asarray(asked["control"]))) == 1
        assert not (record["own_depth"] and record["wrong_depth"])


def test_the_codec_alone_changes_no_pixel_by_paint(made):
    for record, asked in zip(*made, strict=True):
        mask = np.asarray(asked["mask"])
        assert (np.ptp(mask) == 0) == (record["level"] == 0)
