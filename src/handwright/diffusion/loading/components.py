"""One component of a pipeline at a time from disk: safetensors only, nothing left to chance."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError

from handwright.diffusion.loading.devices import enough_memory
from handwright.diffusion.loading.libraries import CLIPTokenizer, quiet
from handwright.diffusion.loading.places import refuse_pickle
from handwright.errors import DiffusionError


@contextmanager
def loading(path: Path) -> Generator[None, None, None]:
    """Load quietly, and turn what a library raises into an error of one line."""
    try:
        with quiet(), enough_memory(f"loading {path}"):
            yield
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise DiffusionError(
            f"{path} could not be loaded", " ".join(lines[:3])[:300], "fetch the model again"
        ) from error


def load_network(
    kind: Any,  # noqa: ANN401 - any network class
    folder: Path,
    dtype: torch.dtype,
    variant: str | None = None,
) -> Any:  # noqa: ANN401
    """A diffusers or transformers network from its folder, in evaluation mode.

    Without ``variant`` it is the one that is there.

    Raises:
        DiffusionError: No config, no safetensors, a damaged file, or weights that do not fit the config.
    """
    read_config(folder)
    options = {"variant": variant or _variant(folder), "use_safetensors": True, "local_files_only": True}
    with loading(folder):
        network, info = kind.from_pretrained(
            str(folder), torch_dtype=dtype, output_loading_info=True, **options
        )
    if info["missing_keys"]:
        raise DiffusionError(
            f"{folder} is incomplete",
            f"its weights lack {len(info['missing_keys'])} tensors, {min(info['missing_keys'])} among them",
            "fetch the model again",
        )
    return network.eval().requires_grad_(False)


def load_pipeline(kind: Any, folder: Path, what: str) -> Any:  # noqa: ANN401 - any pipeline class
    """A pipeline of diffusers' layout in float32, ``what`` for messages.

    Raises:
        DiffusionError: There is none, no safetensors, or a damaged file.
    """
    if not (folder / "model_index.json").is_file():
        raise DiffusionError(
            f"there is no {what} in {folder}", "it has no model_index.json", "give model/ of a training run"
        )
    with loading(folder):
        return kind.from_pretrained(
            str(folder), torch_dtype=torch.float32, local_files_only=True, use_safetensors=True
        )


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """The CLIP tokenizer in a folder.

    Raises:
        DiffusionError: There is none, or it is damaged.
    """
    read_config(folder, "tokenizer_config.json")
    with loading(folder):
        return CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)


def read_config(folder: Path, name: str = "config.json") -> dict[str, Any]:
    """A component's config.

    Raises:
        DiffusionError: It is missing or no JSON object.
    """
    path = folder / name
    if not path.is_file():
        raise DiffusionError(f"{folder} is incomplete", f"it has no {name}", "fetch the model again")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DiffusionError(f"{path} is damaged", str(error), "fetch the model again") from error
    if not isinstance(config, dict):
        raise DiffusionError(f"{path} is damaged", "it holds no JSON object", "fetch the model again")
    return cast("dict[str, Any]", config)


def _variant(folder: Path) -> str | None:
    """'fp16' where those are the only safetensors in a folder.

    Raises:
        DiffusionError: There are no safetensors at all.
    """
    names = [path.name for path in folder.glob("*.safetensors*")]
    if not names:
        for path in sorted(folder.iterdir()):
            refuse_pickle(path)
        raise DiffusionError(f"{folder} holds no weights", "no .safetensors there", "fetch the model again")
    return None if any(".fp16" not in name for name in names) else "fp16"
