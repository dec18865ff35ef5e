"""Whether a thing in or beside a hand is held as no hand holds it: cut by fingers, floating, or grown in.

A network sees a crop around the hand and, as a fourth channel, the silhouette of the hand that was fitted to
it: where fingers should be in front of a thing, and where a thing should touch them. What it learnt from, and
how much it finds, is in ``weights/grasp/README.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from handwright.errors import MissingModelError
from handwright.hand.defects import BROKEN_HOLDS, Hold
from handwright.perception.analysis import HandAnalysis
from handwright.perception.models.onnx_session import open_session
from handwright.review.checklist import Check, Where, decision_confidence
from handwright.review.critic.upright_crops import OrientedSquare, crop_transform, upright_crop

PACKAGED = Path(__file__).parents[2] / "weights" / "grasp"
FILE = "grasp.onnx"

_REASONS: Mapping[str, str] = {
    Hold.CUT: "the thing it holds is cut where its fingers are",
    Hold.FLOATING: "the thing beside it is held by nothing",
    Hold.GROWN: "hand and thing have grown together",
}


@dataclass(frozen=True, eq=False)
class BrokenHolds:
    """The network that tells broken holds, loaded."""

    session: Any  # Of ONNX Runtime
    classes: tuple[str, ...]  # Values of ``hand.defects.Hold`` in the order of its output
    size_px: int  # Side of its crops
    context: float  # Their side in hand sizes
    limit: float  # Probability of a broken hold from which a hand fails, in (0, 1)
    held: float  # Probability of a sound hold from which a hand holds a thing, in (0, 1)
    may_hold: float  # The same where a text asks for a thing in it

    @classmethod
    def load(cls, folder: Path = PACKAGED) -> BrokenHolds:
        """The network of a folder's ``grasp.onnx``.

        Raises:
            MissingModelError: The file is missing or damaged.
        """
        session, metadata = open_session(folder / FILE)
        try:
            classes = tuple(Hold(name) for name in json.loads(metadata["classes"]))
            sizes = int(metadata["size_px"]), float(metadata["context"])
            limits = (float(metadata[name]) for name in ("limit", "held", "may_hold"))
            return cls(session, classes, *sizes, *limits)
        except (KeyError, ValueError) as error:
            raise MissingModelError(
                f"{folder / FILE} tells no broken holds", str(error), "install handwright again"
            ) from error

    def probabilities(self, crops: UInt8[np.ndarray, "n s s 4"]) -> Float[np.ndarray, "n k"]:
        """Of each crop of :func:`hold_crop` the probability of each of ``classes``.

        The mean over the crop and its mirror image.
        """
        views = np.concatenate([crops, crops[:, :, ::-1]]).transpose(0, 3, 1, 2)
        batch = np.ascontiguousarray(views, np.float32) / np.float32(127.5) - np.float32(1)
        logits = np.asarray(self.session.run(["logits"], {"crops": batch})[0], np.float64)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        return (shares / shares.sum(1, keepdims=True)).reshape(2, len(crops), -1).mean(0)

    def judge(self, analysis: HandAnalysis) -> dict[str, float]:
        """The probability of each hold of a hand."""
        crop = hold_crop(analysis, self.size_px, self.context)
        return dict(zip(self.classes, self.probabilities(crop[None])[0].tolist(), strict=True))

    def check(self, check: Check, analysis: HandAnalysis) -> Check:
        """The grasp check of a hand, which fails where its hold is more likely broken than ``limit``.

        Where a sound hold is as likely as ``held`` the hand holds a thing, seen across it or not; where it is
        as likely as ``may_hold``, 'may_hold' is set: a text that asks for a thing takes it for held.
        """
        holds = self.judge(analysis)
        broken = sum(holds[hold] for hold in BROKEN_HOLDS)
        value = {**check.value, "broken_hold": round(broken, 3)}
        state = str(value["state"]).capitalize()
        if broken >= self.limit:
            kind = max(BROKEN_HOLDS, key=lambda hold: holds[hold])
            where = Where(region_xyxy_px=analysis.observation.bbox_xyxy_px)
            reason = f"{state}, but {_REASONS[kind]}."
            return Check(
                "fail", decision_confidence(broken, self.limit), reason, where, {**value, "hold": kind}
            )
        if holds[Hold.SOUND] >= self.may_hold:
            value |= {"may_hold": True}
        if holds[Hold.SOUND] < self.held or value.get("contact"):
            return replace(check, value=value)
        value |= {"contact": True, "hold": Hold.SOUND}
        if check.verdict != "pass":
            return replace(check, value=value)
        return replace(check, reason=f"{state}; it seems to hold a thing.", value=value)


def hold_crop(analysis: HandAnalysis, size_px: int, context: float) -> UInt8[np.ndarray, "s s 4"]:
    """The picture around a hand, turned so that its fingers point up, and the fitted hand's silhouette.

    Args:
        analysis: The hand; its crop is what is cut from, grey beyond it.
        size_px: Side of the crop.
        context: Its side in hand sizes.
    """
    return outlined_crop(
        analysis.crop, analysis.silhouette, OrientedSquare.of(analysis.landmarks_px), size_px, context
    )


def outlined_crop(
    pixels: UInt8[np.ndarray, "h w 3"],
    silhouette: Bool[np.ndarray, "h w"],
    hand: OrientedSquare,
    size_px: int,
    context: float,
) -> UInt8[np.ndarray, "s s 4"]:
    """A picture and a silhouette in it, cut out around a hand together."""
    to_crop = crop_transform(hand, size_px, context)
    outline = np.repeat(silhouette[..., None].astype(np.uint8) * np.uint8(255), 3, axis=2)
    colours, outlines = (upright_crop(part, to_crop, size_px) for part in (pixels, outline))
    return np.concatenate([colours, outlines[..., :1]], axis=2)


def open_broken_holds(folder: Path = PACKAGED) -> BrokenHolds | None:
    """The network of a folder, or None where there is none: the grasp check then fails nothing by itself.

    Raises:
        MissingModelError: The folder is there but incomplete or damaged.
    """
    return BrokenHolds.load(folder) if folder.is_dir() else None
