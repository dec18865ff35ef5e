"""The critic's network through ONNX Runtime: a folder with ``critic.onnx`` and ``calibration.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from handwright.errors import DataError, MissingModelError
from handwright.hand.anatomy import FINGERS
from handwright.perception.models.onnx_session import open_session
from handwright.review.calibration.calibration import Calibration, sigmoid
from handwright.review.critic.heatmap_peaks import heatmap_peaks
from handwright.review.critic.part_maps import PartMaps
from handwright.review.critic.prediction import SMALLEST_PX, CriticPrediction
from handwright.review.critic.test_time_views import augmented_views, mean_over_views
from handwright.review.critic.upright_crops import (
    OrientedSquare,
    crop_transform,
    invert_affine,
    transform_points,
    upright_crop,
)

_MODEL, _CALIBRATION = "critic.onnx", "calibration.json"
_HEADS, _SOFT = {"malformed", "right", "gloved", "assessable", "hand"}, {"fingers", "poses"}


@dataclass(frozen=True, eq=False)
class CriticRunner:
    """A critic that is ready to judge; satisfies ``review.critic.prediction.Critic``.

    Attributes:
        session: Of ONNX Runtime.
        calibration: How its logits are read.
        defects: Names of the defects, in the order of the network's outputs.
        poses: Names of the groups of poses.
        fingers: The counts that it tells.
        parts: Names of the parts that it tells apart.
        size_px: Side of the crops that it sees.
        context: Their side in sizes of the hand.
    """

    session: Any
    calibration: Calibration
    defects: tuple[str, ...]
    poses: tuple[str, ...]
    fingers: tuple[int, ...]
    parts: tuple[str, ...]
    size_px: int
    context: float

    @classmethod
    def load(cls, folder: Path) -> CriticRunner:
        """A critic from its folder.

        Raises:
            MissingModelError: A file is missing or damaged.
        """
        try:
            calibration = Calibration.load(folder / _CALIBRATION)
            session, told = open_session(folder / _MODEL)
            names = (tuple(json.loads(told[k])) for k in ("defects", "poses", "fingers", "parts"))
            defects, poses, fingers, parts = names
            size_px, context = int(told["size_px"]), float(told["context"])
            lacking = {*defects, *_HEADS} - calibration.heads.keys() | _SOFT - calibration.temperatures.keys()
            if lacking:
                raise ValueError(f"the calibration lacks {', '.join(sorted(lacking))}")
            return cls(session, calibration, defects, poses, fingers, parts, size_px, context)
        except (DataError, OSError, ValueError, KeyError, TypeError) as error:
            raise MissingModelError(
                f"the critic in {folder} does not load", str(error), "install handwright again"
            ) from error

    def judge(
        self, pixels: UInt8[np.ndarray, "h w 3"], regions: Sequence[OrientedSquare]
    ) -> list[CriticPrediction]:
        """What the critic says of each of these hands in a picture."""
        if not regions:
            return []
        ways = [crop_transform(region, self.size_px, self.context) for region in regions]
        crops = np.stack([upright_crop(pixels, way, self.size_px) for way in ways])
        told = critic_logits(self.session, crops)
        return [
            self._says({name: values[k] for name, values in told.items()}, way, regions[k].size_px)
            for k, way in enumerate(ways)
        ]

    def _says(
        self, told: dict[str, np.ndarray], way: Float[np.ndarray, "2 3"], size_px: float
    ) -> CriticPrediction:
        read, back = self.calibration.probability, invert_affine(way)
        where = told["where"][1:]
        side = where.shape[-1]
        rows, columns = np.divmod(where.reshape(len(where), -1).argmax(1), side)
        spots = transform_points(back, np.column_stack([columns + 0.5, rows + 0.5]) * (self.size_px / side))
        return CriticPrediction(
            malformed=read("malformed", float(told["malformed"])),
            defects={n: read(n, float(v)) for n, v in zip(self.defects, told["defects"], strict=True)},
            where_px={n: (float(x), float(y)) for n, (x, y) in zip(self.defects, spots, strict=True)},
            thresholds=self.calibration.thresholds,
            fingers=dict(zip(self.fingers, self._softmax("fingers", told["fingers"]), strict=True)),
            present=dict(zip(FINGERS, sigmoid(told["present"]).tolist(), strict=True)),
            landmarks_px=transform_points(back, heatmap_peaks(told["heatmaps"], self.size_px)[0]),
            visible=sigmoid(told["visible"]),
            right=read("right", float(told["right"])),
            poses=dict(zip(self.poses, self._softmax("poses", told["poses"]), strict=True)),
            gloved=read("gloved", float(told["gloved"])),
            assessable=read("assessable", float(told["assessable"])) if size_px >= SMALLEST_PX else 0.0,
            hand=read("hand", float(told["hand"])),
            flesh=PartMaps.of(told["parts"], self.parts, way, self.size_px),
        )

    def _softmax(self, head: str, logits: Float[np.ndarray, "k"]) -> list[float]:
        values = logits.astype(np.float64) / self.calibration.temperature(head)
        shares = np.exp(values - values.max())
        return (shares / shares.sum()).tolist()


def critic_logits(session: Any, crops: UInt8[np.ndarray, "n s s 3"]) -> dict[str, np.ndarray]:  # noqa: ANN401
    """What a critic's network says of crops, all looks at each together, by its outputs' names.

    Args:
        session: Of ONNX Runtime.
        crops: As ``upright_crop`` cuts them.
    """
    names = [output.name for output in session.get_outputs()]
    batch = augmented_views(crops).transpose(0, 3, 1, 2)
    crops_in = np.ascontiguousarray(batch, np.float32) / np.float32(127.5) - np.float32(1)
    return mean_over_views(dict(zip(names, session.run(names, {"crops": crops_in}), strict=True)))
