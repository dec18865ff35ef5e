"""A user's painter."""

from __future__ import annotations

import numpy as np

from handwright.plug_ins import PlugIn
from handwright.refine.painters.contract import PaintJob, PaintResult

_WANTED = (
    "a PaintResult with pixels [h, w, 3] in 0 … 255 and alpha [h, w] in 0 … 1, of the job's crop; if any, "
    "behind is uint8 [h, w, 3]"
)


class OwnPainter:
    """A user's painter, checked; satisfies ``Painter``.

    It is given hands that meet in one job if it has an attribute ``together`` that is true. It paints one job
    at a time.
    """

    side_by_side, varied = False, True

    def __init__(self, plug_in: PlugIn) -> None:
        self._plug_in = plug_in
        self.together = bool(getattr(plug_in.object, "together", False))

    def paint(self, job: PaintJob) -> PaintResult:
        """Paint the hands of a job.

        Raises:
            PlugInError: The painter failed, or returned something else than such a crop.
        """
        result = self._plug_in(job)
        if not isinstance(result, PaintResult):
            self._plug_in.refuse(f"a {type(result).__name__}", _WANTED)
        pixels, alpha, shape = result.pixels, result.alpha, job.repair_mask.shape
        arrays = [("pixels", pixels, (*shape, 3)), ("alpha", alpha, shape)]
        if result.behind is not None:
            arrays.append(("behind", result.behind, (*shape, 3)))
        for name, array, wanted in arrays:
            if np.shape(array) != wanted:
                self._plug_in.refuse(f"{name} of shape {list(np.shape(array))} for {list(wanted)}", _WANTED)
        if pixels.dtype != np.uint8 and not np.issubdtype(pixels.dtype, np.floating):
            self._plug_in.refuse(f"pixels of type {pixels.dtype}", _WANTED)
        if result.behind is not None and result.behind.dtype != np.uint8:
            self._plug_in.refuse(f"behind of type {result.behind.dtype}", _WANTED)
        if not (_within(pixels[alpha > 0], 255) and _within(alpha, 1)):
            self._plug_in.refuse("numbers out of range", _WANTED)
        return result


def _within(values: np.ndarray, most: float) -> bool:
    return bool(np.isfinite(values).all() and (values >= 0).all() and (values <= most).all())
