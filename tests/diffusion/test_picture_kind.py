"""Prompts as a model's captions begin: only where they name no kind of picture themselves."""

import pytest

from handwright.data.captions import RENDERED
from handwright.diffusion.picture_kind import with_picture_kind


@pytest.mark.parametrize("prompt", ["a woman waving", "an old man holding a book in a library", "two hands"])
def test_words_without_a_kind_of_picture_get_the_models(prompt):
    assert with_picture_kind(prompt, RENDERED) == f"a 3D rendered image of {prompt}"
    assert with_picture_kind(prompt, "") == prompt


@pytest.mark.parametrize(
    "prompt",
    [
        "a photo of a woman", "a photograph of a hand", "Portrait of a sailor", "an oil painting of a nurse",
        "close-up of a hand", "a 3D rendered image of a man", "two hands, watercolour", "", "  ",
    ],
)  # fmt: skip
def test_words_that_name_one_and_no_words_stay(prompt):
    assert with_picture_kind(prompt, RENDERED) == prompt
