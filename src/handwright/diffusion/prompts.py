"""Prompts to the embeddings that the UNet attends to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from handwright.errors import UsageError


def token_limit(tokenizer: Any, text_encoder: Any) -> int:  # noqa: ANN401
    """Tokens of one prompt that the text encoder can read, start and end marks included."""
    return min(int(tokenizer.model_max_length), int(text_encoder.config.max_position_embeddings))


def embed_prompts(
    tokenizer: Any,  # noqa: ANN401
    text_encoder: Any,  # noqa: ANN401
    prompts: Sequence[str],
) -> Float[Tensor, "b t c"]:
    """Embeddings [b, t, c] of prompts, padded to the text encoder's full length, in its dtype.

    Raises:
        UsageError: A prompt has more tokens than the text encoder reads.
    """
    limit = token_limit(tokenizer, text_encoder)
    for prompt in prompts:
        _check_length(tokenizer, prompt, limit)
    padded = tokenizer(list(prompts), padding="max_length", max_length=limit, return_tensors="pt")
    ids = padded.input_ids.to(text_encoder.device)
    reads_mask = getattr(text_encoder.config, "use_attention_mask", False)
    attention = padded.attention_mask.to(ids.device) if reads_mask else None
    with torch.no_grad():
        return text_encoder(ids, attention_mask=attention).last_hidden_state


def _check_length(tokenizer: Any, prompt: str, limit: int) -> None:  # noqa: ANN401
    count = len(tokenizer(prompt, verbose=False).input_ids)
    if count > limit:
        marks = tokenizer.num_special_tokens_to_add()
        raise UsageError(
            f"the prompt {prompt[:40]!r}… is {count - marks} tokens long",
            f"this model reads {limit - marks}",
            f"shorten it to {limit - marks} tokens",
        )
