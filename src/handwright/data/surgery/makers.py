"""Per defect its generators: at least three that work in different ways."""

from __future__ import annotations

from handwright.data.surgery import bends, counts, fans, joins, whole
from handwright.data.surgery.moves import Maker

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
"""Named as in ``data.hands.defects``."""

OPEN_HAND = ("extra", "missing", "too_short")
"""Defects that show only where all fingers are stretched out."""

TWO_HANDS = ("wrong_hand",)
"""Defects that show only beside the other hand."""
