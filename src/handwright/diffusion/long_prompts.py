"""Prompts longer than the text encoder reads: in windows, whose embeddings are joined; nothing is cut off.

So do A1111 and compel: every window has its own start and end mark, the shorter prompt is filled up with
empty windows, and a pooled embedding is that of the first window.
"""

from collections.abc import Sequence
from typing import Any

import torch

from handwright.diffusion.loading.libraries import quiet


def prompt_arguments(
    pipe: Any,  # noqa: ANN401
    prompt: str | Sequence[str],
    negative: str | None,
) -> dict[str, Any]:
    """The arguments of a stock pipeline's call that carry the prompts.

    Args:
        pipe: A pipeline of any family.
        prompt: c_p of eq. 3, one or one a picture of the batch.
        negative: c_n0 + c_n, of all pictures; None where the family takes none.

    Returns:
        The prompts themselves where they fit, or where the denoiser is no UNet; else their embeddings.
    """
    single = isinstance(prompt, str)
    prompts = [prompt] if isinstance(prompt, str) else list(prompt)
    as_given = {
        "prompt": prompt,
        "negative_prompt": negative if single or negative is None else [negative] * len(prompts),
    }
    if getattr(pipe, "unet", None) is None:
        return as_given
    positive = [prompt_windows(pipe, text) for text in prompts]
    against = [prompt_windows(pipe, negative or "")] * len(prompts)
    count = max(map(len, (*positive, *against)))
    if count == 1:
        return as_given
    arguments: dict[str, Any] = {"prompt": None, "negative_prompt": None}
    for sign, windows in (("", positive), ("negative_", against)):
        filled = [text for texts in windows for text in (*texts, *[""] * (count - len(texts)))]
        with quiet(), torch.no_grad():
            embedded = pipe.encode_prompt(
                filled,
                device=pipe._execution_device,
                num_images_per_prompt=1,
                do_classifier_free_guidance=False,
            )
        # [pictures, windows × tokens, width]
        arguments[f"{sign}prompt_embeds"] = embedded[0].unflatten(0, (-1, count)).flatten(1, 2)
        if len(embedded) > 2:  # Two encoders: the second one's pooled embedding comes third
            arguments[f"{sign}pooled_prompt_embeds"] = embedded[2][::count]
    return arguments


def prompt_windows(pipe: Any, prompt: str) -> list[str]:  # noqa: ANN401
    """The prompt in parts that every tokenizer of the pipeline reads whole, split between words.

    A word that is longer than a window is split inside. Of an empty prompt: one empty part.
    """
    windows = [""]
    waiting = prompt.split()[::-1]
    if _fits(pipe, prompt):
        return [prompt]
    while waiting:
        word = waiting.pop()
        longer = f"{windows[-1]} {word}".strip()
        if _fits(pipe, longer):
            windows[-1] = longer
        elif windows[-1]:
            waiting.append(word)
            windows.append("")
        else:
            waiting += [word[len(word) // 2 :], word[: len(word) // 2]]
    return windows


def _fits(pipe: Any, text: str) -> bool:  # noqa: ANN401
    """Whether no tokenizer would cut the text off; learnt words count with all their vectors."""
    for name in ("tokenizer", "tokenizer_2"):
        tokenizer = getattr(pipe, name, None)
        if tokenizer is not None:
            written = pipe.maybe_convert_prompt(text, tokenizer)
            if len(tokenizer(written, verbose=False).input_ids) > tokenizer.model_max_length:
                return False
    return True
