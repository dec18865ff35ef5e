"""Prompts as people write them, less the syntax of the tools and words that only look like hands."""

import re

from handwright.prompts.words import find, pattern

NEGATIVE_WORDS = (
    "long body", "lowres", "bad anatomy", "bad hands", "missing fingers", "extra digit", "fewer digits",
    "cropped", "worst quality", "low quality",
)  # fmt: skip
"""The usual negative words, as in the experiments of HandRefiner."""

_AFTER_PROMPT = re.compile(r"\n?\s*\b(?:negative prompt|steps:\s*\d).*", re.I | re.S)
_COUNTS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "both": 2,
}  # fmt: skip


def plain_text(prompt: str) -> str:
    """A prompt in lower case without the syntax of the tools.

    Taken off: attention weights of any bracket style, prompt editing (what comes last stays), ``BREAK`` and
    ``AND``, LoRA and embedding tags, Midjourney's parameters and ``::`` weights (``--no x`` becomes 'no x';
    what has a negative weight goes), underscores of tags, and all from 'Negative prompt:' or 'Steps:' on.
    """
    text = _AFTER_PROMPT.sub("", prompt)
    text = re.sub(r"<[^<>]*>|\bembedding:\S+|__\w+__", " ", text)
    text = re.sub(r"\b(?:BREAK|AND)\b", ",", text).lower()
    text = re.sub(
        r"--no\s+([^-]+)", lambda m: ", " + ", ".join(f"no {t.strip()}" for t in m[1].split(",")), text
    )
    text = re.sub(r"--\w+(?:\s+[\d.:]+\w*)?", " ", text)
    text = _weighed(text)
    text = re.sub(r"\[[^\[\]:|]*:([^\[\]:|]+):[\d.]+\]", r"\1", text)
    text = re.sub(r"\\([()\[\]])|:\s*-?\d*\.?\d+\s*(?=[)\]}])", " ", text)
    text = re.sub(r"[()\[\]{}|\"“”*]", " ", text).replace("_", " ").replace("’", "'")
    text = re.sub(r"(?<=[a-z])-(?=(?:raised|wearing|up close)\b)", " ", text)
    text = re.sub(r"\b(\d)(girl|boy)s?\b", lambda m: f"{m[1]} {m[2]}{'s' if m[1] != '1' else ''}", text)
    text = re.sub(r"\s*[\n;]\s*", "; ", text)
    return re.sub(r"\s*([,;.!?])[\s,]*", r"\1 ", " ".join(text.split())).strip(" ,;")


def _weighed(text: str) -> str:
    """A text without Midjourney's ``::`` weights, and without what weighs less than nothing."""
    parts = re.split(r"::\s*(-?[\d.]*)", text)
    kept = [
        part
        for part, weight in zip(parts[::2], [*parts[1::2], ""], strict=True)
        if not weight.startswith("-")
    ]
    return ", ".join(kept)


def without_lookalikes(text: str) -> str:
    """A plain text without words that only look like hands ('handmade', 'palm trees', 'clock hands')."""
    return " ".join(pattern("like_hands").sub(" … ", text).split())


def people_in(text: str) -> int | None:
    """How many people a plain text speaks of; None where it speaks of none, or of more than it counts."""
    if re.search(r"\b(?:solo|alone)\b", text):
        return 1
    counted = 0
    for number, noun in pattern("counted_people").findall(text):
        plural = re.search(r"s$|men$|ren$|ies$", noun)
        counted += _COUNTS[number] if plural else 0
        text = text.replace(noun, "…", 1) if plural else text
    if counted == 0 and find("two_people", text):
        return 2
    if counted == 0 and find("many_people", text):
        return None
    singles = pattern("single_people").findall(text)
    bare = pattern("bare_people").findall(text)
    singles = singles or bare[:1]
    return counted + len(singles) or None


def vague_words(text: str) -> tuple[str, ...]:
    """What asks for good hands and fixes nothing about them."""
    return tuple(dict.fromkeys(hit[0].strip() for hit in pattern("vague").finditer(text)))
