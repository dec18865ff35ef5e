"""Prompt, seed and model out of ComfyUI's executed graph, by following its links back from the sampler."""

from typing import Any, TypeGuard, cast

Json = dict[str, Any]

_TEXTS = (
    "text",
    "text_g",
    "text_l",
    "t5xxl",
    "clip_l",
    "prompt",
    "string",
    "value",
    "wildcard_text",
    "positive",
)
_SEEDS = ("seed", "noise_seed", "value", "int")
_MODELS = ("ckpt_name", "unet_name", "model_name")
_LINKS_TO_WORDS = ("conditioning", "positive", "cond", "conditioning_1", "conditioning_to", "text", "guider")
_LINKS_TO_NEGATIVE = ("negative", "conditioning", "conditioning_1", "conditioning_to", "text")
_LINKS_TO_MODEL = ("model", "guider", "unet", "ckpt_name", "unet_name")


def read_graph(graph: Json) -> Json:
    """Prompt, negative prompt, seed and model of a graph by node numbers, as ``GenerationData`` takes them.

    Of several samplers the first by number counts: later ones refine what it made.
    """
    nodes = {key: cast("Json", node) for key, node in graph.items() if isinstance(node, dict)}
    samplers = [key for key in sorted(nodes, key=_number) if _samples(nodes[key])]
    if not samplers:
        words = [_found(nodes, key, _TEXTS, ()) for key in sorted(nodes, key=_number) if _encodes(nodes[key])]
        return {"prompt": next((str(text) for text in words if text), "")}
    start = nodes[samplers[0]].get("inputs", {})
    seed = _value(nodes, start, _SEEDS[:2], ("noise", "seed", "noise_seed"))
    positive = _value(nodes, start, (), ("positive", "guider", "conditioning"), _TEXTS, _LINKS_TO_WORDS)
    negative = _negative(nodes, start)
    model = _value(nodes, start, (), ("model", "guider"), _MODELS, _LINKS_TO_MODEL)
    return {
        "prompt": str(positive or ""),
        "negative_prompt": str(negative or ""),
        "seed": int(seed) if isinstance(seed, int | float) else None,
        "model": str(model or ""),
    }


def _number(key: str) -> tuple[int, str]:
    head = key.split(":")[0]
    return (int(head), key) if head.isdigit() else (1 << 30, key)


def _samples(node: Json) -> bool:
    name, inputs = str(node.get("class_type", "")), node.get("inputs", {})
    return "Sampler" in name and any(key in inputs for key in ("positive", "guider")) and "Select" not in name


def _encodes(node: Json) -> bool:
    return "TextEncode" in str(node.get("class_type", ""))


def _negative(nodes: dict[str, Json], inputs: Json) -> object:
    link = inputs.get("negative")
    if _is_link(link):
        return _found(nodes, link[0], _TEXTS, _LINKS_TO_NEGATIVE)
    guider = inputs.get("guider")
    if _is_link(guider) and str(guider[0]) in nodes:
        return _negative(nodes, nodes[str(guider[0])].get("inputs", {}))
    return None


def _value(
    nodes: dict[str, Json],
    inputs: Json,
    own: tuple[str, ...],
    links: tuple[str, ...],
    names: tuple[str, ...] = _SEEDS,
    onward: tuple[str, ...] = _SEEDS,
) -> object:
    """A value of a node's own, else one found behind its links."""
    for name in own:
        if name in inputs and not _is_link(inputs[name]):
            return inputs[name]
    for name in links:
        if _is_link(inputs.get(name)):
            found = _found(nodes, inputs[name][0], names, onward)
            if found is not None:
                return found
    return None


def _found(
    nodes: dict[str, Json],
    key: Any,  # noqa: ANN401 - a node's number, as text or not
    names: tuple[str, ...],
    onward: tuple[str, ...],
    depth: int = 0,
) -> object:
    """The first value of one of the names in a node or behind its links, at most 50 nodes deep."""
    node = nodes.get(str(key))
    if node is None or depth > 50:
        return None
    inputs: Json = node.get("inputs", {})
    for name in names:
        if name in inputs and not _is_link(inputs[name]) and inputs[name] not in ("", None):
            return inputs[name]
    for name in dict.fromkeys((*names, *onward)):
        if _is_link(inputs.get(name)):
            found = _found(nodes, inputs[name][0], names, onward, depth + 1)
            if found is not None:
                return found
    return None


def _is_link(value: Any) -> TypeGuard[list[Any]]:  # noqa: ANN401 - any JSON value
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], int)
