"""A finished picture of someone, with the exact truth about hands and body, as plain numbers, too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from handwright.data.hands.body import FOREARM, LABELS_PER_HAND
from handwright.data.hands.record import hand_record, record_head, record_tail
from handwright.data.hands.sample import HandTruth, RenderedPicture, truth_of
from handwright.data.people.body import SKIN, Someone, solids_of
from handwright.data.people.figure.hand_graft import TO_CAMERA
from handwright.data.people.figure.makehuman import load_figure
from handwright.data.people.figure.mesh_cutting import BODY_BONES, FACE, NOSE, bone, ears, feet
from handwright.data.people.setup import PersonSetup, draw_setup
from handwright.data.sample import PersonLabel, box_around
from handwright.data.shapes import Linear
from handwright.data.world.picture import Photo, exposure, take_photo
from handwright.data.world.stage import Stage
from handwright.hand.depth import depth_control
from handwright.prompts.captions import RENDERED, Scene, with_article

_BODY, _FEET, _FACE, _LEFT, _RIGHT = (
    slice(0, 17), slice(17, 23), slice(23, 91), slice(91, 112), slice(112, 133),
)  # fmt: skip
_JOINT_DEPTH_M, _SKIN_DEPTH_M, _FOOT_DEPTH_M = 0.16, 0.012, 0.03
"""How far behind what is seen a point may lie and still be seen: joints are within, hair and shoes above."""

HIDDEN = 0.5  # Confidence of a point that is in the picture and hidden, as COCO's visibility 1


def wholebody_of(
    someone: Someone, hands: Mapping[str, HandTruth], stage: Stage, size: int
) -> Float[np.ndarray, "133 3"]:
    """Where the points are, and whether they are seen (1), hidden (0.5) or outside the picture (0, 0, 0)."""
    skin_m = someone.skin_m()
    joints = someone.stance.bones.heads_m[[bone(name) for name in BODY_BONES]] @ TO_CAMERA + someone.place_m
    eyes = [skin_m[np.unique(load_figure().groups[f"helper-{k}-eye"].faces)] for k in "lr"]
    front = np.array([ball[ball[:, 2].argmin()] for ball in eyes])
    points = np.concatenate([skin_m[[NOSE]], front, skin_m[ears()], joints, skin_m[feet()], skin_m[FACE]])
    slack = np.repeat([_SKIN_DEPTH_M, _JOINT_DEPTH_M, _FOOT_DEPTH_M, _SKIN_DEPTH_M], [5, 12, 6, 68])
    camera = someone.hands[0].camera
    pixels, scale = camera.project(points), len(stage.index) // size
    column, row = np.clip(np.floor(pixels * scale).astype(int), 0, size * scale - 1).T
    seen_m = stage.visible.depth_m[row, column]
    seen = points[:, 2] - np.where(np.isfinite(seen_m), seen_m, np.inf) < slack
    out = np.zeros((133, 3))
    out[:91] = np.concatenate([pixels, np.where(seen, 1.0, HIDDEN)[:, None]], 1)
    for side, part in (("left", _LEFT), ("right", _RIGHT)):
        truth = hands[side]
        out[part] = np.concatenate([truth.keypoints_px, np.where(truth.visible, 1.0, HIDDEN)[:, None]], 1)
    outside = ~((out[:, :2] >= 0) & (out[:, :2] < size)).all(1)
    out[outside] = 0.0
    return out


_REACHES = ((0.012, 8), (0.05, 10), (0.2, 14))
"""Ambient occlusion of fingers, of folds, and of limbs before a body."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PersonPicture(RenderedPicture):
    """A picture of someone."""

    person: PersonLabel  # The 133 points and the person's box
    setup: PersonSetup  # Everything that the picture was made from


def render_person(seed: int, index: int, size: int = 256, photos: Sequence[Path] = ()) -> PersonPicture:
    """The picture with this number of the world with this seed, whatever was rendered before.

    Raises:
        MissingPackageError: ``handwright[synth]``, which brings the body, is not installed.
    """
    rng = np.random.default_rng([seed, index, 44])
    return render_setup(draw_setup(rng, size, photos), rng, size)


def render_setup(setup: PersonSetup, rng: np.random.Generator, size: int) -> PersonPicture:
    """Render what was decided."""
    photo, stage = photograph(setup, rng, size)
    body, labels = photo.parts > 0, stage.labels()
    truths = [
        truth_of(hand, held.posed, (labels > 0) & (labels // LABELS_PER_HAND == k), stage)
        for k, (hand, held) in enumerate(zip(setup.someone.hands, setup.someone.stance.hands, strict=True))
    ]
    inside = [((t.keypoints_px >= 0) & (t.keypoints_px < size)).all(1).any() for t in truths]
    points = wholebody_of(setup.someone, {t.hand.side: t for t in truths}, stage, size)
    rows, columns = np.nonzero(body)
    corners = np.array([[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]], float)
    hands = tuple(t for t, shown in zip(truths, inside, strict=True) if shown)
    depth = depth_control([t.hand for t in hands], size, size).depth
    person = PersonLabel(points, box_around(corners))
    return PersonPicture(**vars(photo), depth=depth, mask=body, hands=hands, person=person, setup=setup)


def photograph(setup: PersonSetup, rng: np.random.Generator, size: int) -> tuple[Photo, Stage]:
    """The picture that was decided, and what is seen at each of its sub-pixels."""
    solids, camera = tuple(solids_of(setup.someone)), setup.someone.hands[0].camera
    return take_photo(solids, camera, setup, rng, size, _metered, _REACHES)


def _metered(rng: np.random.Generator, linear: Linear, parts: UInt8[np.ndarray, "s s"]) -> float:
    """Exposure for bare skin and what is around it."""
    skin = (parts == SKIN) | (
        (parts > 0) & (parts < 2 * LABELS_PER_HAND) & (parts % LABELS_PER_HAND <= FOREARM)
    )
    if not skin.any():
        return exposure(rng, linear, parts > 0)
    rows, columns = np.nonzero(skin)
    window = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    return exposure(rng, linear[window], skin[window])


_AGE_WORDS = {"child": "", "young": "young ", "middle-aged": "middle-aged ", "elderly": "elderly "}


def scene_of(picture: PersonPicture) -> Scene:
    """What a caption can say about a picture."""
    return replace(scene_of_setup(picture.setup), hands=tuple(truth.words for truth in picture.hands))


def scene_of_setup(setup: PersonSetup) -> Scene:
    """What a caption can say about someone, their hands left out."""
    someone = setup.someone
    noun = f"{_AGE_WORDS[someone.person.age]}{setup.build.noun}"
    garments = someone.outfit.words
    shown = garments if setup.framing == "full" else garments[:1]
    hair = someone.hair
    nails = [f"{someone.person.nails} nail polish"] if someone.person.nails else []
    return Scene(
        hands=(),
        domain=RENDERED,
        skin=someone.person.words + ("" if hair.worn else f" and {hair.words}"),
        wears=(*shown, *([hair.words] if hair.worn else []), *nails),
        setting=setup.place.words,
        light=setup.light.name,
        subject=with_article(noun),
    )


def record_of(picture: PersonPicture, seed: int, index: int) -> dict[str, Any]:
    """Everything known of a picture, JSON-ready; as ``hands.record``, with the person's points."""
    setup, scene = picture.setup, scene_of(picture)
    hands = [
        {**hand_record(truth), "doing": held.doing}
        for truth in picture.hands
        for held in setup.someone.stance.hands
        if held.side == truth.hand.side
    ]
    person = {
        "wholebody": np.round(picture.person.wholebody, 3).tolist(),
        "bbox_xyxy_px": list(picture.person.bbox_xyxy_px),
        "sex": "female" if setup.build.feminine > 0.5 else "male",
        "hair": setup.someone.hair.style,
        "framing": setup.framing,
    }
    return {
        **record_head(scene, "people", seed, index, picture.pixels),
        "hands": hands,
        "people": [person],
        "meeting": None,
        "thing": None,
        **record_tail(setup.someone.person, setup, scene),
    }
