"""A finished picture of one or two hands, with the exact truth about each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from handwright.data.hands.body import FOREARM, HAND_LABEL, LABELS_PER_HAND, solids_of
from handwright.data.hands.defects.generators import (
    DEFECTS,
    GENERATORS,
    ONE_HAND_DEFECTS,
    SHOWN_EDGEWAYS,
    WRONG_HAND_PAIRS,
    add_defect,
)
from handwright.data.hands.defects.malformed import DefectLabel
from handwright.data.hands.hold import Posed
from handwright.data.hands.setup import Setup, bare, draw_setup
from handwright.data.shapes import Landmarks
from handwright.data.world.picture import Photo, exposure, take_photo
from handwright.data.world.stage import Stage, set_stage
from handwright.hand.anatomy import FINGER_BONES, PALM_BONES
from handwright.hand.defects import Defect
from handwright.hand.depth import depth_control
from handwright.hand.grammar import PoseWords, orientation_of
from handwright.hand.kinematics import mesh_of
from handwright.hand.rig import load_rig
from handwright.types import Hand

_FINGER_M, _PALM_M = 0.017, 0.030
"""A landmark deeper below what is seen than this is hidden: more than fingers, than the palm are thick."""
_IN_PALM = np.isin(np.arange(21), (0, 1, 2, 5, 9, 13, 17))


def _same_part(labels: Int[np.ndarray, "21"]) -> Bool[np.ndarray, "21"]:
    """Whether each landmark's pixel shows its own finger, or palm and wrist where it belongs there."""
    bone = labels.astype(int) % LABELS_PER_HAND - HAND_LABEL
    own = load_rig().landmark_bones
    near = (bone[:, None] == own).any(1)
    for finger, chain in enumerate(FINGER_BONES):
        near[1 + 4 * finger : 5 + 4 * finger] |= np.isin(bone[1 + 4 * finger : 5 + 4 * finger], chain)
    palm = np.isin(bone, PALM_BONES) | (labels % LABELS_PER_HAND == FOREARM)
    return near | (_IN_PALM & (palm | np.isin(bone, FINGER_BONES[0][:1])))


def _seen_landmarks(
    hand: Hand, landmarks_cam_m: Float[np.ndarray, "21 3"], owned: Bool[np.ndarray, "h w"], stage: Stage
) -> tuple[Landmarks, Bool[np.ndarray, "21"]]:
    """Where landmarks are in the picture, and whether they are inside it and not hidden."""
    pixels = hand.camera.project(landmarks_cam_m)
    width, scale = owned.shape[0], stage.focal_px / hand.camera.focal_px
    column, row = np.clip(np.floor(pixels * scale).astype(int), 0, width - 1).T
    inside = ((pixels >= 0) & (pixels < width / scale)).all(1)
    seen_m = stage.visible.depth_m[row, column]
    deep = landmarks_cam_m[:, 2] - np.where(np.isfinite(seen_m), seen_m, 0.0)
    near = deep < np.where(_IN_PALM, _PALM_M, _FINGER_M) * float(np.exp(hand.shape[0]))
    return pixels, inside & owned[row, column] & near & _same_part(stage.labels()[row, column])


_SHARE_SOUND = 1 / 3


@dataclass(frozen=True, eq=False)
class HandTruth:
    """What is exactly known of one hand of a picture."""

    hand: Hand  # Pose, shape, side, place and camera
    words: PoseWords  # The pose in words, with its side and directions
    name: str | None  # Name of the pose, or None
    keypoints_px: Landmarks  # [21, 2] MediaPipe order
    # [21] inside the picture, and seen (not behind anything, itself included)
    visible: Bool[np.ndarray, "21"]
    landmarks_cam_m: Float[np.ndarray, "21 3"]  # [21, 3]
    joints_cam_m: Float[np.ndarray, "16 3"]  # [16, 3] MANO order
    gloved: bool  # The hand wears a glove
    # What is wrong with it; empty for a sound hand. All other truth is that of the sound hand.
    defects: tuple[DefectLabel, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class RenderedPicture(Photo):
    """A picture with its truth."""

    depth: UInt8[np.ndarray, "s s"]  # HandRefiner's depth control image of the sound hands alone
    # What is visible of the hands beyond the wrist, or of the person, hair and clothes included
    mask: Bool[np.ndarray, "s s"]
    hands: tuple[HandTruth, ...]  # The truth of each hand that is in the picture, at least in part


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

    Same seed, size and defect (one of ``ONE_HAND_DEFECTS``, made by any of its generators), same picture;
    ``without_defect`` renders its sound twin. Landmarks, mesh and depth are always the sound hand's;
    ``mask``, ``parts`` and ``scene`` show what is drawn.

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
    solids = tuple(solid for dressed in setup.hands for solid in solids_of(dressed))
    camera = setup.hands[0].posed.hand.camera
    photo, stage = take_photo(solids, camera, setup, rng, size, _metered)
    hands = [dressed.sound for dressed in setup.hands]
    gloved = setup.dress.glove is not None
    truths: list[HandTruth] = []
    for k, (hand, posed) in enumerate(zip(hands, setup.poses, strict=True)):
        labels = tuple(label for label in setup.labels if label.hand == k)
        truths.append(truth_of(hand, posed, stage.owners() == k, stage, gloved, labels))
    depth = depth_control(hands, size, size).depth
    return HandPicture(
        **vars(photo), depth=depth, mask=of_hand(photo.parts), hands=tuple(truths), setup=setup
    )


def parts_of(setup: Setup, size: int) -> UInt8[np.ndarray, "s s"]:
    """What each pixel of a picture would show, as ``RenderedPicture.parts``, without light and camera."""
    solids = tuple(solid for dressed in setup.hands for solid in solids_of(dressed))
    camera = setup.hands[0].posed.hand.camera
    return set_stage(solids, camera.focal_px, camera.center_px, size, size).labels().astype(np.uint8)


def _metered(rng: np.random.Generator, linear: np.ndarray, parts: UInt8[np.ndarray, "s s"]) -> float:
    return exposure(rng, linear, of_hand(parts))


def of_hand(parts: UInt8[np.ndarray, "s s"]) -> Bool[np.ndarray, "s s"]:
    """Where bones of either hand are seen."""
    label = parts % LABELS_PER_HAND
    return (parts < 2 * LABELS_PER_HAND) & (label >= HAND_LABEL) & (label < FOREARM)


def truth_of(
    hand: Hand,
    posed: Posed,
    owned: Bool[np.ndarray, "h w"],
    stage: Stage,
    gloved: bool = False,
    defects: tuple[DefectLabel, ...] = (),
) -> HandTruth:
    """The truth about a hand, whose sub-pixels are ``owned``; visible: inside the picture, not hidden."""
    mesh = mesh_of(hand)
    pixels, visible = _seen_landmarks(hand, mesh.landmarks_cam_m, owned, stage)
    palm, points = orientation_of(hand.wrist)
    words = replace(posed.words, palm=palm, points=points, side=hand.side)
    return HandTruth(
        hand, words, posed.name, pixels, visible, mesh.landmarks_cam_m, mesh.joints_cam_m, gloved, defects
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
