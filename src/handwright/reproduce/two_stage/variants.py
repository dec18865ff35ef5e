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

BASELINE_KINDS = {
    "PoseConcatenation": "native concatenation, as HumanSD", "T2IAdapter": "light adapter, as T2I-Adapter"
}  # fmt: skip
"""Classes of networks that tell the base of a pose another way: rows of Table I."""

_PLACES = {HAND_GENERATOR: "stage I", OUTPAINTER: "stage II", **BASELINE_KINDS}
"""Classes of networks that are read, and whose place they take."""

_OF_A_RUN = ("model/hand_generator", "model/outpainter", "model/pose_concatenation", "model/pose_adapter")
"""Where `handwright train` leaves them, below the folder of a run."""


@dataclass(frozen=True)
class Variant:
    """A network that takes the place of the study's own in one of the stages, or of the whole system."""

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
            f"{folder} holds no network", "each is a folder that `handwright train` made of a stage",
            "give the folder above those",
        )  # fmt: skip
    return found


def _variant(place: Path) -> Variant | None:
    for folder in (place, *(place / part for part in _OF_A_RUN)):
        kind = _class_in(folder / "config.json")
        if kind in _PLACES:
            return Variant(f"variant-{place.name}", f"{_PLACES[kind]}: {place.name}", folder, kind)
    return None


def _class_in(config: Path) -> str:
    """The class that a config names; '' where there is none."""
    try:
        read = parse_json(config.read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    return str(cast("dict[str, Any]", read).get("_class_name", "")) if isinstance(read, dict) else ""


def pipelines_of(variants: Sequence[Variant], ours: TwoStagePipeline) -> dict[str, TwoStagePipeline]:
    """The study's own pipeline with each variant of a stage in it, by name; all else is shared.

    Raises:
        DiffusionError: A network is damaged, or was begun from another base.
    """
    return {one.name: _with(one, ours) for one in variants if one.kind not in BASELINE_KINDS}


def baselines_of(variants: Sequence[Variant], ours: TwoStagePipeline) -> dict[str, Any]:
    """The networks that tell the base of a pose another way, by name.

    Raises:
        DiffusionError: One is damaged, or was begun from another base.
    """
    from handwright.two_stage.networks.load import load_pose_network

    return {
        one.name: load_pose_network(one.folder, one.kind, ours.hands.pipe)
        for one in variants
        if one.kind in BASELINE_KINDS
    }


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
