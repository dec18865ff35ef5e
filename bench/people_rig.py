"""The people rig and parameters, both ways: python bench/people_rig.py [--n N] [--seed S …].

Of each person of the synthetic world: how far joints, fingertips and skin of the free body lie from the rig
whose numbers it has; the other way round, the rig posed by numbers that may be anybody's (the person's own,
every joint of the body turned further by 15° about each axis, within anatomical limits) against the free body
of these numbers; and both ways in turn. Millimetres; the resting body is the person's own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from handwright.body import BodyParameters, geometry_of, load_body, within_limits
from handwright.body.skeleton import SIDES
from handwright.data.people.figure.hand_graft import TO_CAMERA, rest_vertices_m
from handwright.data.people.figure.mesh_cutting import bone, skin
from handwright.data.people.parameters import HEAD_BONES, RigPose, betas_of, parameters_of, rig_pose_of
from handwright.data.people.setup import draw_setup
from handwright.data.shapes import Points
from handwright.hand.kinematics import hand_landmarks_m
from handwright.hand.rig import axis_angle_matrix, matrix_axis_angle

TURNED_RAD = np.deg2rad(15.0)  # Standard deviation, about each axis
TIPS = [4, 8, 12, 16, 20]

Parts = dict[str, Points]


@cache
def shown() -> np.ndarray:
    """Vertices of the body's skin that are seen: its own hands are not, ours are in their place."""
    return np.unique(load_body().faces)


def parts_of_rig(rig: RigPose, vertices_m: Points) -> Parts:
    """Joints, fingertips and skin of a posed rig, camera space."""
    heads = rig.bones.heads_m
    hips = (heads[bone("upperleg01.L")] + heads[bone("upperleg01.R")]) / 2
    joints = np.array([hips if name is None else heads[bone(name)] for name in HEAD_BONES])
    skin_m = skin(vertices_m, rig.bones)[shown()]
    hands = {hand.side: hand_landmarks_m(hand)[TIPS] for hand in rig.hands}
    return {
        "joints": joints @ TO_CAMERA + rig.place_m,
        "fingertips": np.concatenate([hands[side] for side in SIDES]),
        "skin": skin_m @ TO_CAMERA + rig.place_m,
    }


def parts_of_free_body(parameters: BodyParameters) -> Parts:
    """The same of the free body."""
    body = geometry_of(parameters)
    tips = [91 + 21 * k + tip for k in range(2) for tip in TIPS]
    return {
        "joints": body.joints_cam_m[: len(HEAD_BONES)],
        "fingertips": body.points_cam_m[tips],
        "skin": body.vertices_cam_m[shown()],
    }


def turned(parameters: BodyParameters, rng: np.random.Generator) -> BodyParameters:
    """The same person in a pose that the world does not draw."""
    further = axis_angle_matrix(rng.normal(0, TURNED_RAD, (21, 3)))
    pose = matrix_axis_angle(axis_angle_matrix(parameters.body_pose) @ further)
    return within_limits(replace(parameters, body_pose=pose))


def people(seed: int, count: int) -> Iterator[tuple[RigPose, Points, BodyParameters]]:
    """People of the synthetic world on their rig, their resting bodies, and their numbers."""
    for index in range(count):
        setup = draw_setup(np.random.default_rng([seed, index, 44]), 64)
        someone, vertices = setup.someone, rest_vertices_m(setup.build)
        rig = RigPose(someone.stance.bones, someone.hands, someone.place_m)
        yield rig, vertices, parameters_of(rig.bones, rig.hands, rig.place_m, betas_of(vertices), 64)


def apart_mm(one: Parts, other: Parts) -> dict[str, np.ndarray]:
    """Distances of each part."""
    return {name: 1000 * np.linalg.norm(one[name] - other[name], axis=1) for name in one}


def measured(seeds: list[int], count: int) -> dict[str, list[dict[str, np.ndarray]]]:
    """All rows; one entry a person."""
    rows: dict[str, list[dict[str, np.ndarray]]] = {}
    for seed in seeds:
        rng = np.random.default_rng([seed, 46])
        for rig, vertices, numbers in people(seed, count):
            start, other = parts_of_rig(rig, vertices), turned(numbers, rng)
            anybody = rig_pose_of(other, vertices)
            again = parameters_of(anybody.bones, anybody.hands, anybody.place_m, other.betas, 64)
            free, returned = parts_of_free_body(other), rig_pose_of(numbers, vertices)
            found = {
                "rig → parameters": apart_mm(start, parts_of_free_body(numbers)),
                "parameters → rig": apart_mm(parts_of_rig(anybody, vertices), free),
                "rig → parameters → rig": apart_mm(start, parts_of_rig(returned, vertices)),
                "parameters → rig → parameters": apart_mm(free, parts_of_free_body(again)),
            }
            for name, row in found.items():
                rows.setdefault(name, []).append(row)
    return rows


def main() -> None:
    """Print the table: mean over people, and the worst joint or fingertip of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20, help="people a seed")
    parser.add_argument("--seed", type=int, nargs="+", default=[3, 4, 5])
    options = parser.parse_args()
    print(f"{options.n} people of each of the seeds {options.seed}: mean over people (worst of all), mm\n")
    print("| | joints | fingertips | skin |\n|---|---|---|---|")
    for name, row in measured(options.seed, options.n).items():
        parts = [[each[part] for each in row] for part in ("joints", "fingertips", "skin")]
        cells = [f"{np.mean([a.mean() for a in away]):.1f} ({np.max(away):.1f})" for away in parts]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
