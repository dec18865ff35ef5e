"""The body that is made around hands alone: python bench/hands_alone.py [--n N] [--seed S].

Rendered people (their setups alone, nothing is rendered), 512², with the exact points and depth of those
hands that are whole in the picture; or with ``--photographs DIR`` every ``--every``-th photograph in which
one person with both shoulders and a hand is found, whose estimated points count as the truth. Distances of
shoulders and elbows from the truth in shoulder widths, the width of the shoulders over the true one, and how
far apart the middles of the shoulders are that follow from either hand. Means, bootstrap 95 %, the largest.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from handwright.data.people.figure.hand_graft import TO_CAMERA
from handwright.data.people.figure.mesh_cutting import bone
from handwright.data.people.setup import draw_setup
from handwright.data.photographs import decode_photo, list_photos, read_photo
from handwright.errors import InvalidValueError
from handwright.hand.kinematics import hand_landmarks_m
from handwright.metrics.estimate import mean_estimate
from handwright.perception.body.body_pose import ELBOWS, HANDS, SHOULDERS, BodyPose
from handwright.perception.body.estimate import BodyEstimator
from handwright.perception.body.person_of_hands import person_of_hands
from handwright.types import Side

SIDE_PX = 512
BONES = {"upperarm01": SHOULDERS, "lowerarm01": ELBOWS}
Case = tuple[BodyPose, tuple[int, int], float]  # Points that are known, size of the picture, shoulder width


def rendered(count: int, seed: int) -> Iterator[Case]:
    """People of the synthetic world."""
    for index in range(count):
        someone = draw_setup(np.random.default_rng([seed, index, 44]), SIDE_PX).someone
        points, depth, camera = np.zeros((133, 2)), np.zeros(133), someone.hands[0].camera
        heads = someone.stance.bones.heads_m @ TO_CAMERA + someone.place_m
        for name, places in BONES.items():
            for tag, place in zip("LR", places.values(), strict=True):
                points[place] = camera.project(heads[bone(f"{name}.{tag}")][None])[0]
        for hand in someone.hands:
            at = hand_landmarks_m(hand)
            seen = camera.project(at)
            if ((seen >= 0) & (seen < SIDE_PX)).all():
                points[HANDS[hand.side]] = seen
                depth[HANDS[hand.side]] = (at[:, 2] - at[:, 2].mean()) * camera.focal_px / at[0, 2]
        left, right = (heads[bone(f"upperarm01.{tag}")] for tag in "LR")
        wide = camera.focal_px * float(np.linalg.norm(left - right)) / float((left + right)[2] / 2)
        yield BodyPose(points, np.ones(133), depth), (SIDE_PX, SIDE_PX), wide


def photographed(folder: Path, every: int) -> Iterator[Case]:
    """One person a photograph, as the estimator of 133 points finds them."""
    with BodyEstimator() as estimate:
        for path in list_photos(folder)[::every]:
            pixels = decode_photo(read_photo(path), path.name)
            people = estimate(pixels)
            if len(people) != 1 or people[0].pose.visibility[list(SHOULDERS.values())].min() < 0.5:
                continue
            pose = people[0].pose
            wide = float(np.linalg.norm(pose.points_px[5] - pose.points_px[6]))
            yield pose, (pixels.shape[1], pixels.shape[0]), wide


def hands_alone(pose: BodyPose, *sides: Side) -> BodyPose:
    """The pose without all but the points of these hands."""
    points = np.zeros((133, 2))
    for side in sides:
        points[HANDS[side]] = pose.points_px[HANDS[side]]
    return BodyPose(points, pose.visibility, pose.depth_px)


def measure(case: Case) -> dict[str, float]:
    """The figures of one person; none where there is no hand."""
    pose, size, wide = case
    sides: list[Side] = [side for side in HANDS if pose.has_hand(side)]
    if not sides:
        return {}
    made: dict[str, float] = {}
    if len(sides) == 2:
        each = [person_of_hands(hands_alone(pose, side), *size)[[5, 6]].mean(0) for side in sides]
        made["bodies apart"] = float(np.linalg.norm(each[0] - each[1])) / wide
    try:
        body = person_of_hands(hands_alone(pose, *sides), *size)
    except InvalidValueError:
        return {**made, "refused": 1.0}
    away = np.linalg.norm(body - pose.points_px[:17], axis=1) / wide
    shoulders = list(SHOULDERS.values())
    return {
        **made,
        "refused": 0.0,
        "shoulders": float(away[shoulders].mean()),
        "elbows": float(away[[ELBOWS[side] for side in sides]].mean()),
        "width": float(np.linalg.norm(body[5] - body[6])) / wide,
    }


def main() -> None:
    """Print a row a figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=60)
    parser.add_argument("--seed", type=int, default=904)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    cases = (
        rendered(options.n, options.seed)
        if options.photographs is None
        else photographed(options.photographs, options.every)
    )
    found = defaultdict[str, list[float]](list)
    for case in cases:
        for name, value in measure(case).items():
            found[name].append(value)
    for name, values in found.items():
        one = mean_estimate(name, np.array(values))
        print(
            f"{name:14} N {len(values):3}  {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]  {max(values):.2f}"
        )


if __name__ == "__main__":
    main()
