"""Say where on our hand the detector's 21 landmarks lie.

A landmark of the rig is a point carried half and half by two bones. First the points are solved for
on *rendered* hands, whose geometry is known, against what the detector sees in them. Then, if
photographs are given, they are refined weakly on real hands (training pictures only), anchored to
the first result: refined loosely together with shape they drift and shrink the mesh. Last, hands are
drawn over the real ones and looked at again: what the detector then sees elsewhere in the median, along
each bone, is a bias and is taken out. Writes ``landmarks_m`` into src/handwright/hand/rig.npz.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image as PILImage
from PIL import ImageOps

from handwright.data.hands import render_one_hand
from handwright.drawing.painter import draw_hand
from handwright.hand import rig as rig_module
from handwright.hand.kinematics import _MIRROR, hand_landmarks_m, pose_bones
from handwright.hand.rig import Rig, axis_angle_matrix, load_rig
from handwright.perception.analysis import analyse_hand
from handwright.perception.detect.landmarker import HandLandmarker
from handwright.perception.detect.search import find_hands
from handwright.perception.fit.hand_fit import fit_hand
from handwright.refine.redetection import redetect_hand
from handwright.types import Hand, Image

RIG_FILE = Path(__file__).resolve().parents[1] / "src/handwright/hand/rig.npz"
HAND_LENGTH_M = 0.183
BEFORE = (0, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
"""The landmark that each landmark's bone comes from; knuckles hang on the wrist."""

TRAIN_SETS = (
    ("subhih_handsdataset", 8),
    ("roboflow_asl_letters_publicdomain", 9),
    ("roboflow_lebanese_univ_hand_gesture_ccby", 12),
    ("emrecandir9_gesture", 9),
)


def equations(hand: Hand, seen_px: np.ndarray, rig: Rig) -> tuple[np.ndarray, np.ndarray]:
    """Two linear equations per landmark in its rest position: A [21, 2, 3] x = b [21, 2], in hand sizes."""
    posed = pose_bones(rig, hand)
    turn = axis_angle_matrix(hand.wrist)
    if hand.side == "left":
        turn = turn @ _MIRROR
    size = np.ptp(seen_px, axis=0).max()
    a, b = np.zeros((21, 2, 3)), np.zeros((21, 2))
    for k, bones in enumerate(rig.landmark_bones):
        linear = 0.5 * sum(posed.linear[j] for j in bones)
        offset = 0.5 * sum(posed.joints_m[j] - posed.linear[j] @ posed.joints_rest_m[j] for j in bones)
        matrix, base = turn @ linear, turn @ offset + hand.translation_m
        ray = (seen_px[k] - np.array(hand.camera.center_px)) / hand.camera.focal_px
        scale = hand.camera.focal_px / base[2] / size
        for c in range(2):
            a[k, c] = scale * (matrix[c] - ray[c] * matrix[2])
            b[k, c] = -scale * (base[c] - ray[c] * base[2])
    return a, b


def solve(pairs: list[tuple[Hand, np.ndarray]], anchor: np.ndarray, stiffness: float) -> np.ndarray:
    """Rest positions [21, 3] by reweighted least squares, pulled to ``anchor``."""
    rig = load_rig()
    rows = [equations(hand, seen, rig) for hand, seen in pairs]
    a, b = np.stack([r[0] for r in rows], 1), np.stack([r[1] for r in rows], 1)
    out = anchor.copy()
    ridge = np.eye(3) * stiffness * len(pairs)
    for k in range(21):
        rows_a, rows_b = a[k].reshape(-1, 3), b[k].reshape(-1)
        for _ in range(20):
            miss = np.linalg.norm((rows_a @ out[k] - rows_b).reshape(-1, 2), axis=1)
            weight = np.repeat(0.012 / np.maximum(miss, 0.012), 2)
            normal = rows_a.T @ (rows_a * weight[:, None]) + ridge
            out[k] = np.linalg.solve(normal, rows_a.T @ (rows_b * weight) + ridge @ anchor[k])
    return out


def rendered_pairs(count: int, landmarker: HandLandmarker) -> list[tuple[Hand, np.ndarray]]:
    """Known hands and what the detector sees in their pictures."""
    pairs = []
    for seed in range(50_000, 50_000 + count):
        picture = render_one_hand(seed, 384)
        hand, truth = picture.hands[0].hand, picture.hands[0].keypoints_px
        near = [
            o
            for o in find_hands(picture.pixels, landmarker=landmarker)
            if o.side == hand.side
            and np.median(np.linalg.norm(o.landmarks_px - truth, axis=1)) < 0.09 * o.size_px
        ]
        pairs += [(hand, near[0].landmarks_px)] if near else []
    return pairs


def real_observations(photos: Path, landmarker: HandLandmarker) -> list:
    """Hands seen in training pictures, with the pictures."""
    seen = []
    for name, step in TRAIN_SETS:
        for shard in sorted((photos / name).glob("*.tar")):
            with tarfile.open(shard) as tar:
                for member in sorted(m for m in tar.getnames() if m.endswith(".jpg"))[3::step]:
                    data = tar.extractfile(member).read()
                    if hashlib.sha256(data).hexdigest()[:2] < "1a":
                        continue  # test-only
                    picture = ImageOps.exif_transpose(PILImage.open(io.BytesIO(data))).convert("RGB")
                    pixels = np.array(picture)
                    hands = find_hands(pixels, landmarker=landmarker)
                    seen += [(h, pixels) for h in hands if h.size_px > 50]
    return seen


def drawn_shift(seen: list, landmarker: HandLandmarker) -> np.ndarray:
    """How far the detector sees drawn landmarks from where they were fitted, along each bone [21], metres.

    The hand is drawn over the real one and looked at again; the median over hands is a bias, not noise.
    """
    shifts = []
    for observation, pixels in seen:
        hand = analyse_hand(Image(pixels), observation)
        x0, y0, x1, y1 = window = hand.window
        crop, fit = hand.crop, hand.fit
        trial = pixels.copy()
        trial[y0:y1, x0:x1] = draw_hand(crop, window, fit.hand, hand.landmarks_px, hand.region, seed=0).pixels
        again = redetect_hand(trial, observation, landmarker)
        if again is not None:
            bones = fit.landmarks_px - fit.landmarks_px[list(BEFORE)]
            bones[0] = fit.landmarks_px[9] - fit.landmarks_px[0]
            bones /= np.linalg.norm(bones, axis=1, keepdims=True) + 1e-9
            miss = (again.landmarks_px - fit.landmarks_px) / observation.size_px
            shifts.append((miss * bones).sum(1))
    return HAND_LENGTH_M * np.median(shifts, axis=0)


def shifted(shift_m: np.ndarray) -> np.ndarray:
    """The rig's landmarks moved along their bones."""
    points = load_rig().landmarks_m
    bones = points - points[list(BEFORE)]
    bones[0] = points[9] - points[0]
    return points + shift_m[:, None] * bones / np.linalg.norm(bones, axis=1, keepdims=True)


def write(landmarks_m: np.ndarray) -> None:
    """Put the landmarks into the rig and make this process use them."""
    with np.load(RIG_FILE) as data:
        arrays = {name: data[name] for name in data.files}
    arrays["landmarks_m"] = landmarks_m
    np.savez_compressed(RIG_FILE, **arrays)
    rig_module.load_rig.cache_clear()


def report(name: str, pairs: list[tuple[Hand, np.ndarray]]) -> None:
    """Print how far the rig's landmarks are from the seen ones."""
    errors = []
    for hand, seen in pairs:
        drawn = hand.camera.project(hand_landmarks_m(hand))
        errors.append(np.linalg.norm(drawn - seen, axis=1) / np.ptp(seen, axis=0).max())
    each = np.mean(errors, 1)
    print(
        f"{name}: N = {len(each)}, median {100 * np.median(each):.2f} %,"
        f" p95 {100 * np.percentile(each, 95):.2f} %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--rendered", type=int, default=240)
    args = parser.parse_args()
    with HandLandmarker() as landmarker:
        pairs = rendered_pairs(args.rendered, landmarker)
        report("rendered, before", pairs)
        write(solve(pairs, load_rig().landmarks_m, stiffness=0.1))
        report("rendered, after", pairs)
        if args.photos is None:
            return
        anchor = load_rig().landmarks_m.copy()
        seen = real_observations(args.photos, landmarker)
        for _ in range(3):
            fits = [(o, fit_hand(o, p.shape[1], p.shape[0])) for o, p in seen]
            report("real", [(f.hand, o.landmarks_px) for o, f in fits])
            good = sorted(fits, key=lambda pair: pair[1].residual)[: int(0.8 * len(fits))]
            write(solve([(f.hand, o.landmarks_px) for o, f in good], anchor, stiffness=6.0))
        for _ in range(4):
            write(shifted(0.6 * drawn_shift(seen, landmarker)))
            fits = [(o, fit_hand(o, p.shape[1], p.shape[0])) for o, p in seen]
            report("real", [(f.hand, o.landmarks_px) for o, f in fits])
    report("rendered, last", pairs)


if __name__ == "__main__":
    main()
