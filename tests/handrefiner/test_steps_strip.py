from __future__ import annotations

import numpy as np
import pytest

from handwright.handrefiner.diffusion_settings import DiffusionSettings
from handwright.handrefiner.network import DenoisingStep, InpaintRequest, InpaintResult
from handwright.handrefiner.steps_strip import MOST_STEPS, chosen_steps, steps_strip


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 50, 1000])
def test_steps_are_chosen_evenly_from_the_first_to_the_last(count):
    chosen = chosen_steps(count)
    assert (chosen[0], chosen[-1]) == (0, count - 1)
    assert len(chosen) == min(count, MOST_STEPS)
    gaps = np.diff(chosen)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


def flat(value: int) -> np.ndarray:
    return np.full((8, 8, 3), value, np.uint8)


def test_the_strip_shows_control_over_mask_then_noisy_over_predicted():
    mask = np.zeros((8, 8), bool)
    mask[2:5] = True
    depth = np.full((8, 8), 77, np.uint8)
    request = InpaintRequest(
        picture=flat(0),
        mask=mask,
        control=depth,
        landmarks_px=np.zeros((1, 21, 2)),
        settings=DiffusionSettings(),
        strength=1.0,
        seed=0,
    )
    result = InpaintResult(
        flat(9).astype(np.float32),
        (DenoisingStep(999, flat(10), flat(20)), DenoisingStep(0, flat(30), flat(40))),
    )
    strip = steps_strip(request, result)
    assert strip.shape == (20, 32, 3)
    tiles = [[strip[y, x, 0] for x in (3, 15, 27)] for y in (3, 15)]
    assert tiles == [[77, 10, 30], [255, 20, 40]]
    assert strip[12:, :8, 0][0, 0] == 0
    assert (strip[8:12] == 255).all() and (strip[:, 8:12] == 255).all()
