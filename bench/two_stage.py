"""Pose error of the two-stage system's engines: MPJPE, MPJPE of the hands, DAP, against the floor.

Synthetic poses are those of rendered people (test-only seeds); the floor is what the estimator makes of their
own pictures. Poses of photographs are the estimator's, of test-only pictures; those that cannot be completed
are counted and left out.

    python bench/two_stage.py --n 20 --json out/two_stage.json --sheet out/two_stage.png
    python bench/two_stage.py --photos FOLDER --json out/two_stage_photos.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as PILImage

from handwright.data.people.sample import render_person
from handwright.errors import HandwrightError
from handwright.image import load_image
from handwright.metrics.average_precision import FoundPerson, dap
from handwright.metrics.estimate import Estimate, mean_estimate
from handwright.metrics.pose_error import mpjpe_of, pose_error, wanted_points
from handwright.perception.body.body_pose import BodyPose
from handwright.perception.body.estimate import BodyEstimator
from handwright.perception.body.skeleton_picture import skeleton_picture
from handwright.two_stage.engine import PoseRequest, open_engine
from handwright.two_stage.pose_completion import CompletedPose, complete_pose
from handwright.two_stage.settings import ENGINES, TwoStageSettings
from handwright.workflow.generate.pose_source import pose_from_photo

SIDE = 384
PROMPT = "a person in a room"


def synthetic(n: int, seed: int) -> Iterator[tuple[CompletedPose, np.ndarray]]:
    """Poses of rendered people, with their pictures; those that cannot be completed are left out."""
    for index in range(n):
        picture = render_person(seed, index, SIDE)
        points = picture.person.wholebody
        try:
            done = complete_pose(BodyPose.from_wholebody(points), SIDE, SIDE)
        except HandwrightError as error:
            print(f"{index}: {error}")
            continue
        yield done, picture.pixels


def photographed(folder: Path, estimator: BodyEstimator) -> Iterator[tuple[CompletedPose, np.ndarray]]:
    """Poses of photographs, with the pictures at the size of the pose."""
    for path in sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    ):
        try:
            source = pose_from_photo(path, None, SIDE, estimator)
            done = complete_pose(source.pose, source.width, source.height)
        except HandwrightError as error:
            print(f"{path.name}: {error}")
            continue
        image = PILImage.fromarray(load_image(path).pixels).resize((source.width, source.height))
        yield done, np.asarray(image)


def measure(
    poses: list[CompletedPose], found: list[list[BodyPose]], sizes: list[tuple[int, int]]
) -> list[Estimate]:
    """The paper's measures over pictures, and how many of the hands were found."""
    wanted = [wanted_points(done.pose, *size) for done, size in zip(poses, sizes, strict=True)]
    people = [[FoundPerson(pose.points_px, float(pose.visibility.mean())) for pose in row] for row in found]
    errors = [pose_error(done.pose, row, *size) for done, row, size in zip(poses, found, sizes, strict=True)]
    again = np.array([error.hands_found / error.hands_wanted for error in errors if error.hands_wanted])
    near = np.array([error.mpjpe_found_hands for error in errors if np.isfinite(error.mpjpe_found_hands)])
    truth = [[points] for points in wanted]
    rows = [*mpjpe_of([done.pose for done in poses], found, sizes)]
    rows += [dap(truth, people, points, rounds=500) for points in (133, 42)]
    rows.append(mean_estimate("hands found", again))
    if len(near):
        rows.append(mean_estimate("mpjpe-found-hands[body]", near))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--seed", type=int, default=930030)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--most", type=int, default=40)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--blend", default="sequential")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path)
    asked = parser.parse_args()
    with BodyEstimator() as estimator:
        cases = photographed(asked.photos, estimator) if asked.photos else synthetic(asked.n, asked.seed)
        cases = [case for case, _ in zip(cases, range(asked.most), strict=False)]
        poses = [done for done, _ in cases]
        sizes = [(picture.shape[1], picture.shape[0]) for _, picture in cases]
        columns = [[picture for _, picture in cases]]
        columns.append([skeleton_picture(done.pose, *size) for done, size in zip(poses, sizes, strict=True)])
        table: dict[str, dict[str, list[float]]] = {}
        found = [[body.pose for body in estimator(picture)] for _, picture in cases]
        names = ["the pictures themselves", *(asked.engine or ENGINES)]
        for name in names:
            if name in ENGINES:
                settings = TwoStageSettings(prompt=PROMPT, engine=name, blend=asked.blend)
                engine = open_engine(settings)
                made = []
                for number, (done, size) in enumerate(zip(poses, sizes, strict=True)):
                    made.append(engine.make(PoseRequest(done, *size, settings, asked.seed + number)).pixels)
                columns.append(made)
                found = [[body.pose for body in estimator(picture)] for picture in made]
            rows = measure(poses, found, sizes)
            table[name] = {row.name: [row.value, row.low, row.high, row.n] for row in rows}
            print(f"{name} (N {len(poses)}):", "; ".join(map(str, rows)), flush=True)
            if asked.json:
                asked.json.parent.mkdir(parents=True, exist_ok=True)
                asked.json.write_text(json.dumps(table, indent=1))
            if asked.sheet:
                asked.sheet.parent.mkdir(parents=True, exist_ok=True)
                write_sheet(columns, asked.sheet)


def write_sheet(columns: list[list[np.ndarray]], path: Path) -> None:
    """A row a pose: the picture it comes from, the skeleton, what every engine made."""
    rows = []
    for k in range(len(columns[0])):
        tiles = [PILImage.fromarray(column[k]) for column in columns]
        row = PILImage.new("RGB", (256 * len(tiles), 256))
        for number, tile in enumerate(tiles):
            tile.thumbnail((256, 256))
            row.paste(tile, (256 * number, 0))
        rows.append(np.asarray(row))
    PILImage.fromarray(np.concatenate(rows)).save(path)


if __name__ == "__main__":
    main()
