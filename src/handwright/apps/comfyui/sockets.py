"""What a node is, independent of either schema: its sockets, its words and its function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

IMAGE, MASK, STRING = "IMAGE", "MASK", "STRING"
HAND_POSE, HAND_STITCH = "HAND_POSE", "HAND_STITCH"
"""Types of ComfyUI, and two of our own: a posed hand, and where squares were cut."""

CATEGORY = "handwright"
LARGEST_PX = 16384
"""Longest side that ComfyUI's own nodes allow, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input: a socket, or a widget where it has a default."""

    name: str
    kind: str  # 'IMAGE', 'MASK', 'INT', 'FLOAT', 'BOOLEAN', 'STRING', 'COMBO' or any type of ComfyUI
    tooltip: str
    default: Any = None  # None: a socket without widget
    low: float | None = None  # Least number
    high: float | None = None  # Greatest number
    step: float | None = None
    choices: tuple[str, ...] = ()  # Of a COMBO
    lines: bool = False  # Of a STRING: several lines
    seed: bool = False  # A whole number that the front end may draw anew
    optional: bool = False

    @property
    def options(self) -> dict[str, Any]:
        """The options of the classic schema."""
        named: dict[str, Any] = {
            "default": self.default,
            "min": self.low,
            "max": self.high,
            "step": self.step,
            "multiline": self.lines or None,
            "control_after_generate": self.seed or None,
        }
        return {
            "tooltip": self.tooltip,
            **{name: value for name, value in named.items() if value is not None},
        }


@dataclass(frozen=True)
class Output:
    """One output."""

    name: str
    kind: str
    tooltip: str


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node: ``run`` takes the inputs by name and returns one value an output."""

    id: str  # Never changes: workflows are saved by it
    title: str
    description: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    run: Callable[..., tuple[Any, ...]]
    preview: int | None = None  # Index of the IMAGE output that the node shows
    is_output: bool = False  # Whether it runs though nothing is connected to it
    search: tuple[str, ...] = field(default=())  # Further words to find it by

    def given(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs with defaults for optional ones that are not connected."""
        missing = {one.name: one.default for one in self.inputs if one.optional}
        return {**missing, **inputs}
