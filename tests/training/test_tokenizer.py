"""A learnt tokenizer is the same every time, and as small as was wanted."""

from __future__ import annotations

import random

import pytest

from handwright.training.networks.tokenizer import learn_tokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="module")
def captions() -> list[str]:
    """Words of which no letters are frequent: merges of equal counts must be ordered by something."""
    rng = random.Random(1)
    return ["".join(rng.choices(LETTERS, k=rng.randint(2, 7))) for _ in range(600)]


def test_the_same_captions_give_the_same_tokens(captions):
    vocabularies = [learn_tokenizer(captions, 700).get_vocab() for _ in range(3)]
    assert vocabularies[0] == vocabularies[1] == vocabularies[2]


def test_there_are_no_more_tokens_than_wanted(captions):
    assert len(learn_tokenizer(captions, 700).get_vocab()) == 700


def test_any_text_is_read_back(captions):
    tokenizer = learn_tokenizer(captions, 600)
    text = "a hand, señor! 手"
    decoded = tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True)
    assert decoded.replace(" ", "") == text.replace(" ", "")
