"""What a study of the two-stage system does: how many poses, with which networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handwright.errors import UsageError
from handwright.reproduce.people_study import PeopleStudy

POSES_FROM = 930_030  # Seed of the rendered people whose poses are reported: test-only
MEETING_FROM = 930_032  # And of those whose two hands meet

POSES = ("any", "meeting")
"""Of rendered people: as they stand, or with both hands brought together, touching or crossed."""

SCALES = {"quick": 24, "paper": 200}
"""Poses: on two cores in an hour or two with the embedded family, and of rendered people in the plan."""


@dataclass(frozen=True, kw_only=True)
class TwoStageStudy(PeopleStudy):
    """A study of Giving a Hand to Diffusion Models; ``data`` is a folder of photographs.

    Raises:
        UsageError: A folder is not there, there is nothing to do, or there are no such poses.
    """

    size_px: int = 384  # Longer side of the pictures
    prompt: str = "a person"  # For photographs, which have no caption
    poses: str = "any"  # Whose poses are painted, one of ``POSES``; photographs have their own
    controlnet: str | None = None  # Depth ControlNet of stage I; None: the model's own

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.poses not in POSES:
            raise UsageError(f"--poses is {self.poses}", "", f"choose one of: {', '.join(POSES)}")
        if self.poses != "any" and self.data is not None:
            raise UsageError(
                f"--poses {self.poses} means nothing to --data", "photographs have their own poses",
                "give one of both",
            )  # fmt: skip

    def folders(self) -> Mapping[str, str | Path | None]:
        """The folders that are given, by their options."""
        return {"--data": self.data, **super().folders()}

    def identity(self) -> dict[str, Any]:
        """Everything that decides a unit's result, but not how many units there are."""
        rendered = {
            "any": f"people of seed {POSES_FROM}",
            "meeting": f"people of seed {MEETING_FROM} whose hands meet",
        }
        pictures = str(self.data) if self.data else rendered[self.poses]
        return {**super().identity(), "pictures": pictures, "prompt": self.prompt}

    @property
    def depth_controlnet(self) -> str | None:
        """Of stage I."""
        return self.controlnet
