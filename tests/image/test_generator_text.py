"""A generator's words stay readable when the format changes, and come back: five tools, three formats."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.image import decode_image, encode_image
from handwright.image.facts import facts_of
from handwright.image.formats.generator_text import exif_with_text, text_of_exif
from handwright.image.generation_data import GenerationData, generation_data, texts_of
from handwright.types import Image
from tests.image.test_generation_data import (
    A1111,
    BAD,
    FOOOCUS,
    INVOKE,
    NOVEL,
    SEED,
    TEXT,
    V4,
    WORDS,
    exif,
    graph,
    png,
    the,
    unicode_comment,
)

JAPANESE = A1111.format("手を振る", BAD, 5, "xl")
OF_TOOLS: list[tuple[str, bytes, GenerationData]] = [
    ("A1111", png(parameters=TEXT), the("A1111")),
    ("A1111, letters of Japan", png(parameters=JAPANESE), the("A1111", prompt="手を振る", seed=5)),
    ("ComfyUI", png(prompt=graph(), workflow='{"nodes": []}'), the("ComfyUI", model="xl.safetensors")),
    ("Fooocus", png(parameters=json.dumps(FOOOCUS), fooocus_scheme="fooocus"), the("Fooocus")),
    ("Fooocus, A1111's form", png(parameters=TEXT, fooocus_scheme="a1111"), the("Fooocus")),
    (
        "Fooocus, letters of Japan",
        png(parameters=JAPANESE, fooocus_scheme="a1111"),
        the("Fooocus", prompt="手を振る", seed=5),
    ),
    ("InvokeAI", png(invokeai_metadata=json.dumps(INVOKE), invokeai_graph="{}"), the("InvokeAI")),
    (
        "NovelAI",
        png(Software="NovelAI", Description=WORDS, Source="xl", Comment=json.dumps(NOVEL)),
        the("NovelAI"),
    ),
    ("NovelAI 4", png(Software="NovelAI", Source="xl", Comment=json.dumps(V4)), the("NovelAI")),
]


def converted(image: Image, file_format: str) -> Image:
    data, notes = encode_image(image, file_format)
    assert not any("text" in note for note in notes), notes
    return decode_image(data)


@pytest.mark.parametrize("on_the_way", [("JPEG",), ("WEBP",), ("JPEG", "WEBP"), ("WEBP", "JPEG")])
@pytest.mark.parametrize(("data", "wanted"), [t[1:] for t in OF_TOOLS], ids=[t[0] for t in OF_TOOLS])
def test_a_png_goes_through_other_formats_and_back_with_all_its_words(
    data: bytes, wanted: GenerationData, on_the_way: tuple[str, ...]
) -> None:
    image = decode_image(data)
    keywords = dict(facts_of(image).text)
    for file_format in on_the_way:
        image = converted(image, file_format)
        assert generation_data(image) == wanted, file_format
    image = converted(image, "PNG")
    assert generation_data(image) == wanted
    back = dict(facts_of(image).text)
    plain = {key: json.loads(text) if text.startswith("{") else text for key, text in keywords.items()}
    assert {
        key: json.loads(back[key]) if back[key].startswith("{") else back[key] for key in keywords
    } == plain


@pytest.mark.parametrize("source", ["JPEG", "WEBP"])
@pytest.mark.parametrize("target", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("options", "wanted", "keyword"),
    [
        ({"comment": unicode_comment(TEXT)}, the("A1111"), "parameters"),
        (
            {"main": {272: f"prompt:{graph()}", 271: "workflow:{}"}},
            the("ComfyUI", model="xl.safetensors"),
            "workflow",
        ),
        (
            {"comment": json.dumps(FOOOCUS), "main": {305: "Fooocus v2.5.0"}, "sub": False},
            the("Fooocus"),
            "fooocus_scheme",
        ),
        (
            {"comment": unicode_comment(json.dumps({"Comment": json.dumps(NOVEL), "Source": "xl"}))},
            the("NovelAI"),
            "Comment",
        ),
    ],
)
def test_exif_of_the_tools_becomes_their_png_keywords(
    source: str, target: str, options: dict[str, object], wanted: GenerationData, keyword: str
) -> None:
    image = decode_image(exif(source, **options))  # type: ignore[arg-type]
    again = converted(image, target)
    assert generation_data(again) == wanted
    if target == "PNG":
        assert keyword in facts_of(again).text


def tags_of(text: dict[str, str]) -> PILImage.Exif:
    data, lost = exif_with_text(None, text)
    assert data is not None and not lost
    parsed = PILImage.Exif()
    parsed.load(b"Exif\0\0" + data)
    return parsed


def test_each_tools_words_lie_where_the_tool_looks_for_them() -> None:
    a1111 = tags_of({"parameters": TEXT}).get_ifd(34665)[37510]
    assert a1111 == b"UNICODE\0" + TEXT.encode("utf-16-be")
    comfy = tags_of({"workflow": '{"b": "é"}', "prompt": '{"a": 1}'})
    assert comfy[272] == 'prompt:{"a": 1}' and json.loads(comfy[271].removeprefix("workflow:")) == {"b": "é"}
    fooocus = tags_of({"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"})
    assert (json.loads(fooocus[37510]), fooocus[305]) == (FOOOCUS, "Fooocus v2.5.0")
    assert fooocus[37500] in ("fooocus", b"fooocus")
    novel = tags_of({"Comment": json.dumps(NOVEL), "Source": "xl"}).get_ifd(34665)[37510]
    assert json.loads(novel[8:].decode("utf-16-be")) == {"Comment": json.dumps(NOVEL), "Source": "xl"}


def test_the_cameras_own_tags_stay_and_a_graph_takes_the_next_free_one() -> None:
    parsed = PILImage.Exif()
    parsed[272] = "a camera"
    data, lost = exif_with_text(parsed.tobytes().removeprefix(b"Exif\0\0"), {"prompt": graph()})
    assert data is not None and not lost
    again = PILImage.Exif()
    again.load(b"Exif\0\0" + data)
    assert again[272] == "a camera" and again[271].startswith("prompt:{")


def test_a_jpeg_too_small_for_a_workflow_keeps_the_prompt_and_names_what_it_lost() -> None:
    workflow = json.dumps({"nodes": "n" * 70_000})
    image = decode_image(png(prompt=graph(), workflow=workflow))
    data, notes = encode_image(image, "JPEG")
    assert any("JPEG has no room for it: 'workflow'" in note for note in notes)
    found = generation_data(decode_image(data))
    assert found is not None and found.seed == SEED
    data, notes = encode_image(image, "WEBP")
    assert not any("no room" in note for note in notes)
    assert texts_of(facts_of(decode_image(data)))["workflow"] == workflow
    huge = decode_image(png(parameters=f"{'x' * 70_000}\nSteps: 4, Seed: 7"))
    data, notes = encode_image(huge, "JPEG")
    assert any("'parameters'" in note for note in notes) and generation_data(decode_image(data)) is None


def test_nothing_is_made_up_where_no_generator_wrote() -> None:
    assert text_of_exif(None) == {}
    assert exif_with_text(b"II*\0", {}) == (b"II*\0", ())
    assert exif_with_text(None, {"handwright": "{}"}) == (None, ())
    assert exif_with_text(None, {"Warning": "x"}) == (None, ("Warning",))
    picture = Image(np.zeros((4, 4, 3), np.uint8))
    assert facts_of(decode_image(encode_image(picture, "JPEG")[0])).exif is None
