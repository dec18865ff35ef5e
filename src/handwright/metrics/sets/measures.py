"""Every measure of two sets of pictures by its name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np
from jaxtyping import Float

from handwright.errors import NotEnoughDataError
from handwright.metrics.average_precision import HANDS, dap
from handwright.metrics.estimate import Estimate, mean_estimate
from handwright.metrics.extractors.features import (
    FeatureExtractor,
    TextImageEncoder,
    similarities,
    text_features,
)
from handwright.metrics.frechet import frechet_distance
from handwright.metrics.joints import (
    confidence_where_found,
    detection_confidence,
    found_rate,
    miss_rate,
    mpjpe,
    pck,
)
from handwright.metrics.kernel import kernel_distance
from handwright.metrics.poses import pose_measures
from handwright.metrics.sets.gather import Gathered
from handwright.metrics.sets.paired import pair_hands, pair_people, person_errors


@dataclass(frozen=True, eq=False)
class Sets:
    """What there is to measure."""

    real: Gathered  # The reference
    fake: Gathered  # To be measured
    extractor: FeatureExtractor | None  # That gave the features; None where none are compared
    seed: int  # Of every bootstrap

    def called(self, kind: str) -> str:
        """The measure's full name: ``kid[hw-v2]``."""
        return f"{kind}[{cast('FeatureExtractor', self.extractor).name}]"


def similarity_of_captions(sets: Sets, gathered: Gathered) -> dict[str, float]:
    """100 · cosine of each picture that has a caption with it, by the picture's name."""
    encoder = cast("TextImageEncoder", sets.extractor)
    captions = {name: one.caption for name, one in gathered.pictures.items() if one.caption}
    there = np.array([name in captions for name in gathered.pictures], bool)
    if not there.any():
        return {}
    values = similarities(gathered.whole[there], text_features(list(captions.values()), encoder))
    return dict(zip(captions, values.tolist(), strict=True))


def _distance(part: str, kind: str, sets: Sets) -> list[Estimate]:
    """KID or FID of one kind of features; ``part`` names the attribute of ``Gathered``."""
    name = sets.called(kind)
    reference, measured = getattr(sets.real, part), getattr(sets.fake, part)
    if not len(reference) or not len(measured):
        raise NotEnoughDataError(f"{name} has nothing to measure", "one of the sets is empty")
    distance = kernel_distance if kind.startswith("kid") else frechet_distance
    return [distance(reference, measured, name=name, seed=sets.seed)]


def _detection(sets: Sets) -> list[Estimate]:
    estimates: list[Estimate] = []
    for label, gathered in (("real", sets.real), ("fake", sets.fake)):
        detections = [picture.hands for picture in gathered.pictures.values()]
        estimated = [found_rate(detections, seed=sets.seed), detection_confidence(detections, seed=sets.seed)]
        if any(detections):
            estimated.append(confidence_where_found(detections, seed=sets.seed))
        estimates += [replace(e, name=f"{e.name} {label}") for e in estimated]
    return estimates


def _joint_errors(sets: Sets) -> list[Estimate]:
    pairs = pair_hands(sets.real, sets.fake)
    return [
        mpjpe(pairs.errors, "% hand", seed=sets.seed),
        mpjpe(pairs.floor, "% hand", name="mpjpe-floor", seed=sets.seed),
        mpjpe(pairs.errors, "px", seed=sets.seed),
        mpjpe(pairs.floor, "px", name="mpjpe-floor", seed=sets.seed),
        miss_rate(pairs.errors, seed=sets.seed),
        miss_rate(pairs.floor, name="missed-floor", seed=sets.seed),
    ]


def _correct_keypoints(sets: Sets) -> list[Estimate]:
    return [pck(pair_hands(sets.real, sets.fake).errors, seed=sets.seed)]


def _clipsim(sets: Sets) -> list[Estimate]:
    values = list(similarity_of_captions(sets, sets.fake).values())
    name = sets.called("clipsim")
    if not values:
        raise NotEnoughDataError(
            f"{name} needs captions", "no fake picture has a NAME.txt beside it", "write them"
        )
    return [mean_estimate(name, np.array(values), seed=sets.seed)]


def _precision_of_people(sets: Sets) -> list[Estimate]:
    pairs = pair_people(sets.real, sets.fake)
    truth = [[one.points_px for one in people] for people in pairs.truth]
    return [dap(truth, pairs.found, points, seed=sets.seed) for points in (133, 42)]


def _body_errors(sets: Sets) -> list[Estimate]:
    pairs = pair_people(sets.real, sets.fake)
    estimates: list[Estimate] = []
    for suffix, part in (("", slice(None)), ("-hands", HANDS)):
        for kind, people in (("mpjpe", pairs.found), ("mpjpe-floor", pairs.floor)):
            if people is not None:
                errors = person_errors(pairs.truth, people, part)
                estimates.append(mpjpe(errors, "body", name=kind + suffix, seed=sets.seed))
    return estimates


def _poses(kind: str, sets: Sets) -> list[Estimate]:
    return pose_measures(_labelled_poses(sets.real), _labelled_poses(sets.fake), kind, sets.seed)


def _labelled_poses(gathered: Gathered) -> Float[np.ndarray, "n j 3"]:
    poses = [pose for picture in gathered.pictures.values() for pose in picture.labels.poses]
    if not poses or len({pose.shape for pose in poses}) > 1:
        why = (
            "hands are labelled with different numbers of joints" if poses else "no hand is labelled with one"
        )
        raise NotEnoughDataError(
            "poses have nothing to measure", why, "put hands[].pose [J][3] into NAME.json"
        )
    return np.stack(poses)


MEASURES: Mapping[str, Callable[[Sets], list[Estimate]]] = {
    **{
        f"{kind}{suffix}": partial(_distance, part, f"{kind}{suffix}")
        for part, suffix in (("whole", ""), ("hands", "-h"), ("foreground", "-fg"))
        for kind in ("kid", "fid")
    },
    "det": _detection, "mpjpe": _joint_errors, "pck": _correct_keypoints, "clipsim": _clipsim,
    "dap": _precision_of_people, "mpjpe-body": _body_errors,
    "pose-fid": partial(_poses, "pose-fid"), "diversity": partial(_poses, "diversity"),
}  # fmt: skip
"""Name → figures. Each raises ``NotEnoughDataError`` where there is too little to measure."""
