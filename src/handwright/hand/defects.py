"""Names of the malformations that generated hands show; files and networks hold them as these strings."""

from enum import StrEnum


class Defect(StrEnum):
    """One way in which a hand is wrong.

    The order is that of the critic's training targets; its packaged network names its own outputs.
    """

    EXTRA = "extra"  # A finger too many
    MISSING = "missing"  # A finger too few
    FUSED = "fused"  # Two fingers grown together
    SPLIT = "split"  # A finger that forks
    OVERBENT = "overbent"  # A joint bent backwards, or further than it can
    SIDEWAYS = "sideways"  # A joint bent out of its finger's plane
    TOO_LONG = "too_long"  # A finger longer than any of a human hand
    TOO_SHORT = "too_short"  # A finger shorter than any of a human hand
    TWO_THUMBS = "two_thumbs"  # A thumb on either side of the palm, or two on one
    WRONG_HAND = "wrong_hand"  # A left hand on a right arm, or a right one on a left
    DETACHED = "detached"  # A hand apart from its arm
    MELTED = "melted"  # Skin without the shape of a hand


COUNT_DEFECTS = (Defect.EXTRA, Defect.MISSING, Defect.FUSED, Defect.SPLIT, Defect.TWO_THUMBS)
"""Defects of the number of fingers."""

SURPLUS_DEFECTS = (Defect.EXTRA, Defect.TWO_THUMBS, Defect.SPLIT)
"""Defects that show more skin than a regular hand has."""

ONE_FINGER_DEFECTS = (Defect.OVERBENT, Defect.SIDEWAYS, Defect.TOO_LONG, Defect.TOO_SHORT)
"""Defects of a single finger's shape."""

SHAPE_DEFECTS = (*ONE_FINGER_DEFECTS, Defect.MELTED, Defect.DETACHED)
"""Defects of shape with the right number of fingers."""


class Hold(StrEnum):
    """How a hand holds a thing."""

    NONE = "none"  # There is no thing
    SOUND = "sound"  # It holds one as hands do
    CUT = "cut"  # A part of the thing is missing where fingers are, or they pass through it
    FLOATING = "floating"  # The thing is beside the hand, and nothing holds it
    GROWN = "grown"  # Thing and flesh run into each other where they touch


BROKEN_HOLDS = (Hold.CUT, Hold.FLOATING, Hold.GROWN)
"""Holds that no real hand shows."""
