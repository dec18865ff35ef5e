"""Who a prompt shows, in the words of captions."""

import re
from collections.abc import Mapping

from handwright.prompts.captions import with_article

PEOPLE = ("woman", "man", "girl", "boy")

SAME_PEOPLE: Mapping[str, str] = {
    "lady": "woman", "female": "woman", "businesswoman": "woman", "waitress": "woman", "mother": "woman",
    "guy": "man", "male": "man", "businessman": "man", "waiter": "man", "fisherman": "man", "father": "man",
    "grandmother": "elderly woman", "grandfather": "elderly man", "old": "elderly", "older": "elderly",
    "kid": "boy", "child": "boy",
}  # fmt: skip
"""Words of prompts for people, and the words of captions for the same."""

_PRONOUNS = {"she": "woman", "her": "woman", "he": "man", "his": "man"}
"""What tells who is meant where no word for a person does ('a nurse … her hand')."""


def subject_of(prompt: str) -> str:
    """Who a prompt shows: 'an elderly woman', 'a boy', else 'a person'."""
    words = words_of(prompt, SAME_PEOPLE)
    noun = next((noun for noun in PEOPLE if noun in words), "person")
    return with_article(f"elderly {noun}" if "elderly" in words else noun)


def words_of(text: str, same: Mapping[str, str]) -> frozenset[str]:
    """The words of a text, by ``same`` in other words; pronouns as nouns for people, where it has none."""
    found = words_in_order(text)
    known = {other for word in found for other in same.get(word, word).split()}
    if known.isdisjoint(PEOPLE):
        known |= {_PRONOUNS[word] for word in found if word in _PRONOUNS}
    return frozenset(known)


def words_in_order(text: str) -> list[str]:
    """All words of a text, in small letters."""
    return re.findall(r"[a-z][a-z-]*", text.lower())
