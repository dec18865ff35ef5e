"""What a study of HanDiffuser does: how many people, with which networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handwright.errors import UsageError
from handwright.reproduce.people_study import PeopleStudy

PEOPLE_FROM = 930_031  # Seed of the rendered people who are painted again: test-only

SCALES = {"quick": 24, "paper": 1000}
"""People: on two cores in an hour or two with the embedded family, and test prompts of the plan."""


@dataclass(frozen=True, kw_only=True)
class HanDiffuserStudy(PeopleStudy):
    """A study of HanDiffuser; ``data`` is a text file with a prompt a line, whose people are T2H's.

    Raises:
        UsageError: A file or folder is not there, or there is nothing to do.
    """

    handiffuser: str | None = None  # T-H2I: model/ of `handwright train handiffuser`

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.data is not None and not self.data.is_file():
            raise UsageError(f"--data {self.data} is not there", "", "give a text file with a prompt a line")

    def folders(self) -> Mapping[str, str | Path | None]:
        """The folders that are given, by their options."""
        return {"--handiffuser": self.handiffuser, **super().folders()}

    def identity(self) -> dict[str, Any]:
        """Everything that decides a unit's result, but not how many units there are."""
        from handwright.workflow.files import sha256_of_file
        from handwright.workflow.weights import folder_digests

        people = sha256_of_file(self.data) if self.data else f"people of seed {PEOPLE_FROM}"
        return {
            **super().identity(), "people": people, "handiffuser": folder_digests(self.handiffuser)
        }  # fmt: skip
