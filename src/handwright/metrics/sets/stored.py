"""What was taken of pictures as JSON, so that many machines can take it and one can measure.

Numbers come back as they were, bit by bit: a float64 is written with all its digits, and holds every float32.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.metrics.average_precision import FoundPerson
from handwright.metrics.results import Skipped
from handwright.metrics.sets.gather import Gathered, Picture, PictureLabels
from handwright.metrics.sets.items import TrueHand
from handwright.types import HandObservation

_FEATURES = ("whole", "hands", "foreground")


def gathered_json(gathered: Gathered) -> dict[str, Any]:
    """What was gathered, for ``json.dumps``."""
    return {
        "pictures": {name: _picture_json(picture) for name, picture in gathered.pictures.items()},
        "features": {kind: getattr(gathered, kind).tolist() for kind in _FEATURES},
        "skipped": [[one.path.as_posix(), one.reason] for one in gathered.skipped],
    }


def joined(parts: Iterable[Mapping[str, Any]]) -> Gathered:
    """The parts of one set, each from ``gathered_json``, as if they had been gathered in one pass."""
    pictures: dict[str, Picture] = {}
    rows: dict[str, list[Float[np.ndarray, "n d"]]] = {kind: [] for kind in _FEATURES}
    skipped: list[Skipped] = []
    for part in parts:
        pictures |= {name: _picture_of(stored) for name, stored in part["pictures"].items()}
        for kind, features in part["features"].items():
            if features:
                rows[kind].append(np.array(features, np.float32))
        skipped += [Skipped(Path(path), reason) for path, reason in part["skipped"]]
    nothing = np.empty((0, 0), np.float32)
    features = {kind: np.concatenate(one) if one else nothing for kind, one in rows.items()}
    return Gathered(pictures=pictures, skipped=tuple(skipped), **features)


def _picture_json(picture: Picture) -> dict[str, Any]:
    labels = picture.labels
    return {
        "path": picture.path.as_posix(),
        "kind": picture.kind,
        "mode": picture.mode,
        "size_px": list(picture.size_px),
        "hands": [
            {
                "landmarks_px": hand.landmarks_px.tolist(),
                "depth_px": hand.depth_px.tolist(),
                "side": hand.side,
                "score": hand.score,
                "found_by": hand.found_by,
            }
            for hand in picture.hands
        ],
        "mirrored_px": [points.tolist() for points in picture.mirrored_px],
        "labels": {
            "hands": None
            if labels.hands is None
            else [[hand.points_px.tolist(), hand.visible.tolist()] for hand in labels.hands],
            "people": _people_json(labels.people),
            "people_found": _people_json(labels.people_found),
            "poses": [pose.tolist() for pose in labels.poses],
            "broken": labels.broken,
        },
        "caption": picture.caption,
    }


def _picture_of(stored: Mapping[str, Any]) -> Picture:
    labels, (width, height) = stored["labels"], stored["size_px"]
    return Picture(
        path=Path(stored["path"]),
        kind=stored["kind"],
        mode=stored["mode"],
        size_px=(width, height),
        hands=tuple(map(_observation, stored["hands"])),
        mirrored_px=tuple(np.array(points) for points in stored["mirrored_px"]),
        labels=PictureLabels(
            hands=None
            if labels["hands"] is None
            else tuple(TrueHand(np.array(points), np.array(seen)) for points, seen in labels["hands"]),
            people=_people(labels["people"]),
            people_found=_people(labels["people_found"]),
            poses=tuple(np.array(pose) for pose in labels["poses"]),
            broken=labels["broken"],
        ),
        caption=stored["caption"],
    )


def _observation(stored: Mapping[str, Any]) -> HandObservation:
    return HandObservation(
        landmarks_px=np.array(stored["landmarks_px"]),
        depth_px=np.array(stored["depth_px"]),
        side=stored["side"],
        score=stored["score"],
        found_by=stored["found_by"],
    )


def _people_json(people: Sequence[FoundPerson] | None) -> list[Any] | None:
    return None if people is None else [[one.points_px.tolist(), one.score] for one in people]


def _people(stored: Sequence[Any] | None) -> tuple[FoundPerson, ...] | None:
    return None if stored is None else tuple(FoundPerson(np.array(points), score) for points, score in stored)
