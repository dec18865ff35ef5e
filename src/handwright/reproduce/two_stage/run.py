"""``handwright reproduce two-stage``: paint every pose by every row, find people again, measure, write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from handwright.perception.body.estimate import PeopleIn
from handwright.reproduce.people_bench import ORIGINAL, PeopleBench, body_estimator, open_store, write_sheet
from handwright.reproduce.people_cases import Case
from handwright.reproduce.store import Record, Store
from handwright.reproduce.two_stage.cases import cases_of
from handwright.reproduce.two_stage.measure import CLOSENESS, measure
from handwright.reproduce.two_stage.page import write_page
from handwright.reproduce.two_stage.rows import TEXT, Painters, Row, paint, rows_of
from handwright.reproduce.two_stage.study import TwoStageStudy
from handwright.reproduce.two_stage.variants import baselines_of, pipelines_of, variants_in

Pixels = UInt8[np.ndarray, "h w 3"]


def reproduce_two_stage(
    study: TwoStageStudy,
    page: Path,
    command: str,
    work: Path | None = None,
    *,
    open_painters: Callable[[TwoStageStudy], Painters] | None = None,
    open_estimator: Callable[[], AbstractContextManager[PeopleIn]] | None = None,
) -> Path:
    """Re-run the paper's tables with every row on one base.

    What is in the work folder already is used again, so a run that was stopped goes on, and one with more
    poses adds to what is there; by default it lies in the cache, by everything that decides the units.

    Args:
        study: What is asked for.
        page: The Markdown that is written; a sheet of pictures is put beside it.
        command: What made it, for the page.
        work: The work folder.
        open_painters: Loads the pipelines; None: those that the study names.
        open_estimator: Finds people; None: MediaPipe's, as in the paper.

    Returns:
        The work folder.

    Raises:
        DiffusionError: A model is missing or damaged, or networks do not fit.
        UsageError: No pose can be completed.
        OutputError: The page cannot be written, or the work folder holds another study.
    """
    store = open_store(study, work, {one.name: one.folder for one in variants_in(study.variants)})
    with (open_estimator or body_estimator)() as people_in:
        study.progress("", 0, 1)
        cases = cases_of(study, people_in)
        painters = (open_painters or load_painters)(study)
        rows = rows_of(study, painters)
        _Bench(study, store, cases, painters, people_in).all(rows)
    measured = measure(study, store, cases, rows)
    sheet = write_sheet(store, cases, [row.name for row in rows if not row.missing], page)
    write_page(study, rows, measured, command, page, sheet)
    return store.folder


class _Bench(PeopleBench):
    """What all units share."""

    def __init__(
        self,
        study: TwoStageStudy,
        store: Store,
        cases: Sequence[Case],
        painters: Painters,
        people_in: PeopleIn,
    ) -> None:
        super().__init__(store, people_in, painters.reviewer)
        self.study, self.cases, self.painters = study, cases, painters

    def all(self, rows: Sequence[Row]) -> None:
        """Paint and look at everything that is not there yet, pose by pose."""
        painted = [row for row in rows if not row.missing]
        measured = any(row.options.get("shared_latents") for row in painted)
        for number, case in enumerate(self.cases):
            self.study.progress("paint", number, len(self.cases))
            self.look(ORIGINAL, case, lambda case=case: ({}, case.picture))
            for row in painted:
                self.look(row.name, case, lambda row=row, case=case: self._paint(row, case))
            if measured and getattr(self.painters.ours.hands.pipe, "unet", None) is not None:
                self.store.unit(CLOSENESS, case.name, lambda case=case: (self._closeness(case), None))
            self.study.progress("", number + 1, len(self.cases))

    def _paint(self, row: Row, case: Case) -> tuple[Record, Pixels]:
        text = lambda: self.store.crop(TEXT, case.name)  # noqa: E731 - of this picture alone
        return paint(row, case, self._seed(case), self.study, self.painters, text)

    def _seed(self, case: Case) -> int:
        """Of a picture: all rows have the same noise where they draw the same."""
        return self.study.picture_seed(self.cases.index(case))

    def _closeness(self, case: Case) -> Record:
        """Decibels to stage I's own decode, of shared latents and through decode and encode."""
        from handwright.two_stage.shared_latents import outpainted_closeness_db

        ours, (width, height), seed = self.painters.ours, case.size, self._seed(case)
        begun = ours.make_hands(
            case.caption, case.completed, width, height, person=case.person, seed=seed, shared_latents=True,
            **self.study.painting,
        )  # fmt: skip
        shared, encoded = outpainted_closeness_db(
            ours, case.caption, case.completed.pose, begun, seed, **self.study.painting
        )
        return {"shared": _plain(shared), "encoded": _plain(encoded)}


def _plain(value: float) -> float | None:
    """A number that JSON knows: at most 120 dB, None where nothing was compared."""
    return None if np.isnan(value) else min(value, 120.0)


def load_painters(study: TwoStageStudy) -> Painters:
    """The pipelines that a study names; their networks are loaded once.

    Raises:
        DiffusionError: A model is missing or damaged, or networks do not fit.
        UsageError: The device is not here.
    """
    from handwright.two_stage.pipeline import TwoStagePipeline
    from handwright.workflow.generate.attempts import OwnReviewer
    from handwright.workflow.hand_refiner import HandRefiner

    beside = study.pose_controlnet if study.outpainter is not None else None  # To compare with
    given: dict[str, Any] = {"controlnet": study.controlnet, "dtype": study.dtype, "device": study.device}
    ours = TwoStagePipeline.from_pretrained(
        study.model,
        pose_controlnet=study.pose_controlnet if study.outpainter is None else None,
        hand_generator=study.hand_generator,
        outpainter=study.outpainter,
        **given,
    )
    pose = None if beside is None else ours.with_pose_controlnet(beside)
    variants = variants_in(study.variants)
    controlled = ours.hands.traits.control != "none"  # The base has a depth ControlNet
    depth = ours.without_hand_generator() if ours.hand_generator is not None and controlled else None
    refiner = HandRefiner.from_pretrained(
        study.model, controlnet=study.controlnet, dtype=study.dtype, device=study.device
    )

    def refine(picture: Pixels, prompt: str, seed: int) -> Pixels:
        return refiner(picture, prompt=prompt, seed=seed).after.pixels

    return Painters(
        ours=ours,
        depth=depth,
        pose=pose,
        refine=refine if controlled else None,
        variants=pipelines_of(variants, ours),
        baselines=baselines_of(variants, ours),
        reviewer=cache(lambda: OwnReviewer(refiner.engine)),
    )
