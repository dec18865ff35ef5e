"""Latents are those of the pictures and their mirror images, captioned by side; what is there is kept."""

import numpy as np
import pytest
import torch

from handwright.data.shards import Entry, write_shard
from handwright.diffusion.latents import encode
from handwright.errors import UsageError
from handwright.training.networks.tokenizer import learn_tokenizer
from handwright.training.streams import latent_shards
from handwright.training.streams.latent_shards import LatentStream, encode_shards
from tests.training.recipes.test_autoencoder import small_vae

CAPTIONS = {"natural": "a render of the left hand of a child", "terse": "render, left hand"}


def entry(k, size=64):
    pixels = np.random.default_rng(k).integers(0, 255, (size, size, 3), np.uint8)
    record = {
        "hands": [],
        "domain": "3D rendered image",
        "caption": CAPTIONS["natural"],
        "captions": CAPTIONS,
    }
    return Entry(f"{k:08d}", {"image": pixels}, record)


def add_shard(folder, number, count=60):
    (folder / "hands").mkdir(parents=True, exist_ok=True)
    write_shard(folder / "hands" / f"hands-{number}.tar", [entry(k) for k in range(count)])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("latents")
    add_shard(root / "world", 0)
    small_vae().save_pretrained(root / "vae")
    assert encode_shards(root / "world", root / "latents", root / "vae", 64) == 1
    return root


def test_samples_are_latents_of_a_picture_or_its_mirror_image_with_the_caption_of_that_side(folders):
    stream = LatentStream(folders / "latents")
    drawn = stream.draw(np.random.default_rng(0), 40)
    assert drawn.latents.shape == (40, 4, 8, 8)
    assert {c for c in drawn.captions if "left" in c} == set(CAPTIONS.values())
    assert {c for c in drawn.captions if "right" in c} == {
        c.replace("left", "right") for c in CAPTIONS.values()
    }
    with torch.no_grad():
        for latents, caption in zip(drawn.latents, drawn.captions, strict=True):
            pictures = np.stack([entry(k).pictures["image"] for k in range(60)])
            seen = pictures[:, :, ::-1] if "right" in caption else pictures
            expected = encode(stream.vae, torch.from_numpy(seen / np.float32(127.5) - 1).permute(0, 3, 1, 2))
            nearest = float((expected - torch.from_numpy(latents)).abs().amax((1, 2, 3)).min())
            assert nearest < 2e-3  # half precision


def test_held_out_samples_are_those_that_the_codec_did_not_learn_from(folders):
    stream = LatentStream(folders / "latents")
    hands = stream.lots["hands"]
    assert len(hands.held_out) >= 1
    assert len(hands.held_out) + len(hands.training) == 60
    assert len(stream.held_out(3).captions) == min(3, len(hands.held_out))


def test_only_what_is_new_is_encoded_and_tokenizer_and_codec_stay(folders, tmp_path):
    add_shard(tmp_path / "world", 0, 4)
    vae = folders / "vae"
    assert encode_shards(tmp_path / "world", tmp_path / "out", vae, 64) == 1
    vocabulary = (tmp_path / "out" / "tokenizer" / "tokenizer.json").read_bytes()
    add_shard(tmp_path / "world", 1, 4)
    assert encode_shards(tmp_path / "world", tmp_path / "out", tmp_path / "no_such_vae", 64) == 1
    assert encode_shards(tmp_path / "world", tmp_path / "out", tmp_path / "no_such_vae", 64) == 0
    assert (tmp_path / "out" / "tokenizer" / "tokenizer.json").read_bytes() == vocabulary


def test_another_resolution_wants_another_folder(folders):
    with pytest.raises(UsageError, match="holds latents of 64 px"):
        encode_shards(folders / "world", folders / "latents", folders / "vae", 128)


def test_a_folder_without_latents_is_named(tmp_path):
    with pytest.raises(UsageError, match="holds no latents"):
        LatentStream(tmp_path)


def test_a_photograph_is_learnt_as_crops_of_its_hands_captioned_by_their_side(tmp_path):
    points = np.stack([np.linspace(40, 100, 21), np.linspace(50, 110, 21)], 1)
    hands = [
        {"side": side, "keypoints_px": points.tolist(), "visible": [True] * 21} for side in ("left", "right")
    ]
    photograph = Entry(
        "00000000",
        {"image": np.zeros((160, 200, 3), np.uint8)},
        {"hands": hands, "domain": "photograph", "kind": "photographs"},
    )
    views = list(latent_shards._views(photograph, 64))
    assert [captions for _, captions in views] == [
        ["a photograph of a left hand"],
        ["a photograph of a right hand"],
    ]
    assert all(pixels.shape == (64, 64, 3) for pixels, _ in views)


def test_a_model_goes_on_reading_with_the_tokenizer_that_it_learnt_with(folders, tmp_path):
    own = learn_tokenizer(["a wholly different text"], 600)
    own.save_pretrained(tmp_path / "tokenizer")
    stream = LatentStream(folders / "latents", tmp_path / "tokenizer")
    assert stream.tokenizer.get_vocab() == own.get_vocab()
    assert LatentStream(folders / "latents").tokenizer.get_vocab() != own.get_vocab()


def test_latents_of_which_none_is_held_out_are_refused(folders, tmp_path):
    add_shard(tmp_path / "world", 0, count=1)
    encode_shards(tmp_path / "world", tmp_path / "latents", folders / "vae", 64)
    with pytest.raises(UsageError, match="measure progress"):
        LatentStream(tmp_path / "latents")
