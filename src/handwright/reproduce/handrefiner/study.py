"""What a study does: how many of everything, with which model, on which pictures."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from handwright import __version__
from handwright.errors import UsageError
from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.progress import Progress, silent
from handwright.reproduce.handrefiner.rows import VARIANTS

JUDGED_FROM = 830_000
"""First seed of the pictures that the fixed strength is derived on: nothing that is reported."""

TABLE_FROM, SPOILED_FROM, REFERENCE_FROM = 930_000, 950_000, 960_000
"""First seeds of the pictures that are reported, and of the sound hands that they are held against."""

GRID = tuple(round(0.1 * k, 1) for k in range(11))
"""Strengths; those above 0 are what the fixed strength is chosen from."""

FEWER = (0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Strengths of a phase figure with fewer points and more pictures behind each."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How many pictures."""

    table: int  # Repainted by every row of Table 3
    harmonise: int  # Repainted by every strategy with painter 'harmonise'
    boxed: int  # Repainted by Table 3's ControlNets with box masks
    reference: int  # Of the set that they are held against
    phase: int  # Repainted with every one of ``strengths``
    judged: int  # On which the fixed strength is derived
    spoiled: int  # With a defect, before and after
    generated: int = 40  # Of each kind of prompt, for Tables 1 and 2
    photographs: int = 400  # Of each data set that those are held against
    size_px: int = 384  # Side of rendered pictures
    strengths: tuple[float, ...] = GRID  # Of the phase figure; 0, ``measure.CROSSOVER`` and 1 are among them


SCALES = {
    "quick": Scale(
        table=60, harmonise=30, boxed=30, reference=200, phase=16, judged=30, spoiled=20, strengths=FEWER
    ),
    "paper": Scale(
        table=2000,
        harmonise=2000,
        boxed=2000,
        reference=12_000,
        phase=200,
        judged=200,
        spoiled=12_000,
        generated=12_000,
        photographs=12_000,
        size_px=512,
    ),
}
"""'quick' is for two cores and an hour; 'paper' has the paper's numbers."""


REFEREE = "referee-v1"  # Features that tell anatomy, for a KID-H of their own


@dataclass(frozen=True, kw_only=True)
class Study:
    """A study of HandRefiner."""

    scale: Scale  # How many pictures
    # Model, ControlNet, steps and the like; its strength is of no account
    diffusion: DiffusionSettings = field(default_factory=DiffusionSettings)
    data: Path | None = None  # Folder of the user's pictures in place of rendered ones; None: rendered ones
    variants: Path | None = None  # Folder of ControlNets trained another way (``rows``)
    # File of human choices of strength (``choices``); None: the judge of ``refine`` chooses
    choices: Path | None = None
    extractor: str = "hw-v2"  # Of the features behind KID-H and FID-H
    seed: int = 0  # Of every painting
    landmarker: Path | None = None  # A hand_landmarker.task of the user's own
    progress: Progress = silent

    def __post_init__(self) -> None:
        for option, path in (("--data", self.data), ("--variants", self.variants)):
            if path is not None and not path.is_dir():
                raise UsageError(f"{option} {path} is not there", "", "give a folder")

    def identity(self) -> dict[str, Any]:
        """Everything that decides a unit's result, but not how many units there are.

        Raises:
            DiffusionError: The model is not there.
        """
        from handwright.workflow.run.request import without_paths
        from handwright.workflow.weights import judge_digests, weights_entries

        settings = asdict(self.diffusion)
        weights = weights_entries(self.diffusion.model, self.diffusion.controlnet)
        return {
            "handwright": __version__,
            "judge": judge_digests(),
            "diffusion": without_paths({**settings, **weights, "strength": None}),
            "pictures": str(self.data) if self.data else f"rendered at {self.scale.size_px} px",
            "seed": self.seed,
        }

    def variant_identities(self) -> dict[str, dict[str, str]]:
        """Sha256 of the weights of every variant that is there, by its name.

        Raises:
            DiffusionError: One of the folders holds no ControlNet.
        """
        from handwright.workflow.weights import weights_entries

        there = [] if self.variants is None else [self.variants / name for name in VARIANTS]
        return {
            folder.name: weights_entries(self.diffusion.model, str(folder))["controlnet"]["sha256"]
            for folder in there
            if folder.is_dir()
        }


def seeds_line(scale: Scale) -> str:
    """Which rendered pictures are used for what, in words."""
    sets = (
        ("what is repainted whatever it is like", TABLE_FROM, scale.table),
        ("before and after", SPOILED_FROM, scale.spoiled),
        ("reference", REFERENCE_FROM, scale.reference),
        ("derivation of the fixed strength", JUDGED_FROM, scale.judged),
    )
    return "; ".join(f"{name} {first}–{first + count - 1}" for name, first, count in sets)
