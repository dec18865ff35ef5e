"""Prompts longer than a text encoder reads: in windows, whose embeddings are joined; nothing is cut off.

So do A1111 and compel for CLIP: every window has its own start and end mark, the shorter prompt is filled up
with empty windows, and a pooled embedding is that of the first window. T5 reads its own length first, then
windows of that; an encoder that is given a chat reads as much as the denoiser has places for.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from handwright.diffusion.loading.libraries import quiet
from handwright.diffusion.request import check_length

_CHAT_MULTIPLE = 32
"""Tokens to whose multiple Z-Image fills a chat up, one more place follows (diffusers' transformer)."""


def prompt_arguments(
    pipe: Any,  # noqa: ANN401
    prompt: str | Sequence[str],
    negative: str | None,
    max_sequence_length: int | None = None,
) -> dict[str, Any]:
    """The arguments of a stock pipeline's call that carry the prompts.

    Args:
        pipe: A pipeline of any family.
        prompt: c_p of eq. 3, one or one a picture of the batch.
        negative: c_n0 + c_n, of all pictures; None where the family takes none.
        max_sequence_length: Tokens that T5 or a chat encoder reads at once; None: the stock call's default.

    Returns:
        The prompts themselves where they fit, so that the stock pipeline reads them; else their embeddings.

    Raises:
        UsageError: A chat is longer than the denoiser has places for.
    """
    single = isinstance(prompt, str)
    prompts = [prompt] if isinstance(prompt, str) else list(prompt)
    as_given = {
        "prompt": prompt,
        "negative_prompt": negative if single or negative is None else [negative] * len(prompts),
    }
    usual = inspect.signature(pipe.__call__).parameters.get("max_sequence_length")
    at_once = max_sequence_length or (None if usual is None else int(usual.default))
    if getattr(pipe, "unet", None) is None:
        t5 = t5_tokenizer(pipe)
        if t5 is None:
            return as_given | _chat(pipe, prompts, at_once or 0)
        return _with_t5(pipe, t5, prompts, negative, int(at_once or 0)) or as_given
    if all(len(prompt_windows(pipe, text)) == 1 for text in (*prompts, negative or "")):
        return as_given
    return {"prompt": None, "negative_prompt": None, **embedded_prompts(pipe, prompts, negative)}


def embedded_prompts(pipe: Any, prompts: Sequence[str], negative: str | None) -> dict[str, Tensor]:  # noqa: ANN401
    """What the text encoders of a UNet's pipeline make of prompts of any length.

    Returns:
        ``prompt_embeds`` and ``negative_prompt_embeds``, float [prompts, tokens, width]; of two encoders also
        ``pooled_prompt_embeds`` and ``negative_pooled_prompt_embeds``.
    """
    positive = [prompt_windows(pipe, text) for text in prompts]
    against = [prompt_windows(pipe, negative or "")] * len(prompts)
    count = max(map(len, (*positive, *against)))
    arguments: dict[str, Tensor] = {}
    for sign, windows in (("", positive), ("negative_", against)):
        filled = [text for texts in windows for text in _filled(texts, count)]
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


def t5_tokenizer(pipe: Any) -> str | None:  # noqa: ANN401
    """The component that is T5's tokenizer; None where there is none."""
    return next(
        (name for name in ("tokenizer_2", "tokenizer_3") if "T5" in type(getattr(pipe, name, None)).__name__),
        None,
    )


def prompt_windows(
    pipe: Any,  # noqa: ANN401
    prompt: str,
    tokenizers: Sequence[str] = ("tokenizer", "tokenizer_2"),
    limit: int | None = None,
) -> list[str]:
    """The prompt in parts that every tokenizer of the pipeline reads whole, split between words.

    A word that is longer than a window is split inside. Of an empty prompt: one empty part.

    Args:
        pipe: A pipeline.
        prompt: Words.
        tokenizers: Components that have to read the parts; those that are missing are passed over.
        limit: Tokens of a part, marks included; None: each tokenizer's own.
    """
    fits = partial(_fits, pipe, tokenizers=tokenizers, limit=limit)
    windows = [""]
    waiting = prompt.split()[::-1]
    if fits(prompt):
        return [prompt]
    while waiting:
        word = waiting.pop()
        longer = f"{windows[-1]} {word}".strip()
        if fits(longer):
            windows[-1] = longer
        elif windows[-1]:
            waiting.append(word)
            windows.append("")
        else:
            waiting += [word[len(word) // 2 :], word[: len(word) // 2]]
    return windows


def _with_t5(
    pipe: Any,  # noqa: ANN401
    t5: str,
    prompts: list[str],
    negative: str | None,
    at_once: int,
) -> dict[str, Any] | None:
    """Embeddings of prompts that CLIP or T5 would cut off, one windowed by its own length each; else None.

    Where the stock call reads fewer tokens than T5 itself does, T5 first reads as many as it can.
    """
    clip = [name for name in ("tokenizer", "tokenizer_2") if name != t5]
    texts = prompts if negative is None else [*prompts, negative]
    reads = int(getattr(pipe, t5).model_max_length)
    length = at_once if all(_fits(pipe, text, tokenizers=(t5,), limit=at_once) for text in texts) else reads
    # CLIP's tokens stand in front of T5's where there are two of them; a single one is only pooled
    of_clip = int(pipe.tokenizer_max_length) if len(clip) == 2 else 0
    in_clip = [prompt_windows(pipe, text, clip) if of_clip else [text] for text in texts]
    in_t5 = [prompt_windows(pipe, text, (t5,), length) for text in texts]
    counts = max(map(len, in_clip)), max(map(len, in_t5))
    if counts == (1, 1) and length == at_once:
        return None
    encode = partial(_encode, pipe, f"prompt_{t5[-1]}", length)
    joined = [_joined(encode, of_clip, counts, *windows) for windows in zip(in_clip, in_t5, strict=True)]
    batch = joined[: len(prompts)]
    arguments: dict[str, Any] = {
        "prompt": None,
        "negative_prompt": None,
        "prompt_embeds": torch.cat([tokens for tokens, _ in batch]),
        "pooled_prompt_embeds": torch.cat([pooled for _, pooled in batch]),
    }
    if negative is not None:
        tokens, pooled = joined[-1]
        arguments["negative_prompt_embeds"] = tokens.repeat(len(prompts), 1, 1)
        arguments["negative_pooled_prompt_embeds"] = pooled.repeat(len(prompts), 1)
    return arguments


def _joined(
    encode: Callable[[list[str], list[str]], tuple[Tensor, Tensor]],
    of_clip: int,
    counts: tuple[int, int],
    in_clip: list[str],
    in_t5: list[str],
) -> tuple[Tensor, Tensor]:
    """Tokens of one prompt, float [1, tokens, width], CLIP's before T5's, and its pooled embedding."""
    of_all = max(counts)
    tokens, pooled = encode(_filled(in_clip, of_all), _filled(in_t5, of_all))
    parts = tokens[: counts[0], :of_clip].flatten(0, 1), tokens[: counts[1], of_clip:].flatten(0, 1)
    return torch.cat(parts)[None], pooled[:1]


def _encode(
    pipe: Any,  # noqa: ANN401
    read_by_t5: str,
    length: int,
    clip: list[str],
    t5: list[str],
) -> tuple[Tensor, Tensor]:
    """Tokens [windows, CLIP's and T5's, width] and pooled embeddings, by the stock ``encode_prompt``."""
    given: dict[str, Any] = {"prompt": clip, "max_sequence_length": length, "device": pipe._execution_device}
    known = inspect.signature(pipe.encode_prompt).parameters
    given |= {name: clip for name in ("prompt_2", "prompt_3") if name in known} | {read_by_t5: t5}
    if "do_classifier_free_guidance" in known:
        given["do_classifier_free_guidance"] = False
    with quiet(), torch.no_grad():
        embedded = pipe.encode_prompt(**given)
    return embedded[0], next(each for each in embedded[1:] if each is not None)


def _chat(pipe: Any, prompts: list[str], at_once: int) -> dict[str, Any]:  # noqa: ANN401
    """More tokens to be read at once, where a chat with one of the prompts has more than is usual.

    Raises:
        UsageError: It has more than the denoiser has places for.
    """
    places = int(pipe.transformer.config["axes_lens"][0])
    limit = (places - 2) // _CHAT_MULTIPLE * _CHAT_MULTIPLE
    counts = [_chat_length(pipe.tokenizer, text) for text in prompts]
    for text, count in zip(prompts, counts, strict=True):
        check_length(text, count, limit)
    return {"max_sequence_length": max(counts)} if max(counts) > at_once else {}


def _chat_length(tokenizer: Any, text: str) -> int:  # noqa: ANN401
    """Tokens of a chat that consists of one prompt, as the stock pipeline words it."""
    chat = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True, enable_thinking=True
    )
    return len(tokenizer(chat, verbose=False).input_ids)


def _filled(texts: list[str], count: int) -> list[str]:
    return [*texts, *[""] * (count - len(texts))]


def _fits(
    pipe: Any,  # noqa: ANN401
    text: str,
    *,
    tokenizers: Sequence[str] = ("tokenizer", "tokenizer_2"),
    limit: int | None = None,
) -> bool:
    """Whether no tokenizer would cut the text off; learnt words count with all their vectors."""
    for name in tokenizers:
        tokenizer = getattr(pipe, name, None)
        if tokenizer is not None:
            convert = getattr(pipe, "maybe_convert_prompt", None)
            written = text if convert is None else convert(text, tokenizer)
            if len(tokenizer(written, verbose=False).input_ids) > (limit or tokenizer.model_max_length):
                return False
    return True
