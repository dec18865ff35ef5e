"""`handwright setup`: everything that the first picture would otherwise wait for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from handwright.types import Hand, HandObservation

_SIDE_PX = 256


def prepare(landmarker: Path | None = None, notify: Callable[[str], None] = lambda _: None) -> None:
    """Fetch the perception model and compile the kernels into their cache.

    Raises:
        MissingModelError: No source delivered the model.
    """
    from handwright.perception.fit.hand_fit import fit_hand
    from handwright.perception.models.download import ensure_models
    from handwright.refine.pipeline import open_engine, refine_picture
    from handwright.refine.settings import RefineSettings
    from handwright.types import Image

    models = ensure_models(model_path=landmarker, notify=notify, retry=True)
    notify(f"hand model: {models.hand_landmarker}")
    notify("kernels: compiling; once per version, up to two minutes")
    start = perf_counter()
    picture, hand = Image(np.full((_SIDE_PX, _SIDE_PX, 3), (196, 160, 140), np.uint8)), _open_hand()
    fit_hand(hand[0], _SIDE_PX, _SIDE_PX)
    with open_engine(models.hand_landmarker) as engine:
        refine_picture(picture, RefineSettings(), engine)
        refine_picture(picture, RefineSettings(hands=(hand,)), engine)
    notify(f"kernels: ready ({perf_counter() - start:.1f} s)")


def is_compiled() -> bool:
    """Whether this version's kernels lie compiled in their cache, so that nothing has to wait for that."""
    from handwright.hand.raster import kernel_cache

    return any(kernel_cache().glob("raster.*.nbi"))


def _open_hand() -> tuple[HandObservation, Hand]:
    """The rig's mean hand, seen from the front in the middle of the picture."""
    from handwright.hand.anatomy import SHAPE_NAMES
    from handwright.hand.kinematics import mesh_of
    from handwright.types import Camera, Hand, HandObservation

    camera = Camera(2.0 * _SIDE_PX, (_SIDE_PX / 2, _SIDE_PX / 2))
    rest = Hand(
        pose=np.zeros((15, 3)),
        palm_arch=np.zeros(2),
        wrist=np.zeros(3),
        translation_m=np.zeros(3),
        shape=np.zeros(len(SHAPE_NAMES)),
        side="right",
        camera=camera,
    )
    middle = mesh_of(rest).landmarks_cam_m.mean(0)
    hand = replace(rest, translation_m=np.array([0.0, 0.0, 0.8]) - middle)
    landmarks_cam_m = mesh_of(hand).landmarks_cam_m
    depth_px = landmarks_cam_m[:, 2] * camera.focal_px / 0.8
    return HandObservation(
        landmarks_px=camera.project(landmarks_cam_m),
        depth_px=depth_px,
        side="right",
        score=1.0,
        found_by="file",
    ), hand
