"""The treatments of a study: the paper's baselines, its system, its blends, and what goes past it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.diffusion.loading.places import own_part
from handwright.reproduce.people_cases import Case
from handwright.reproduce.store import Record
from handwright.reproduce.two_stage.study import TwoStageStudy
from handwright.reproduce.two_stage.variants import BASELINE_KINDS, variants_in
from handwright.two_stage.engine import PoseRequest
from handwright.two_stage.render_engine import RenderEngine
from handwright.two_stage.settings import EngineName, MendName, TwoStageSettings

if TYPE_CHECKING:
    from handwright.workflow.generate.attempts import Attempt, Reviewer

Pixels = UInt8[np.ndarray, "h w 3"]
Painted = tuple[Record, Pixels]

TEXT, REFINED, POSE, RENDER, OURS = "text", "text-refined", "pose", "render", "ours"
HARMONISED, ONCE, APART = "harmonise", "once", "apart"
BASELINES, BLENDS, ABLATIONS = "Table I", "Table II", "ablations"

_TRIES = 3  # At a picture that is made anew until it passes, as `handwright generate` has them


@dataclass(frozen=True, eq=False, kw_only=True)
class Painters:
    """The loaded pipelines of a study."""

    ours: Any  # ``TwoStagePipeline`` with both networks, as far as they are given
    depth: Any = None  # The same without the hand generator; None: there is none
    pose: Any = None  # The same with the OpenPose ControlNet in stage II; None: it is not given
    refine: Callable[[Pixels, str, int], Pixels] | None = None  # ``handwright refine`` with the base
    # The same with a network that was trained otherwise, by the row's name
    variants: Mapping[str, Any] = field(default_factory=dict[str, Any])
    # Networks that tell the base of a pose another way, by the row's name
    baselines: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reviewer: Callable[[], Reviewer] | None = None  # Gives the judge, always the same; None: there is none

    def pipeline(self, name: str) -> Any:  # noqa: ANN401 - a ``TwoStagePipeline``
        """The pipeline of a row."""
        return self.variants[name] if name in self.variants else getattr(self, name)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One treatment."""

    name: str  # Of its units
    label: str  # As tables show it
    tables: tuple[str, ...]  # In which it stands
    options: Mapping[str, Any]  # Of ``TwoStagePipeline``'s call; of baselines empty, of a judged row its own
    pipeline: str = "ours"  # Which of ``Painters``
    missing: str = ""  # Why it cannot be painted; '' where it can


def rows_of(study: TwoStageStudy, painters: Painters) -> tuple[Row, ...]:
    """Every row, those that cannot be painted with the reason."""

    def row(
        name: str,
        label: str,
        *tables: str,
        pipeline: str = "ours",
        missing: str = "",
        **options: object,
    ) -> Row:
        return Row(name=name, label=label, tables=tables, options=options, pipeline=pipeline, missing=missing)

    steered = "" if painters.ours.pose_controlled else "neither --outpainter nor --pose-controlnet is given"
    mended = "" if painters.refine else "the base has no ControlNet"
    unjudged = "" if painters.reviewer else "there is no judge"
    posed = "ours" if painters.pose is None else "pose"
    own = study.pose_controlnet is None and own_part(study.model, "outpainter") is not None
    outpaints = study.outpainter is not None or own
    by = "pose ControlNet" if painters.pose is not None or not outpaints else "outpainter"
    both = "" if painters.depth is not None else "no --hand-generator is given, or the base has no ControlNet"
    other = "" if painters.pose is not None else "--outpainter and --pose-controlnet are not both given"

    single = "" if study.poses == "meeting" else "it is of hands that meet (--poses meeting)"

    def judged(name: str, label: str, mend: MendName, attempts: int = 1) -> Row:
        return row(name, label, ABLATIONS, missing=unjudged, mend=mend, attempts=attempts)

    rows = (
        row(TEXT, "text alone", BASELINES),
        row(REFINED, "text, then `handwright refine`", BASELINES, missing=mended),
        row(POSE, f"{by} alone", BASELINES, missing=steered, pipeline=posed),
        *_baseline_rows(study),
        row(RENDER, "fit and render, no network", BASELINES),
        row(HARMONISED, "rendered, then painted over (harmonise)", BASELINES, missing=steered),
        row(OURS, "ours", BASELINES, ABLATIONS),
        row(ONCE, "stage II once, as published (naive blend)", BLENDS, ABLATIONS, again_level=0.0),
        row("box", "bounding box", BLENDS, blend="box", again_level=0.0),
        row("sequential", "sequential", BLENDS, blend="sequential", again_level=0.0),
        row(
            "published", "sequential, dilated for every step as printed", BLENDS,
            blend="published", again_level=0.0,
        ),
        row("literal", "eq. 11 as printed: no noise", ABLATIONS, literal=True),
        row("held", "one free step, not two", ABLATIONS, free_steps=1),
        row("shared", "(a) shared latents", ABLATIONS, shared_latents=True),
        row("second", "(b) small hands painted once more", ABLATIONS, second_pass=True),
        row("shared-second", "(a) and (b)", ABLATIONS, shared_latents=True, second_pass=True),
        judged("drawn", "(d) failing hands drawn", "draw"),
        judged("repainted", "(d) failing hands painted once more", "repaint"),
        judged("anew", "(d) made anew", "off", _TRIES),
        judged("judged", "(d) made anew, else drawn", "draw", _TRIES),
        row(APART, "hands that meet, in a crop each", ABLATIONS, missing=single, together=False),
        row("depth", "stage I: base under depth", ABLATIONS, pipeline="depth", missing=both),
        row("openpose", "stage II: pose ControlNet", ABLATIONS, pipeline="pose", missing=other),
        *(
            row(one.name, one.label, ABLATIONS, pipeline=one.name)
            for one in variants_in(study.variants)
            if one.kind not in BASELINE_KINDS
        ),
    )  # fmt: skip
    return study.chosen(rows, {REFINED: TEXT})


def _baseline_rows(study: TwoStageStudy) -> list[Row]:
    """A row for each network that tells the pose another way, or for each kind of which there is none."""
    variants, rows = variants_in(study.variants), list[Row]()
    for kind, label in BASELINE_KINDS.items():
        found = [(one.name, one.label, "") for one in variants if one.kind == kind]
        for name, words, missing in found or [(kind, label, "no such network is below --variants")]:
            rows.append(Row(name=name, label=words, tables=(BASELINES,), options={}, missing=missing))
    return rows


def paint(
    row: Row,
    case: Case,
    seed: int,
    study: TwoStageStudy,
    painters: Painters,
    text_picture: Callable[[], Pixels],
) -> Painted:
    """One picture, with how long it took and, where stage I has a mask, how near that is to the truth.

    Args:
        row: The treatment.
        case: The pose.
        seed: Of this picture.
        study: Steps, guidance and the like.
        painters: The pipelines.
        text_picture: The picture of ``TEXT``, which refining begins with.
    """
    from handwright.two_stage.baselines import pose_alone, steered_alone, text_alone

    width, height = case.size
    pipeline, began = painters.pipeline(row.pipeline), time.perf_counter()
    mask: Bool[np.ndarray, "h w"] | None = None
    record: Record = {}
    if row.name == TEXT:
        pixels = text_alone(pipeline, case.caption, width, height, seed=seed, **study.painting)
    elif row.name == REFINED:
        assert painters.refine is not None
        pixels = painters.refine(text_picture(), case.caption, seed)
    elif row.name == POSE:
        pose = case.completed.pose
        pixels = pose_alone(pipeline, case.caption, pose, width, height, seed=seed, **study.painting)
    elif row.name in painters.baselines:
        pose, network = case.completed.pose, painters.baselines[row.name]
        pixels = steered_alone(
            pipeline, network, case.caption, pose, width, height, seed=seed, **study.painting
        )
    elif row.name == RENDER:
        settings = TwoStageSettings(prompt=case.caption)
        drawn = RenderEngine().make(PoseRequest(case.completed, width, height, settings, seed, case.person))
        pixels, mask = drawn.pixels, drawn.mask
    elif row.name == HARMONISED:
        from handwright.two_stage.diffusion_engine import DiffusionEngine

        settings = _settings(case, study, "harmonise")
        request = PoseRequest(case.completed, width, height, settings, seed, case.person)
        generated = DiffusionEngine(pipeline).make(request)
        pixels, mask = generated.pixels, generated.mask
    elif "mend" in row.options:
        best, tried = _judged(case, seed, study, painters, **row.options)
        pixels, mask = best.image.pixels, best.generated.mask
        record |= {"attempts": tried, "mended": bool(best.mended)}
    else:
        given = {"person": case.person, **study.painting, **row.options}
        painted = pipeline(case.caption, case.completed.pose, width, height, seed=seed, **given)
        pixels, mask = painted.image, painted.mask
        record["repainted"] = len(painted.repainted)
    record["seconds"] = time.perf_counter() - began
    if mask is not None and case.hands is not None and case.hands.any():
        record["mask_iou"] = float((mask & case.hands).sum() / (mask | case.hands).sum())
    return record, pixels


def _judged(
    case: Case, seed: int, study: TwoStageStudy, painters: Painters, mend: MendName, attempts: int
) -> tuple[Attempt, int]:
    """The best of some tries at a picture that is reviewed and mended, as ``generate`` does, and their count.

    The first try is what ``OURS`` paints.
    """
    from handwright.two_stage.diffusion_engine import DiffusionEngine
    from handwright.workflow.generate.attempts import attempt_until_passed, best_of
    from handwright.workflow.generate.pose_source import PoseSource

    assert painters.reviewer is not None
    settings = replace(_settings(case, study, "diffuse"), mend=mend)
    pose = PoseSource(case.completed.pose, *case.size, case.name, case.person), case.completed
    seeds = [seed + number for number in range(attempts)]
    engine = DiffusionEngine(painters.ours)
    tried = attempt_until_passed(seeds, settings, lambda _: pose, engine, painters.reviewer())
    return best_of(tried), len(tried)


def _settings(case: Case, study: TwoStageStudy, engine: EngineName) -> TwoStageSettings:
    """What ``handwright generate`` has for a case's text."""
    from handwright.diffusion.guidance import NEGATIVE_PROMPT

    return TwoStageSettings(
        prompt=case.caption, engine=engine, negative=NEGATIVE_PROMPT, steps=study.steps,
        guidance=study.guidance,
    )  # fmt: skip
