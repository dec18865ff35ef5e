"""Nodes for ComfyUI: its V3 schema, and the classic mapping for versions that have none.

Both are made from the same descriptions (``sockets``, one ``Node`` a file, listed in ``catalogue``), so they
cannot differ. Importing the room needs neither ComfyUI nor torch, and every node's ``run`` is a plain
function of tensors. A folder in ``custom_nodes`` takes ``comfy_entrypoint`` where there is
``comfy_api.latest``, else the two mappings; ``integrations/comfyui`` is that folder.

Reading order: ``sockets``, ``catalogue``, a node (``depth_mask``), ``tensors`` and ``choices``, ``loaded``
(models kept between runs), ``network`` (ComfyUI's sampler as HandRefiner's network), ``v3``, ``classic``.
"""

from handwright.apps.comfyui.catalogue import NODES
from handwright.apps.comfyui.classic import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from handwright.apps.comfyui.v3 import comfy_entrypoint

__all__ = ["NODES", "NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "comfy_entrypoint"]
