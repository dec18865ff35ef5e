"""The nodes as classes of ComfyUI's classic interface, for versions without ``comfy_api.latest``."""

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from handwright.apps.comfyui.catalogue import NODES
from handwright.apps.comfyui.sockets import CATEGORY, Input, Node


class ClassicNode:
    """What the classes have in common; ``node`` is set in each."""

    node: ClassVar[Node]
    FUNCTION = "execute"
    CATEGORY = CATEGORY

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:
        """The inputs, by their names."""
        inputs: dict[str, dict[str, Any]] = {"required": {}, "optional": {}}
        for one in cls.node.inputs:
            inputs["optional" if one.optional else "required"][one.name] = _classic(one)
        return inputs

    def execute(self, **inputs: Any) -> dict[str, Any]:  # noqa: ANN401
        """Run the node; the result with what the front end shows."""
        result = self.node.run(**self.node.given(inputs))
        return {"ui": preview(self.node, result), "result": result}


def _classic(one: Input) -> tuple[Any, dict[str, Any]]:
    return (list(one.choices) if one.kind == "COMBO" else one.kind, one.options)


def preview(node: Node, result: tuple[Any, ...]) -> dict[str, Any]:
    """The picture that a node shows, as ComfyUI's own preview node saves it; nothing outside of ComfyUI."""
    nodes = sys.modules.get("nodes")
    if node.preview is None or not hasattr(nodes, "PreviewImage"):
        return {}
    return nodes.PreviewImage().save_images(result[node.preview])["ui"]  # pyright: ignore[reportOptionalMemberAccess]


def _class_of(node: Node) -> type[ClassicNode]:
    return type(
        node.id,
        (ClassicNode,),
        {
            "node": node,
            "RETURN_TYPES": tuple(output.kind for output in node.outputs),
            "RETURN_NAMES": tuple(output.name for output in node.outputs),
            "OUTPUT_TOOLTIPS": tuple(output.tooltip for output in node.outputs),
            "OUTPUT_NODE": node.is_output,
            "DESCRIPTION": node.description,
            "SEARCH_ALIASES": list(node.search),
            "__doc__": node.description,
        },
    )


NODE_CLASS_MAPPINGS: Mapping[str, type[ClassicNode]] = {node.id: _class_of(node) for node in NODES}
NODE_DISPLAY_NAME_MAPPINGS: Mapping[str, str] = {node.id: node.title for node in NODES}
