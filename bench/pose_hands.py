"""The hands that stage I makes of a pose's points: python bench/pose_hands.py [--n N] [--seed SEED].

Rendered people (by default the test-only ones of `handwright reproduce two-stage`), 384², their exact points,
with noise on request. By row: the points as if the hand were flat, the points alone (as they are
fitted for `generate`, but all points weigh alike), the person's own hands, and (--render) `--engine render`'s
picture of the points. IoU of stage I's mask with the hands that are seen, mean angle between finger joints
and the person's, depth of landmarks at the true size, residual of the points. Paired differences are those to
the points alone. Bootstrap 95 %, pictures as units.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from handwright.hand.kinematics import hand_landmarks_m, hand_landmarks_px
from handwright.metrics.estimate import mean_estimate
from handwright.perception.body.body_pose import HANDS
from handwright.perception.body.pose_hands import observed_hand
from handwright.perception.fit.hand_fit import fit_hand
from handwright.reproduce.people_cases import Case, first_of, rendered_people
from handwright.reproduce.two_stage.study import POSES_FROM
from handwright.two_stage.canvas import HALF, compose
from handwright.two_stage.engine import PoseRequest, StageOneHand, TwoStageSettings, fit_hands
from handwright.two_stage.hand_crops import hand_crops
from handwright.two_stage.pose_completion import CompletedPose
from handwright.two_stage.render_engine import RenderEngine
from handwright.types import Hand, HandFit, Side

SIZE_PX, CROP_PX = 384, 256
FLAT, ALONE, OWN, RENDER = "as if flat", "points alone", "the person's own", "render"


def with_noise(completed: CompletedPose, share: float, rng: np.random.Generator) -> CompletedPose:
    """The pose with normal noise on its hands' points, a share of the hand's size."""
    points = completed.pose.points_px.copy()
    for side in completed.hands:
        hand = points[HANDS[side]]
        points[HANDS[side]] = hand + rng.normal(0, share * np.ptp(hand, axis=0).max(), hand.shape)
    return replace(completed, pose=replace(completed.pose, points_px=points))


def mask_of(hands: Mapping[Side, Hand], case: Case, completed: CompletedPose) -> Bool[np.ndarray, "h w"]:
    """Stage I's mask of these hands, whatever is painted in it."""
    fits = fit_hands(completed, SIZE_PX, SIZE_PX)
    chosen: dict[Side, HandFit] = {
        side: replace(fits[side], hand=hands[side]) for side in fits if side in hands
    }
    crops = hand_crops(chosen, CROP_PX)
    blank = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
    painted = [StageOneHand(crop.sides, crop.window, blank) for crop in crops]
    return compose(painted, [crop.cover for crop in crops], *case.size)[1] > HALF


def figures(case: Case, hands: Mapping[Side, Hand], completed: CompletedPose) -> dict[str, float]:
    """Everything but the mask, means over the hands that are seen."""
    found = defaultdict[str, list[float]](list)
    for side, hand in hands.items():
        if side not in case.parameters:
            continue
        true, points = case.parameters[side], case.completed.pose.points_px[HANDS[side]]
        ours, theirs = (hand_landmarks_m(one) for one in (hand, true))
        ours, theirs = ours - ours.mean(0), theirs - theirs.mean(0)
        depth = (ours * np.sqrt((theirs**2).sum() / (ours**2).sum()) - theirs)[:, 2]
        away = np.linalg.norm(hand_landmarks_px(hand) - points, axis=1).mean()
        found["angle, degrees"].append(float(np.rad2deg(np.abs(hand.pose - true.pose).mean())))
        found["depth, mm"].append(1000 * float(np.sqrt((depth**2).mean())))
        found["residual, % of the hand"].append(100 * float(away / np.ptp(points, axis=0).max()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def rows_of(case: Case, completed: CompletedPose, render: bool) -> dict[str, dict[str, float]]:
    """Figures by row."""
    hands: dict[str, dict[Side, Hand]] = {FLAT: {}, ALONE: {}}
    for side in completed.hands:
        seen = observed_hand(completed.pose, side)
        for name, fitted in hands.items():
            fit = fit_hand(seen, SIZE_PX, SIZE_PX, landmark_weights=np.ones(21), has_depth=name == FLAT)
            fitted[side] = fit.hand
    hands[OWN] = dict(case.parameters)
    masks = {name: mask_of(own, case, completed) for name, own in hands.items() if own}
    if render:
        request = PoseRequest(completed, *case.size, TwoStageSettings(prompt=case.caption), 0)
        masks[RENDER] = RenderEngine().make(request).mask
    rows = {name: figures(case, hands[name], completed) if name in hands else {} for name in masks}
    assert case.hands is not None
    for name, mask in masks.items():
        rows[name]["mask IoU"] = float((mask & case.hands).sum() / (mask | case.hands).sum())
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=POSES_FROM)
    parser.add_argument("--noise", type=float, default=0.0, help="deviation, a share of the hand's size")
    parser.add_argument("--render", action="store_true")
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    found: list[dict[str, dict[str, float]]] = []
    for case in first_of(rendered_people(given.seed, given.n, SIZE_PX), given.n, "choose another seed"):
        if case.hands is not None and case.hands.any() and case.parameters:
            found.append(rows_of(case, with_noise(case.completed, given.noise, rng), given.render))
    print(f"seed {given.seed}, noise {given.noise:g}, N {len(found)}")
    for name in found[0]:
        for measure in found[0][name]:
            values = np.array([(rows[name][measure], rows[ALONE][measure]) for rows in found if name in rows])
            less = mean_estimate(f"{name} less {ALONE}", values[:, 0] - values[:, 1])
            print(mean_estimate(f"{name}: {measure}", values[:, 0]), "" if name == ALONE else f"   {less}")


if __name__ == "__main__":
    main()
