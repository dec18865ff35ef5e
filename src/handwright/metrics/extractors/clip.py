"""CLIP, from a folder or the hub: features of pictures, and of texts in the same space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError, need

if TYPE_CHECKING:
    from torch import Tensor


FOLDER = Path(__file__).parents[2] / "weights" / "clip"  # Where the package keeps ours


class ClipExtractor:
    """Any CLIP model that transformers reads (a folder, or OWNER/NAME on the hub); safetensors only.

    Raises:
        MissingModelError: It is missing, incomplete or a pickle.
        MissingPackageError: transformers is not installed.
    """

    def __init__(self, model: str | Path, name: str | None = None) -> None:
        need("torch", "transformers")
        from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

        from handwright.metrics.extractors.network import best_device

        where = str(model)
        try:
            network: Any = CLIPModel.from_pretrained(where, use_safetensors=True)
            self._tokenizer: Any = CLIPTokenizer.from_pretrained(where)
            self._processor: Any = CLIPImageProcessorPil.from_pretrained(where)
        except (OSError, ValueError, KeyError) as error:
            raise MissingModelError(
                f"no CLIP model could be read from {where}",
                str(error).splitlines()[0],
                "give a folder or hub name with safetensors weights, tokenizer and preprocessor_config.json",
            ) from error
        self._device = best_device()
        self._network: Any = network.to(self._device).eval()
        self.name = name or f"clip:{where.rstrip('/').split('/')[-1]}"

    def __call__(self, pictures: UInt8[np.ndarray, "n h w 3"]) -> Float[np.ndarray, "n d"]:
        """Projected image features, float32 [N, D]."""
        import torch

        pixels = self._processor(images=list(pictures), return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            return _numbers(self._network.get_image_features(pixel_values=pixels.to(self._device)))

    def texts(self, texts: list[str]) -> Float[np.ndarray, "n d"]:
        """Projected text features, float32 [N, D]; longer texts than the model reads are cut off."""
        import torch

        tokens = self._tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            given = {key: tokens[key].to(self._device) for key in ("input_ids", "attention_mask")}
            return _numbers(self._network.get_text_features(**given))


def _numbers(output: Any) -> Float[np.ndarray, "n d"]:  # noqa: ANN401 - a tensor before transformers 5
    projected: Tensor = getattr(output, "pooler_output", output)
    return projected.float().cpu().numpy()
