"""Hands and people of pictures that exist twice, as they should be and as they came out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from handwright.errors import NotEnoughDataError
from handwright.metrics.average_precision import FoundPerson
from handwright.metrics.joints import JointErrors, annotated, extent_px, joint_errors, match_hands
from handwright.metrics.sets.gather import Gathered, Picture
from handwright.metrics.sets.items import TrueHand

Points = Float[np.ndarray, "21 2"]


@dataclass(frozen=True, eq=False)
class PairedHands:
    """Errors of hands in FAKE, and the finder's own beside them."""

    errors: JointErrors  # Of the hands found in FAKE
    # Of the hands found in the untouched REAL picture (against its exact truth), or in its mirror image
    # (where the truth is what was found in the picture itself)
    floor: JointErrors


def pair_hands(real: Gathered, fake: Gathered, names: Collection[str] | None = None) -> PairedHands:
    """Match the hands of all pictures that are in both sets under one name.

    Points of FAKE are scaled to REAL's size where the two differ. True hands of which nothing can be seen are
    left out.

    Raises:
        NotEnoughDataError: No picture is in both sets, or no true hand in those that are.
    """
    common = [n for n in real.pictures if n in fake.pictures and (names is None or n in names)]
    if not common:
        raise NotEnoughDataError(
            "joint errors compare pictures of the same name", "no name is in both sets", "name them alike"
        )
    truth: list[TrueHand] = []
    found: list[Points | None] = []
    again: list[Points | None] = []
    pictures: list[int] = []
    for number, name in enumerate(common):
        before, after = real.pictures[name], fake.pictures[name]
        here, floor = _truth_and_floor(before)
        truth += here
        found += match_hands([hand.points_px for hand in here], _scaled(after, before))
        again += match_hands([hand.points_px for hand in here], floor)
        pictures += [number] * len(here)
    if not truth:
        raise NotEnoughDataError("joint errors have nothing to measure", "no hand is in the real pictures")
    points, visible = [hand.points_px for hand in truth], [hand.visible for hand in truth]
    return PairedHands(
        joint_errors(points, found, visible, pictures), joint_errors(points, again, visible, pictures)
    )


def _truth_and_floor(picture: Picture) -> tuple[Sequence[TrueHand], Sequence[Points]]:
    detected = [hand.landmarks_px for hand in picture.hands]
    if picture.labels.broken:
        return [], []
    if picture.labels.hands is not None:
        return [hand for hand in picture.labels.hands if hand.visible.any()], detected
    return [TrueHand(points, np.ones(21, bool)) for points in detected], picture.mirrored_px


def _scaled(after: Picture, before: Picture) -> list[Points]:
    scale = np.array(before.size_px, float) / np.array(after.size_px, float)
    return [hand.landmarks_px * scale for hand in after.hands]


PersonPoints = Float[np.ndarray, "133 2"]
People = Sequence[FoundPerson]


@dataclass(frozen=True, eq=False)
class PairedPeople:
    """Picture by picture, in one order."""

    truth: tuple[People, ...]  # People labelled in REAL
    found: tuple[People, ...]  # People labelled in FAKE, in REAL's pixels: what a pose estimator saw there
    # What the estimator saw in REAL itself; None unless every labelled picture tells
    floor: tuple[People, ...] | None


def pair_people(real: Gathered, fake: Gathered) -> PairedPeople:
    """The labelled people of all pictures that are in both sets under one name and labelled in REAL.

    A picture of FAKE without labels is one in which nobody was found, as long as others have some; one whose
    labels cannot be read is left out.

    Raises:
        NotEnoughDataError: No picture is in both sets, or one of the sets has no labelled people.
    """
    common = [
        (picture, fake.pictures[name])
        for name, picture in real.pictures.items()
        if name in fake.pictures
        and picture.labels.people is not None
        and not fake.pictures[name].labels.broken
    ]
    for called, labelled in (
        ("REAL", bool(common)),
        ("FAKE", any(b.labels.people is not None for _, b in common)),
    ):
        if not labelled:
            raise NotEnoughDataError(
                "people are compared by their labels in pictures of one name",
                f"no such picture of {called} has any",
                "put people[].wholebody [133][3] into NAME.json",
            )
    found = [_people_scaled(b.labels.people or (), np.array(a.size_px, float) / b.size_px) for a, b in common]
    floors = [a.labels.people_found for a, _ in common]
    known = tuple(floor for floor in floors if floor is not None)
    return PairedPeople(
        tuple(a.labels.people or () for a, _ in common),
        tuple(found),
        known if len(known) == len(common) else None,
    )


def person_errors(truth: Sequence[People], found: Sequence[People], part: slice = slice(None)) -> JointErrors:
    """Errors of each true person's joints, in sizes of the whole person.

    A joint that was not found is off by the person's size, and so are all joints of a person that was missed.

    Raises:
        NotEnoughDataError: There is nobody.
    """
    rows, sizes, missed, pictures = [], [], [], []
    for number, (there, detected) in enumerate(zip(truth, found, strict=True)):
        people = [one.points_px for one in there if annotated(one.points_px[part]).any()]
        people = [points for points in people if np.ptp(points[annotated(points)], axis=0).max() > 0]
        for points, match in zip(
            people, match_hands(people, [one.points_px for one in detected]), strict=True
        ):
            size = extent_px(points, annotated(points), number)
            rows.append(_person_distances(points, match, size)[part])
            sizes.append(size)
            missed.append(match is None)
            pictures.append(number)
    if not rows:
        raise NotEnoughDataError("joint errors have nothing to measure", "nobody is in the real pictures")
    return JointErrors(np.array(rows), np.array(sizes), np.array(missed), np.array(pictures))


def _person_distances(
    points: PersonPoints, match: PersonPoints | None, size: float
) -> Float[np.ndarray, "133"]:
    if match is None:
        return np.full(len(points), np.nan)
    apart = np.where(annotated(match), np.linalg.norm(match - points, axis=1), size)
    return np.where(annotated(points), apart, np.nan)


def _people_scaled(people: People, scale: Float[np.ndarray, "2"]) -> People:
    return [FoundPerson(one.points_px * scale, one.score) for one in people]
