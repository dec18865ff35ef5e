"""What one run of the pipeline is asked for, checked before any network moves; prompts to embeddings."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from handwright.errors import InvalidValueError, UsageError


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
        check_prompt(tokenizer, prompt, limit)
    padded = tokenizer(list(prompts), padding="max_length", max_length=limit, return_tensors="pt")
    ids = padded.input_ids.to(text_encoder.device)
    reads_mask = getattr(text_encoder.config, "use_attention_mask", False)
    attention = padded.attention_mask.to(ids.device) if reads_mask else None
    with torch.no_grad():
        return text_encoder(ids, attention_mask=attention).last_hidden_state


def check_prompt(tokenizer: Any, prompt: str, limit: int) -> None:  # noqa: ANN401
    """Raise if a prompt has more tokens than can be read, start and end marks included.

    Raises:
        UsageError: It has.
    """
    count = len(tokenizer(prompt, verbose=False).input_ids)
    if count > limit:
        marks = tokenizer.num_special_tokens_to_add()
        raise UsageError(
            f"the prompt {prompt[:40]!r}… is {count - marks} tokens long",
            f"this model reads {limit - marks}",
            f"shorten it to {limit - marks} tokens",
        )


_ROUNDING = 1e-3


def check_options(
    steps: int,
    guidance: float,
    control_strength: float | Sequence[float],
    start_level: float,
    control_guidance: float = 1.0,
) -> tuple[float, ...]:
    """The control strength of every step of the schedule; raise unless every number makes sense.

    Raises:
        UsageError: No steps, a weight that is negative or no number, or not one strength a step.
    """
    if steps < 1:
        raise UsageError(f"the number of steps is {steps}", "at least one step is needed", "give 1 or more")
    single = not isinstance(control_strength, Sequence)
    strengths = (control_strength,) * steps if single else tuple(control_strength)
    if len(strengths) != steps:
        raise UsageError(
            f"there are {len(strengths)} control strengths for {steps} steps", "", "give one, or one a step"
        )
    weights = (("the guidance", guidance), ("the control guidance", control_guidance))
    for option, value in (*weights, *(("the control strength", strength) for strength in strengths)):
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(f"{option} is {value}", "it must be a number from 0 up", "give such a number")
    if not 0 < start_level <= 1:
        raise UsageError(
            f"the start level is {start_level}",
            "it runs from just above 0 (the picture) to 1 (pure noise)",
            "give such a number",
        )
    return strengths


def check_pictures(picture: Tensor, mask: Tensor, control: Tensor, start: Tensor | None, scale: int) -> None:
    """Raise ``InvalidValueError`` unless all are of one square size that the VAE takes, in range."""
    side = picture.shape[-1]
    if side < scale or side % scale:
        raise InvalidValueError(f"picture must have a side divisible by {scale} pixels, got {side}")
    tensors = {"picture": (picture, 3), "mask": (mask, 1), "control": (control, 3), "start": (start, 3)}
    for name, (tensor, channels) in tensors.items():
        if tensor is None:
            continue
        if tuple(tensor.shape) != (1, channels, side, side):
            wanted, got = [1, channels, side, side], list(tensor.shape)
            raise InvalidValueError(f"{name} must have shape {wanted}, got {got}")
        least = 0.0 if name in ("mask", "control") else -1.0
        if not ((tensor > least - _ROUNDING) & (tensor < 1 + _ROUNDING)).all():  # false for NaN too
            raise InvalidValueError(f"{name} holds numbers outside [{least:g}, 1]")
