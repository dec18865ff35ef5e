"""What a study of the two-stage system does: how many poses, with which networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handwright import __version__
from handwright.errors import UsageError
from handwright.progress import Progress, silent

POSES_FROM = 930_030  # Seed of the rendered people whose poses are reported: test-only

SCALES = {"quick": 24, "paper": 200}
"""Poses: on two cores in an hour or two with the embedded family, and of rendered people in the plan."""


@dataclass(frozen=True, kw_only=True)
class TwoStageStudy:
    """A study of Giving a Hand to Diffusion Models.

    Raises:
        UsageError: A folder is not there, or there is nothing to do.
    """

    n: int = SCALES["quick"]  # Poses
    size_px: int = 384  # Longer side of the pictures
    seed: int = 0  # Of every painting
    data: Path | None = None  # Photographs to take the poses from; None: rendered people
    prompt: str = "a person"  # For photographs, which have no caption
    model: str = "tiny"  # The base of every row
    controlnet: str | None = None  # Depth ControlNet of stage I; None: the model's own
    # OpenPose ControlNet, alone and for stage II; None: the preset's, or none
    pose_controlnet: str | None = None
    hand_generator: str | None = None  # Stage I's own network; None: the base under depth control
    outpainter: str | None = None  # Stage II's own network; None: the OpenPose ControlNet
    variants: Path | None = None  # Folder of networks that were trained otherwise, a row each
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
        folders = {
            "--data": self.data, "--hand-generator": self.hand_generator, "--outpainter": self.outpainter,
            "--variants": self.variants,
        }  # fmt: skip
        for option, path in folders.items():
            if path is not None and not Path(path).is_dir():
                raise UsageError(f"{option} {path} is not there", "", "give a folder")

    @property
    def painting(self) -> dict[str, Any]:
        """Arguments of every painting that were given."""
        given = {"num_inference_steps": self.steps, "guidance_scale": self.guidance}
        return {name: value for name, value in given.items() if value is not None}

    def identity(self) -> dict[str, Any]:
        """Everything that decides a unit's result, but not how many units there are.

        Raises:
            DiffusionError: The model is not there.
        """
        from handwright.workflow.run.request import without_paths
        from handwright.workflow.weights import folder_digests, weights_entries

        return {
            "handwright": __version__,
            "weights": without_paths(weights_entries(self.model, self.controlnet)),
            "pose_controlnet": folder_digests(self.pose_controlnet),
            "hand_generator": folder_digests(self.hand_generator),
            "outpainter": folder_digests(self.outpainter),
            "painting": self.painting,
            "dtype": self.dtype,
            "pictures": str(self.data) if self.data else f"people of seed {POSES_FROM}",
            "prompt": self.prompt,
            "size_px": self.size_px,
            "seed": self.seed,
        }
