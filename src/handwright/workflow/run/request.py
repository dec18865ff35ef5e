"""What the user asked of a run: small, picklable, and written into every report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from handwright import __version__
from handwright.errors import HandsFileError, UsageError
from handwright.workflow.files import sha256_of_file

if TYPE_CHECKING:
    from handwright.handrefiner.diffusion_settings import DiffusionSettings

Box = tuple[float, float, float, float]
HANDS_SUFFIXES = frozenset((".json", ".npz"))


@dataclass(frozen=True)
class Request:
    """A refinement in the user's words: numbers and file names, nothing loaded yet.

    Attributes:
        painter: Name of the painter.
        seed: Seed of the first candidate.
        candidates: Attempts per hand.
        boxes: User boxes x0, y0, x1, y1 in pixels.
        hand_ids: Only these hands are attempted; empty: those that fail the review.
        all_hands: Attempt every hand found, whatever the review says of it.
        unsure: Attempt also hands of which the review cannot tell.
        budget_s: No further candidate of a hand is begun after so many seconds; 0: no limit.
        hands: Hands file to use instead of finding and fitting.
        mask: Grey picture: what may change.
        depth: Grey picture: the depth control image.
        hand_pose: Hands file or photograph to take the articulation from.
        diffusion: How a diffusing painter paints; None: its defaults.
    """

    painter: str = "draw"
    seed: int = 0
    candidates: int = 1
    boxes: tuple[Box, ...] = ()
    hand_ids: tuple[int, ...] = ()
    all_hands: bool = False
    unsure: bool = False
    budget_s: float = 0.0
    hands: Path | None = None
    mask: Path | None = None
    depth: Path | None = None
    hand_pose: Path | None = None
    diffusion: DiffusionSettings | None = None

    def check(self, pictures: int) -> None:
        """Refuse early what can be known to be wrong before any picture is opened.

        Args:
            pictures: How many pictures the run has.

        Raises:
            UsageError: A number out of range, an unknown painter, or a file of one picture given for several.
            HandsFileError: A file that is named does not exist.
            DiffusionError: What a diffusing painter needs is not installed, or there is no such model.
        """
        from handwright.refine.settings import RefineSettings

        RefineSettings(
            painter=self.painter,
            seed=self.seed,
            candidates=self.candidates,
            boxes=self.boxes,
            hand_ids=self.hand_ids,
            all_hands=self.all_hands,
            unsure=self.unsure,
            budget_s=self.budget_s,
            diffusion=self.diffusion,
        )
        self._diffusion_entry()
        for option, path in self._of_one_picture().items():
            if path is not None and pictures > 1:
                raise UsageError(
                    f"{option} belongs to one picture, but there are {pictures}",
                    "",
                    "refine that picture alone",
                )
        for option, path in {**self._of_one_picture(), "--hand-pose": self.hand_pose}.items():
            if path is not None and not path.is_file():
                raise HandsFileError(f"{option} {path} is not there", "", "check the name")

    def as_json(self) -> dict[str, Any]:
        """The settings as the report holds them; files appear with the sha256 of their bytes."""
        return {
            "painter": self.painter,
            "seed": self.seed,
            "candidates": self.candidates,
            "boxes": [list(box) for box in self.boxes],
            "hand_ids": list(self.hand_ids),
            "all_hands": self.all_hands,
            "unsure": self.unsure,
            "budget_s": self.budget_s,
            **{name: _file_entry(getattr(self, name)) for name in ("hands", "mask", "depth", "hand_pose")},
            "diffusion": self._diffusion_entry(),
        }

    def fingerprint(self, command: str) -> str:
        """Sha256 over everything that decides a result, apart from the picture itself."""
        from handwright.workflow.weights import judge_digests

        made_by = {"command": command, "handwright": __version__, "judge": judge_digests()}
        return fingerprint({**made_by, "settings": without_paths(self.as_json())})

    def _diffusion_entry(self) -> dict[str, Any] | None:
        from handwright.refine.settings import DIFFUSING

        if self.painter not in DIFFUSING:
            return None
        from handwright.handrefiner.diffusion_settings import DiffusionSettings
        from handwright.workflow.weights import weights_entries

        settings = self.diffusion or DiffusionSettings()
        return {**asdict(settings), **weights_entries(settings.model, settings.controlnet)}

    def _of_one_picture(self) -> dict[str, Path | None]:
        return {"--hands": self.hands, "--mask": self.mask, "--depth": self.depth}


def fingerprint(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Sha256 of a JSON value, the same for equal values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def without_paths(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings from ``Request.as_json`` with the sha256 of files and models in place of their names."""
    return {name: _without_path(value) for name, value in settings.items()}


def _without_path(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(value, dict):
        return value
    entry = cast("dict[str, Any]", value)
    return entry["sha256"] if "sha256" in entry else without_paths(entry)


def _file_entry(path: Path | None) -> dict[str, str] | None:
    return None if path is None else {"file": path.as_posix(), "sha256": sha256_of_file(path)}
