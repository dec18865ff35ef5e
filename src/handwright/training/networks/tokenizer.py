"""A CLIP tokenizer learnt from captions: byte-level, so that any word can be written, if not understood."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from handwright.diffusion.loading.libraries import CLIPTokenizer

_START, _END = "<|startoftext|>", "<|endoftext|>"


def learn_tokenizer(captions: Iterable[str], vocabulary: int = 1536, length: int = 77) -> CLIPTokenizer:
    """Byte-pair merges of the captions' words, up to ``vocabulary`` tokens.

    Args:
        captions: What will be read in training.
        vocabulary: Upper limit; 512 byte tokens and two marks are always there.
        length: Tokens of the longest text that is read whole.
    """
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.normalizer = normalizers.Lowercase()
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, *(letter + "</w>" for letter in alphabet)]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len((_START, _END)),
        special_tokens=tokens,  # numbered beforehand: merges of equal counts are ordered by number
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    learner.train_from_iterator(captions, trainer)
    merges = [(a, b) for a, b in json.loads(learner.to_str())["model"]["merges"]]
    tokens = list(dict.fromkeys([*tokens, *(a + b for a, b in merges), _START, _END]))
    vocab = {token: k for k, token in enumerate(tokens)}
    options: dict[str, Any] = {"vocab": vocab, "merges": merges}  # its annotation knows file names only
    return CLIPTokenizer(**options, model_max_length=length)
