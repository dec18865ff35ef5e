"""Prompts beyond the text encoder's length: windows joined, nothing cut off, short ones as ever."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from handwright.diffusion.long_prompts import prompt_arguments, prompt_windows
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.errors import UsageError
from tests.diffusion.families import write_flux, write_sdxl

Paint = Callable[..., torch.Tensor]


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> HandRefinerPipeline:
    folder: Path = write_sdxl(tmp_path_factory.mktemp("models") / "sdxl")
    return HandRefinerPipeline.from_pretrained(folder, dtype="float32", device="cpu")


def test_what_fits_goes_to_the_stock_pipeline_as_it_is(sd9: HandRefinerPipeline) -> None:
    words = "x " * 75
    assert prompt_windows(sd9.pipe, words) == [words]
    assert prompt_arguments(sd9.pipe, words, "y") == {"prompt": words, "negative_prompt": "y"}
    assert prompt_windows(sd9.pipe, "") == [""]


@pytest.mark.parametrize("prompt", ["x " * 76, "a b c " * 90, "x" * 400, "a " * 70 + "x" * 200 + " b" * 9])
def test_windows_hold_every_letter_in_order_and_each_fits(prompt: str, sd9: HandRefinerPipeline) -> None:
    windows = prompt_windows(sd9.pipe, prompt)
    assert len(windows) > 1
    assert "".join(windows).replace(" ", "") == prompt.replace(" ", "")
    tokenizer = sd9.pipe.tokenizer
    assert all(len(tokenizer(text).input_ids) <= tokenizer.model_max_length for text in windows)


def test_embeddings_are_those_of_the_windows_one_after_the_other(sd9: HandRefinerPipeline) -> None:
    windows = prompt_windows(sd9.pipe, "x " * 75 + "y z")
    assert windows == [("x " * 75).strip(), "y z"]
    given = prompt_arguments(sd9.pipe, "x " * 75 + "y z", "y")

    def alone(text: str) -> torch.Tensor:
        return sd9.pipe.encode_prompt(text, "cpu", 1, False)[0]

    wanted = torch.cat([alone(text) for text in windows], dim=1)
    torch.testing.assert_close(given["prompt_embeds"], wanted)
    torch.testing.assert_close(given["negative_prompt_embeds"], torch.cat([alone("y"), alone("")], dim=1))
    assert given["prompt"] is given["negative_prompt"] is None


def test_two_encoders_keep_the_first_windows_pooled_embedding(sdxl: HandRefinerPipeline) -> None:
    given = prompt_arguments(sdxl.pipe, "x " * 80, "y")
    first = sdxl.pipe.encode_prompt(("x " * 75).strip(), device="cpu", do_classifier_free_guidance=False)
    torch.testing.assert_close(given["pooled_prompt_embeds"], first[2])
    torch.testing.assert_close(given["prompt_embeds"][:, : first[0].shape[1]], first[0])
    assert given["prompt_embeds"].shape == given["negative_prompt_embeds"].shape


@pytest.mark.parametrize("which", ["prompt", "negative_prompt"])
def test_the_words_beyond_the_first_window_change_the_picture(
    which: str, sd9: HandRefinerPipeline, sdxl: HandRefinerPipeline, paint: Paint
) -> None:
    for pipe in (sd9, sdxl):
        one, other = (
            paint(pipe, num_inference_steps=1, **{which: "x " * 75 + tail}) for tail in ("y y y", "z z z")
        )
        assert not torch.equal(one, other)


def test_a_transformers_prompt_beyond_its_length_is_refused_with_how_many_fit(
    tmp_path: Path, paint: Paint
) -> None:
    flux = HandRefinerPipeline.from_pretrained(write_flux(tmp_path / "flux"), dtype="float32", device="cpu")
    with pytest.raises(UsageError, match=r"tokens long: this model reads \d+; shorten it"):
        paint(flux, sampler="flow", prompt="x " * 600)


def test_each_picture_of_a_batch_has_its_own_prompt_in_as_many_windows(sdxl: HandRefinerPipeline) -> None:
    together = prompt_arguments(sdxl.pipe, ["x " * 80, "z"], "y")
    alone = prompt_arguments(sdxl.pipe, "x " * 80, "y")
    for name in ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds"):
        assert together[name].shape[0] == 2
        torch.testing.assert_close(together[name][:1], alone[name])
    first = sdxl.pipe.encode_prompt("z", device="cpu", do_classifier_free_guidance=False)
    torch.testing.assert_close(together["prompt_embeds"][1:, : first[0].shape[1]], first[0])
    assert prompt_arguments(sdxl.pipe, ["x", "z"], "y")["negative_prompt"] == ["y", "y"]
