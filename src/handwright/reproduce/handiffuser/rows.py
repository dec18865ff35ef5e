"""The treatments of a study: the base, T-H2I and its variants, and what else tells a base of a pose."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8

from handwright.errors import UsageError
from handwright.json_text import parse_json
from handwright.reproduce.handiffuser.study import HanDiffuserStudy
from handwright.reproduce.people_cases import Case
from handwright.reproduce.store import Record

if TYPE_CHECKING:
    from handwright.workflow.generate.attempts import Reviewer

Pixels = UInt8[np.ndarray, "h w 3"]

BASE, POSE, TWO_STAGE = "base", "pose", "two-stage"
TEXT, OURS, DRAWN, REFINED = "text", "ours", "drawn", "refined"

_ENCODER = "text_hand_encoder/config.json"


@dataclass(frozen=True, eq=False, kw_only=True)
class Painters:
    """The loaded pipelines of a study."""

    # ``HanDiffuserPipeline`` by the row's name: the base without an encoder, T-H2I, and its variants; called
    # when a row is painted, since all of them together need much memory
    handiffuser: Mapping[str, Callable[[], Any]]
    two_stage: Any = None  # ``TwoStagePipeline`` on the base; None: none of its networks is given
    refine: Callable[[Pixels, str, int], Pixels] | None = None  # ``handwright refine`` with the base
    reviewer: Callable[[], Reviewer] | None = None  # Gives the judge, always the same; None: there is none


@dataclass(frozen=True, kw_only=True)
class Row:
    """One treatment."""

    name: str  # Of its units
    label: str  # As tables show it
    missing: str = ""  # Why it cannot be painted; '' where it can


@dataclass(frozen=True)
class Variant:
    """A T-H2I model that was trained otherwise."""

    name: str  # Of its units
    label: str  # What it reads
    folder: Path  # ``model/`` of its run


def variants_in(folder: Path | None) -> tuple[Variant, ...]:
    """The models below a folder, by name; runs of `handwright train handiffuser`, too.

    Raises:
        UsageError: There is none.
    """
    if folder is None:
        return ()
    found: list[Variant] = []
    for place in sorted(folder.iterdir()):
        for model in (place, place / "model"):
            if (model / _ENCODER).is_file():
                config = parse_json((model / _ENCODER).read_text("utf-8"))
                found.append(Variant(f"variant-{place.name}", what_is_read(config), model))
                break
    if not found:
        raise UsageError(
            f"{folder} holds no T-H2I model", "each is a run of `handwright train handiffuser`",
            "give the folder above those",
        )  # fmt: skip
    return tuple(found)


def what_is_read(config: Mapping[str, Any]) -> str:
    """In words, what a Text+Hand encoder of this configuration reads, and how."""
    streams = list(config["streams"])
    if not streams:
        return "text alone, fine-tuned"
    read = [*(["text"] if config.get("text", True) else []), *streams]
    return " + ".join(read) + (", concatenated" if config["layers"] == 0 else "")


def rows_of(study: HanDiffuserStudy, painters: Painters) -> tuple[Row, ...]:
    """Every row, those that cannot be painted with the reason."""
    ours = "" if study.handiffuser else "--handiffuser is not given"
    identity = study.identity()
    same = identity["handiffuser"] == identity["weights"]["model"]
    text = "it is the base, by its text" if same else ""
    posed = (
        ""
        if getattr(painters.two_stage, "pose_controlled", False)
        else "neither --outpainter nor --pose-controlnet is given"
    )
    steering = "outpainter" if study.pose_controlnet is None else "pose ControlNet"
    staged = "" if painters.two_stage is not None else "no network of it is given"
    drawn = "all people are T2H's already" if study.data else ""
    mended = "" if painters.refine is not None else "the base has no ControlNet"
    rows = (
        Row(name=BASE, label="base, by its text"),
        Row(name=POSE, label=f"{steering} alone", missing=posed),
        Row(name=TWO_STAGE, label="two-stage system", missing=staged),
        Row(name=TEXT, label="T-H2I's UNet, by its text", missing=ours or text),
        Row(name=OURS, label="T-H2I, the picture's own parameters", missing=ours),
        Row(name=DRAWN, label="T-H2I, parameters of T2H", missing=ours or drawn),
        Row(name=REFINED, label="T-H2I, then `handwright refine`", missing=ours or mended),
        *(
            Row(name=one.name, label=f"{one.name.removeprefix('variant-')}: {one.label}")
            for one in variants_in(study.variants)
        ),
    )
    return study.chosen(rows, {REFINED: OURS})


def paint(
    row: Row,
    case: Case,
    seed: int,
    study: HanDiffuserStudy,
    painters: Painters,
    ours: Callable[[], Pixels],
) -> tuple[Record, Pixels]:
    """One picture, with how long it took.

    Args:
        row: The treatment.
        case: The person.
        seed: Of this picture.
        study: Steps, guidance and the like.
        painters: The pipelines.
        ours: The picture of ``OURS``, which refining begins with.
    """
    from handwright.two_stage.baselines import pose_alone

    width, height = case.size
    given = {"seed": seed, **study.painting}
    if row.name in (POSE, TWO_STAGE):
        began, pose = time.perf_counter(), case.completed.pose
        if row.name == POSE:
            pixels = pose_alone(painters.two_stage, case.caption, pose, width, height, **given)
        else:
            pixels = painters.two_stage(case.caption, pose, width, height, **given).image
    elif row.name == REFINED:
        assert painters.refine is not None
        begun = ours()
        began = time.perf_counter()
        pixels = painters.refine(begun, case.caption, seed)
    else:
        pipeline = painters.handiffuser[OURS if row.name == DRAWN else row.name]()
        hands = None if row.name == DRAWN else case.parameters
        began = time.perf_counter()
        pixels = pipeline(case.caption, width, height, hands=hands, **given).image
    return {"seconds": time.perf_counter() - began}, pixels
