"""A fitted hand as a file that 3-D programs open: Wavefront OBJ and binary glTF 2.0.

Both formats have y up; glTF's camera looks along −z. Camera space (y down, looking along +z) is turned by
180° about x, so that the hand stands before the viewer as in the picture. Lengths stay metres.
"""

import json
import struct
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.hand.dense import vertex_normals
from handwright.types import HandMesh

_Y_UP = np.array([1.0, -1.0, -1.0])
_FLOAT, _UINT32, _ARRAY_BUFFER, _ELEMENT_BUFFER = 5126, 5125, 34962, 34963


def mesh_to_obj(mesh: HandMesh) -> str:
    """Wavefront OBJ text: vertices in metres with normals, 1-based triangles."""
    points, normals = _y_up(mesh)
    lines = ["# handwright hand mesh, metres, y up", f"o hand_{mesh.side}"]
    lines += [f"v {x:.7f} {y:.7f} {z:.7f}" for x, y, z in points]
    lines += [f"vn {x:.5f} {y:.5f} {z:.5f}" for x, y, z in normals]
    lines += [f"f {a}//{a} {b}//{b} {c}//{c}" for a, b, c in (mesh.faces + 1).tolist()]
    return "\n".join(lines) + "\n"


def mesh_to_glb(mesh: HandMesh) -> bytes:
    """Binary glTF 2.0 with normals."""
    points, normals = _y_up(mesh)
    attributes = {"POSITION": points.astype("<f4"), "NORMAL": normals.astype("<f4")}
    arrays = [*attributes.values(), mesh.faces.astype("<u4").ravel()]
    views, accessors, offset = [], [], 0
    for array in arrays:
        is_index = array.ndim == 1
        target = _ELEMENT_BUFFER if is_index else _ARRAY_BUFFER
        views.append({"buffer": 0, "byteOffset": offset, "byteLength": array.nbytes, "target": target})
        accessors.append(_accessor(array, len(accessors)))
        offset += array.nbytes
    index = {name: k for k, name in enumerate(attributes)}
    primitive = {"attributes": index, "indices": len(attributes), "material": 0, "mode": 4}
    document = {
        "asset": {"version": "2.0", "generator": "handwright"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": f"hand_{mesh.side}"}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [{"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.7}}],
        "buffers": [{"byteLength": offset}],
        "bufferViews": views,
        "accessors": accessors,
    }
    text = json.dumps(document, separators=(",", ":")).encode()
    chunks = _chunk(b"JSON", text, b" ") + _chunk(b"BIN\0", b"".join(a.tobytes() for a in arrays), b"\0")
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _y_up(mesh: HandMesh) -> tuple[Float[np.ndarray, "v 3"], Float[np.ndarray, "v 3"]]:
    return mesh.vertices_cam_m * _Y_UP, vertex_normals(mesh.vertices_cam_m, mesh.faces) * _Y_UP


def _accessor(array: np.ndarray, view: int) -> dict[str, Any]:
    if array.ndim == 1:
        return {"bufferView": view, "componentType": _UINT32, "count": array.size, "type": "SCALAR"}
    bounds = {"min": array.min(0).tolist(), "max": array.max(0).tolist()}
    return {"bufferView": view, "componentType": _FLOAT, "count": len(array), "type": "VEC3", **bounds}


def _chunk(kind: bytes, data: bytes, pad: bytes) -> bytes:
    data += pad * (-len(data) % 4)
    return struct.pack("<I4s", len(data), kind) + data
