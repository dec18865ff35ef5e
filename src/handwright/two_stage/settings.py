"""What one run of the two-stage system is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from handwright.errors import UsageError

EngineName = Literal["render", "harmonise", "diffuse"]
BlendName = Literal["sequential", "naive", "box"]
MendName = Literal["draw", "repaint", "off"]

ENGINES: tuple[EngineName, ...] = get_args(EngineName)
BLENDS: tuple[BlendName, ...] = get_args(BlendName)
MENDS: tuple[MendName, ...] = get_args(MendName)


@dataclass(frozen=True, kw_only=True)
class TwoStageSettings:
    """How a picture is made from a pose.

    Raises:
        UsageError: No such engine, blend or way to mend, or networks are given to an engine without any.
    """

    prompt: str = ""  # What the picture shows
    engine: EngineName = "render"  # No network, both stages from what it makes, or both from noise
    blend: BlendName = "sequential"  # How the hand is held in stage II (§III-D)
    seed: int = 0  # Same seed, same bytes
    model: str = "tiny"  # Preset, folder, file or hub id of the base of both stages
    controlnet: str | None = None  # Depth ControlNet of stage I; None: the model's own
    pose_controlnet: str | None = None  # OpenPose ControlNet of stage II; None: the preset's, or none
    hand_generator: str | None = None  # Folder of stage I's own network; None: the base under depth control
    outpainter: str | None = None  # Folder of stage II's own network, in place of an OpenPose ControlNet
    shared_latents: bool = False  # Stage I's latents go into stage II as they are
    second_pass: bool = False  # Small hands are painted once more in the finished picture
    # What is done to hands that fail the review: drawn as `handwright refine` does, painted once more by
    # stage I, or nothing
    mend: MendName = "draw"
    steps: int | None = None  # Of both stages; None: the model's own
    guidance: float | None = None  # Weight of the prompt; None: the model's own
    negative: str | None = None  # Negative words; None: the usual ones
    start_level: float = 0.5  # harmonise: noise level that both stages set out from
    dtype: str = "auto"  # Number format
    device: str = "auto"  # Where networks run
    offload: bool = False  # Keep networks in main memory
    keep_steps: bool = False  # Keep what stage II predicts at its steps, for the strip

    def __post_init__(self) -> None:
        choices = ("engine", self.engine, ENGINES), ("blend", self.blend, BLENDS), ("mend", self.mend, MENDS)
        for name, value, known in choices:
            if value not in known:
                raise UsageError(f"`{name}` {value!r} is not known", "", f"give {', '.join(known)}")
        if self.engine == "render" and (self.hand_generator or self.outpainter or self.mend == "repaint"):
            raise UsageError(
                "the engine `render` has no network",
                "hands are to be painted once more, or a hand generator or an outpainter is given",
                "choose the engine diffuse or harmonise",
            )
