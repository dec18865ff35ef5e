"""How well hands are reconstructed, and how fast: python bench/fit.py [--n N] [--part real|rendered|speed].

real: the 200 listed hands of $HANDWRIGHT_PHOTOS: 2-D residual (mean distance of fitted to detected
landmarks, share of hand size) and IoU of the fitted silhouette with an independent mask (GrabCut, beyond
the wrist).
rendered: exact truth, through the detector. 3-D joint error: mean distance of the 16 joints in % of the
hand's size in space (longest side of its landmarks' box in its own axes), always brought to the true
scale, and: with the wrist on the wrist ("root"), with the centres together ("centre"), or also turned
("Procrustes", PA-MPJPE); silhouette IoU against the true mesh's, whole hands.
speed: milliseconds of find, fit (with outline and the old hand's region) and depth on 512² pictures of one
hand.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict

import numpy as np

from draw import nearest
from handwright.data.hands import render_one_hand
from handwright.hand.depth import depth_control, render_hand
from handwright.hand.kinematics import mesh_of
from handwright.hand.rig import axis_angle_matrix
from handwright.perception.analysis import analyse_hand, crop_window
from handwright.perception.detect.search import find_hands
from handwright.perception.fit.hand_fit import fit_hand
from handwright.perception.fit.outline import outline_overlap
from handwright.perception.segment import hand_region
from handwright.refine.pipeline import Engine, inspect_picture, open_engine
from handwright.refine.result import HandRepair
from handwright.refine.settings import RefineSettings
from handwright.types import Hand, Image
from measures import mean, median, percentile_95, row
from subjects import RENDERED_FROM, Subject, subjects

PARTS = ("real", "rendered", "speed")


def joint_errors_3d(fitted: Hand, truth: Hand) -> dict[str, float]:
    """Mean joint distance as a share of the hand's size in space, under three alignments (see above)."""
    turn = axis_angle_matrix(truth.wrist)
    mesh, true_mesh = mesh_of(fitted), mesh_of(truth)
    size = float(np.ptp(true_mesh.landmarks_cam_m @ turn, axis=0).max())
    errors: dict[str, float] = {}
    for name, reference in (("root", lambda joints: joints[0]), ("centre", lambda joints: joints.mean(0))):
        ours, theirs = (m.joints_cam_m - reference(m.joints_cam_m) for m in (mesh, true_mesh))
        ours = ours * np.sqrt((theirs**2).sum() / (ours**2).sum())
        errors[name] = float(np.linalg.norm(ours - theirs, axis=1).mean() / size)
        u, _, vt = np.linalg.svd(theirs.T @ ours)
        turned = ours @ (u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt).T
        errors["Procrustes"] = float(np.linalg.norm(turned - theirs, axis=1).mean() / size)
    return errors


def silhouette_iou(a: Hand, b: Hand, height: int, width: int) -> float:
    """Overlap of two meshes' silhouettes."""
    first, second = (render_hand(h, height, width).face >= 0 for h in (a, b))
    return float((first & second).sum() / max((first | second).sum(), 1))


def seen(subject: Subject, engine: Engine) -> HandRepair | None:
    """The fit of the hand that is meant."""
    return nearest(inspect_picture(Image(subject.pixels), RefineSettings(), engine).hands, subject)


def real(count: int | None, engine: Engine) -> None:
    values = defaultdict(list)
    for subject in subjects("real", count, None):
        hand = seen(subject, engine)
        values["found"].append(hand is not None)
        if hand is None:
            continue
        height, width = subject.pixels.shape[:2]
        window = crop_window(hand.observation, hand.fit, width, height)
        x0, y0, x1, y1 = window
        crop = np.ascontiguousarray(subject.pixels[y0:y1, x0:x1])
        region = hand_region(crop, hand.observation.landmarks_px - np.array([x0, y0]))
        silhouette = render_hand(hand.fit.hand, height, width, window=window).face >= 0
        overlap = outline_overlap(hand.observation, silhouette, region, window)
        for group in ("all", subject.group):
            values[f"residual {group}"].append(hand.fit.residual)
            values[f"overlap {group}"].append(overlap)
    print(row("real: found, %", np.array(values.pop("found"), float), mean, scale=100))
    for group in ("all", "free", "difficult"):
        residual, overlap = (np.array(values[f"{name} {group}"]) for name in ("residual", "overlap"))
        print(row(f"real, {group}: 2-D residual, median %", residual, median, scale=100))
        print(row(f"real, {group}: 2-D residual, 95th percentile %", residual, percentile_95, scale=100))
        print(row(f"real, {group}: IoU with GrabCut beyond the wrist, median", overlap, median))
        print(row(f"real, {group}: IoU with GrabCut beyond the wrist, mean", overlap, mean))


def rendered(count: int | None, engine: Engine) -> None:
    values = defaultdict(list)
    for subject in subjects("rendered", count, None):
        hand = seen(subject, engine)
        values["found"].append(hand is not None)
        if hand is None or subject.hand is None or subject.truth_px is None:
            continue
        truth = subject.hand
        values["side"].append(hand.observation.side == truth.side)
        if hand.observation.side != truth.side:
            continue
        size = np.ptp(subject.truth_px, axis=0).max()
        apart = np.linalg.norm(hand.observation.landmarks_px - subject.truth_px, axis=1).mean()
        height, width = subject.pixels.shape[:2]
        values["detected"].append(apart / size)
        for alignment, error in joint_errors_3d(hand.fit.hand, truth).items():
            values[alignment].append(error)
        values["iou"].append(silhouette_iou(hand.fit.hand, truth, height, width))
    columns = {name: np.array(v, float) for name, v in values.items()}
    print(row("rendered: found, %", columns["found"], mean, scale=100))
    print(row("rendered: side right, of those, %", columns["side"], mean, scale=100))
    print(row("rendered: detected landmarks off truth, median %", columns["detected"], median, scale=100))
    for name in ("root", "centre", "Procrustes"):
        print(row(f"rendered: 3-D joint error, {name}, median %", columns[name], median, scale=100))
        print(row(f"rendered: 3-D joint error, {name}, 95th %", columns[name], percentile_95, scale=100))
    print(row("rendered: silhouette IoU, median", columns["iou"], median))
    print(row("rendered: silhouette IoU, mean", columns["iou"], mean))


def speed(count: int | None, engine: Engine) -> None:
    pictures, seed = [], RENDERED_FROM
    while len(pictures) < (count or 30):
        pixels = render_one_hand(seed).pixels
        seed += 1
        if len(find_hands(pixels, landmarker=engine.landmarker)) == 1:
            pictures.append(Image(pixels))
    times = defaultdict(list)
    for warming in (True, False):
        for image in pictures[:3] if warming else pictures:
            marks = [time.perf_counter()]
            observation = find_hands(image.pixels, landmarker=engine.landmarker)[0]
            marks.append(time.perf_counter())
            fit_hand(observation, image.width, image.height)
            marks.append(time.perf_counter())
            fit = analyse_hand(image, observation).fit
            marks.append(time.perf_counter())
            depth_control([fit.hand], image.height, image.width)
            marks.append(time.perf_counter())
            if not warming:
                for name, ms in zip(("find", "fit", "outline", "depth"), 1000 * np.diff(marks), strict=True):
                    times[name].append(ms)
    columns = {name: np.array(v) for name, v in times.items()}
    columns["outline"] = columns["outline"] - columns["fit"]
    print(row("speed: find, ms", columns["find"], median))
    print(row("speed: fit to landmarks, ms", columns["fit"], median))
    print(row("speed: old hand's region and outline, ms", columns["outline"], median))
    print(row("speed: depth, ms", columns["depth"], median))
    print(row("speed: fit + depth, ms", columns["fit"] + columns["depth"], median))
    print(row("speed: find + fit + depth, ms", columns["find"] + columns["fit"] + columns["depth"], median))
    everything = sum(columns[name] for name in ("find", "fit", "outline", "depth"))
    print(row("speed: find + fit + region + outline + depth, ms", np.asarray(everything), median))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, help="hands per part")
    parser.add_argument("--part", choices=PARTS, action="append", help="default: all that can be had")
    options = parser.parse_args()
    possible = PARTS if "HANDWRIGHT_PHOTOS" in os.environ else PARTS[1:]
    with open_engine() as engine:
        for part in options.part or possible:
            {"real": real, "rendered": rendered, "speed": speed}[part](options.n, engine)


if __name__ == "__main__":
    main()
