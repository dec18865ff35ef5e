"""Both schemas say the same, and the folder for ``custom_nodes`` holds what ComfyUI and its manager read."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from handwright.apps.comfyui import (
    NODE_CLASS_MAPPINGS,
    NODE_DISPLAY_NAME_MAPPINGS,
    NODES,
    comfy_entrypoint,
    depth_mask,
)
from handwright.apps.comfyui.choices import WHICH
from handwright.errors import MissingPackageError
from handwright.refine.exchange import controls, planned
from tests.apps.comfyui.conftest import image_of

PACK = Path(__file__).parents[3] / "integrations" / "comfyui"
OF_COMFYUI = {
    "LoadImage", "SaveImage", "PreviewAny", "MaskToImage", "CheckpointLoaderSimple", "ControlNetLoader",
    "CLIPTextEncode", "ControlNetApplyAdvanced", "InpaintModelConditioning", "KSampler", "VAEDecode",
}  # fmt: skip


def stand_in() -> ModuleType:
    """The part of ``comfy_api.latest`` that declares a schema."""

    class Socket:
        def __init__(self, id=None, **options):
            self.id, self.kind, self.options = id, type(self).kind, options

    def comfy_type(name: str) -> type:
        sockets = {role: type(role, (Socket,), {"kind": name}) for role in ("Input", "Output")}
        return type(name, (), {"io_type": name, **sockets})

    class Schema(SimpleNamespace):
        pass

    class NodeOutput:
        def __init__(self, *result, ui=None):
            self.result, self.ui = result, ui

    io = ModuleType("io")
    names = {
        "Int": "INT", "Float": "FLOAT", "String": "STRING", "Combo": "COMBO", "Boolean": "BOOLEAN",
        "Image": "IMAGE",
        "Mask": "MASK", "Model": "MODEL", "Vae": "VAE", "ControlNet": "CONTROL_NET",
        "Conditioning": "CONDITIONING",
    }  # fmt: skip
    for attribute, name in names.items():
        setattr(io, attribute, comfy_type(name))
    io.Schema, io.NodeOutput, io.Custom = Schema, NodeOutput, comfy_type
    io.ComfyNode = type("ComfyNode", (), {})
    latest = ModuleType("comfy_api.latest")
    latest.io, latest.ComfyExtension = io, type("ComfyExtension", (), {})
    return latest


@pytest.fixture
def v3(monkeypatch) -> list[type]:
    monkeypatch.setitem(sys.modules, "comfy_api", ModuleType("comfy_api"))
    monkeypatch.setitem(sys.modules, "comfy_api.latest", stand_in())
    return asyncio.run(asyncio.run(comfy_entrypoint()).get_node_list())


def test_the_two_schemas_agree(v3):
    assert [node.define_schema().node_id for node in v3] == list(NODE_CLASS_MAPPINGS)
    for node in v3:
        schema, classic = node.define_schema(), NODE_CLASS_MAPPINGS[node.define_schema().node_id]
        inputs = classic.INPUT_TYPES()
        assert {one.id for one in schema.inputs if one.options.get("optional")} == set(inputs["optional"])
        for one in schema.inputs:
            kind, options = {**inputs["required"], **inputs["optional"]}[one.id]
            assert one.kind == ("COMBO" if isinstance(kind, list) else kind)
            assert not isinstance(kind, list) or one.options["options"] == kind
            rest = {k: v for k, v in one.options.items() if k not in ("optional", "options")}
            assert rest == options
        assert tuple(one.kind for one in schema.outputs) == classic.RETURN_TYPES
        assert tuple(one.options["display_name"] for one in schema.outputs) == classic.RETURN_NAMES
        assert schema.display_name == NODE_DISPLAY_NAME_MAPPINGS[schema.node_id]


def test_a_node_runs_alike_in_both(v3, known, one, comfy):
    known.found.append(one.observation())
    given = {"image": image_of(one.pixels), "mask_expand": 3}
    new = next(node for node in v3 if node.define_schema().node_id == depth_mask.NODE.id).execute(**given)
    old = NODE_CLASS_MAPPINGS[depth_mask.NODE.id]().execute(**given)
    assert all(bool((a == b).all()) for a, b in zip(new.result[:2], old["result"][:2], strict=True))
    assert new.ui == old["ui"] == {"images": [{"filename": "x.png"}]} and len(comfy.previews) == 2


def test_without_comfyui_the_entry_point_says_so():
    with pytest.raises(MissingPackageError, match="NODE_CLASS_MAPPINGS"):
        asyncio.run(comfy_entrypoint())


def test_choices_are_those_of_the_rooms_below():
    assert depth_mask.MASK_KINDS == controls.MASK_KINDS and planned.WHICH == WHICH


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.id)
def test_every_socket_explains_itself_and_required_ones_come_first(node):
    assert all(one.tooltip.endswith(".") for one in (*node.inputs, *node.outputs))
    optional = [one.optional for one in node.inputs]
    assert optional == sorted(optional), "the front end lists required widgets first"
    assert node.description and node.title


def test_the_import_is_light():
    heavy = "('torch', 'cv2', 'mediapipe', 'numba', 'onnxruntime', 'diffusers')"
    code = (
        f"import sys, handwright.apps.comfyui; sys.exit(str([n for n in {heavy} if n in sys.modules] or 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() in ("", "0"), done.stderr


def test_the_pack_offers_the_schema_that_comfyui_knows(v3):
    def load() -> ModuleType:
        spec = importlib.util.spec_from_file_location("pack", PACK / "__init__.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    assert load().__all__ == ["comfy_entrypoint"]
    del sys.modules["comfy_api.latest"]
    assert set(load().NODE_CLASS_MAPPINGS) == {node.id for node in NODES}


def test_the_pack_tells_the_manager_what_it_is():
    about = tomllib.loads((PACK / "pyproject.toml").read_text("utf-8"))
    assert about["tool"]["comfy"]["PublisherId"] and about["tool"]["comfy"]["DisplayName"]
    assert not any("==" in one for one in about["project"]["dependencies"])
    named = " ".join(about["project"]["dependencies"])
    assert not any(word in named for word in ("torch", "opencv", "mediapipe"))


@pytest.mark.parametrize(
    "path", sorted((PACK / "workflows" / "api").glob("*.json")), ids=lambda path: path.stem
)
def test_example_workflows_name_nodes_and_inputs_that_exist(path):
    graph = json.loads(path.read_text("utf-8"))
    shown = json.loads((PACK / "workflows" / path.name).read_text("utf-8"))
    assert sorted(node["type"] for node in shown["nodes"]) == sorted(
        node["class_type"] for node in graph.values()
    )
    for node in graph.values():
        if node["class_type"] not in NODE_CLASS_MAPPINGS:
            assert node["class_type"] in OF_COMFYUI
            continue
        inputs = NODE_CLASS_MAPPINGS[node["class_type"]].INPUT_TYPES()
        assert set(inputs["required"]) <= set(node["inputs"]) <= {*inputs["required"], *inputs["optional"]}


def test_every_node_has_an_example():
    used = {
        node["class_type"]
        for path in (PACK / "workflows" / "api").glob("*.json")
        for node in json.loads(path.read_text("utf-8")).values()
    }
    assert set(NODE_CLASS_MAPPINGS) <= used
