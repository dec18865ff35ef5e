"""What a study of the two-stage system does: how many poses, with which networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handwright.reproduce.people_study import PeopleStudy

POSES_FROM = 930_030  # Seed of the rendered people whose poses are reported: test-only

SCALES = {"quick": 24, "paper": 200}
"""Poses: on two cores in an hour or two with the embedded family, and of rendered people in the plan."""


@dataclass(frozen=True, kw_only=True)
class TwoStageStudy(PeopleStudy):
    """A study of Giving a Hand to Diffusion Models; ``data`` is a folder of photographs.

    Raises:
        UsageError: A folder is not there, or there is nothing to do.
    """

    size_px: int = 384  # Longer side of the pictures
    prompt: str = "a person"  # For photographs, which have no caption
    controlnet: str | None = None  # Depth ControlNet of stage I; None: the model's own

    def folders(self) -> Mapping[str, str | Path | None]:
        """The folders that are given, by their options."""
        return {"--data": self.data, **super().folders()}

    def identity(self) -> dict[str, Any]:
        """Everything that decides a unit's result, but not how many units there are."""
        pictures = str(self.data) if self.data else f"people of seed {POSES_FROM}"
        return {**super().identity(), "pictures": pictures, "prompt": self.prompt}

    @property
    def depth_controlnet(self) -> str | None:
        """Of stage I."""
        return self.controlnet
