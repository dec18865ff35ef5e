"""Who a prompt shows, in the words of captions."""

import pytest

from handwright.prompts.subject import subject_of


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        ("An old lady sipping tea", "an elderly woman"),
        ("a grandfather with his hand up", "an elderly man"),
        ("a nurse with her hand on her hip", "a woman"),
        ("a boy and his kite", "a boy"),
        ("a nurse in a corridor", "a person"),
        ("the palm of a right hand", "a person"),
    ],
)
def test_a_prompt_shows_somebody(prompt: str, subject: str) -> None:
    """By nouns, else by pronouns."""
    assert subject_of(prompt) == subject
