"""Which pictures are refined with which settings, and where the accepted results lie."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PILImage

from handwright import HandRefiner

HERE = Path(__file__).parent
PICTURES, ACCEPTED, ACTIONS = HERE / "pictures", HERE / "accepted", HERE / "actions.json"

DEFAULT = (
    *(f"defects_{k:02}" for k in (0, 3, 5, 9, 12, 13, 16, 18, 19)),
    "hands_00",
    *("people_00", "people_01"),
)
ALL = (
    *(f"defects_{k:02}" for k in (1, 2, 4, 6, 7, 12, 13, 14, 15, 17, 19, 20, 21)),
    *("hands_05", "hands_07", "hands_08", "hands_10", "hands_11"),
    *(f"people_{k:02}" for k in (2, 3, 5, 7)),
    "noisy_00",
)
"""``noisy_00`` is ``defects_04`` with white noise, of 10 levels in the repair mask, whose edge is blurred by
σ 3 px, and of 4 elsewhere: the limit of the grain binds there, and is seen."""

CHANGED, MAY_CHANGE = 255, 128
"""Alpha of an accepted result where refining changed the picture, and elsewhere within the repair masks."""

UNSTEADY = frozenset(
    {
        "hands_05-all",
        "people_03-all",
        "defects_08-candidates",
        "defects_11-harmonise",
        "hands_02-harmonise",
        *(f"defects_{k:02}-default" for k in (9, 16)),
        *(f"defects_{k:02}-all" for k in (6, 14, 17, 20, 21)),
    }
)
"""Cases that rounding tips over: landmarks moved by 0.0002 px change them beyond the bounds of the others.

Measured by ``python -m tests.golden.sensitivity --jitter``.
"""

NOISY = frozenset({"noisy_00-all"})
"""Cases in which noise covers the picture: what is copied into the background differs pixel by pixel."""

FLOAT32 = {"dtype": "float32"}
"""Some processors compute in bfloat16 by default, which makes other pictures: a mean ΔE of 5."""

NAMED = {"hand": (1, 2)}
"""Every hand is pointed out, so that it is painted anew however that looks."""

DIFFUSE = {"painter": "diffuse", "num_inference_steps": 4, **NAMED, **FLOAT32}


@dataclass(frozen=True)
class Case:
    """One picture with the settings it is refined with.

    Attributes:
        picture: Name of a file of ``pictures``, without its suffix.
        label: Short name of the settings.
        settings: Keywords of ``handwright.refine``.
    """

    picture: str
    label: str
    settings: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.picture}-{self.label}"

    @property
    def before(self) -> np.ndarray:
        """The picture, uint8 [256, 256, 3]."""
        with PILImage.open(PICTURES / f"{self.picture}.webp") as opened:
            return np.asarray(opened.convert("RGB"))

    @property
    def accepted_file(self) -> Path:
        """Where the accepted result lies."""
        return ACCEPTED / f"{self.name}.webp"

    @property
    def accepted(self) -> np.ndarray:
        """The result that was last accepted, uint8 [256, 256, 3]."""
        patch = self._patch()
        return np.where(patch[..., 3:] == CHANGED, patch[..., :3], self.before)

    @property
    def accepted_mask(self) -> np.ndarray:
        """The pixels that might change when the result was accepted, bool [256, 256]."""
        return self._patch()[..., 3] > 0

    def _patch(self) -> np.ndarray:
        with PILImage.open(self.accepted_file) as opened:
            return np.asarray(opened.convert("RGBA"))

    @property
    def accepted_actions(self) -> list[str]:
        """What was done to each hand when the result was accepted."""
        return json.loads(ACTIONS.read_text("utf-8"))[self.name]

    def refine(self, refiner: HandRefiner) -> Result:
        """Refine the picture as the product does now."""
        repair = refiner(self.before, **self.settings)
        mask = np.zeros(self.before.shape[:2], np.bool_)
        for hand in repair.hands:
            mask |= hand.mask.inside
        return Result(self, repair.after.pixels, mask, [hand.action for hand in repair.hands])


@dataclass(frozen=True, eq=False)
class Result:
    """What ``refine`` makes of a case now.

    Attributes:
        case: The case.
        pixels: The picture afterwards, uint8 [256, 256, 3].
        mask: Pixels that may change, bool [256, 256]: the repair masks of all hands together.
        actions: What was done to each hand: 'refined', 'kept', 'skipped', …
    """

    case: Case
    pixels: np.ndarray
    mask: np.ndarray
    actions: list[str]

    def accept(self) -> None:
        """Store picture and mask as the accepted result; the actions are stored by ``bless``."""
        changed = (self.pixels != self.case.before).any(-1, keepdims=True)
        alpha = np.where(changed, CHANGED, np.where(self.mask[..., None], MAY_CHANGE, 0)).astype(np.uint8)
        patch = np.concatenate([self.pixels * changed, alpha], -1)
        options = {"lossless": True, "quality": 100, "method": 6, "exact": True}
        PILImage.fromarray(patch).save(self.case.accepted_file, **options)


CASES = (
    *(Case(name, "default", {}) for name in DEFAULT),
    *(Case(name, "all", {"seed": 5, **NAMED}) for name in ALL),
    *(Case(name, "candidates", {"candidates": 2, "seed": 9, **NAMED}) for name in ("defects_08",)),
    *(
        Case(name, "harmonise", {"painter": "harmonise", "num_inference_steps": 6, **NAMED, **FLOAT32})
        for name in ("defects_11", "hands_02")
    ),
    *(Case(name, "diffuse", DIFFUSE) for name in ("hands_04",)),
)
