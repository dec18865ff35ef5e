"""Networks that were trained otherwise, a folder each: rows of the tables beside the study's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from handwright.errors import UsageError
from handwright.json_text import parse_json

if TYPE_CHECKING:
    from handwright.two_stage.pipeline import TwoStagePipeline

HAND_GENERATOR, OUTPAINTER = "HandGenerator", "Outpainter"

_STAGES = {HAND_GENERATOR: "stage I", OUTPAINTER: "stage II"}
"""Classes of networks that are read, and whose place they take."""

_OF_A_RUN = ("model/hand_generator", "model/outpainter")
"""Where `handwright train` leaves them, below the folder of a run."""


@dataclass(frozen=True)
class Variant:
    """A network that takes the place of the study's own in one of the stages."""

    name: str  # Of its units: the folder's with a prefix
    label: str  # As tables show it
    folder: Path  # Where its config.json is
    kind: str  # Class of the network


def variants_in(folder: Path | None) -> tuple[Variant, ...]:
    """The networks below a folder, by name; runs of `handwright train`, too.

    Raises:
        UsageError: There is none.
    """
    if folder is None:
        return ()
    found = tuple(one for place in sorted(folder.iterdir()) if (one := _variant(place)) is not None)
    if not found:
        raise UsageError(
            f"{folder} holds no network", "each is a folder of a hand generator or an outpainter, or its run",
            "train some with `handwright train hand_generator`",
        )  # fmt: skip
    return found


def _variant(place: Path) -> Variant | None:
    for folder in (place, *(place / part for part in _OF_A_RUN)):
        kind = _class_in(folder / "config.json")
        if kind in _STAGES:
            return Variant(f"variant-{place.name}", f"{_STAGES[kind]}: {place.name}", folder, kind)
    return None


def _class_in(config: Path) -> str:
    """The class that a config names; '' where there is none."""
    try:
        read = parse_json(config.read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    return str(cast("dict[str, Any]", read).get("_class_name", "")) if isinstance(read, dict) else ""


def pipelines_of(variants: Sequence[Variant], ours: TwoStagePipeline) -> dict[str, TwoStagePipeline]:
    """The study's own pipeline with each variant in it, by name; all else is shared.

    Raises:
        DiffusionError: A network is damaged, or was begun from another base.
    """
    return {one.name: _with(one, ours) for one in variants}


def _with(variant: Variant, ours: TwoStagePipeline) -> TwoStagePipeline:
    from handwright.two_stage.networks.load import load_hand_generator, load_outpainter
    from handwright.two_stage.pipeline import TwoStagePipeline

    pipe = ours.hands.pipe
    if variant.kind == OUTPAINTER:
        return TwoStagePipeline.from_pipe(
            ours.hands, load_outpainter(variant.folder, pipe), ours.hand_generator
        )
    network = load_hand_generator(variant.folder, pipe)
    return TwoStagePipeline(ours.hands, ours.body, ours.pose_controlled, network)
