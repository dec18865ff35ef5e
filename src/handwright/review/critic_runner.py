"""The critic's network in NumPy and OpenCV: the same answers as in torch, without it.

Reads what ``training.critic_network.save_critic`` writes: config.json and model.safetensors, and beside them
limits.json, the probabilities from which on a defect is called one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import MissingModelError
from handwright.review._layers import (
    Weights,
    conv,
    doubled,
    head,
    linear,
    norm,
    pooled,
    residual,
    sigmoid,
    silu,
    softmax,
)
from handwright.review.critic import CriticSays
from handwright.types import HandObservation

CONTEXT = 1.9
"""Side of a crop in sizes of its hand, as the critic was trained."""

_NEAR = 2


@dataclass(frozen=True, eq=False)
class CriticRunner:
    """A critic that is ready to judge; satisfies ``review.critic.Critic``.

    Attributes:
        weights: float32 arrays by torch's names.
        defects: Names of the defects, in the order of the network's outputs.
        poses: Names of the groups of poses.
        size_px: Side of the crops that it sees.
        limits: Probability by defect from which on it is called one.
    """

    weights: Weights
    defects: tuple[str, ...]
    poses: tuple[str, ...]
    size_px: int
    limits: Mapping[str, float]

    @classmethod
    def load(cls, folder: Path) -> CriticRunner:
        """A critic from its folder.

        Raises:
            MissingModelError: A file is missing or damaged.
        """
        try:
            config = json.loads((folder / "config.json").read_text("utf-8"))
            limits = json.loads((folder / "limits.json").read_text("utf-8"))
            weights = read_safetensors((folder / "model.safetensors").read_bytes())
            return cls(
                weights, tuple(config["defects"]), tuple(config["poses"]), int(config["size_px"]), limits
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MissingModelError(
                f"the critic in {folder} does not load", str(error), "install handwright again"
            ) from error

    def judge(self, pixels: UInt8[np.ndarray, "h w 3"], hand: HandObservation) -> CriticSays:
        """What the critic says of a hand in a picture."""
        crop, to_picture = crop_around(pixels, hand, self.size_px)
        told = forward(self.weights, crop.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1.0)
        defects = sigmoid(told["defects"])
        side = told["where"].shape[-1]
        rows, columns = np.divmod(told["where"].reshape(len(self.defects), -1).argmax(1), side)
        spots = to_picture(np.column_stack([columns + 0.5, rows + 0.5]) * (self.size_px / side))
        return CriticSays(
            malformed=float(sigmoid(told["malformed"])),
            defects=dict(zip(self.defects, defects.tolist(), strict=True)),
            where_px={n: (float(x), float(y)) for n, (x, y) in zip(self.defects, spots, strict=True)},
            limits=self.limits,
            landmarks_px=to_picture(peaks(told["heatmaps"], self.size_px)),
            visible=sigmoid(told["visible"]).astype(np.float64),
            right=float(sigmoid(told["right"])),
            poses=dict(zip(self.poses, softmax(told["poses"]).tolist(), strict=True)),
            gloved=float(sigmoid(told["gloved"])),
            assessable=float(sigmoid(told["assessable"])),
        )


def crop_around(
    pixels: UInt8[np.ndarray, "h w 3"], hand: HandObservation, size_px: int
) -> tuple[UInt8[np.ndarray, "s s 3"], Any]:
    """The square around a hand that lies within the picture, and the way from its pixels to the picture's."""
    height, width = pixels.shape[:2]
    low, high = hand.landmarks_px.min(0), hand.landmarks_px.max(0)
    side = max(1, min(round(CONTEXT * hand.size_px), height, width))
    corner = np.clip(np.round((low + high) / 2 - side / 2), 0, [width - side, height - side]).astype(int)
    x, y = corner
    how = cv2.INTER_AREA if side > size_px else cv2.INTER_CUBIC
    crop = cv2.resize(pixels[y : y + side, x : x + side], (size_px, size_px), interpolation=how)
    return crop, lambda points: points * (side / size_px) + corner


def forward(weights: Weights, crop: Float[np.ndarray, "3 s s"]) -> dict[str, np.ndarray]:
    """The network's logits for one crop in [-1, 1], by the names of ``training.critic_network.Judged``."""
    maps, levels = crop, list[np.ndarray]()
    for stage in range(4):
        maps = conv(weights, f"stages.{stage}.0", maps, stride=2)
        for block in range(1, _count(weights, f"stages.{stage}.")):
            maps = residual(weights, f"stages.{stage}.{block}", maps)
        levels.append(maps)
    deep = silu(norm(weights, "norm", maps))
    above, joined = None, list[np.ndarray]()
    for level in (2, 1, 0):
        lateral = conv(weights, f"laterals.{level}", levels[level + 1])
        summed = lateral if above is None else lateral + doubled(above)
        above = residual(weights, f"smooth.{level}", summed)
        joined.append(above)
    coarse, middle, fine = joined
    seen = np.concatenate([*pooled(deep), *pooled(silu(fine))])
    told = linear(weights, "told", silu(linear(weights, "whole.0", seen)))
    where = head(weights, "where", middle + doubled(coarse))
    widths = (21, 1, len(where), 1, len(told) - 25 - len(where), 1, 1)
    visible, malformed, defects, right, poses, gloved, assessable = np.split(told, np.cumsum(widths)[:-1])
    flat = where.reshape(len(where), -1)
    peak = flat.max(1)
    spoken = peak + np.log(np.exp(flat - peak[:, None]).mean(1))
    return {
        "heatmaps": head(weights, "heatmaps", fine),
        "visible": visible,
        "malformed": malformed[0],
        "defects": defects + spoken,
        "where": where,
        "right": right[0],
        "poses": poses,
        "gloved": gloved[0],
        "assessable": assessable[0],
    }


def peaks(heatmaps: Float[np.ndarray, "21 h h"], size_px: int) -> Float[np.ndarray, "21 2"]:
    """Landmarks in pixels of the crop: the mean place of the 5 × 5 cells around the likeliest one."""
    side = heatmaps.shape[-1]
    shares = np.exp(heatmaps - heatmaps.max((1, 2), keepdims=True)).astype(np.float64)
    rows, columns = np.divmod(shares.reshape(len(shares), -1).argmax(1), side)
    y, x = np.mgrid[:side, :side]
    near = np.abs(y - rows[:, None, None]) <= _NEAR
    shares *= near & (np.abs(x - columns[:, None, None]) <= _NEAR)
    mass = shares.sum((1, 2))
    points = np.column_stack([(shares * x).sum((1, 2)) / mass, (shares * y).sum((1, 2)) / mass])
    return (points + 0.5) * (size_px / side)


def read_safetensors(data: bytes) -> dict[str, np.ndarray]:
    """Float tensors of a safetensors file's bytes, as float32.

    Raises:
        ValueError: It is none, or holds other types.
    """
    length = int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    kinds = {"F32": np.float32, "F16": np.float16}
    tensors: dict[str, np.ndarray] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        if entry["dtype"] not in kinds:
            raise ValueError(f"{name} is {entry['dtype']}")
        start, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + start : 8 + length + end], kinds[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"]).astype(np.float32)
    return tensors


def _count(weights: Weights, prefix: str) -> int:
    """Number of numbered parts below a name."""
    return 1 + max(int(name[len(prefix) :].split(".")[0]) for name in weights if name.startswith(prefix))
