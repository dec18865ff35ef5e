from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from handwright.hand.anatomy import DOF_LIMITS_RAD, DOF_MEAN_RAD, DOF_SPREAD_RAD, SHAPE_NAMES
from handwright.hand.kinematics import pose_of_dofs
from handwright.types import Camera, Hand, Side

MakeHand = Callable[..., Hand]


@pytest.fixture(scope="session")
def make_hand() -> MakeHand:
    """A random plausible hand of a seed in front of a 512² camera."""

    def make(seed: int = 0, side: Side = "right", *, at_m: float = 0.6, betas: bool = False) -> Hand:
        rng = np.random.default_rng(seed)
        dofs = DOF_MEAN_RAD + 0.7 * DOF_SPREAD_RAD * rng.standard_normal(24)
        pose, arch = pose_of_dofs(np.clip(dofs, *DOF_LIMITS_RAD.T))
        return Hand(
            pose=pose,
            palm_arch=arch,
            wrist=rng.uniform(-1.5, 1.5, 3),
            translation_m=np.array([*rng.uniform(-0.05, 0.05, 2), at_m]),
            shape=rng.uniform(-0.1, 0.1, len(SHAPE_NAMES)),
            side=side,
            camera=Camera(614.4, (256.0, 256.0)),
            betas=rng.standard_normal(10) if betas else None,
        )

    return make


@pytest.fixture(scope="session")
def rest_hand() -> Hand:
    """The mean hand at rest, upright before the camera, palm towards it."""
    return Hand(
        pose=np.zeros((15, 3)),
        palm_arch=np.zeros(2),
        wrist=np.array([np.pi, 0.0, 0.0]),
        translation_m=np.array([0.0, 0.08, 0.5]),
        shape=np.zeros(len(SHAPE_NAMES)),
        side="right",
        camera=Camera(614.4, (256.0, 256.0)),
    )
