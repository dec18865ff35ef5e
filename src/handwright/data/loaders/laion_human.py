"""LAION-Human (Ju et al. 2023, with HumanSD): captioned people with 17 body points.

    ROOT/mapping_file_training.json     name → img_path, pose_path, prompt; paths are relative to ROOT
    ROOT/…/NAME.npz                     ``keypoints`` float [people, 17, 3]: x, y, score in [0, 1]

The published pose files hold pickled objects, which run whatever code they hold when they are read; so they
are never read here. Whoever trusts them converts each once (:data:`CONVERT`). Pixel 0 is centred at 0.
"""

import zipfile
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from handwright.data.loaders.records import (
    Record,
    Unusable,
    from_pixel_index,
    picture_at,
    read_json,
    reader,
    record_of,
)
from handwright.data.sample import PersonLabel, Sample, Source, box_around
from handwright.errors import DataError

CONVERT = (
    "import sys, numpy as np; [np.savez(f, keypoints=np.array([p['keypoints'] for p in "
    "np.load(f, allow_pickle=True)['arr_0']]).reshape(-1, 17, 3)) for f in sys.argv[1:]]"
)
"""Python that rewrites pose files (its arguments) without pickles; run it only on files that you trust."""

_NAME = "LAION-Human"
_LEAST_SCORE = 0.05


def read_laion_human(root: Path, mapping: str = "mapping_file_training.json") -> Generator[Record]:
    """Every picture of a mapping file, whose paths start from ``root``.

    Raises:
        DataError: The mapping is missing or no JSON object.
    """
    labels = read_json(root / mapping, _NAME)
    if not isinstance(labels, dict):
        raise DataError(f"{_NAME}: {root / mapping} is malformed", "it is no object", "fetch it again")
    for name, entry in labels.items():
        source = Source(_NAME, str(name))
        yield record_of(source, partial(_sample, root, source, entry))


def _sample(root: Path, source: Source, entry: dict[str, Any]) -> Sample:
    file, poses = root / entry["img_path"], root / entry["pose_path"]
    picture_at(file)
    if not poses.is_file():
        raise Unusable("its pose file is missing")
    try:
        with np.load(poses, allow_pickle=False) as stored:
            if "keypoints" not in stored:
                raise Unusable(f"its pose file is not converted (see {__name__}.CONVERT)")
            bodies = np.asarray(stored["keypoints"], np.float64)
    except (OSError, ValueError, zipfile.BadZipFile):
        raise Unusable("its pose file is damaged") from None
    if bodies.ndim != 3 or bodies.shape[1:] != (17, 3):
        raise Unusable("its pose file does not hold 17 points a person")
    people = tuple(person for body in bodies if (person := _person(body)) is not None)
    if not people:
        raise Unusable("nobody in it has a point")
    key = f"laion-human-{source.record.replace('/', '-')}"
    return Sample(key, reader(file), (), people, str(entry["prompt"]), "photograph", source)


def _person(body: Float[np.ndarray, "17 3"]) -> PersonLabel | None:
    known = np.isfinite(body).all(1) & (body[:, 2] >= _LEAST_SCORE) & (body[:, :2] >= 0).all(1)
    if not known.any():
        return None
    points = np.zeros((133, 3))
    points[:17][known, :2] = from_pixel_index(body[known, :2])
    points[:17][known, 2] = np.clip(body[known, 2], 0, 1)
    return PersonLabel(points, box_around(points[:17][known, :2]))
