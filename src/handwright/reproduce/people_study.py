"""What every study of painted people is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numpy as np

from handwright import __version__
from handwright.errors import UsageError
from handwright.progress import Progress, silent


class StudyRow(Protocol):
    """A treatment of a study: a dataclass with these fields."""

    @property
    def name(self) -> str:
        """Of its units."""
        ...

    @property
    def missing(self) -> str:
        """Why it cannot be painted; empty where it can."""
        ...


RowT = TypeVar("RowT", bound=StudyRow)


@dataclass(frozen=True, kw_only=True)
class PeopleStudy:
    """How many people are painted, on which base, and what is measured with.

    Raises:
        UsageError: A folder is not there, or there is nothing to do.
    """

    n: int = 24  # People; so many take an hour or two on two cores with the embedded family
    size_px: int = 256  # Longer side of the pictures
    seed: int = 0  # Of every painting
    data: Path | None = None  # Where people come from; None: rendered people
    model: str = "tiny"  # The base of every row
    # OpenPose ControlNet, alone and for stage II of the two-stage system
    pose_controlnet: str | None = None
    hand_generator: str | None = None  # The two-stage system's first network
    outpainter: str | None = None  # And its second
    variants: Path | None = None  # Folder of networks that were trained otherwise, a row each
    rows: tuple[str, ...] = ()  # Names of the rows that are painted; empty: all
    steps: int | None = None  # None: the model's own
    guidance: float | None = None  # None: the model's own
    dtype: str = "auto"  # Number format
    device: str = "auto"  # Where networks run
    extractor: str = "hw-v2"  # Of the features behind KID and FID
    clip: str = "clip-hw-v1"  # Of CLIPSIM
    progress: Progress = silent

    def __post_init__(self) -> None:
        if self.n < 1:
            raise UsageError(f"--n is {self.n}", "", "give 1 or more")
        for option, path in self.folders().items():
            if path is not None and not Path(path).is_dir():
                raise UsageError(f"{option} {path} is not there", "", "give a folder")

    def folders(self) -> Mapping[str, str | Path | None]:
        """The folders that are given, by their options."""
        return {
            "--hand-generator": self.hand_generator, "--outpainter": self.outpainter,
            "--variants": self.variants,
        }  # fmt: skip

    def chosen(self, rows: Sequence[RowT], needed: Mapping[str, str]) -> tuple[RowT, ...]:
        """All rows of a study, those that were not asked for with the reason why they are not painted.

        Args:
            rows: All of them.
            needed: Rows that begin with another one's pictures, and that one's name: it is painted, too.

        Raises:
            UsageError: There is no row of a name that was asked for.
        """
        names = [row.name for row in rows]
        for name in self.rows:
            if name not in names:
                raise UsageError(f"there is no row {name!r}", "", f"choose from: {', '.join(names)}")
        wanted = {*(self.rows or names), *(needed[name] for name in self.rows if name in needed)}
        return tuple(
            row if row.name in wanted else replace(cast("Any", row), missing="it is not among --rows")
            for row in rows
        )

    @property
    def painting(self) -> dict[str, Any]:
        """Arguments of every painting that were given."""
        given = {"num_inference_steps": self.steps, "guidance_scale": self.guidance}
        return {name: value for name, value in given.items() if value is not None}

    def picture_seed(self, index: int) -> int:
        """The seed of a person's pictures: all rows have the same noise where they draw the same."""
        return int(np.random.SeedSequence([self.seed, index]).generate_state(1)[0])

    def identity(self) -> dict[str, Any]:
        """Everything that decides a unit's result, but not how many units there are.

        Raises:
            DiffusionError: The model is not there.
        """
        from handwright.diffusion.loading.places import own_part
        from handwright.workflow.run.request import without_paths
        from handwright.workflow.weights import folder_digests, weights_entries

        def network(given: str | None, name: str) -> dict[str, str] | str | None:
            own = own_part(self.model, name) if given is None else None
            return folder_digests(given if own is None else str(own))

        return {
            "handwright": __version__,
            "weights": without_paths(weights_entries(self.model, self.depth_controlnet)),
            "pose_controlnet": folder_digests(self.pose_controlnet),
            "hand_generator": network(self.hand_generator, "hand_generator"),
            "outpainter": network(self.outpainter, "outpainter"),
            "painting": self.painting,
            "dtype": self.dtype,
            "size_px": self.size_px,
            "seed": self.seed,
        }

    @property
    def depth_controlnet(self) -> str | None:
        """A depth ControlNet that is used besides the base's own."""
        return None
