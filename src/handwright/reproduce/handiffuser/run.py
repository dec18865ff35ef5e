"""``handwright reproduce handiffuser``: paint every person by every row, look at hands, measure, write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.perception.body.estimate import PeopleIn
from handwright.reproduce.handiffuser.cases import cases_of
from handwright.reproduce.handiffuser.measure import measure
from handwright.reproduce.handiffuser.page import write_page
from handwright.reproduce.handiffuser.rows import (
    BASE,
    OURS,
    TEXT,
    Painters,
    Row,
    paint,
    rows_of,
    variants_in,
)
from handwright.reproduce.handiffuser.study import HanDiffuserStudy
from handwright.reproduce.people_bench import ORIGINAL, PeopleBench, body_estimator, open_store, write_sheet
from handwright.reproduce.people_cases import Case
from handwright.reproduce.store import Store

Pixels = UInt8[np.ndarray, "h w 3"]


def reproduce_handiffuser(
    study: HanDiffuserStudy,
    page: Path,
    command: str,
    work: Path | None = None,
    *,
    open_painters: Callable[[HanDiffuserStudy], Painters] | None = None,
    open_estimator: Callable[[], AbstractContextManager[PeopleIn]] | None = None,
) -> Path:
    """Measure HanDiffuser and its ablations on one base.

    What is in the work folder already is used again, so a run that was stopped goes on, and one with more
    people adds to what is there; by default it lies in the cache, by everything that decides the units.

    Args:
        study: What is asked for.
        page: The Markdown that is written; a sheet of pictures is put beside it.
        command: What made it, for the page.
        work: The work folder.
        open_painters: Loads the pipelines; None: those that the study names.
        open_estimator: Finds people; None: MediaPipe's.

    Returns:
        The work folder.

    Raises:
        DiffusionError: A model is missing or damaged, or networks do not fit.
        UsageError: Nobody's pose can be completed.
        OutputError: The page cannot be written, or the work folder holds another study.
    """
    store = open_store(study, work, {one.name: one.folder for one in variants_in(study.variants)})
    with (open_estimator or body_estimator)() as people_in:
        study.progress("", 0, 1)
        cases = cases_of(study)
        painters = (open_painters or load_painters)(study)
        rows = rows_of(study, painters)
        _paint_all(study, store, cases, rows, painters, people_in)
    measured = measure(study, store, cases, rows)
    sheet = write_sheet(store, cases, [row.name for row in rows if not row.missing], page)
    write_page(study, rows, measured, command, page, sheet)
    return store.folder


def _paint_all(
    study: HanDiffuserStudy,
    store: Store,
    cases: Sequence[Case],
    rows: Sequence[Row],
    painters: Painters,
    people_in: PeopleIn,
) -> None:
    """Paint and look at everything that is not there yet, row by row: one model is in use at a time."""
    bench = PeopleBench(store, people_in, painters.reviewer)
    painted = [row for row in rows if not row.missing]
    for case in cases:
        bench.look(ORIGINAL, case, lambda case=case: ({}, case.picture))
    for number, row in enumerate(painted):
        for index, case in enumerate(cases):
            study.progress("paint", number * len(cases) + index, len(painted) * len(cases))
            seed = study.picture_seed(index)
            begun = partial(store.crop, OURS, case.name)
            bench.look(row.name, case, partial(paint, row, case, seed, study, painters, begun))
    study.progress("", len(painted) * len(cases), len(painted) * len(cases))


def load_painters(study: HanDiffuserStudy) -> Painters:
    """The pipelines that a study names; of T-H2I models the last that was used stays in memory.

    Raises:
        DiffusionError: A model is missing or damaged, or networks do not fit.
        UsageError: The device is not here.
    """
    from handwright.diffusion.loading.places import own_part
    from handwright.handiffuser.pipeline import HanDiffuserPipeline
    from handwright.two_stage.pipeline import TwoStagePipeline
    from handwright.workflow.generate.attempts import OwnReviewer
    from handwright.workflow.hand_refiner import HandRefiner

    given: dict[str, Any] = {"dtype": study.dtype, "device": study.device}
    networks = {
        "pose_controlnet": study.pose_controlnet, "hand_generator": study.hand_generator,
        "outpainter": study.outpainter,
    }  # fmt: skip
    two_stage = None
    if any(networks.values()) or own_part(study.model, "outpainter") is not None:
        two_stage = TwoStagePipeline.from_pretrained(study.model, **networks, **given)
        base = two_stage.hands
    else:
        base = HanDiffuserPipeline.from_pretrained(study.model, **given).base
    refiner = HandRefiner.from_pretrained(study.model, **given)

    def refine(picture: Pixels, prompt: str, seed: int) -> Pixels:
        return refiner(picture, prompt=prompt, seed=seed).after.pixels

    @lru_cache(maxsize=1)
    def opened(place: str) -> HanDiffuserPipeline:
        return HanDiffuserPipeline.from_pretrained(place, **given)

    places = {one.name: str(one.folder) for one in variants_in(study.variants)}
    places |= {OURS: study.handiffuser} if study.handiffuser else {}
    alone = HanDiffuserPipeline(base, None)

    def fine_tuned() -> HanDiffuserPipeline:
        return HanDiffuserPipeline(opened(places[OURS]).base, None)

    return Painters(
        handiffuser={
            BASE: lambda: alone,
            TEXT: fine_tuned,
            **{name: partial(opened, at) for name, at in places.items()},
        },
        two_stage=two_stage,
        refine=refine if base.traits.control != "none" else None,
        reviewer=cache(lambda: OwnReviewer(refiner.engine)),
    )
