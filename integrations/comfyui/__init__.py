"""handwright's nodes for ComfyUI: this folder, or a link to it, belongs into ``custom_nodes``."""

import sys
from importlib.util import find_spec
from pathlib import Path

_SOURCE = Path(__file__).resolve().parents[2] / "src"
if find_spec("handwright") is None and _SOURCE.is_dir():  # a link into the repository, nothing installed
    sys.path.append(str(_SOURCE))

try:
    import comfy_api.latest  # noqa: F401 - only to see whether this ComfyUI has the V3 schema
except ImportError:
    from handwright.apps.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

    __all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
else:
    from handwright.apps.comfyui import comfy_entrypoint

    __all__ = ["comfy_entrypoint"]
