"""T-H2I's recipe: UNet and encoder learn, hands and text are left out as asked, the result paints."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from handwright.diffusion.latents import encode, picture_tensor
from handwright.errors import UsageError
from handwright.handiffuser.pipeline import ENCODER, HanDiffuserPipeline
from handwright.handiffuser.text_hand_encoder import STREAMS, HandFeatures, features_of
from handwright.training.loop import train
from handwright.training.members import open_member
from handwright.training.recipes.handiffuser import left_out
from tests.diffusion.families import write_sdxl
from tests.diffusion.models import write_sd
from tests.training.hand_shards import hand_shard
from tests.training.two_steps import TWO_STEPS as SETTINGS

LAYOUTS: dict[str, Any] = {
    "sd": lambda folder: write_sd(folder, 4),
    "sd-inpainting": lambda folder: write_sd(folder, 9),
    "sdxl": lambda folder: write_sdxl(folder, 4),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hand_shard(tmp_path_factory.mktemp("hands"))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {name: write(folder / name) for name, write in LAYOUTS.items()}


def weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_a_batch_is_whole_pictures_with_their_hands(data: Path, models: dict[str, Path]) -> None:
    settings = replace(SETTINGS, proportion_empty_prompts=0.0, conditioning_dropout_prob=0.0)
    recipe: Any = open_member("handiffuser", data, models["sd-inpainting"], settings)
    batch = recipe.batch(3, 0, settings)
    drawn = recipe.stream.draw(np.random.default_rng([0, 3, 0]), 2)
    wanted = features_of([picture.hands for picture in drawn], [(64, 64)] * 2)
    for name in (*STREAMS, "present"):
        assert torch.equal(batch[name], getattr(wanted, name))
    assert batch["present"].any()
    with torch.no_grad():
        clean = encode(recipe.codec, picture_tensor(np.stack([picture.pixels for picture in drawn])))
    share = recipe.schedule.alphas_cumprod[batch["timesteps"]][:, None, None, None]
    start = (batch["latents"] - (1 - share).sqrt() * batch["target"]) / share.sqrt()
    torch.testing.assert_close(start, clean, atol=1e-3, rtol=1e-3)
    assert bool((batch["mask"] == 1).all())


@pytest.mark.parametrize(
    ("empty", "hidden", "both"),
    [(0.1, 0.1, 0.05), (0.0, 0.2, 0.0), (1.0, 0.1, 0.1), (0.3, 0.0, 0.0), (0.1, 1.0, 0.1)],
)
def test_text_and_hands_are_left_out_in_the_shares_that_are_asked_for(
    empty: float, hidden: float, both: float
) -> None:
    """Half of the hidden hands lose their text with them, as far as shares allow."""
    settings = replace(SETTINGS, proportion_empty_prompts=empty, conditioning_dropout_prob=hidden)
    draws = (np.arange(1000) + 0.5) / 1000
    wordless, handless = left_out(draws, settings)
    assert wordless.mean() == pytest.approx(empty)
    assert handless.mean() == pytest.approx(hidden)
    assert (wordless & handless).mean() == pytest.approx(both)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_unet_and_encoder_learn_and_paint_another_picture_for_other_hands(
    data: Path, models: dict[str, Path], tmp_path: Path, layout: str
) -> None:
    recipe: Any = open_member("handiffuser", data, models[layout], SETTINGS)
    unet, encoder = weights(recipe.family.unet), weights(recipe.encoder)
    texts = weights(recipe.family.text_encoder)
    assert train(recipe, SETTINGS, tmp_path / "run").done
    for before, network in ((unet, recipe.family.unet), (encoder, recipe.encoder)):
        assert any(not torch.equal(value, before[name]) for name, value in weights(network).items())
    assert all(torch.equal(value, texts[name]) for name, value in weights(recipe.family.text_encoder).items())
    model = tmp_path / "run" / "model"
    pipe = HanDiffuserPipeline.from_pretrained(model, dtype="float32")
    assert json.loads((model / "model_index.json").read_text("utf-8"))["handwright"]["guidance"] == 2.0

    def painted(number: int) -> np.ndarray:
        picture = recipe.shown[number]
        return pipe("a woman", 96, 96, hands=picture.hands, seed=3, num_inference_steps=3).image

    assert painted(0).shape == (96, 96, 3)
    assert np.array_equal(painted(0), painted(0))
    assert not np.array_equal(painted(0), painted(1))
    again: Any = open_member("handiffuser", data, model, SETTINGS)  # people after hand crops
    assert all(
        torch.equal(value, weights(recipe.encoder)[name]) for name, value in weights(again.encoder).items()
    )


def test_the_loss_falls_on_a_batch_that_is_seen_again(data: Path, models: dict[str, Path]) -> None:
    settings = replace(SETTINGS, conditioning_dropout_prob=0.0, proportion_empty_prompts=0.0)
    recipe: Any = open_member("handiffuser", data, models["sd"], settings)
    batch = recipe.batch(0, 0, settings)
    optimizer = torch.optim.Adam(recipe.trained.parameters(), 1e-3)
    losses: list[float] = []
    for _ in range(12):
        loss = recipe.trained(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


def test_fine_tuning_by_text_reads_no_hands(data: Path, models: dict[str, Path]) -> None:
    recipe: Any = open_member("handiffuser", data, models["sd"], replace(SETTINGS, streams="none"))
    batch = recipe.batch(0, 0, SETTINGS)
    with torch.no_grad():
        moved = recipe.trained({**batch, "joints": batch["joints"] + 1, "present": ~batch["present"]})
        assert torch.equal(recipe.trained(batch), moved)
    assert recipe.encoder.hand_tokens == 0


def test_hands_alone_read_no_text(data: Path, models: dict[str, Path]) -> None:
    recipe: Any = open_member("handiffuser", data, models["sd"], replace(SETTINGS, text=False))
    batch = recipe.batch(0, 0, SETTINGS)
    with torch.no_grad():
        worded = recipe.trained({**batch, "tokens": batch["tokens"].flip(0)})
        assert torch.equal(recipe.trained(batch), worded)
        moved = recipe.trained({**batch, "joints": batch["joints"] + 1, "present": ~batch["present"]})
        assert not torch.equal(recipe.trained(batch), moved)


def test_hands_that_are_hidden_count_for_nothing(data: Path, models: dict[str, Path]) -> None:
    settings = replace(SETTINGS, proportion_empty_prompts=0.0, conditioning_dropout_prob=1.0)
    recipe: Any = open_member("handiffuser", data, models["sd"], settings)
    batch = recipe.batch(0, 0, settings)
    assert not batch["present"].any()
    hands = HandFeatures(*(batch[name] for name in (*STREAMS, "present")))
    text = torch.randn(2, 5, 32)
    moved = replace(hands, joints=hands.joints + 1)
    with torch.no_grad():
        assert torch.equal(recipe.encoder(text, hands), recipe.encoder(text, moved))


@pytest.mark.parametrize("streams", ["joints", "vertices,rotations"])
def test_streams_are_chosen_by_name(
    data: Path, models: dict[str, Path], streams: str, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, streams=streams, encoder_layers=0)
    recipe: Any = open_member("handiffuser", data, models["sd"], settings)
    assert set(recipe.encoder.read_hands) == set(streams.split(","))
    assert not len(recipe.encoder.blocks)
    recipe.save(tmp_path)
    assert json.loads((tmp_path / ENCODER / "config.json").read_text("utf-8"))["layers"] == 0


def test_streams_that_are_not_known_are_refused() -> None:
    with pytest.raises(UsageError, match="--streams 'pixels'"):
        replace(SETTINGS, streams="pixels")
    with pytest.raises(UsageError, match="neither text nor hands"):
        replace(SETTINGS, streams="none", text=False)
    with pytest.raises(UsageError, match="--encoder-layers"):
        replace(SETTINGS, encoder_layers=-1)
