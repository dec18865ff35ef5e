"""Text+Hand encoder: fresh ones change no text, streams can be left out, stock pipelines take its result."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
import torch
from torch import Tensor

from handwright.body import BodyParameters, parameters_of_json
from handwright.errors import InvalidValueError
from handwright.handiffuser.text_hand_encoder import (
    PARTS,
    STREAMS,
    HandFeatures,
    TextHandEncoder,
    hand_features,
    part_vertices,
)
from tests.diffusion.models import small_unet, small_vae
from tests.handiffuser.poses import records


def people(count: int = 2) -> list[BodyParameters]:
    """Of the synthetic world."""
    return [parameters_of_json(record["body"]) for record in records()[:count]]


def fresh(**changes: object) -> TextHandEncoder:
    """Small and random."""
    torch.manual_seed(0)
    return TextHandEncoder(**{"text_width": 32, "channels": 32, "heads": 2, **changes})  # pyright: ignore


def test_a_fresh_encoder_leaves_the_text_as_it_is() -> None:
    """And appends the hands' tokens."""
    text, encoder = torch.randn(2, 7, 32), fresh()
    out = encoder(text, hand_features(people()))
    assert out.shape == (2, 7 + encoder.hand_tokens, 32)
    torch.testing.assert_close(out[:, :7], text)
    assert float(out[:, 7:].detach().std()) > 0


def test_frequencies_of_places_change_nothing_until_they_are_learnt() -> None:
    """The numbers that were read before are read first; what is new begins at nothing, and matters."""
    encoder, text, hands = fresh(), torch.randn(1, 3, 32), hand_features(people(1))
    wider = encoder.with_frequencies(3)
    assert wider.config["frequencies"] == 3
    torch.testing.assert_close(wider(text, hands), encoder(text, hands))
    weight = wider.read_hands["joints"].weight
    assert weight.shape[1] == 10 * (1 + 2 * 3)
    with torch.no_grad():
        weight[:, 10:] = 0.1
    assert not torch.allclose(wider(text, hands), encoder(text, hands))


@pytest.mark.parametrize("streams", [c for k in (1, 2, 3) for c in combinations(STREAMS, k)])
def test_only_streams_that_are_read_matter(streams: tuple[str, ...]) -> None:
    """All seven combinations: changing a stream changes the result just if it is read."""
    encoder, text, hands = fresh(streams=streams), torch.randn(1, 3, 32), hand_features(people(1))
    before = encoder(text, hands)
    assert encoder.hand_tokens == 2 * PARTS * len(streams)
    for stream in STREAMS:
        values: Tensor = getattr(hands, stream)
        after = encoder(text, replace(hands, **{stream: values + 0.3}))
        assert torch.equal(before, after) == (stream not in streams)


def test_a_hand_outside_the_picture_does_not_matter() -> None:
    """Its tokens are those of an absent hand."""
    encoder, text, hands = fresh(), torch.randn(1, 3, 32), hand_features(people(1))
    gone = HandFeatures(hands.joints, hands.rotations, hands.vertices, torch.tensor([[True, False]]))
    moved = replace(gone, joints=gone.joints * torch.tensor([1.0, 5.0])[None, :, None, None])
    torch.testing.assert_close(encoder(text, gone), encoder(text, moved))


def test_gradients_reach_text_and_every_stream() -> None:
    """Once the text's own way out has learnt anything."""
    encoder, text, hands = fresh(), torch.randn(1, 3, 32, requires_grad=True), hand_features(people(1))
    torch.nn.init.normal_(encoder.write_text.weight)
    encoder(text, hands)[:, :3].square().sum().backward()
    assert text.grad is not None
    for layer in encoder.read_hands.values():
        grad = layer.weight.grad  # pyright: ignore
        assert float(grad.abs().sum()) > 0


def test_vertices_are_of_their_parts_and_nobody_is_refused() -> None:
    """Six parts, all different."""
    chosen = part_vertices()
    assert chosen.shape == (6, 16)
    assert len(set(chosen.ravel().tolist())) == chosen.size
    with pytest.raises(InvalidValueError, match="nobody"):
        hand_features([])
    with pytest.raises(InvalidValueError, match="streams"):
        fresh(streams=("pixels",))


def test_it_is_saved_and_loaded(tmp_path: Path) -> None:
    """As any model of diffusers."""
    encoder, text, hands = fresh(), torch.randn(1, 3, 32), hand_features(people(1))
    encoder.save_pretrained(tmp_path)
    again = TextHandEncoder.from_pretrained(str(tmp_path))
    torch.testing.assert_close(again(text, hands), encoder(text, hands))


def test_a_stock_pipeline_paints_with_it() -> None:
    """Stable Diffusion takes text and hands together; other hands, another picture."""
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    unet = small_unet(4)
    width = unet.config["cross_attention_dim"]
    pipe = StableDiffusionPipeline(
        vae=small_vae(),
        text_encoder=None,  # pyright: ignore
        tokenizer=None,  # pyright: ignore
        unet=unet,
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    encoder, text = fresh(text_width=width), torch.randn(1, 77, width)
    painted: list[Tensor] = []
    for person in people(2):
        with torch.no_grad():
            embeds = encoder(text, hand_features([person]))
        painted.append(
            pipe(
                prompt_embeds=embeds,
                negative_prompt_embeds=torch.zeros_like(embeds),
                num_inference_steps=2,
                height=64,
                width=64,
                generator=torch.Generator().manual_seed(0),
                output_type="pt",
            ).images
        )
    assert float((painted[0] - painted[1]).abs().max()) > 0
