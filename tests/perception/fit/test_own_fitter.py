"""A user's mesh fitter takes the place of the built-in fit, and what it returns is checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from handwright.hand.files.mano import to_mano
from handwright.perception.analysis import analyse_hand
from handwright.perception.fit.hand_fit import picture_camera
from handwright.perception.fit.own_fitter import OwnFitter
from handwright.plug_ins import PlugIn, PlugInError
from handwright.types import Camera, Image
from tests.drawn import flat_hand, shoot

SHOT = shoot(flat_hand(curl=0.3))


class Fitter:
    """Returns what it is told to."""

    def __init__(self, returned: Any) -> None:
        self.returned, self.calls = returned, []

    def fit(self, pixels: Any, observation: Any, camera: Any):
        self.calls.append((pixels, observation, camera))
        return self.returned


def own(returned: Any) -> OwnFitter:
    return OwnFitter(PlugIn("fitter", Fitter(returned)))


def test_its_hand_is_the_fit_and_the_outline_changes_nothing():
    fitter = Fitter(SHOT.hand)
    image, seen = Image(SHOT.pixels), SHOT.observation()
    analysis = analyse_hand(image, seen, fitter=OwnFitter(PlugIn("fitter", fitter)))
    assert analysis.fit.hand is SHOT.hand
    assert analysis.fit.residual == pytest.approx(0.0, abs=1e-9)
    ((pixels, observation, camera),) = fitter.calls
    assert pixels is image.pixels and observation is seen
    assert camera == picture_camera(image.width, image.height)


def test_another_picture_is_fitted_by_it_again_and_a_given_fit_is_not():
    fitter = Fitter(SHOT.hand)
    analysis = analyse_hand(
        Image(SHOT.pixels), SHOT.observation(), fitter=OwnFitter(PlugIn("fitter", fitter))
    )
    analysis.in_picture(Image(SHOT.pixels))
    assert len(fitter.calls) == 1
    changed = analysis.in_picture(Image(255 - SHOT.pixels))
    assert len(fitter.calls) == 2 and changed.fit.hand is SHOT.hand
    given = analyse_hand(Image(SHOT.pixels), SHOT.observation(), analysis.fit, fitter=analysis.fitter)
    assert len(fitter.calls) == 2 and given.fitter is None


def test_mano_parameters_become_the_hand_that_they_are_of():
    fit = own(to_mano(SHOT.hand))(SHOT.pixels, SHOT.observation())
    assert np.abs(fit.landmarks_px - SHOT.landmarks_px).max() < 1e-6


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        (None, "returned a NoneType; fit() must return a Hand or ManoParameters"),
        ([SHOT.hand], "returned a list"),
        (replace(SHOT.hand, camera=Camera(500.0, (1.0, 2.0))), "seen by another camera"),
        (replace(SHOT.hand, translation_m=np.array([0.0, 0.0, -0.4])), "behind the camera"),
    ],
)
def test_what_is_no_hand_in_front_of_the_camera_is_refused(returned: Any, what: Any):
    with pytest.raises(PlugInError) as refused:
        own(returned)(SHOT.pixels, SHOT.observation())
    assert what in str(refused.value)
