"""Pictures as the generators write them: what is read of them, and that it survives a repair."""

# ruff: noqa: E501 - a table of samples reads best a line each
from __future__ import annotations

import gzip
import json
from collections import Counter
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image as PILImage
from PIL import PngImagePlugin

from handwright.image import decode_image, encode_image, with_edits
from handwright.image.facts import facts_of
from handwright.image.generation_data import GenerationData, generation_data, texts_of

PIXELS = np.random.default_rng(1).integers(0, 255, (16, 16, 3), dtype=np.uint8)
WORDS, BAD, SEED = "a woman waving, five fingers", "blurry, bad hands", 1234567890123

A1111 = "{}\nNegative prompt: {}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: {}, Size: 512x512, Model hash: 6ce, Model: {}, Version: v1.9"


def png(**texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        (info.add_itxt if not text.isascii() else info.add_text)(key.replace("_META", "-metadata"), text)
    return saved("PNG", pnginfo=info)


def saved(file_format: str, **options: Any) -> bytes:
    file = BytesIO()
    PILImage.fromarray(PIXELS).save(file, file_format, **options)
    return file.getvalue()


def png_ztxt(**texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text, zip=True)
    return saved("PNG", pnginfo=info)


def hidden(payload: bytes, form: bytes, length: int | None = None) -> bytes:
    """A PNG with a text in the lowest bits of its alpha channel, down the columns."""
    bits = len(payload) * 8 if length is None else length
    stream = np.unpackbits(np.frombuffer(form + bits.to_bytes(4, "big") + payload, np.uint8))
    pixels = np.full((96, 64, 4), 254, np.uint8)
    column_first = pixels[..., 3].T.reshape(-1)
    column_first[: len(stream)] |= stream
    pixels[..., 3] = column_first.reshape(64, 96).T
    file = BytesIO()
    PILImage.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def exif(
    file_format: str, comment: Any = None, main: dict[int, Any] | None = None, sub: bool = True
) -> bytes:
    tags = PILImage.Exif()
    for tag, value in (main or {}).items():
        tags[tag] = value
    if comment is not None:
        if sub:
            tags.get_ifd(34665)[37510] = comment
        else:
            tags[37510] = comment
    return saved(file_format, exif=tags.tobytes())


def unicode_comment(text: str, order: str = "be") -> bytes:
    return b"UNICODE\0" + text.encode(f"utf-16-{order}")


def graph(seed: Any = SEED, **changes: Any) -> str:
    nodes: dict[str, Any] = {
        "3": {"class_type": "KSampler", "inputs": {"seed": seed, "steps": 20, "model": ["4", 0],
              "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "xl.safetensors"}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": WORDS, "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": BAD, "clip": ["4", 1]}},
    }  # fmt: skip
    return json.dumps({**nodes, **changes})


LORA = {
    "10": {"class_type": "LoraLoader", "inputs": {"lora_name": "l", "model": ["4", 0], "clip": ["4", 1]}},
    "3": {"class_type": "KSamplerAdvanced", "inputs": {"noise_seed": SEED, "model": ["10", 0],
          "positive": ["11", 0], "negative": ["7", 0]}},
    "11": {"class_type": "ControlNetApply", "inputs": {"conditioning": ["6", 0], "strength": 1.0}},
}  # fmt: skip
LINKED = {
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ["12", 0], "clip": ["4", 1]}},
    "12": {"class_type": "PrimitiveString", "inputs": {"value": WORDS}},
}
FLUX = json.dumps({
    "13": {"class_type": "SamplerCustomAdvanced", "inputs": {"noise": ["25", 0], "guider": ["22", 0]}},
    "25": {"class_type": "RandomNoise", "inputs": {"noise_seed": SEED}},
    "22": {"class_type": "CFGGuider", "inputs": {"model": ["12", 0], "positive": ["26", 0], "negative": ["7", 0]}},
    "26": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["6", 0]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": WORDS}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": BAD}},
    "12": {"class_type": "UNETLoader", "inputs": {"unet_name": "xl.safetensors"}},
})  # fmt: skip
FOOOCUS = {"prompt": WORDS, "full_prompt": [WORDS], "negative_prompt": BAD, "base_model": "xl", "seed": str(SEED),
           "performance": "Speed", "version": "Fooocus v2.5.0"}  # fmt: skip
INVOKE = {
    "positive_prompt": WORDS,
    "negative_prompt": BAD,
    "seed": SEED,
    "model": {"name": "xl", "base": "sdxl"},
}
SD_METADATA = {
    "model": "stable diffusion",
    "model_weights": "xl",
    "image": {"prompt": f"{WORDS} [{BAD}]", "seed": SEED},
}
NOVEL = {"prompt": WORDS, "uc": BAD, "seed": SEED, "steps": 28, "sampler": "k_euler"}
V4 = {
    "seed": SEED, "uc": "old", "prompt": "old",
    "v4_prompt": {"caption": {"base_caption": "a woman waving",
                              "char_captions": [{"char_caption": "five fingers", "centers": []}]}},
    "v4_negative_prompt": {"caption": {"base_caption": BAD, "char_captions": []}},
}  # fmt: skip
TEXT = A1111.format(WORDS, BAD, SEED, "xl")


def the(tool: str, **changes: Any) -> GenerationData:
    usual = {"prompt": WORDS, "negative_prompt": BAD, "seed": SEED, "model": "xl"}
    return GenerationData(tool=tool, **{**usual, **changes})


COMFY = the("ComfyUI", model="xl.safetensors")
SAMPLES: list[tuple[str, bytes, GenerationData]] = [
    ("A1111 PNG", png(parameters=TEXT), the("A1111")),
    ("A1111 PNG, letters of Japan", png(parameters=A1111.format("手を振る", BAD, 5, "xl")), the("A1111", prompt="手を振る", seed=5)),
    ("A1111 PNG, no negative words", png(parameters=f"{WORDS}\nSteps: 4, Seed: 7, Model: xl"), the("A1111", negative_prompt="", seed=7)),
    ("A1111 PNG, no prompt", png(parameters="Steps: 4, Seed: 7, Model: xl"), the("A1111", prompt="", negative_prompt="", seed=7)),
    ("A1111 PNG, lines", png(parameters=A1111.format("one\ntwo", "three\nfour", 7, "xl")), the("A1111", prompt="one\ntwo", negative_prompt="three\nfour", seed=7)),
    ("A1111 PNG, a comma in the model", png(parameters=f'{WORDS}\nSteps: 4, Seed: 7, Model: "x, l"'), the("A1111", negative_prompt="", seed=7, model="x, l")),
    ("A1111 PNG, no model", png(parameters=f"{WORDS}\nSteps: 4, Seed: 7"), the("A1111", negative_prompt="", seed=7, model="")),
    ("A1111 PNG, variation seed", png(parameters=f"{WORDS}\nSteps: 4, Variation seed: 9, Seed: 7, Model: xl"), the("A1111", negative_prompt="", seed=7)),
    ("A1111 PNG, LoRA and hashes", png(parameters=TEXT + ', Lora hashes: "a: 1b, c: 2d"'), the("A1111")),
    ("A1111 JPEG", exif("JPEG", unicode_comment(TEXT)), the("A1111")),
    ("A1111 JPEG, low byte first", exif("JPEG", unicode_comment(TEXT, "le")), the("A1111")),
    ("A1111 JPEG, ASCII", exif("JPEG", b"ASCII\0\0\0" + TEXT.encode()), the("A1111")),
    ("A1111 WebP", exif("WEBP", unicode_comment(TEXT)), the("A1111")),
    ("A1111 WebP, letters of Japan", exif("WEBP", unicode_comment(A1111.format("手を振る", BAD, 5, "xl"))), the("A1111", prompt="手を振る", seed=5)),
    ("ComfyUI PNG", png(prompt=graph(), workflow="{}"), COMFY),
    ("ComfyUI PNG, LoRA and ControlNet", png(prompt=graph(**LORA)), COMFY),
    ("ComfyUI PNG, linked text", png(prompt=graph(**LINKED)), COMFY),
    ("ComfyUI PNG, linked seed", png(prompt=graph(["30", 0], **{"30": {"class_type": "PrimitiveInt", "inputs": {"value": SEED}}})), COMFY),
    ("ComfyUI PNG, guider", png(prompt=FLUX), COMFY),
    ("ComfyUI PNG, two samplers", png(prompt=graph(**{"40": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["7", 0], "negative": ["6", 0], "model": ["4", 0]}}})), COMFY),
    ("ComfyUI PNG, SDXL encoder", png(prompt=graph(**{"6": {"class_type": "CLIPTextEncodeSDXL", "inputs": {"text_g": WORDS, "text_l": WORDS}}})), COMFY),
    ("ComfyUI PNG, no sampler", png(prompt=json.dumps({"6": {"class_type": "CLIPTextEncode", "inputs": {"text": WORDS}}})), GenerationData(tool="ComfyUI", prompt=WORDS)),
    ("ComfyUI WebP", exif("WEBP", main={271: f"prompt:{graph()}", 270: "workflow:{}"}), COMFY),
    ("ComfyUI WebP, model tag", exif("WEBP", main={272: f"prompt:{graph()}", 271: "workflow:{}"}), COMFY),
    ("Fooocus PNG", png(parameters=json.dumps(FOOOCUS), fooocus_scheme="fooocus"), the("Fooocus")),
    ("Fooocus PNG, A1111's form", png(parameters=TEXT, fooocus_scheme="a1111"), the("Fooocus")),
    ("Fooocus JPEG", exif("JPEG", json.dumps(FOOOCUS), {305: "Fooocus v2.5.0"}, sub=False), the("Fooocus")),
    ("Fooocus WebP", exif("WEBP", json.dumps(FOOOCUS), {305: "Fooocus v2.5.0"}, sub=False), the("Fooocus")),
    ("Fooocus JPEG, A1111's form", exif("JPEG", TEXT, {305: "Fooocus v2.5.0"}, sub=False), the("Fooocus")),
    ("Fooocus PNG, early names", png(Comment=json.dumps({"Prompt": WORDS, "Negative Prompt": BAD, "Seed": SEED, "Base Model": "xl"})), the("Fooocus")),
    ("InvokeAI PNG", png(invokeai_metadata=json.dumps(INVOKE), invokeai_graph="{}"), the("InvokeAI")),
    ("InvokeAI 3 PNG", png(invokeai_metadata=json.dumps({**INVOKE, "model": {"model_name": "xl"}})), the("InvokeAI")),
    ("InvokeAI PNG, no negative words", png(invokeai_metadata=json.dumps({**INVOKE, "negative_prompt": None})), the("InvokeAI", negative_prompt="")),
    ("InvokeAI 2 PNG", png(sd_META=json.dumps(SD_METADATA)), the("InvokeAI")),
    ("InvokeAI 2 PNG, weighted", png(sd_META=json.dumps({**SD_METADATA, "image": {"prompt": [{"prompt": WORDS, "weight": 1.0}], "seed": SEED}})), the("InvokeAI", negative_prompt="")),
    ("InvokeAI 1 PNG", png(Dream=f'"{WORDS} [{BAD}]" -s 50 -S {SEED} -W 512 -H 512 -C 7.5 -A k_lms'), the("InvokeAI", model="")),
    ("NovelAI PNG", png(Software="NovelAI", Description=WORDS, Source="xl", Comment=json.dumps(NOVEL)), the("NovelAI")),
    ("NovelAI PNG, prompt beside", png(Software="NovelAI", Description=WORDS, Source="xl", Comment=json.dumps({k: v for k, v in NOVEL.items() if k != "prompt"})), the("NovelAI")),
    ("NovelAI 4 PNG", png(Software="NovelAI", Source="xl", Comment=json.dumps(V4)), the("NovelAI")),
    ("NovelAI PNG, in the alpha channel", hidden(gzip.compress(json.dumps({"Description": WORDS, "Software": "NovelAI", "Source": "xl", "Comment": json.dumps(NOVEL)}).encode()), b"stealth_pngcomp"), the("NovelAI")),
    ("NovelAI 4 PNG, in the alpha channel", hidden(gzip.compress(json.dumps({"Source": "xl", "Comment": json.dumps(V4)}).encode()), b"stealth_pngcomp"), the("NovelAI")),
    ("NovelAI 4 WebP", exif("WEBP", unicode_comment(json.dumps({"Comment": json.dumps(V4), "Source": "xl"}), "le")), the("NovelAI")),
    ("NovelAI PNG, compressed text", png_ztxt(Comment=json.dumps(NOVEL), Source="xl"), the("NovelAI")),
    ("InvokeAI PNG, iTXt", png(invokeai_metadata=json.dumps({**INVOKE, "positive_prompt": "手を振る"}, ensure_ascii=False)), the("InvokeAI", prompt="手を振る")),
    ("InvokeAI 4 PNG, model by key", png(invokeai_metadata=json.dumps({**INVOKE, "model": {"key": "xl"}, "app_version": "4.2.0"})), the("InvokeAI")),
    ("Fooocus WebP, A1111's form", exif("WEBP", TEXT, {305: "Fooocus v2.5.0"}, sub=False), the("Fooocus")),
    ("Fooocus PNG, compressed text", png_ztxt(parameters=json.dumps(FOOOCUS), fooocus_scheme="fooocus"), the("Fooocus")),
    ("A1111 PNG, in the alpha channel", hidden(TEXT.encode(), b"stealth_pnginfo"), the("A1111")),
    ("NovelAI WebP", exif("WEBP", unicode_comment(json.dumps({"Comment": json.dumps(NOVEL), "Source": "xl"}))), the("NovelAI")),
]  # fmt: skip


def test_there_are_forty_samples() -> None:
    assert len(SAMPLES) == len({name for name, _, _ in SAMPLES}) == 49
    tools = Counter(wanted.tool for _, _, wanted in SAMPLES)
    assert set(tools) == {"A1111", "ComfyUI", "Fooocus", "InvokeAI", "NovelAI"}
    assert min(tools.values()) >= 8


def test_hidden_bits_that_are_no_text_are_none() -> None:
    for payload, form in ((b"no gzip", b"stealth_pngcomp"), (b"\xff\xfe", b"stealth_pnginfo")):
        assert generation_data(decode_image(hidden(payload, form))) is None
    assert generation_data(decode_image(hidden(b"x", b"stealth_pnginfo", length=1 << 31))) is None


@pytest.mark.parametrize(("data", "wanted"), [s[1:] for s in SAMPLES], ids=[s[0] for s in SAMPLES])
def test_it_is_read_and_survives_a_repair(data: bytes, wanted: GenerationData) -> None:
    image = decode_image(data)
    assert generation_data(image) == wanted
    inside = np.zeros(image.pixels.shape[:2], np.bool_)
    inside[4:8, 4:8] = True
    repaired, _ = encode_image(with_edits(image, 255 - image.pixels, inside), facts_of(image).format)
    again = decode_image(repaired)
    assert generation_data(again) == wanted
    before = texts_of(facts_of(image))
    assert {key: texts_of(facts_of(again)).get(key) for key in before} == before


@pytest.mark.parametrize(
    "data",
    [
        png(), png(prompt="a plain text"), png(prompt="{"), png(parameters="just words"), png(Comment="[1, 2]"),
        png(prompt=json.dumps({"a": 1})), png(Comment="GIMP"), png(sd_META="{}"), exif("JPEG", b"UNICODE\0\xd8"),
        exif("JPEG", main={271: "Camera: maker"}), png(invokeai_metadata='{"model": 3}'),
        png(prompt=json.dumps({"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0]}}}) + "x"),
    ],
)  # fmt: skip
def test_what_no_generator_wrote_is_none(data: bytes) -> None:
    assert generation_data(decode_image(data)) is None


def test_a_graph_that_runs_in_a_circle_ends() -> None:
    circle = json.dumps({"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "seed": 3}}})
    found = generation_data(decode_image(png(prompt=circle)))
    assert found == GenerationData(tool="ComfyUI", seed=3)
