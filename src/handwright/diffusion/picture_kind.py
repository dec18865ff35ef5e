"""The kind of picture that a prompt names, and the one that a model's captions named in training."""

from __future__ import annotations

import re

_KINDS = re.compile(
    r"\b(photo(graph\w*|s)?|picture|image|portrait|render\w*|3d|drawing|painting|sketch|illustration|"
    r"cartoon|comic|anime|watercolou?r|selfie|snapshot|close-?up|poster|engraving)\b",
    re.IGNORECASE,
)
"""Words by which captions and users name a kind of picture."""


def with_picture_kind(prompt: str, kind: str) -> str:
    """The prompt as a model's captions begin, 'a ⟨kind⟩ of …'.

    A prompt that names a kind of picture itself, and an empty one, stay as they are.

    Args:
        prompt: What the picture shows.
        kind: ``Preset.picture_kind``; '' for a model that learnt from captions of all kinds.
    """
    if not kind or not prompt.strip() or _KINDS.search(prompt):
        return prompt
    return f"a {kind} of {prompt}"
