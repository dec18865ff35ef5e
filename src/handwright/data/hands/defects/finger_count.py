"""How many fingers a hand with known defects has, as a person would count its ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from handwright.hand.defects import Defect

_RENDERED: Mapping[str, tuple[int | None, ...]] = {
    Defect.EXTRA: (6, 6, 6),
    Defect.MISSING: (4, 4, 3),
    Defect.FUSED: (4, 4, 5),
    Defect.SPLIT: (6, 6, 6),
    Defect.TWO_THUMBS: (6, 5, 6),
    Defect.MELTED: (None, None, None),
}
_EDITED: Mapping[str, tuple[int | None, ...]] = {
    **_RENDERED,
    Defect.MISSING: (4, 4, 4),
    Defect.FUSED: (4, 5, 4),
    Defect.TWO_THUMBS: (6, 6, 6),
}


def fingers_of(defects: Iterable[Mapping[str, Any]], *, photograph: bool) -> int | None:
    """Number of fingers, thumbs included, hidden ones too; None where nobody could say.

    A stump does not count, two fingers run together along their whole length count as one, a fork as two.

    Args:
        defects: Of one hand, as its record names them: 'name' and 'generator'.
        photograph: They are edits of a photograph.
    """
    count = 5
    for defect in defects:
        table = _EDITED if photograph else _RENDERED
        with_defect = table.get(defect["name"], (5, 5, 5))[defect["generator"]]
        if with_defect is None:
            return None
        count += with_defect - 5
    return count
