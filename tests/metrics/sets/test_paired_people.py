from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pycocotools")

from handwright.errors import NotEnoughDataError
from handwright.metrics.average_precision import HANDS, FoundPerson
from handwright.metrics.joints import mpjpe
from handwright.metrics.results import Evaluation
from handwright.metrics.sets.evaluation import Plan, evaluate_sets
from handwright.metrics.sets.paired import person_errors
from tests.metrics.sets.picture_folders import blots, named, write


def person(seed: int = 0, size: float = 100.0) -> np.ndarray:
    """133 points whose box is exactly ``size`` high and less wide."""
    points = np.random.default_rng(seed).random((133, 2))
    return 20 + size * (points - points.min(0)) / np.ptp(points, axis=0) * [0.6, 1.0]


def shifted(points: np.ndarray, x: float, y: float) -> np.ndarray:
    return points + np.array([x, y])


def detected(points: np.ndarray, score: float = 1.0) -> FoundPerson:
    return FoundPerson(points, score)


def label(folder: Path, people: list[list[np.ndarray]], key: str = "people", **more) -> Path:
    for i, persons in enumerate(people):
        file = folder / f"{i:04d}.json"
        result = json.loads(file.read_text()) if file.exists() else {}
        result[key] = [{"wholebody": [[*xy, 1.0] for xy in one.tolist()], **more} for one in persons]
        file.write_text(json.dumps(result))
    return folder


def run(real: Path, fake: Path, metrics: tuple[str, ...] = ("dap", "mpjpe-body")) -> Evaluation:
    return evaluate_sets(named(real), named(fake), Plan(metrics), None, None)


@pytest.fixture
def folders(tmp_path):
    people = [[person(i)] for i in range(6)]
    real = label(write(tmp_path / "real", blots(6, 200)), people)
    return real, write(tmp_path / "fake", blots(6, 200, seed=1)), people


def test_a_shift_is_told_in_sizes_of_the_person_for_hands_too():
    errors = [
        person_errors([[detected(person())]], [[detected(shifted(person(), 3, 4))]], part)
        for part in (slice(None), HANDS)
    ]
    assert [mpjpe(e, "body").value for e in errors] == pytest.approx([0.05, 0.05])
    assert errors[1].size_px == pytest.approx([100]) and errors[1].distances_px.shape == (1, 42)


def test_a_joint_that_was_not_found_is_off_by_the_persons_size_and_a_person_by_all_of_it():
    half = person()
    half[:66] = 0
    assert mpjpe(person_errors([[detected(person())]], [[detected(half)]]), "body").value == pytest.approx(
        66 / 133
    )
    truth = [[detected(person(0))], [detected(person(1))]]
    assert mpjpe(person_errors(truth, [[detected(person(0))], []]), "body").value == pytest.approx(0.5)


def test_people_without_hands_do_not_count_among_hands():
    handless = person(1)
    handless[HANDS] = 0
    truth = [[detected(person(0)), detected(handless + [300, 0] * (handless != 0))]]
    assert len(person_errors(truth, truth).missed) == 2
    assert len(person_errors(truth, truth, HANDS).missed) == 1
    with pytest.raises(NotEnoughDataError, match="nobody"):
        person_errors([[detected(handless)]], [[]], HANDS)


def test_points_that_are_not_labelled_in_the_truth_say_nothing():
    truth, found = person(), person()
    truth[5] = 0
    found[5] = 9000
    assert mpjpe(person_errors([[detected(truth)]], [[detected(found)]]), "body").value == 0


def test_labels_on_both_sides_give_every_measure_of_people(folders):
    real, fake, people = folders
    label(fake, [[shifted(one, 0.6, 0.8) for one in persons] for persons in people])
    label(real, people, "people_found")
    result = {e.name: e.value for e in run(real, fake).estimates}
    assert {"dap[133]", "dap[42]"} < set(result)
    assert [result[f"mpjpe{part}[body]"] for part in ("", "-hands")] == pytest.approx([0.01, 0.01])
    assert result["mpjpe-floor[body]"] == result["mpjpe-floor-hands[body]"] == 0
    assert 0 < result["dap[133]"] < 1


def test_points_whose_third_number_is_zero_are_not_there(folders):
    real, fake, people = folders
    label(fake, people)
    for i in range(6):
        result = json.loads((real / f"{i:04d}.json").read_text())
        result["people"][0]["wholebody"][3] = [900.0, 900.0, 0.0]
        (real / f"{i:04d}.json").write_text(json.dumps(result))
    assert run(real, fake, ("mpjpe-body",))["mpjpe[body]"].value == pytest.approx(0, abs=1e-12)
    result = json.loads((fake / "0001.json").read_text())
    result["people"][0]["wholebody"][7][2] = 0
    (fake / "0001.json").write_text(json.dumps(result))
    assert run(real, fake, ("mpjpe-body",))["mpjpe[body]"].value == pytest.approx(1 / 132 / 6)


def test_points_of_a_larger_fake_are_brought_to_the_real_size(folders):
    real, fake, people = folders
    label(write(fake, blots(6, 400)), [[2 * one for one in persons] for persons in people])
    assert run(real, fake)["mpjpe[body]"].value == pytest.approx(0)


def test_a_picture_without_labels_is_a_miss_and_one_with_broken_labels_is_not(folders):
    real, fake, people = folders
    label(fake, people)
    (fake / "0002.json").unlink()
    assert run(real, fake)["mpjpe[body]"].value == pytest.approx(1 / 6)
    assert run(real, fake)["dap[133]"].value < 0.9
    (fake / "0002.json").write_text('{"people": [{"wholebody": [[1, 2, 3]]}]}')
    broken = run(real, fake)
    assert broken["mpjpe[body]"].value == 0 and broken["mpjpe[body]"].n == 5
    assert [s.path.name for s in broken.skipped] == ["0002.png"] and broken.exit_code == 2


def test_the_surer_of_two_people_counts_first_in_dap(folders):
    real, fake, people = folders
    wrong = [[*persons, person(40 + i) + 900] for i, persons in enumerate(people)]
    label(fake, wrong, score=1.0)
    for i in range(6):
        result = json.loads((fake / f"{i:04d}.json").read_text())
        result["people"][1]["score"] = 0.5
        (fake / f"{i:04d}.json").write_text(json.dumps(result))
    assert run(real, fake, ("dap",))["dap[133]"].value == pytest.approx(1)
    for i in range(6):
        result = json.loads((fake / f"{i:04d}.json").read_text())
        result["people"][1]["score"] = 2.0
        (fake / f"{i:04d}.json").write_text(json.dumps(result))
    assert run(real, fake, ("dap",))["dap[133]"].value < 0.6


def test_without_labels_on_one_side_it_is_said_which(folders):
    real, fake, _ = folders
    for a, b, side in ((real, fake, "FAKE"), (fake, real, "REAL")):
        with pytest.raises(NotEnoughDataError, match=f"no such picture of {side} has any"):
            run(a, b)
