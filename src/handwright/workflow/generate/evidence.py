"""What belongs to a generated picture in the report: its pose, how it was made, and what is found in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handwright.workflow.files import make_folder, write_text

if TYPE_CHECKING:
    from handwright.two_stage.pose_completion import CompletedPose
    from handwright.workflow.generate.attempts import Attempt
    from handwright.workflow.generate.pose_source import PoseSource


def write_evidence(
    folder: Path, tried: Sequence[Attempt], best: Attempt, people: list[Any], keep_steps: bool
) -> dict[str, str]:
    """Write the pictures that belong to a generated one into its folder of the report.

    Args:
        folder: That folder.
        tried: All tries at the picture.
        best: The try that was kept.
        people: Poses of everybody who is found in it.
        keep_steps: Whether all tries are written, not only the best.

    Returns:
        The files, relative to the report, by what they show.
    """
    from handwright.image import write_png
    from handwright.metrics.pose_error import nearest_person, wanted_points
    from handwright.perception.body.skeleton_picture import skeleton_picture

    generated = best.generated
    height, width = generated.mask.shape
    wanted = wanted_points(best.completed.pose, width, height)
    person = nearest_person(wanted, people)
    shown = skeleton_picture([] if person is None else person, width, height)
    parts: dict[str, Any] = {
        "picture": best.image.pixels,
        "canvas": generated.canvas,
        "mask": generated.mask.astype(np.uint8) * 255,
        "found": np.where(shown.any(2, keepdims=True), shown, best.image.pixels),
        "steps": generated.strip,
        **{f"hand-{'-'.join(hand.sides)}": hand.pixels for hand in generated.hands},
    }
    if best.mended:
        parts["before-mending"] = generated.pixels
    if keep_steps:
        parts |= {f"attempt-{attempt.seed}": attempt.image.pixels for attempt in tried}
    files = {"skeleton": f"{folder.name}/skeleton.png"}
    if best.source.body is not None:
        files["person"] = f"{folder.name}/person.png"
    for part, pixels in parts.items():
        if pixels is not None:
            write_png(folder / f"{part}.png", pixels)
            files[part] = f"{folder.name}/{part}.png"
    return files


def write_pose(
    skeleton: Path | None, folder: Path | None, source: PoseSource, completed: CompletedPose
) -> None:
    """Write the pose as a picture, and into a folder of the report with its numbers."""
    from handwright.body.preview import render_person
    from handwright.image import write_png
    from handwright.perception.body.pose_file import openpose_json
    from handwright.perception.body.skeleton_picture import skeleton_picture

    drawn = skeleton_picture(completed.pose, source.width, source.height)
    if skeleton is not None:
        make_folder(skeleton.parent)
        write_png(skeleton, drawn)
    if folder is not None:
        make_folder(folder)
        write_png(folder / "skeleton.png", drawn)
        if source.body is not None:
            write_png(folder / "person.png", render_person(source.body))
            text = json.dumps(source.body.to_json(), indent=1)
            write_text(folder / "parameters.json", text + "\n")
        text = json.dumps(openpose_json(completed.pose, source.width, source.height))
        write_text(folder / "pose.json", text + "\n")


def pose_json(source: PoseSource, completed: CompletedPose) -> dict[str, Any]:
    """What the report has of a pose."""
    return {
        "source": source.name,
        "width": source.width,
        "height": source.height,
        "hands": list(completed.hands),
        "completed": list(completed.added),
        "notes": list(source.notes),
    }
