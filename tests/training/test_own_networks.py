"""A model's own networks go on, unless a run asks for others."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from handwright.handiffuser.pipeline import ENCODER
from handwright.handiffuser.text_hand_encoder import TextHandEncoder
from handwright.training.networks.family import open_family
from handwright.training.networks.own_networks import hand_generator_of, outpainter_of, text_hand_encoder_of
from handwright.training.settings import TrainSettings
from handwright.two_stage.networks.hand_generator import WITH_DEPTH, HandGenerator
from handwright.two_stage.networks.outpainter import Outpainter
from tests.diffusion.models import write_sd

DEFAULT = TrainSettings()


@pytest.fixture(name="model")
def _model(tmp_path):
    """A base with an encoder of joints alone, a generator that reads depth, and an outpainter."""
    torch.manual_seed(5)
    place = write_sd(tmp_path / "sd", 4)
    family = open_family(place)
    width = int(family.unet.config["cross_attention_dim"])
    TextHandEncoder(text_width=width, channels=32, heads=2, streams=("joints",)).save_pretrained(
        place / ENCODER
    )
    HandGenerator.from_unet(family.unet, condition_channels=WITH_DEPTH).save_pretrained(
        place / "hand_generator"
    )
    Outpainter.begin(family.unet, 8, family.controlnet, "random").save_pretrained(place / "outpainter")
    return place, family


def test_the_encoder_goes_on_and_other_streams_begin_anew(model):
    place, family = model
    assert text_hand_encoder_of(place, family, DEFAULT).config["channels"] == 32
    same = replace(DEFAULT, streams="joints", encoder_layers=2)
    assert text_hand_encoder_of(place, family, same).config["channels"] == 32
    for other in ({"streams": "rotations"}, {"encoder_layers": 0}, {"text": False}):
        fresh = text_hand_encoder_of(place, family, replace(DEFAULT, **other))
        assert fresh.config["channels"] != 32


def test_an_ablation_of_the_encoder_keeps_how_places_are_read(model):
    place, family = model
    width = int(family.unet.config["cross_attention_dim"])
    own = TextHandEncoder(text_width=width, heads=2, frequencies=3)
    own.save_pretrained(place / ENCODER)
    fresh = text_hand_encoder_of(place, family, replace(DEFAULT, encoder_layers=0))
    assert fresh.config["layers"] == 0
    torch.testing.assert_close(fresh.read_hands["joints"].weight, own.read_hands["joints"].weight)


def test_the_generator_goes_on_and_one_without_a_mask_head_begins_anew(model):
    place, family = model
    for settings in (DEFAULT, replace(DEFAULT, hand_depth=True)):
        assert hand_generator_of(place, family, settings).reads_depth
    fresh = hand_generator_of(place, family, replace(DEFAULT, mask_head=False))
    assert fresh.mask_head is None
    assert not fresh.reads_depth


def test_the_outpainter_goes_on_and_new_weights_begin_one_anew(model):
    place, family = model
    name = "controlnet_cond_embedding.conv_in.weight"
    assert outpainter_of(place, family, DEFAULT).state_dict()[name][:, 3].any()
    fresh = outpainter_of(place, family, replace(DEFAULT, new_weights="zero"))
    assert not fresh.state_dict()[name][:, 3].any()
