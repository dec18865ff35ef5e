"""Prompts beyond the text encoder's length: windows joined, nothing cut off, short ones as ever."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from handwright.diffusion.long_prompts import prompt_arguments, prompt_windows
from handwright.diffusion.refiner_pipeline import HandRefinerPipeline
from handwright.errors import UsageError
from tests.diffusion.families import write_flux, write_sd3, write_sdxl, write_z_image

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


@pytest.fixture(scope="module")
def transformers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, HandRefinerPipeline]:
    """SD 3, FLUX and Z-Image, whose CLIPs read 77 tokens, T5 512 and Qwen as many as it is asked to."""
    folder = tmp_path_factory.mktemp("transformers")
    writers = {"sd3": write_sd3, "flux": write_flux, "z-image": write_z_image}
    return {
        name: HandRefinerPipeline.from_pretrained(write(folder / name), dtype="float32", device="cpu")
        for name, write in writers.items()
    }


# The small T5, CLIP and Qwen read a letter as one token, Qwen a space too; each has one or two marks
FITS = {"sd3": "x " * 75, "flux": "x " * 250, "z-image": "x " * 100}
BEYOND_CLIP, BEYOND_USUAL, BEYOND_T5 = "x " * 80, "x " * 300, "x " * 600


@pytest.mark.parametrize("family", ["sd3", "flux", "z-image"])
def test_what_fits_goes_to_the_stock_transformer_as_it_is(
    family: str, transformers: dict[str, HandRefinerPipeline], paint: Paint
) -> None:
    pipe = transformers[family].pipe
    negative = "y" if family == "sd3" else None
    assert prompt_arguments(pipe, FITS[family], negative) == {
        "prompt": FITS[family], "negative_prompt": negative,
    }  # fmt: skip
    usual = inspect.signature(pipe.__call__).parameters["max_sequence_length"].default
    ours = paint(transformers[family], sampler="flow", prompt=FITS[family], num_inference_steps=1)
    stock = paint(
        transformers[family], sampler="flow", prompt=FITS[family], num_inference_steps=1,
        max_sequence_length=usual,
    )  # fmt: skip
    assert torch.equal(ours, stock)


def test_sd3_joins_windows_of_clip_before_t5s_tokens(transformers: dict[str, HandRefinerPipeline]) -> None:
    pipe = transformers["sd3"].pipe
    given = prompt_arguments(pipe, BEYOND_CLIP, "y")
    windows = prompt_windows(pipe, BEYOND_CLIP)
    assert [len(text.split()) for text in windows] == [75, 5]

    def stock(clip: str, t5: str, length: int = 256) -> tuple[torch.Tensor, torch.Tensor]:
        tokens, _, pooled, _ = pipe.encode_prompt(
            prompt=clip, prompt_2=clip, prompt_3=t5, do_classifier_free_guidance=False,
            max_sequence_length=length,
        )  # fmt: skip
        return tokens, pooled

    (first, pooled), (second, _) = (stock(text, BEYOND_CLIP) for text in windows)
    wanted = torch.cat([first[:, :77], second[:, :77], first[:, 77:]], dim=1)
    torch.testing.assert_close(given["prompt_embeds"], wanted)
    torch.testing.assert_close(given["pooled_prompt_embeds"], pooled)
    (of_y, pooled_of_y), (empty, _) = stock("y", "y"), stock(" ", "y")
    assert given["negative_prompt_embeds"].shape == wanted.shape
    torch.testing.assert_close(given["negative_prompt_embeds"][:, :77], of_y[:, :77])
    torch.testing.assert_close(given["negative_prompt_embeds"][:, 77:154], empty[:, :77])
    torch.testing.assert_close(given["negative_pooled_prompt_embeds"], pooled_of_y)


def test_t5_reads_its_own_length_before_it_reads_windows(
    transformers: dict[str, HandRefinerPipeline],
) -> None:
    sd3, flux = transformers["sd3"].pipe, transformers["flux"].pipe
    own = prompt_arguments(sd3, BEYOND_USUAL, "y")["prompt_embeds"]
    t5 = sd3.encode_prompt(
        "x", "x", BEYOND_USUAL, do_classifier_free_guidance=False, max_sequence_length=512
    )[0][:, 77:]
    assert own.shape[1] == 4 * 77 + 512
    torch.testing.assert_close(own[:, -512:], t5)
    assert prompt_arguments(sd3, BEYOND_T5, "y")["prompt_embeds"].shape[1] == 8 * 77 + 2 * 512
    windows = prompt_windows(flux, BEYOND_T5, ("tokenizer_2",), 512)
    assert len(windows) == 2
    given = prompt_arguments(flux, BEYOND_T5, None)
    alone = [flux.encode_prompt(BEYOND_T5, text, max_sequence_length=512) for text in windows]
    torch.testing.assert_close(given["prompt_embeds"], torch.cat([each[0] for each in alone], dim=1))
    torch.testing.assert_close(given["pooled_prompt_embeds"], alone[0][1])


def test_a_batch_of_a_long_and_a_short_prompt_is_each_filled_up(
    transformers: dict[str, HandRefinerPipeline],
) -> None:
    pipe = transformers["sd3"].pipe
    both = prompt_arguments(pipe, [BEYOND_CLIP, "y"], "z")
    assert {name: both[name].shape[0] for name in both if both[name] is not None} == dict.fromkeys(
        (
            "prompt_embeds", "pooled_prompt_embeds", "negative_prompt_embeds",
            "negative_pooled_prompt_embeds",
        ), 2,
    )  # fmt: skip
    alone = prompt_arguments(pipe, BEYOND_CLIP, "z")
    torch.testing.assert_close(both["prompt_embeds"][:1], alone["prompt_embeds"])


@pytest.mark.parametrize(
    ("family", "head"),
    [("sd3", BEYOND_CLIP), ("sd3", BEYOND_T5), ("flux", BEYOND_T5), ("z-image", "x" * 600)],
)
def test_words_beyond_the_usual_window_change_what_a_transformer_paints(
    family: str, head: str, transformers: dict[str, HandRefinerPipeline], paint: Paint
) -> None:
    pipe = transformers[family]
    if family == "z-image":
        pipe.pipe.transformer.register_to_config(axes_lens=[1536, 64, 64])
        for part in (pipe.pipe.transformer, pipe.pipe.controlnet):
            part.rope_embedder.axes_lens, part.rope_embedder.freqs_cis = [1536, 64, 64], None
    one, other = (
        paint(pipe, sampler="flow", num_inference_steps=1, prompt=f"{head} {tail}") for tail in ("yyy", "zzz")
    )
    assert one.isfinite().all() and not torch.equal(one, other)


def test_a_chat_beyond_the_denoisers_places_is_refused_with_how_many_there_are(
    tmp_path: Path, paint: Paint
) -> None:
    folder = write_z_image(tmp_path / "z-image")
    pipe = HandRefinerPipeline.from_pretrained(folder, dtype="float32", device="cpu")
    with pytest.raises(UsageError, match="300 tokens long: this model has places for 224; shorten it"):
        paint(pipe, sampler="flow", prompt="x" * 300)
    assert paint(pipe, sampler="flow", prompt="x" * 224, num_inference_steps=1).isfinite().all()
