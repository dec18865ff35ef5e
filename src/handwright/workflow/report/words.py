"""What users read for what was done to hands, in pages and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping

ACTION_WORDS = {"refined": "refined", "kept": "put back", "skipped": "left as it was"}
"""What a user reads for ``action``: painted anew; attempted, the original stays; not attempted."""


def counts_in_words(counts: Mapping[str, int]) -> str:
    """'3 hands: 1 refined, 1 put back, 1 left as it was; of 1 the review cannot tell'."""
    hands = counts["hands"]
    words = {
        **ACTION_WORDS,
        "skipped": "left as it was" if counts["hands_skipped"] == 1 else "left as they were",
    }
    done = ", ".join(f"{counts[f'hands_{name}']} {words[name]}" for name in words if counts[f"hands_{name}"])
    unsure = counts["hands_left_unsure"]
    cannot = f"; of {unsure} the review cannot tell" if unsure else ""
    return f"{hands} {'hand' if hands == 1 else 'hands'}: {done}{cannot}"
