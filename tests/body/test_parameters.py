"""``BodyParameters``: checked on construction, JSON there and back, one clear line for a broken file."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from handwright.body import BodyParameters, mean_parameters, parameters_of_json, read_parameters, wholebody_of
from handwright.errors import InvalidValueError


def someone() -> BodyParameters:
    """A person whose every number is different."""
    rng = np.random.default_rng(0)
    return replace(
        mean_parameters(),
        body_pose=rng.normal(0, 0.1, (21, 3)),
        left_hand_pose=rng.normal(0, 0.1, (15, 3)),
        right_hand_pose=rng.normal(0, 0.1, (15, 3)),
        betas=rng.normal(size=10),
        palm_arch=rng.normal(0, 0.05, (2, 2)),
        hand_shape=rng.normal(0, 0.05, 9),
    )


def test_json_there_and_back_keeps_every_number(tmp_path: Path) -> None:
    """Rounded to a millionth."""
    person, path = someone(), tmp_path / "person.json"
    path.write_text(json.dumps(person.to_json()), encoding="utf-8")
    again = read_parameters(path)
    for name in (
        "global_orient",
        "body_pose",
        "left_hand_pose",
        "right_hand_pose",
        "betas",
        "transl",
        "palm_arch",
    ):
        np.testing.assert_allclose(getattr(again, name), getattr(person, name), atol=1e-6)
    assert again.camera == person.camera
    assert again.size_px == person.size_px


def test_resized_people_are_where_they_were() -> None:
    """Points scale with the picture, and stay in its middle where it becomes wider."""
    person = someone()
    points = wholebody_of(person)
    np.testing.assert_allclose(wholebody_of(person.resized(512, 512)), 2 * points, atol=1e-6)
    wide = wholebody_of(person.resized(256, 128))
    np.testing.assert_allclose(wide, points - [0, 64], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda data: data.pop("betas"), "betas"),
        (lambda data: data.update(extra=1), "extra"),
        (lambda data: data.update(handwright_body=99), "layout"),
        (lambda data: data.update(transl=[0, 0, -1]), "in front of the camera"),
        (lambda data: data.update(body_pose=[[0, 0, 0]]), "body_pose"),
        (lambda data: data.update(left_hand_pose="flat"), "cannot be read"),
        (lambda data: data.update(betas=[float("nan")] * 10), "not finite"),
        (lambda data: data.update(camera={"focal_px": 100}), "cannot be read"),
        (lambda data: data.update(size_px=[0, 10]), "size_px"),
    ],
)
def test_a_broken_file_gets_one_line_that_names_what_is_wrong(change: object, word: str) -> None:
    """Never a traceback of NumPy's."""
    data = someone().to_json()
    change(data)  # pyright: ignore[reportCallIssue]
    with pytest.raises(InvalidValueError, match=word):
        parameters_of_json(data)


def test_what_is_no_object_is_refused(tmp_path: Path) -> None:
    """A list, and text that is no JSON."""
    with pytest.raises(InvalidValueError, match="JSON object"):
        parameters_of_json([1, 2])
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    with pytest.raises(InvalidValueError, match="cannot read"):
        read_parameters(broken)
