"""The critic's network through ONNX Runtime: a folder with ``critic.onnx`` and ``calibration.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import DataError, MissingModelError
from handwright.hand.anatomy import FINGERS
from handwright.perception.models.onnx_session import open_session
from handwright.review.calibration.calibration import Calibration, sigmoid
from handwright.review.critic.output_maps import PartMaps, heatmap_peaks
from handwright.review.critic.prediction import SMALLEST_PX, CriticPrediction
from handwright.review.critic.upright_crops import (
    Affine,
    OrientedSquare,
    crop_transform,
    invert_affine,
    transform_points,
    upright_crop,
)

PACKAGED = Path(__file__).parents[2] / "weights" / "critic"

VIEWS = 4
"""Test-time views of a crop: as it is, mirrored, nearer, nearer and mirrored. On the development set the area
under the curve is .911 instead of .904 with one view (weights/critic/README.md)."""

NEARER = 1.14
"""Enlargement of the nearer views; within what training draws at random. Chosen by eye."""

_MODEL, _CALIBRATION = "critic.onnx", "calibration.json"
_BINARY_HEADS, _SOFTMAX_HEADS = {"malformed", "right", "gloved", "assessable", "hand"}, {"fingers", "poses"}
_SIDE_HEAD = "right"
_FIRST_VIEW_ONLY = ("heatmaps", "parts", "where", "visible")


@dataclass(frozen=True, eq=False, kw_only=True)
class OnnxCritic:
    """A critic with its network loaded; satisfies ``review.critic.prediction.Critic``."""

    session: Any  # Of ONNX Runtime
    calibration: Calibration  # From its logits to probabilities
    defects: tuple[str, ...]  # Names of the defects, in the order of the network's outputs
    poses: tuple[str, ...]  # Names of the groups of poses
    fingers: tuple[int, ...]  # The finger counts that it distinguishes
    parts: tuple[str, ...]  # Names of the parts that it segments
    size_px: int  # Side of its crops
    context: float  # Their side in hand sizes

    @classmethod
    def load(cls, folder: Path) -> OnnxCritic:
        """A critic from its folder.

        Raises:
            MissingModelError: A file is missing or damaged.
        """
        try:
            calibration = Calibration.load(folder / _CALIBRATION)
            session, metadata = open_session(folder / _MODEL)
            defects = tuple(json.loads(metadata["defects"]))
            lacking = {*defects, *_BINARY_HEADS} - calibration.heads.keys()
            lacking |= _SOFTMAX_HEADS - calibration.temperatures.keys()
            if lacking:
                raise ValueError(f"the calibration lacks {', '.join(sorted(lacking))}")
            return cls(
                session=session,
                calibration=calibration,
                defects=defects,
                poses=tuple(json.loads(metadata["poses"])),
                fingers=tuple(json.loads(metadata["fingers"])),
                parts=tuple(json.loads(metadata["parts"])),
                size_px=int(metadata["size_px"]),
                context=float(metadata["context"]),
            )
        except (DataError, OSError, ValueError, KeyError, TypeError) as error:
            raise MissingModelError(
                f"the critic in {folder} does not load", str(error), "install handwright again"
            ) from error

    def judge(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare]
    ) -> list[CriticPrediction]:
        """One prediction for each of these hands of a picture."""
        if not regions:
            return []
        transforms = [crop_transform(region, self.size_px, self.context) for region in regions]
        crops = np.stack([upright_crop(pixels, to_crop, self.size_px) for to_crop in transforms])
        logits = critic_logits(self.session, crops)
        return [
            self._prediction(
                {name: values[k] for name, values in logits.items()}, to_crop, regions[k].size_px
            )
            for k, to_crop in enumerate(transforms)
        ]

    def _prediction(self, logits: dict[str, np.ndarray], to_crop: Affine, size_px: float) -> CriticPrediction:
        probability, to_picture = self.calibration.probability, invert_affine(to_crop)
        where = logits["where"][1:]
        side = where.shape[-1]
        rows, columns = np.divmod(where.reshape(len(where), -1).argmax(1), side)
        cells = np.column_stack([columns + 0.5, rows + 0.5])
        spots = transform_points(to_picture, cells * (self.size_px / side))
        assessable = probability("assessable", float(logits["assessable"]))
        defects = zip(self.defects, logits["defects"], strict=True)
        return CriticPrediction(
            malformed=probability("malformed", float(logits["malformed"])),
            defects={name: probability(name, float(value)) for name, value in defects},
            where_px={n: (float(x), float(y)) for n, (x, y) in zip(self.defects, spots, strict=True)},
            thresholds=self.calibration.thresholds,
            fingers=dict(zip(self.fingers, self._softmax("fingers", logits["fingers"]), strict=True)),
            present=dict(zip(FINGERS, sigmoid(logits["present"]).tolist(), strict=True)),
            landmarks_px=transform_points(to_picture, heatmap_peaks(logits["heatmaps"], self.size_px)[0]),
            visible=sigmoid(logits["visible"]),
            right=probability("right", float(logits["right"])),
            poses=dict(zip(self.poses, self._softmax("poses", logits["poses"]), strict=True)),
            gloved=probability("gloved", float(logits["gloved"])),
            assessable=assessable if size_px >= SMALLEST_PX else 0.0,
            hand=probability("hand", float(logits["hand"])),
            part_maps=PartMaps.of(logits["parts"], self.parts, to_crop, self.size_px),
        )

    def _softmax(self, head: str, logits: Float[np.ndarray, "k"]) -> list[float]:
        values = logits.astype(np.float64) / self.calibration.temperature(head)
        shares = np.exp(values - values.max())
        return (shares / shares.sum()).tolist()


def open_critic(folder: Path = PACKAGED) -> OnnxCritic | None:
    """The critic of a folder, or None where there is no such folder; the checks by geometry then stand alone.

    Args:
        folder: With critic.onnx and calibration.json.

    Raises:
        MissingModelError: The folder is there but incomplete or damaged.
    """
    if not folder.is_dir():
        return None
    return OnnxCritic.load(folder)


def critic_logits(session: Any, crops: UInt8[np.ndarray, "n s s 3"]) -> dict[str, np.ndarray]:  # noqa: ANN401
    """Logits of crops by the names of the network's outputs, averaged over the test-time views of each.

    Args:
        session: Of ONNX Runtime.
        crops: As ``upright_crop`` cuts them.
    """
    names = [output.name for output in session.get_outputs()]
    batch = augmented_views(crops).transpose(0, 3, 1, 2)
    crops_in = np.ascontiguousarray(batch, np.float32) / np.float32(127.5) - np.float32(1)
    return mean_over_views(dict(zip(names, session.run(names, {"crops": crops_in}), strict=True)))


def augmented_views(crops: UInt8[np.ndarray, "n s s 3"]) -> UInt8[np.ndarray, "m s s 3"]:
    """All test-time views of each crop, one crop's after another's: [N · ``VIEWS``, S, S, 3]."""
    near = np.stack([_enlarged(crop) for crop in crops])
    every = np.stack([crops, crops[:, :, ::-1], near, near[:, :, ::-1]], 1)
    return np.ascontiguousarray(every.reshape(-1, *crops.shape[1:]))


def mean_over_views(logits: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The mean of the logits of a crop's views, mirrored sides turned back; maps of the first view alone.

    Args:
        logits: By output, [N · ``VIEWS``, …] of the crops of :func:`augmented_views`.

    Returns:
        By output, [N, …].
    """
    merged: dict[str, np.ndarray] = {}
    for name, values in logits.items():
        views = values.reshape(-1, VIEWS, *values.shape[1:])
        if name in _FIRST_VIEW_ONLY:
            merged[name] = views[:, 0]
        elif name == _SIDE_HEAD:
            merged[name] = (views * np.array([1.0, -1.0, 1.0, -1.0])).mean(1)
        else:
            merged[name] = views.mean(1)
    return merged


def _enlarged(crop: UInt8[np.ndarray, "s s 3"]) -> UInt8[np.ndarray, "s s 3"]:
    side = crop.shape[0]
    edge = round(side * (1 - 1 / NEARER) / 2)
    inner = crop[edge : side - edge, edge : side - edge]
    return cv2.resize(inner, (side, side), interpolation=cv2.INTER_LINEAR)
