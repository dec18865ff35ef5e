"""What one run of the two-stage system is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from handwright.errors import UsageError

ViaName = Literal["two-stage", "handiffuser", "base"]
EngineName = Literal["render", "harmonise", "diffuse"]
BlendName = Literal["sequential", "published", "naive", "box"]
MendName = Literal["draw", "repaint", "off"]

VIAS: tuple[ViaName, ...] = get_args(ViaName)
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
    # Hands first and the person around them, text and hand parameters at once, or the text alone
    via: ViaName = "two-stage"
    engine: EngineName = "render"  # No network, both stages from what it makes, or both from noise
    # How the hand is held in stage II (§III-D); with few latents and few steps the canvas's grey shows around
    # hands that are held by more than their own mask (docs/research/two-stage.md)
    blend: BlendName = "naive"
    seed: int = 0  # Same seed, same bytes
    model: str = "tiny"  # Preset, folder, file or hub id of the base of both stages
    controlnet: str | None = None  # Depth ControlNet of stage I; None: the model's own
    pose_controlnet: str | None = None  # OpenPose ControlNet of stage II; None: the preset's, or none
    # Folder of stage I's network; None: the model's own, else the base under depth control
    hand_generator: str | None = None
    # Folder of stage II's network, in place of an OpenPose ControlNet; None: the model's own, if it has one
    outpainter: str | None = None
    shared_latents: bool = False  # Stage I's latents go into stage II as they are
    second_pass: bool = False  # Small hands are painted once more in the finished picture
    # What is done to hands that fail the review: drawn as `handwright refine` does, painted once more by
    # stage I, or nothing
    mend: MendName = "draw"
    steps: int | None = None  # Of both stages; None: the model's own
    guidance: float | None = None  # Weight of the prompt; None: the model's own
    negative: str | None = None  # Negative words; None: the usual ones
    # harmonise: noise level that both stages set out from. Chosen by eye of .3 and .5 on the poses of twelve
    # training photographs (docs/research/two-stage.md, "At its own size")
    start_level: float = 0.3
    dtype: str = "auto"  # Number format
    device: str = "auto"  # Where networks run
    offload: bool = False  # Keep networks in main memory
    keep_steps: bool = False  # Keep what the base of the whole picture predicts at its steps, for the strip

    def __post_init__(self) -> None:
        choices = (
            ("via", self.via, VIAS), ("engine", self.engine, ENGINES), ("blend", self.blend, BLENDS),
            ("mend", self.mend, MENDS),
        )  # fmt: skip
        for name, value, known in choices:
            if value not in known:
                raise UsageError(f"`{name}` {value!r} is not known", "", f"give {', '.join(known)}")
        others = (
            self.engine != "render", self.hand_generator, self.outpainter, self.pose_controlnet,
            self.controlnet, self.shared_latents, self.second_pass, self.mend == "repaint",
        )  # fmt: skip
        if self.via != "two-stage" and any(others):
            raise UsageError(
                f"the picture is made via {self.via}",
                "engines, their networks and painting hands once more belong to two-stage",
                "leave them out, or choose --via two-stage",
            )
        if self.engine == "render" and (self.hand_generator or self.outpainter or self.mend == "repaint"):
            raise UsageError(
                "the engine `render` has no network",
                "hands are to be painted once more, or a hand generator or an outpainter is given",
                "choose the engine diffuse or harmonise",
            )

    @property
    def painted(self) -> bool:
        """Whether networks paint the picture."""
        return self.via != "two-stage" or self.engine != "render"

    @property
    def painting(self) -> dict[str, Any]:
        """Arguments of every painting that were given, in diffusers' words."""
        named = {"num_inference_steps": self.steps, "guidance_scale": self.guidance}
        return {name: value for name, value in named.items() if value is not None}
