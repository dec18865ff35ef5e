"""The options of a refinement, each defined once: name, values, default, help, and the painters it is for.

Python's keywords (``handwright.refine``), the command line and the settings in report.json are made from this
table. Names are diffusers' where it has one: ``strength`` is the noise level of image-to-image. Errors of the
library name an option by its keyword in backticks; the command line writes its own words there.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from handwright.errors import UsageError
from handwright.plug_ins import METAVAR, is_plug_in

PAINTERS = ("draw", "harmonise", "diffuse")
"""Who can paint a hand: from measured skin, that with a few steps of diffusion, or diffusion alone."""

DIFFUSING = ("harmonise", "diffuse")
"""Those of them that need diffusion models."""

STRATEGIES = ("auto", "fixed", "adaptive")
"""Ways to find the control strength; the first is the default."""

SAMPLERS = ("auto", "ddim", "dpm++", "euler", "euler-a", "unipc", "flow")
"""Names of ``handwright.diffusion.samplers``; 'auto' is the model's own."""

DTYPES = ("auto", "float32", "bfloat16", "float16")
DEVICES = ("auto", "cpu", "cuda", "mps")
"""Names of ``handwright.diffusion.loading.devices``."""

Kind = Literal["name", "text", "whole", "number", "number or name", "switch", "box", "file"]


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option."""

    name: str  # The keyword in Python
    kind: Kind  # What its values are
    default: Any = None  # The value where it is not given; None of a file: there is none
    help: str  # One line for the user
    metavar: str | None = None  # How help shows the value; default: by its kind
    choices: tuple[str, ...] = ()  # The values that are names
    low: float = -math.inf  # Least number; with ``above_low``, it is itself not allowed
    high: float = math.inf  # Greatest number
    above_low: bool = False
    repeat: bool = False  # Several values may be given
    optional: bool = False  # None is a value, too
    painters: tuple[str, ...] = PAINTERS  # Those that have a use for it
    one_picture: bool = False  # A file that belongs to one picture
    if_given: bool = False  # Reports name it only where it was given
    plug_in: bool = False  # A class of the user's own is a value, too (``handwright.plug_ins``)
    field: str = ""  # Where ``RefineSettings`` or ``DiffusionSettings`` keep it; default: under its name

    @property
    def place(self) -> str:
        """The field of the settings that holds the value."""
        return self.field or self.name

    def check(self, value: Any) -> None:  # noqa: ANN401 - any value of a user
        """Refuse a value outside the option's range or choices.

        Raises:
            UsageError: In one line, with the option and what may be given.
        """
        for one in value if self.repeat else (value,):
            if not (one is None and (self.optional or self.default is None)):
                self._check_one(one)

    def _check_one(self, value: Any) -> None:  # noqa: ANN401
        if self.kind in ("number", "whole") or (self.kind == "number or name" and not isinstance(value, str)):
            self._check_number(value)
        elif self.plug_in and is_plug_in(self.name, value):
            return
        elif self.plug_in and not self.choices:
            if not (self.kind == "file" and isinstance(value, Path)):
                raise UsageError(f"`{self.name}` {value!r} names no class", "", f"give {self.metavar}")
        elif self.choices and value not in self.choices:
            number = f", or a number from {self.low:g} to {self.high:g}" if "number" in self.kind else ""
            more = f", or {METAVAR}" if self.plug_in else number
            raise UsageError(
                f"`{self.name}` {value!r} is not known", "", f"give {', '.join(self.choices)}{more}"
            )
        elif self.kind == "box":
            _check_box(value)
        elif value == "" and self.default != "":
            raise UsageError(f"`{self.name}` is empty", "", f"give {self.metavar or self.name}")

    def _check_number(self, value: Any) -> None:  # noqa: ANN401
        whole = self.kind == "whole"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UsageError(
                f"`{self.name}` is {value!r}", "it is not a number", f"give {self.range_in_words}"
            )
        inside = self.low <= value <= self.high and not (self.above_low and value == self.low)
        if not (math.isfinite(value) and inside) or (whole and value != int(value)):
            raise UsageError(f"`{self.name}` is {value:g}", "", f"give {self.range_in_words}")

    @property
    def range_in_words(self) -> str:
        """'a number above 0, up to 1', 'a whole number from 1 to 1000', …."""
        noun = "a whole number" if self.kind == "whole" else "a number"
        if math.isinf(self.high):
            return f"{noun} from {self.low:g} on"
        if self.above_low:
            return f"{noun} above {self.low:g}, up to {self.high:g}"
        return f"{noun} from {self.low:g} to {self.high:.10g}"


def _check_box(value: Any) -> None:  # noqa: ANN401
    try:
        x0, y0, x1, y1 = (float(number) for number in value)
    except (TypeError, ValueError):
        x0 = y0 = x1 = y1 = math.nan
    if not all(map(math.isfinite, (x0, y0, x1, y1))):
        raise UsageError(f"`box` {value!r} is no box", "", "give four numbers: x0, y0, x1, y1")
    if not (x0 < x1 and y0 < y1):
        raise UsageError(
            f"`box` {x0:g},{y0:g},{x1:g},{y1:g} is empty",
            "it must run from the top left (x0, y0) to the bottom right (x1, y1)",
            "swap the corners",
        )


_diffusing = partial(Option, painters=DIFFUSING)
# The default prompt is in the words of the captions that the embedded base learned from.
_ALL = (
    Option(name="painter", kind="name", default="draw", choices=PAINTERS, plug_in=True,
        metavar=f"NAME|{METAVAR}", help="draw (no network), harmonise (draw, then a few diffusion steps), "
        "diffuse (as published) or a class of yours; options marked * are for harmonise and diffuse."),
    Option(name="seed", kind="whole", default=0, low=0, high=2**32 - 1, help="Same seed, same bytes."),
    Option(name="candidates", kind="whole", default=1, low=1,
        help="Attempts per hand; * in turn with the given control strength and with 1 (adaptive: by "
        "itself)."),
    Option(name="budget", kind="number", default=0.0, low=0.0, field="budget_s", metavar="SECONDS",
        help="Begin no further attempt at a hand after so many seconds; 0: no limit."),
    Option(name="box", kind="box", default=(), repeat=True, field="boxes", metavar="X0,Y0,X1,Y1",
        help="A hand is here, in pixels; may be repeated; nothing else is searched."),
    Option(name="hand", kind="whole", default=(), low=1, repeat=True, field="hand_ids", metavar="ID",
        help="Attempt only this hand, by its number in the report; may be repeated."),
    Option(name="all", kind="switch", default=False, field="all_hands",
        help="Attempt every hand, not only those that fail the review."),
    Option(name="unsure", kind="switch", default=False,
        help="Attempt also hands of which the review cannot tell."),
    Option(name="leave_holding", kind="switch", default=False,
        help="Leave hands alone that seem to hold a thing, unless you name them."),
    Option(name="hands", kind="file", one_picture=True,
        help="Edited hands of `handwright hands`, instead of finding them."),
    Option(name="mask", kind="file", one_picture=True, help="White: may change."),
    Option(name="depth", kind="file", one_picture=True, help="Your own depth control image."),
    Option(name="hand_pose", kind="file", metavar="FILE|PHOTO",
        help="Take the pose from a saved hand or a photo of one."),
    Option(name="landmarker", kind="file", if_given=True, plug_in=True, metavar=f"FILE|{METAVAR}",
        help="Your own hand_landmarker.task, or a class of yours that finds hands."),
    Option(name="fitter", kind="name", if_given=True, plug_in=True, metavar=METAVAR,
        help="A class of yours that fits a mesh to a hand, such as HaMeR's."),
    Option(name="critic", kind="name", if_given=True, plug_in=True, metavar=METAVAR,
        help="A class of yours that judges hands, such as a vision-language model."),
    _diffusing(name="prompt", kind="text", default="a photograph of a hand",
        help="What the picture shows; by default the prompt that its generator wrote into it, or this."),
    _diffusing(name="negative_prompt", kind="text", default="", optional=True, field="negative",
        help="What it must not look like, in place of the usual words."),
    _diffusing(name="controlnet_conditioning_scale", kind="number or name", default=STRATEGIES[0],
        choices=STRATEGIES, low=0.0, high=2.0, field="strength", metavar="auto|fixed|adaptive|S",
        help="How much the depth image decides: auto, much for shape and less for texture; fixed, as stored "
        "with the ControlNet; adaptive, as published, several times the work; or a number, 0 to 2."),
    _diffusing(name="num_inference_steps", kind="whole", low=1, high=1000, field="steps",
        help="Steps of the sampler; by default the model's own."),
    _diffusing(name="strength", kind="number", default=0.35, low=0.0, high=1.0, above_low=True,
        painters=DIFFUSING[:1], field="start_level", metavar="L",
        help="harmonise: noise level to set out from, 1 is pure noise."),
    _diffusing(name="batch", kind="whole", default=1, low=1, high=64, if_given=True,
        help="Candidates and hands to paint at a time, at most: for a GPU; takes so many times the memory."),
    _diffusing(name="sampler", kind="name", default="auto", choices=SAMPLERS,
        help="The sampler; auto is the model's own."),
    _diffusing(name="guidance_scale", kind="number", low=0.0, high=100.0, field="guidance", metavar="W",
        help="How much the prompt decides; by default the model's own."),
    _diffusing(name="as_published", kind="switch", default=False, if_given=True, painters=DIFFUSING[1:],
        help="diffuse as HandRefiner published it: ddim, 50 steps, guidance 9, fixed control strength, and "
        "the four switches below."),
    _diffusing(name="box_mask", kind="switch", default=False, if_given=True,
        help="Repaint the box around a hand instead of its outline."),
    _diffusing(name="no_grain", kind="switch", default=False, if_given=True, painters=DIFFUSING[1:],
        help="Leave the paint as clean as the network made it."),
    _diffusing(name="no_retoning", kind="switch", default=False, if_given=True,
        help="Do not match the paint's colours to the picture around it."),
    _diffusing(name="no_control_guidance", kind="switch", default=False, if_given=True,
        painters=DIFFUSING[1:], help="No guidance on control, whatever is stored with the ControlNet."),
    _diffusing(name="model", kind="text", default="tiny", metavar="PRESET|DIR|FILE|HUB_ID",
        help="Diffusion model: tiny, sd15, sdxl, sd3, flux, z-image, or your own."),
    _diffusing(name="controlnet", kind="text", metavar="DIR|HUB_ID|FILE",
        help="Depth ControlNet; by default the model's own."),
    _diffusing(name="dtype", kind="name", default="auto", choices=DTYPES,
        help="Number format; auto is half precision where the device computes in it."),
    _diffusing(name="device", kind="name", default="auto", choices=DEVICES,
        help="Where networks run; auto takes a GPU where there is one."),
    _diffusing(name="offload", kind="switch", default=False, if_given=True,
        help="Keep networks in main memory and move each to the GPU when it runs."),
    _diffusing(name="revision", kind="text", if_given=True, help="Revision of the model on the hub."),
    _diffusing(name="variant", kind="text", if_given=True, help="Variant of the weights, such as fp16."),
    _diffusing(name="lora", kind="text", default=(), repeat=True, if_given=True, metavar="FILE[:WEIGHT]",
        help="A LoRA; may be repeated."),
    _diffusing(name="textual_inversion", kind="text", default=(), repeat=True, if_given=True, metavar="FILE",
        help="A learnt word, written <name of the file> in the prompt; may be repeated."),
    _diffusing(name="ip_adapter", kind="text", if_given=True, metavar="FILE",
        help="An IP adapter; the picture itself is its image prompt."),
)  # fmt: skip
OPTIONS: Mapping[str, Option] = {option.name: option for option in _ALL}
"""Every option of a refinement by its keyword, in the order of the help."""

DIFFUSION_OPTIONS = tuple(name for name, option in OPTIONS.items() if option.painters != PAINTERS)
"""Names of those that only diffusing painters have."""

AS_PUBLISHED: Mapping[str, Any] = {
    "sampler": "ddim", "num_inference_steps": 50, "guidance_scale": 9.0,
    "controlnet_conditioning_scale": "fixed", "box_mask": True, "no_grain": True, "no_retoning": True,
    "no_control_guidance": True,
}  # fmt: skip
"""What ``as_published`` stands for (HandRefiner §3.1–3.3, its published inference); those given go first."""

DEFAULTS: Mapping[str, Any] = {option.place: option.default for option in _ALL}
"""Defaults by the field that holds them."""


def check_field(place: str, value: Any) -> None:  # noqa: ANN401
    """Check a value by the name of the settings' field that holds it.

    Raises:
        UsageError: It makes no sense.
    """
    _BY_PLACE[place].check(value)


_BY_PLACE = {option.place: option for option in _ALL}


def check_painter(painter: str, given: Iterable[str]) -> None:
    """Refuse options that mean nothing to a painter.

    Args:
        painter: Name of the painter.
        given: Names of the options that were given.

    Raises:
        UsageError: One of them means nothing to this painter, or there is no such painter.
    """
    OPTIONS["painter"].check(painter)
    foreign = [OPTIONS[name] for name in given if name in DIFFUSION_OPTIONS]
    foreign = [option for option in foreign if painter not in option.painters]
    if foreign:
        names = ", ".join(f"`{option.name}`" for option in foreign)
        fit = [name for name in PAINTERS if all(name in option.painters for option in foreign)]
        raise UsageError(
            f"`painter` {painter} has no use for {names}",
            "",
            f"leave it out, or choose `painter` {' or '.join(fit)}",
        )


def nearest(name: str, names: Iterable[str]) -> str:
    """'; did you mean …?' for a name that there is not, or nothing where none is near."""
    near = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else ""
