"""Paintings in batches: what is asked for, and with it some of what will be asked for next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from handwright.refine.painters.contract import PaintJob, PaintResult

if TYPE_CHECKING:
    from handwright.handrefiner.square import Square
    from handwright.refine.painters.diffusing import DiffusePainter


@dataclass(eq=False)
class BatchingPainter:
    """A diffusing painter that paints jobs to come along with the one it is asked for, in one batch.

    A job to come is only a guess: an earlier hand may have changed the picture meanwhile, or time may have
    run out. So a painting made ahead is handed out for a job that is the same in all that the painter reads,
    and for no other; what comes out is what painting one by one would give, but for the last bits of the
    network's sums.
    """

    painter: DiffusePainter  # Paints
    batch: int  # Squares that go through the network at a time, at most; from 2 on
    _expected: list[PaintJob] = field(default_factory=list[PaintJob])
    _done: list[tuple[PaintJob, PaintResult]] = field(default_factory=list[tuple[PaintJob, PaintResult]])
    together, side_by_side, varied = True, False, True

    def expect(self, jobs: Sequence[PaintJob]) -> None:
        """Take jobs to come, in their order, before what is expected already; others of their hands go."""
        hands = {task.id for job in jobs for task in job.tasks}
        others = [job for job in self._expected if not hands & {task.id for task in job.tasks}]
        new = [job for job in jobs if not any(self._same(job, painted) for painted, _ in self._done)]
        self._expected = [*new, *others]

    def paint(self, job: PaintJob) -> PaintResult:
        """Paint the hands of a job, or hand out what was painted ahead."""
        for index, (painted, result) in enumerate(self._done):
            if self._same(job, painted):
                del self._done[index]
                return result
        waiting = [other for other in self._expected if not self._same(job, other)]
        mates = [other for other in waiting if other.strength == job.strength][: self.batch - 1]
        self._expected = [other for other in waiting if other not in mates]
        result, *ahead = self.painter.paint_batch([job, *mates])
        self._done += zip(mates, ahead, strict=True)
        return result

    def _same(self, a: PaintJob, b: PaintJob) -> bool:
        """Whether two jobs ask for the same painting: equal in everything that the painter reads."""
        if (a.seed, a.strength, a.window, len(a.tasks)) != (b.seed, b.strength, b.window, len(b.tasks)):
            return False
        for one, other in zip(a.tasks, b.tasks, strict=True):
            if one.id != other.id or one.fit is not other.fit or one.region is not other.region:
                return False
            if one.underlay is not other.underlay or one.window != other.window:
                return False
            if not np.array_equal(one.landmarks_px, other.landmarks_px):
                return False
            if not np.array_equal(one.repair_mask, other.repair_mask):
                return False
        if not all(map(np.array_equal, a.others, b.others)):
            return False
        if not (np.array_equal(a.repair_mask, b.repair_mask) and np.array_equal(a.crop, b.crop)):
            return False
        return _same_around(self.painter.square(a), a, b)


def _same_around(square: Square | None, a: PaintJob, b: PaintJob) -> bool:
    """Whether picture and control image are equal on the square, which follows from what is equal already."""
    if square is None:
        return True
    return all(
        np.array_equal(square.cut(one), square.cut(other))
        for one, other in ((a.picture, b.picture), (a.control, b.control))
    )
