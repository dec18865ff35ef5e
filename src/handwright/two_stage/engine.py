"""The contract of the engines: a completed pose in, a picture and both stages' parts out; NumPy alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, UInt8

from handwright.body import BodyParameters, pose_body
from handwright.hand.kinematics import skin_of
from handwright.perception.body.pose_hands import fit_hand_of_pose, observed_hand
from handwright.perception.fit.hand_fit import fit_of_given_hand
from handwright.two_stage.pose_completion import CompletedPose
from handwright.two_stage.settings import TwoStageSettings
from handwright.types import Box, Hand, HandFit, Side, Window

CANVAS_GREY = 127  # Of the canvas where there is no hand yet


@dataclass(frozen=True, eq=False)
class PoseRequest:
    """One picture to make."""

    completed: CompletedPose  # The pose, all of whose hands can be made
    width: int  # Width of the picture, pixels
    height: int  # Height of the picture, pixels
    settings: TwoStageSettings  # Engine, prompt and the like
    seed: int  # Of this picture
    body: BodyParameters | None = None  # The person behind the pose, in pixels of the picture, if known


@dataclass(frozen=True, eq=False)
class StageOneHand:
    """What stage I made of one crop."""

    sides: tuple[Side, ...]  # The hands in it: two where they meet
    window: Window  # The crop in the picture, x0, y0, x1, y1; it may leave the picture
    pixels: UInt8[np.ndarray, "r r 3"]  # The crop as it was made, sRGB
    # Where the network that made it predicts the hands; None: nothing did
    mask: Bool[np.ndarray, "r r"] | None = None
    latents: Any = None  # Its latents [1, c, h, w], where stage II takes them as they are; else None


@dataclass(frozen=True, eq=False)
class HeldThings:
    """What hands hold, as the renderer draws it."""

    pixels: UInt8[np.ndarray, "h w 3"]  # A picture with the things, sRGB
    mask: Bool[np.ndarray, "h w"]  # Where they are seen
    in_both_hands: bool = False  # Whether it is one thing that both hands hold


@dataclass(frozen=True, eq=False)
class GeneratedPicture:
    """A picture, and how it came to be."""

    pixels: UInt8[np.ndarray, "h w 3"]  # The picture, sRGB
    # What the picture was begun with: the cut-out hands on grey, at their places; or the hands' depth
    canvas: UInt8[np.ndarray, "h w 3"]
    mask: Bool[np.ndarray, "h w"]  # The initial mask: where the hands of the canvas are
    hands: tuple[StageOneHand, ...]  # Stage I
    words: str = ""  # Who was drawn, in words; empty where only networks made the picture
    notes: tuple[str, ...] = ()  # Sentences for the user
    strip: UInt8[np.ndarray, "a b 3"] | None = field(default=None)  # What was predicted at its steps
    held: HeldThings | None = None  # Things that were drawn into hands; None where there are none


class Engine(Protocol):
    """Makes pictures of completed poses."""

    def make(self, request: PoseRequest) -> GeneratedPicture:
        """Make one picture; same request, same bytes.

        Raises:
            MissingPackageError: What it needs is not installed.
            DiffusionError: Its models cannot be loaded, do not fit or run out of memory.
        """
        ...


@runtime_checkable
class RepaintingEngine(Engine, Protocol):
    """An engine that can paint hands of a finished picture once more."""

    def repaint(
        self, request: PoseRequest, pixels: UInt8[np.ndarray, "h w 3"], boxes: Sequence[Box]
    ) -> tuple[UInt8[np.ndarray, "h w 3"], tuple[Side, ...]]:
        """Paint once more the pose's hands whose crop holds the middle of one of these boxes.

        Args:
            request: What the picture was made of.
            pixels: The picture.
            boxes: x0, y0, x1, y1 in its pixels.

        Returns:
            The picture, and which hands were painted.

        Raises:
            DiffusionError: Out of memory, or the model's numbers overflowed.
        """
        ...


_NEAREST_M = 0.01  # Hands that are nearer to their person's camera, or behind it, are fitted to their points


def fit_hands(
    completed: CompletedPose,
    width: int,
    height: int,
    body: BodyParameters | None = None,
) -> dict[Side, HandFit]:
    """Fit a regular hand to the 21 points of each hand of a pose, or take its person's.

    Args:
        completed: The pose.
        width: Width of the picture, pixels.
        height: Height of the picture, pixels.
        body: The person behind the pose, in pixels of the picture, where known: their hands stay as they are,
            in their camera, if both lie before it.
    """
    known = {} if body is None else pose_body(body).hands
    if any(skin_of(hand)[:, 2].min() < _NEAREST_M for hand in known.values()):
        known = {}
    pose = completed.pose
    return {
        side: fit_of_given_hand(observed_hand(pose, side), known[side])
        if side in known
        else fit_hand_of_pose(pose, side, width, height)
        for side in completed.hands
    }


def hands_of(fits: Mapping[Side, HandFit]) -> dict[Side, Hand]:
    """The fitted hands alone."""
    return {side: fit.hand for side, fit in fits.items()}


def on_canvas(
    pixels: UInt8[np.ndarray, "h w 3"], mask: Bool[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Hands cut out of a picture by their mask, on grey."""
    return np.where(mask[..., None], pixels, np.uint8(CANVAS_GREY))
