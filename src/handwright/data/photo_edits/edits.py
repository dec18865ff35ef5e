"""Every defect with at least three edits that make it in different ways."""

from __future__ import annotations

from handwright.data.photo_edits import bends, counts, fans, joins, whole
from handwright.data.photo_edits.moves import Edit
from handwright.hand.defects import Defect

EDITS: dict[str, tuple[Edit, ...]] = {
    Defect.EXTRA: (counts.extra_copied, counts.extra_lent, fans.extra_repeated),
    Defect.MISSING: (counts.missing_erased, counts.missing_stump, fans.missing_skipped),
    Defect.FUSED: (joins.fused_pressed, joins.fused_webbed, fans.fused_closed),
    Defect.SPLIT: (joins.split_forked, joins.split_lent, joins.split_unfolded),
    Defect.OVERBENT: (
        bends.lifted(Defect.OVERBENT),
        bends.warped(Defect.OVERBENT),
        bends.lent(Defect.OVERBENT),
    ),
    Defect.SIDEWAYS: (
        bends.lifted(Defect.SIDEWAYS),
        bends.warped(Defect.SIDEWAYS),
        bends.lent(Defect.SIDEWAYS),
    ),
    Defect.TOO_LONG: (
        bends.lifted(Defect.TOO_LONG),
        bends.warped(Defect.TOO_LONG),
        bends.respaced(Defect.TOO_LONG),
    ),
    Defect.TOO_SHORT: (
        bends.lifted(Defect.TOO_SHORT),
        bends.warped(Defect.TOO_SHORT),
        bends.respaced(Defect.TOO_SHORT),
    ),
    Defect.TWO_THUMBS: (counts.thumb_mirrored, counts.thumb_lent, counts.thumb_twin),
    Defect.WRONG_HAND: (whole.wrong_mirrored, whole.wrong_other, whole.wrong_lent),
    Defect.DETACHED: (whole.detached(0), whole.detached(1), whole.detached(2)),
    Defect.MELTED: (whole.melted_waves, whole.melted_smeared, whole.melted_swirled),
}
"""In the order of ``Defect``."""

_WANTED: dict[str, tuple[str, str, str]] = {
    Defect.EXTRA: ("open", "open", "fan"),
    Defect.MISSING: ("open", "open", "fan"),
    Defect.FUSED: ("pair", "pair", "fan"),
    Defect.TOO_SHORT: ("open", "open", "open"),
    Defect.TWO_THUMBS: ("thumb", "thumb", "thumb"),
    Defect.WRONG_HAND: ("two", "two", "two"),
    Defect.DETACHED: ("hand", "hand", "hand"),
    Defect.MELTED: ("hand", "hand", "hand"),
}


def needed_hand(name: str, generator: int) -> str:
    """What an edit needs of a hand: ``wanted`` of ``hand_crop.crop_hand``."""
    return _WANTED.get(name, ("any", "any", "any"))[generator]
