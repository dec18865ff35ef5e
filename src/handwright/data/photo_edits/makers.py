"""Per defect its generators: at least three that work in different ways."""

from __future__ import annotations

from handwright.data.photo_edits import bends, counts, fans, joins, whole
from handwright.data.photo_edits.moves import Maker

MAKERS: dict[str, tuple[Maker, ...]] = {
    "extra": (counts.extra_copied, counts.extra_lent, fans.extra_repeated),
    "missing": (counts.missing_erased, counts.missing_stump, fans.missing_skipped),
    "fused": (joins.fused_pressed, joins.fused_webbed, fans.fused_closed),
    "split": (joins.split_forked, joins.split_lent, joins.split_unfolded),
    "overbent": (bends.lifted("overbent"), bends.warped("overbent"), bends.lent("overbent")),
    "sideways": (bends.lifted("sideways"), bends.warped("sideways"), bends.lent("sideways")),
    "too_long": (bends.lifted("too_long"), bends.warped("too_long"), bends.respaced("too_long")),
    "too_short": (bends.lifted("too_short"), bends.warped("too_short"), bends.respaced("too_short")),
    "two_thumbs": (counts.thumb_mirrored, counts.thumb_lent, counts.thumb_twin),
    "wrong_hand": (whole.wrong_mirrored, whole.wrong_other, whole.wrong_lent),
    "detached": (whole.detached(0), whole.detached(1), whole.detached(2)),
    "melted": (whole.melted_waves, whole.melted_smeared, whole.melted_swirled),
}
"""Named as in ``data.hands.defects.generators``."""

_WANTED = {
    "extra": ("open", "open", "fan"),
    "missing": ("open", "open", "fan"),
    "fused": ("pair", "pair", "fan"),
    "too_short": ("open", "open", "open"),
    "two_thumbs": ("thumb", "thumb", "thumb"),
    "wrong_hand": ("two", "two", "two"),
    "detached": ("hand", "hand", "hand"),
    "melted": ("hand", "hand", "hand"),
}


def wanted_of(name: str, generator: int) -> str:
    """What a generator needs of a hand (``patient.admit``)."""
    return _WANTED.get(name, ("any", "any", "any"))[generator]
