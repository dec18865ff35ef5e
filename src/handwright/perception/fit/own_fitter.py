"""A user's mesh fitter in the place of the built-in fit."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import UInt8

from handwright.hand.files.mano import ManoParameters, from_mano
from handwright.perception.fit.hand_fit import fit_of_given_hand, picture_camera
from handwright.plug_ins import PlugIn
from handwright.types import Camera, Hand, HandFit, HandObservation


class MeshFitter(Protocol):
    """Anything that reconstructs a hand from a picture, such as HaMeR (Pavlakos et al. 2024)."""

    def fit(
        self, pixels: UInt8[np.ndarray, "h w 3"], observation: HandObservation, camera: Camera
    ) -> Hand | ManoParameters:
        """Fit a mesh to one hand of a picture.

        Args:
            pixels: sRGB, the whole picture.
            observation: The detected hand: its box, side and landmarks in the picture.
            camera: The pinhole camera that is assumed for the picture; what is returned is seen by it.

        Returns:
            The hand on the package's rig, or MANO's parameters in camera space (``from_mano`` turns them into
            a hand, there with the proportions of the mean hand).
        """
        ...


class OwnFitter:
    """A user's mesh fitter, checked."""

    def __init__(self, plug_in: PlugIn) -> None:
        self._plug_in = plug_in

    def __call__(self, pixels: UInt8[np.ndarray, "h w 3"], observation: HandObservation) -> HandFit:
        """Fit a hand, and measure how far its landmarks lie from the observed ones.

        Raises:
            PlugInError: The fitter failed, or returned something else than a hand that the camera can see.
        """
        camera = picture_camera(pixels.shape[1], pixels.shape[0])
        hand = self._plug_in(pixels, observation, camera)
        if isinstance(hand, ManoParameters):
            hand = from_mano(hand, camera)
        if not isinstance(hand, Hand):
            self._plug_in.refuse(f"a {type(hand).__name__}", "a Hand or ManoParameters")
        if hand.camera != camera:
            self._plug_in.refuse("a hand seen by another camera", "one seen by the camera that it was given")
        if hand.translation_m[2] <= 0:
            self._plug_in.refuse("a hand behind the camera", "one in front of it (z > 0)")
        return fit_of_given_hand(observation, hand)
