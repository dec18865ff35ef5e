"""A world of one drawn hand, a network that is a rule, and eyes that follow a script."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handwright.handrefiner.network_loader import NetworkLoader
from handwright.perception.analysis import analyse_hand
from handwright.refine import painting, redetection
from handwright.refine.painters import DrawPainter, PaintResult
from handwright.refine.pipeline import Engine
from handwright.refine.redetection import Redetection
from handwright.reproduce import subjects
from handwright.reproduce.handrefiner import paint_all
from handwright.reproduce.handrefiner.paint_all import Bench
from handwright.reproduce.handrefiner.study import Scale, Study
from handwright.reproduce.store import Store
from handwright.reproduce.subjects import Picture
from handwright.types import Image
from tests.drawn import flat_hand, shoot
from tests.handrefiner.networks import Network

SHOT = shoot(flat_hand(curl=0.15))
TINY = Scale(table=2, harmonise=1, boxed=1, reference=1, phase=1, judged=2, spoiled=1, size_px=64)


def textured(request) -> np.ndarray:
    """Stripes that a strong control wipes out."""
    strength = request.strength if isinstance(request.strength, float) else request.strength[-1]
    stripes = (np.arange(request.picture.shape[1]) % 2 * 40 * (1 - strength))[None, :, None]
    return np.broadcast_to(128 + stripes, request.picture.shape).astype(np.float32)


def error_at(strength) -> float:
    """A hand that is found from .3 on, the more exactly the stronger the control."""
    value = strength if isinstance(strength, float) else strength[0]
    return 1.0 if value < 0.3 else 0.2 - 0.15 * value


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network(textured, resolution=128)

    def look(pixels, observation, *_):
        if np.array_equal(pixels, SHOT.pixels):
            return Redetection(analyse_hand(Image(pixels), observation), 0.01)
        error = error_at(network.requests[-1].strength)
        return Redetection(None if error == 1 else analyse_hand(Image(pixels), observation), error)

    monkeypatch.setattr(painting, "measure_redetection", look)
    monkeypatch.setattr(
        DrawPainter, "paint", lambda self, job: PaintResult(job.crop, np.ones(job.crop.shape[:2]))
    )
    monkeypatch.setattr(redetection, "redetect_hand", lambda pixels, wanted, _: wanted)
    monkeypatch.setattr(subjects, "find_hands", lambda pixels, *, landmarker: [SHOT.observation()])
    pictures = lambda first, count, size: (  # noqa: E731
        Picture(f"{seed}", lambda: SHOT.pixels) for seed in range(first, first + count)
    )
    monkeypatch.setattr(paint_all, "rendered", pictures)
    return network


@pytest.fixture
def open_bench(network: Network, tmp_path: Path):
    def opened(folder: str = "work", **changes) -> Bench:
        study = Study(scale=Scale(**{**vars(TINY), **changes}))
        engine = Engine(None, NetworkLoader(lambda settings: network))  # type: ignore[arg-type]
        return Bench(study, Store(tmp_path / folder, {"study": 1}), engine)

    return opened
