"""What a generator wrote into a picture about how it was made: A1111, ComfyUI, Fooocus, InvokeAI, NovelAI.

A1111's form is also Forge's and SD.Next's. PNG keeps such text by keyword, JPEG and WebP in EXIF.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from handwright.image.comfyui_graph import read_graph
from handwright.image.facts import FileFacts, facts_of
from handwright.image.formats.alpha_text import hidden_texts
from handwright.image.formats.generator_text import (
    SOFTWARE,
    graph_texts,
    object_texts,
    user_comment,
)
from handwright.image.formats.metadata import parsed_exif
from handwright.types import Image

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class GenerationData:
    """How a picture was made, as its generator tells it; what it leaves out is empty or None."""

    tool: str  # 'A1111', 'ComfyUI', 'Fooocus', 'InvokeAI' or 'NovelAI'
    prompt: str = ""
    negative_prompt: str = ""
    seed: int | None = None
    model: str = ""  # As the generator names it


def generation_data(image: Image) -> GenerationData | None:
    """What the picture's generator wrote, or None where no known one did."""
    found = read_generation_data(texts_of(facts_of(image)))
    if found is None and image.native is not None and image.mode == "RGBA":
        return read_generation_data(hidden_texts(image.native[..., 3]))
    return found


def texts_of(facts: FileFacts) -> dict[str, str]:
    """Texts of a picture's file by keyword; EXIF's user comment stands under 'UserComment'."""
    texts = dict(facts.text)
    if facts.exif is None:
        return texts
    exif = parsed_exif(facts.exif)
    if comment := user_comment(exif):
        texts["UserComment"] = comment
    for keyword, value in (*object_texts(texts.get("UserComment", "")).items(), *graph_texts(exif).items()):
        texts.setdefault(keyword, value)
    software = exif.get(SOFTWARE)
    if software:
        texts.setdefault("Software", str(software))
    return texts


def read_generation_data(texts: Mapping[str, str]) -> GenerationData | None:
    """The first reader that knows the texts; damaged ones are passed over."""
    for read in (_invokeai, _novelai, _comfyui, _fooocus, _a1111):
        try:
            found = read(texts)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            continue
        if found is not None:
            return found
    return None


def _object(text: str | None) -> Json | None:
    """A JSON object, or None."""
    if not text or not text.lstrip().startswith("{"):
        return None
    value = json.loads(text)
    return cast("Json", value) if isinstance(value, dict) else None


def _whole(value: Any) -> int | None:  # noqa: ANN401 - any JSON value
    return None if value is None or isinstance(value, bool) or str(value).strip() == "" else int(value)


def _a1111(texts: Mapping[str, str]) -> GenerationData | None:
    """Prompt, 'Negative prompt: …', and a last line of 'Steps: 20, Seed: 7, Model: …'."""
    text = texts.get("parameters") or texts.get("UserComment") or ""
    settings = re.search(r"(?:^|\n)(Steps: .*)\Z", text.strip(), re.DOTALL)
    if settings is None:
        return None
    words = text.strip()[: settings.start()].strip()
    prompt, _, negative = words.partition("Negative prompt:")
    seed = re.search(r"(?:^|, )Seed: (\d+)", settings[1])
    model = re.search(r'(?:^|, )Model: ("(?:[^"\\]|\\.)*"|[^,\n]*)', settings[1])
    name = model[1].strip() if model else ""
    return GenerationData(
        tool="A1111",
        prompt=prompt.strip(),
        negative_prompt=negative.strip(),
        seed=int(seed[1]) if seed else None,
        model=json.loads(name) if name.startswith('"') else name,
    )


def _comfyui(texts: Mapping[str, str]) -> GenerationData | None:
    """The executed graph, under 'prompt'."""
    graph = _object(texts.get("prompt"))
    if graph is None or not any(isinstance(node, dict) and "class_type" in node for node in graph.values()):
        return None
    return GenerationData(tool="ComfyUI", **read_graph(graph))


def _fooocus(texts: Mapping[str, str]) -> GenerationData | None:
    """Its own JSON, or A1111's form beside its name."""
    own = "Fooocus" in texts.get("Software", "") or "fooocus_scheme" in texts
    for name in ("parameters", "UserComment", "Comment"):
        values = _object(texts.get(name))
        if values is not None and ("base_model" in values or "Base Model" in values):
            plain = {key.lower().replace(" ", "_"): value for key, value in values.items()}
            return GenerationData(
                tool="Fooocus",
                prompt=str(plain.get("prompt", "")),
                negative_prompt=str(plain.get("negative_prompt", "")),
                seed=_whole(plain.get("seed")),
                model=str(plain.get("base_model", "")),
            )
    found = _a1111(texts) if own else None
    return None if found is None else replace(found, tool="Fooocus")


def _invokeai(texts: Mapping[str, str]) -> GenerationData | None:
    """Version 3 on: 'invokeai_metadata'; version 2: 'sd-metadata'; before: 'Dream', a command line."""
    values = _object(texts.get("invokeai_metadata"))
    if values is not None:
        model = values.get("model") or {}
        return GenerationData(
            tool="InvokeAI",
            prompt=str(values.get("positive_prompt") or ""),
            negative_prompt=str(values.get("negative_prompt") or ""),
            seed=_whole(values.get("seed")),
            model=str(model.get("name") or model.get("model_name") or model.get("key") or ""),
        )
    values = _object(texts.get("sd-metadata"))
    if values is not None:
        image = values["image"]
        words = image["prompt"]
        text = words if isinstance(words, str) else ", ".join(str(part["prompt"]) for part in words)
        return _bracketed(text, _whole(image.get("seed")), str(values.get("model_weights", "")))
    dream = re.match(r'\s*"((?:[^"\\]|\\.)*)"(.*)', texts.get("Dream", ""), re.DOTALL)
    if dream is None:
        return None
    seed = re.search(r"-S\s*(\d+)", dream[2])
    return _bracketed(dream[1], int(seed[1]) if seed else None, "")


def _bracketed(words: str, seed: int | None, model: str) -> GenerationData:
    """InvokeAI 2's prompts, in which negative words stand in square brackets."""
    negative = re.findall(r"\[([^\]]*)\]", words)
    prompt = re.sub(r"\s*\[[^\]]*\]", "", words).strip()
    return GenerationData(
        tool="InvokeAI", prompt=prompt, negative_prompt=", ".join(negative), seed=seed, model=model
    )


def _novelai(texts: Mapping[str, str]) -> GenerationData | None:
    """'Comment' holds JSON with 'uc', negative words; version 4 has captions of the scene and its people."""
    values = _object(texts.get("Comment"))
    if values is None or ("uc" not in values and "v4_prompt" not in values):
        return None
    return GenerationData(
        tool="NovelAI",
        prompt=_caption(values.get("v4_prompt")) or str(values.get("prompt") or texts.get("Description", "")),
        negative_prompt=_caption(values.get("v4_negative_prompt")) or str(values.get("uc") or ""),
        seed=_whole(values.get("seed")),
        model=texts.get("Source", ""),
    )


def _caption(entry: Any) -> str:  # noqa: ANN401 - any JSON value
    if not isinstance(entry, dict):
        return ""
    caption: Json = cast("Json", entry).get("caption") or {}
    people = [str(one["char_caption"]) for one in caption.get("char_captions") or []]
    return ", ".join(words for words in (str(caption.get("base_caption", "")), *people) if words)
