"""The nodes in ComfyUI's V3 schema, and the entry point that it loads them by."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from handwright.apps.comfyui.catalogue import NODES
from handwright.apps.comfyui.classic import preview
from handwright.apps.comfyui.sockets import CATEGORY, Input, Node
from handwright.errors import MissingPackageError

_WIDGETS = {"INT": "Int", "FLOAT": "Float", "STRING": "String", "BOOLEAN": "Boolean", "COMBO": "Combo"}


async def comfy_entrypoint() -> Any:  # noqa: ANN401 - ComfyUI is not installed where this is type-checked
    """The extension with all nodes.

    Raises:
        MissingPackageError: This process is not ComfyUI, or one without the V3 schema.
    """
    try:
        latest: Any = import_module("comfy_api.latest")
    except ImportError as error:
        raise MissingPackageError(
            "there is no comfy_api.latest",
            "this is not ComfyUI, or one from before the V3 schema",
            "use NODE_CLASS_MAPPINGS of handwright.apps.comfyui",
        ) from error
    nodes = [node_class(node, latest.io) for node in NODES]

    class HandwrightExtension(latest.ComfyExtension):
        async def get_node_list(self) -> list[Any]:
            return nodes

    return HandwrightExtension()


def node_class(node: Node, io: Any) -> type:  # noqa: ANN401
    """A subclass of ``io.ComfyNode`` for one node."""

    def define_schema(_: type) -> Any:  # noqa: ANN401
        return io.Schema(
            node_id=node.id,
            display_name=node.title,
            category=CATEGORY,
            description=node.description,
            inputs=[_input(one, io) for one in node.inputs],
            outputs=[
                _type(one.kind, io).Output(display_name=one.name, tooltip=one.tooltip) for one in node.outputs
            ],
            is_output_node=node.is_output,
        )

    def execute(_: type, **inputs: Any) -> Any:  # noqa: ANN401
        result = node.run(**node.given(inputs))
        return io.NodeOutput(*result, ui=preview(node, result))

    return type(
        node.id,
        (io.ComfyNode,),
        {"define_schema": classmethod(define_schema), "execute": classmethod(execute)},
    )


def _type(kind: str, io: Any) -> Any:  # noqa: ANN401
    """ComfyUI's own type of that name, or one of ours."""
    own = {getattr(value, "io_type", None): value for value in vars(io).values() if isinstance(value, type)}
    return own.get(kind) or io.Custom(kind)


def _input(one: Input, io: Any) -> Any:  # noqa: ANN401
    options: dict[str, Any] = {"tooltip": one.tooltip, "optional": one.optional}
    if one.kind not in _WIDGETS:
        return _type(one.kind, io).Input(one.name, **options)
    options |= {name: value for name, value in one.options.items() if name != "tooltip"}
    if one.kind == "COMBO":
        options["options"] = list(one.choices)
    return getattr(io, _WIDGETS[one.kind]).Input(one.name, **options)
