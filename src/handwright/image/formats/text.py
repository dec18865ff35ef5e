"""Text in picture files: a generator's prompt and seed, and a line of our own."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handwright.image.facts import FileFacts, facts_of
from handwright.image.formats.metadata import parsed_exif
from handwright.types import Image

_USER_COMMENT, _EXIF_DIRECTORY = 37510, 34665


def read_generation_text(image: Image) -> dict[str, str | int]:
    """Return the prompt and seed that a generator left in the picture.

    It parses the 'parameters' text of AUTOMATIC1111 and its kin (PNG text, or EXIF UserComment in JPEG and
    WebP) and the 'prompt' graph of ComfyUI.

    Returns:
        Those of 'generator', 'prompt', 'negative_prompt' and 'seed' that are there; empty when nothing is.
    """
    facts = facts_of(image)
    parameters = facts.text.get("parameters") or _user_comment(facts)
    if parameters:
        return _from_parameters(parameters)
    return _from_graph(facts.text.get("prompt", ""))


def with_png_text(image: Image, keyword: str, text: str) -> Image:
    """Return the picture with one more PNG text, which replaces one of the same keyword."""
    facts = facts_of(image)
    head = keyword.encode("latin-1") + b"\0"
    chunks = facts.chunks
    if facts.format == "PNG":
        others = (
            chunk
            for chunk in chunks
            if not (chunk[0] in (b"tEXt", b"zTXt", b"iTXt") and chunk[1].startswith(head))
        )
        chunks = (*others, (b"tEXt", head + text.encode("ascii")))
    facts = replace(facts, text={**facts.text, keyword: text}, chunks=chunks)
    return replace(image, meta={**image.meta, "file": facts})


def _from_parameters(text: str) -> dict[str, str | int]:
    head, _, settings = text.partition("\nSteps:")
    prompt, _, negative = head.partition("\nNegative prompt:")
    found: dict[str, str | int] = {"generator": "AUTOMATIC1111", "prompt": prompt.strip()}
    if negative.strip():
        found["negative_prompt"] = negative.strip()
    if seed := re.search(r"\bSeed: (\d+)", settings):
        found["seed"] = int(seed[1])
    return found


def _from_graph(text: str) -> dict[str, str | int]:
    """Follow the sampler node's 'positive' and 'negative' links to their text."""
    try:
        graph: Any = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    nodes: list[Any] = list(graph.values()) if isinstance(graph, dict) else []
    for node in nodes:
        inputs = node.get("inputs") if isinstance(node, dict) else None
        if not (isinstance(inputs, dict) and "positive" in inputs):
            continue
        seed = inputs.get("seed", inputs.get("noise_seed"))
        found: dict[str, Any] = {
            "generator": "ComfyUI",
            "prompt": _text_behind(graph, inputs["positive"]),
            "negative_prompt": _text_behind(graph, inputs.get("negative")),
            "seed": seed if isinstance(seed, int) else None,
        }
        return {key: value for key, value in found.items() if value not in (None, "")}
    return {}


def _text_behind(graph: Mapping[str, Any], link: object, depth: int = 8) -> str:
    """Return the first text on the way from a link ['node id', output] to its sources."""
    if isinstance(link, str):
        return link
    if depth == 0 or not (isinstance(link, list) and link):
        return ""
    node = graph.get(str(link[0]))
    inputs: Any = node.get("inputs") if isinstance(node, dict) else None
    if not isinstance(inputs, dict):
        return ""
    for key in ("text", "text_g", "positive", "conditioning"):
        if text := _text_behind(graph, inputs.get(key), depth - 1):
            return text
    return ""


def _user_comment(facts: FileFacts) -> str:
    comment = parsed_exif(facts.exif or b"").get_ifd(_EXIF_DIRECTORY).get(_USER_COMMENT)
    if not isinstance(comment, bytes) or len(comment) < 8:
        return ""
    big_endian = comment[8:9] == b"\0"
    unicode_codec = "utf-16-be" if big_endian else "utf-16-le"
    text = (
        comment[8:]
        .decode(unicode_codec if comment.startswith(b"UNICODE") else "utf-8", "replace")
        .strip("\0 ")
    )
    return text if "Steps:" in text else ""
