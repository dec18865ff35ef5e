"""What a repair changed, with or without the repaints that were rejected."""

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.image import with_patch
from handwright.refine.result import Candidate, Repair


def outcome(
    repair: Repair, *, with_rejected: bool = False
) -> tuple[UInt8[np.ndarray, "h w 3"], Bool[np.ndarray, "h w"]]:
    """The picture after a repair, and where it was repainted.

    Args:
        repair: The repair.
        with_rejected: Show, of hands that were attempted and kept, the repaint that came nearest to
            being accepted.

    Returns:
        uint8 [H, W, 3], the original bit for bit outside the second value, bool [H, W].
    """
    accepted = [hand.candidates[hand.picked] for hand in repair.hands if hand.picked is not None]
    rejected = [
        hand.candidates[hand.best_rejected]
        for hand in repair.hands
        if with_rejected and hand.picked is None and hand.best_rejected is not None
    ]
    inside = np.zeros((repair.before.height, repair.before.width), np.bool_)
    for candidate in (*accepted, *rejected):
        _mark(inside, candidate)
    return with_patch(repair.after, *rejected).pixels, inside


def _mark(inside: Bool[np.ndarray, "h w"], candidate: Candidate) -> None:
    x, y = candidate.origin_xy_px
    height, width = candidate.inside.shape
    inside[y : y + height, x : x + width] |= candidate.inside
