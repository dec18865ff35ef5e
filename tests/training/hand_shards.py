"""A shard of rendered hands for tests: noise, with the parameters of two hands, as ``synth`` writes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from handwright.body import parameters_of_json, pose_body
from handwright.data.shards import Entry, write_shard
from handwright.hand.kinematics import hand_landmarks_m
from handwright.types import Hand, Side
from tests.handiffuser.poses import records

SIDE = 96


def hands_of_person(index: int) -> dict[Side, Hand]:
    """Both hands of somebody of the synthetic world, in a picture of ``SIDE`` pixels."""
    return dict(pose_body(parameters_of_json(records()[index]["body"]).resized(SIDE, SIDE)).hands)


def hand_record(hand: Hand, **changes: Any) -> dict[str, Any]:
    """As ``handwright.data.hands.record`` has it, as far as training reads it; numbers not rounded."""
    return {
        "side": hand.side, "keypoints_px": hand.camera.project(hand_landmarks_m(hand)).tolist(),
        "pose": hand.pose.tolist(), "palm_arch": hand.palm_arch.tolist(), "wrist": hand.wrist.tolist(),
        "translation_m": hand.translation_m.tolist(), "shape": hand.shape.tolist(),
        "camera": {"focal_px": hand.camera.focal_px, "center_px": list(hand.camera.center_px)},
        "defects": [], **changes,
    }  # fmt: skip


def entry(index: int, hands: list[dict[str, Any]]) -> Entry:
    """A picture of noise."""
    noise = np.random.default_rng(index).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    record = {
        "kind": "hands", "seed": 1, "index": index, "domain": "3D rendered image", "hands": hands,
        "caption": f"the left hand of a woman and the right hand of a man, {index}",
    }  # fmt: skip
    return Entry(f"{index:08d}", {"image": noise}, record)


def hand_shard(folder: Path, entries: int = 3) -> Path:
    """Pictures to learn from, and three to be left out: a malformed hand, two left ones, no parameters."""
    made = [entry(k, [hand_record(hand) for hand in hands_of_person(k).values()]) for k in range(entries)]
    left = hands_of_person(0)["left"]
    made.append(entry(entries, [hand_record(left, defects=[{"name": "fused"}])]))
    made.append(entry(entries + 1, [hand_record(left), hand_record(replace(left))]))
    pointed = {k: v for k, v in hand_record(left).items() if k != "translation_m"}
    made.append(entry(entries + 2, [pointed]))
    folder.mkdir(parents=True, exist_ok=True)
    write_shard(folder / "hands-00000000.tar", made)
    return folder
