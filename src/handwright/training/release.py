"""From trained members to the embedded family that ships: half precision, small shards, a card."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from handwright.diffusion.codec import PatchCodec
from handwright.diffusion.libraries import (
    CLIPTextModel,
    CLIPTokenizer,
    ControlNetModel,
    UNet2DConditionModel,
    quiet,
)
from handwright.errors import UsageError

SHARD = "14MB"
_KINDS: dict[str, Any] = {
    "vae": PatchCodec,
    "unet": UNet2DConditionModel,
    "controlnet": ControlNetModel,
    "text_encoder": CLIPTextModel,
}


def release(base: Path, controlnet: Path, output: Path, card: str) -> Mapping[str, int]:
    """Write the family to ``output``, whole or not at all; what was there is replaced.

    Args:
        base: ``model/`` of a finished base run.
        controlnet: ``model/controlnet`` of a finished handrefiner run.
        output: Folder of the family.
        card: Its model card, Markdown.

    Returns:
        Bytes by file name.

    Raises:
        UsageError: A member is missing.
    """
    part = output.with_name(f".{output.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    places = {"vae": base / "vae", "unet": base / "unet", "text_encoder": base / "text_encoder"}
    places["controlnet"] = controlnet
    for name, folder in places.items():
        if not (folder / "config.json").is_file():
            raise UsageError(f"{name} is missing", f"{folder} holds no trained member", "train it first")
    with quiet():
        for name, folder in places.items():
            network = _KINDS[name].from_pretrained(folder, local_files_only=True)
            network.half().save_pretrained(part / name, max_shard_size=SHARD)
        CLIPTokenizer.from_pretrained(base / "tokenizer").save_pretrained(part / "tokenizer")
    shutil.copytree(base / "scheduler", part / "scheduler")
    shutil.copyfile(base / "model_index.json", part / "model_index.json")
    (part / "README.md").write_text(card, "utf-8")
    shutil.rmtree(output, ignore_errors=True)
    part.rename(output)
    return {str(p.relative_to(output)): p.stat().st_size for p in sorted(output.rglob("*")) if p.is_file()}
