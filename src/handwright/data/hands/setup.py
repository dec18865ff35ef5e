"""Everything that is decided before a picture is made: who, how many hands, doing what, where."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from handwright.data.hands.arrange import draw_pair_kind, frame_hands, one_hand, two_hands
from handwright.data.hands.body import Dressed
from handwright.data.hands.defects.malformed import DefectLabel, PosedHand, bones_of
from handwright.data.hands.hold import Posed, draw_hold, draw_pose, named_pose
from handwright.data.hands.objects import Thing
from handwright.data.hands.parts import Arm
from handwright.data.hands.person import Dress, Person, draw_dress, draw_person
from handwright.data.hands.thing_flaws import HoldLabel
from handwright.data.world.light import draw_surroundings
from handwright.data.world.picture import Scenery, draw_shot
from handwright.data.world.places import draw_place

_SHOWING = ("palm", "palm", "spread", "four")
_SHARE_OF_PAIRS, _SHARE_HOLDING, _SHARE_CUT_OFF = 0.3, 0.3, 0.08

_HELD_IN_PICTURE = (0.34, 0.62)  # The hand's share of the side in a world of holds, for things to be seen


@dataclass(frozen=True, eq=False, kw_only=True)
class Setup(Scenery):
    """A picture before it is rendered."""

    hands: tuple[Dressed, ...]  # One or two, ready to be drawn
    poses: tuple[Posed, ...]  # Their poses and words
    person: Person  # Whose hands
    dress: Dress  # What they wear
    pair: str | None  # How two hands meet, or None
    thing: Thing | None  # What is held, or None
    labels: tuple[DefectLabel, ...] = ()  # What is wrong with the hands
    hold: HoldLabel | None = None  # How the first hand holds the thing, in a world of holds


def draw_setup(
    rng: np.random.Generator,
    side_px: int,
    photos: Sequence[Path] = (),
    *,
    showing: bool = False,
    single: bool = False,
    edgeways: bool = False,
    pair: str | None = None,
    held: tuple[Posed, Thing | None] | None = None,
) -> Setup:
    """Decide everything; ``held`` is the pose of a single hand and its thing where these are decided."""
    person, dress = draw_person(rng), draw_dress(rng)
    size = float(np.exp(person.shape[0]))
    single = single or showing or held is not None
    if pair is None and not single and rng.random() < _SHARE_OF_PAIRS:
        pair = draw_pair_kind(rng)
    thing: Thing | None = None
    if pair is not None:
        turned = two_hands(rng, pair, size)
    elif held is not None:
        posed, thing = held
        turned = (one_hand(rng, posed, palmar=True),)
    elif showing:
        turned = (one_hand(rng, named_pose(str(rng.choice(_SHOWING)), rng), showing=True, edgeways=edgeways),)
    elif not single and dress.glove is None and rng.random() < _SHARE_HOLDING:
        posed, thing = draw_hold(rng)
        turned = (one_hand(rng, posed, palmar=True),)
    else:
        turned = (one_hand(rng, draw_pose(rng)),)
    share = (0.8, 1.2) if rng.random() < _SHARE_CUT_OFF and not single else (0.44, 0.8)
    framed = frame_hands(rng, turned, person.shape, side_px, share if held is None else _HELD_IN_PICTURE)
    place = draw_place(rng, side_px, photos)
    light, shot = draw_surroundings(rng, place.outdoor(rng)), draw_shot(rng, side_px)
    dressed = tuple(
        Dressed(
            PosedHand(hand, bones_of(hand)),
            _arm(rng, person, dress),
            person,
            dress,
            thing if k == 0 else None,
            k,
            hand,
        )
        for k, hand in enumerate(framed)
    )
    return Setup(
        hands=dressed, poses=tuple(t.posed for t in turned), person=person, dress=dress, pair=pair,
        thing=thing, place=place, light=light, shot=shot,
    )  # fmt: skip


def bare(setup: Setup) -> Setup:
    """The same picture without gloves, rings and watches."""
    dress = replace(setup.dress, glove=None, glove_words="", rings=(), watch=None)
    return replace(setup, dress=dress, hands=tuple(replace(hand, dress=dress) for hand in setup.hands))


def _arm(rng: np.random.Generator, person: Person, dress: Dress) -> Arm:
    flexion, deviation = np.deg2rad(np.clip(rng.normal(0, [15, 8]), -34, 34))
    return Arm(float(flexion), float(deviation), person.girth, dress.sleeve_m, dress.looseness, dress.seed)
