"""A finished picture of one or two hands, with the exact truth about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.data.hands.body import solids_of
from handwright.data.hands.compositing import composite, exposure, seen_landmarks, white_balance
from handwright.data.hands.defects.generators import (
    DEFECTS,
    GENERATORS,
    ONE_HAND_DEFECTS,
    SHOWN_EDGEWAYS,
    WRONG_HAND_PAIRS,
    add_defect,
)
from handwright.data.hands.defects.malformed import DefectLabel
from handwright.data.hands.setup import Setup, bare, draw_setup
from handwright.data.world.lens import develop
from handwright.data.world.picture import light_stage
from handwright.data.world.stage import Stage, set_stage
from handwright.hand.defects import Defect
from handwright.hand.depth import depth_control
from handwright.hand.grammar import PoseWords, orientation_of
from handwright.hand.kinematics import mesh_of
from handwright.types import Hand

_SHARE_SOUND = 1 / 3


@dataclass(frozen=True, eq=False)
class HandTruth:
    """What is exactly known of one hand of a picture."""

    hand: Hand  # Pose, shape, side, place and camera
    words: PoseWords  # The pose in words, with its side and directions
    name: str | None  # Name of the pose, or None
    keypoints_px: Float[np.ndarray, "21 2"]  # [21, 2] MediaPipe order
    # [21] inside the picture, and seen (not behind anything, itself included)
    visible: Bool[np.ndarray, "21"]
    landmarks_cam_m: Float[np.ndarray, "21 3"]  # [21, 3]
    joints_cam_m: Float[np.ndarray, "16 3"]  # [16, 3] MANO order
    gloved: bool  # The hand wears a glove
    # What is wrong with it; empty for a sound hand. All other truth is that of the sound hand.
    defects: tuple[DefectLabel, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class RenderedPicture:
    """A picture with its truth."""

    pixels: UInt8[np.ndarray, "s s 3"]  # sRGB
    depth: UInt8[np.ndarray, "s s"]  # HandRefiner's depth control image of the sound hands alone
    # ``Stage.nearness`` of everything that is in the picture, malformed as it may be
    scene: UInt8[np.ndarray, "s s"]
    # What is visible of the hands beyond the wrist, or of the person, hair and clothes included
    mask: Bool[np.ndarray, "s s"]
    parts: UInt8[np.ndarray, "s s"]  # labels of ``hands.body`` and, of a person, ``people.body``
    hands: tuple[HandTruth, ...]  # The truth of each hand that is in the picture, at least in part
    encoded: bytes  # The JPEG that the pixels come out of


@dataclass(frozen=True, eq=False, kw_only=True)
class HandPicture(RenderedPicture):
    """A picture of hands."""

    setup: Setup  # Everything that the picture was made from


def render_hands(seed: int, index: int, size: int = 256, photos: Sequence[Path] = ()) -> HandPicture:
    """The picture with this number of the world with this seed, whatever was rendered before."""
    rng = np.random.default_rng([seed, index, 40])
    return render_setup(draw_setup(rng, size, photos), rng, size)


def render_one_hand(
    seed: int, size: int = 512, defect: str | None = None, *, without_defect: bool = False
) -> HandPicture:
    """One bare and empty hand in a natural picture: what fits and painters are measured on.

    Args:
        seed: The same seed, size and defect give the same picture; no random number comes from elsewhere.
        size: Side in pixels.
        defect: One of ``ONE_HAND_DEFECTS``, made by any of its generators; such a hand is open, so that the
            defect shows. None for a sound hand.
        without_defect: Render the sound twin of this defect: the same picture as it should have been.

    Returns:
        The picture with its truth. Landmarks, mesh and depth are always the sound hand's; ``mask``, ``parts``
        and ``scene`` show what is drawn.

    Raises:
        ValueError: There is no such defect, or one hand alone cannot show it.
    """
    if defect is not None and defect not in ONE_HAND_DEFECTS:
        raise ValueError(f"defect is one of {', '.join(ONE_HAND_DEFECTS)}, or None: got {defect!r}")
    rng = np.random.default_rng([seed, 44])
    generator = 0 if defect is None else int(rng.integers(len(GENERATORS[defect])))
    edgeways = defect in SHOWN_EDGEWAYS
    setup = bare(draw_setup(rng, size, showing=defect is not None, single=True, edgeways=edgeways))
    if defect is not None and not without_defect:
        setup = add_defect(setup, defect, generator, np.random.default_rng([seed, 45]))
    return render_setup(setup, rng, size)


def render_setup(setup: Setup, rng: np.random.Generator, size: int) -> HandPicture:
    """Render what was decided."""
    scale = 2 if size >= 160 else 4
    solids = tuple(solid for dressed in setup.hands for solid in solids_of(dressed))
    camera = setup.hands[0].posed.hand.camera
    center = (camera.center_px[0] * scale, camera.center_px[1] * scale)
    stage = set_stage(solids, camera.focal_px * scale, center, size * scale, size * scale)
    lit = light_stage(stage, setup.light)
    linear = composite(lit, setup, rng, size)
    middle = scale // 2
    parts = np.ascontiguousarray(stage.labels()[middle::scale, middle::scale])
    of_hand = (parts > 0) & (parts < 64) & (parts % 32 >= 1) & (parts % 32 <= 20)
    hands = [dressed.sound for dressed in setup.hands]
    truths = tuple(_truth(setup, k, stage, scale, size) for k in range(len(hands)))
    linear = linear * white_balance(setup.light, float(rng.uniform(0.55, 1.0)))
    pixels, encoded = develop(linear * exposure(rng, linear, of_hand), setup.shot)
    return HandPicture(
        pixels=pixels,
        depth=depth_control(hands, size, size).depth,
        scene=stage.nearness()[middle::scale, middle::scale],
        mask=of_hand,
        parts=parts,
        hands=truths,
        setup=setup,
        encoded=encoded,
    )


def _truth(setup: Setup, index: int, stage: Stage, scale: int, size: int) -> HandTruth:
    dressed, posed = setup.hands[index], setup.poses[index]
    hand = dressed.sound
    mesh = mesh_of(hand)
    owned = stage.owners() == index
    pixels, visible = seen_landmarks(hand, mesh.landmarks_cam_m, owned, stage, scale, size)
    palm, points = orientation_of(hand.wrist)
    words = replace(posed.words, palm=palm, points=points, side=hand.side)
    return HandTruth(
        hand,
        words,
        posed.name,
        pixels,
        visible,
        mesh.landmarks_cam_m,
        mesh.joints_cam_m,
        setup.dress.glove is not None,
        tuple(label for label in setup.labels if label.hand == index),
    )


def render_defects(
    seed: int, index: int, size: int = 256, photos: Sequence[Path] = (), defect: str | None = None
) -> HandPicture:
    """A picture of the world of defects: a third sound, the others with one defect, all made alike."""
    rng = np.random.default_rng([seed, index, 42])
    name = str(rng.choice(DEFECTS if defect is None else (defect,)))
    generator, sound = int(rng.integers(len(GENERATORS[name]))), bool(rng.random() < _SHARE_SOUND)
    pair = WRONG_HAND_PAIRS[generator] if name == Defect.WRONG_HAND else None
    setup = draw_setup(rng, size, photos, showing=pair is None, edgeways=name in SHOWN_EDGEWAYS, pair=pair)
    if not sound:
        setup = add_defect(setup, name, generator, np.random.default_rng([seed, index, 43]))
    return render_setup(setup, rng, size)
