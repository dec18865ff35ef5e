"""``bench/pose_space.py``: the space, and measures in it whose values are known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from handwright.body import parameters_of_json
from handwright.errors import NotEnoughDataError
from handwright.handiffuser.tokens import encode
from handwright.training.streams.text_poses import TextPoseStream, mirrored
from pose_space import (
    OPEN_TEXTS,
    diversity_ratio,
    embedded_pairs,
    features,
    multimodalities,
    pose_fids,
    r_precisions,
)
from tests.handiffuser.poses import add_poses, records


def tokens() -> np.ndarray:
    return np.stack([encode(parameters_of_json(record["body"])) for record in records()])


def test_a_person_and_the_mirrored_one_are_one_point(tmp_path):
    people = TextPoseStream(add_poses(tmp_path / "poses")).training[:6]
    for space, width in (("hand", 96), ("hand and body", 168)):
        there = features(np.stack([person.tokens for person in people]), space)
        back = features(np.stack([mirrored(person).tokens for person in people]), space)
        assert there.shape == (6, width)
        assert there == pytest.approx(back, abs=1e-5)


def test_draws_half_as_far_apart_are_half_as_diverse():
    rng = np.random.default_rng(0)
    real = [rng.normal(size=(400, 5)) + k for k in range(2)]
    same = diversity_ratio(real, real)
    assert same.low <= 1 <= same.high
    half = diversity_ratio([0.5 * rows for rows in real], real)
    assert half.value == pytest.approx(0.5, rel=0.1)
    assert half.low < half.value < half.high
    assert diversity_ratio([np.zeros((4, 5))], real[:1]).value == 0
    with pytest.raises(NotEnoughDataError):
        diversity_ratio([np.zeros((3, 5))], real[:1])


def test_one_person_for_a_text_however_often_it_is_drawn_is_no_multimodality():
    drawn = np.repeat(tokens()[:3, None], 4, 1)
    assert [figure.value for _, figure in multimodalities(drawn)] == pytest.approx([0, 0])
    others = np.stack([tokens()[:4], tokens()[4:8]])
    assert min(figure.value for _, figure in multimodalities(others)) > 0.1


def test_too_few_people_for_a_distance_give_the_reason():
    few = tokens()
    reasons = [figure for _, _, figure in pose_fids(few, few, few)]
    assert len(reasons) == 4
    assert all("needs at least" in str(reason) for reason in reasons)


def test_perfect_encoders_find_every_text_and_blind_ones_by_chance():
    rng = np.random.default_rng(1)
    texts = rng.normal(size=(64, 8))
    assert [figure.value for figure in r_precisions(texts, texts)] == [1, 1, 1]
    blind = r_precisions(np.ones((64, 8)), texts)
    assert [figure.value for figure in blind] == pytest.approx([1 / 32, 2 / 32, 3 / 32])


def test_encoders_get_texts_and_tokens_and_give_numbers():
    class Encoders:
        def text_features(self, texts):
            return np.array([[len(text), 1.0] for text in texts])

        def pose_features(self, tokens):
            return tokens.flatten(1)[:, :2]

    texts, poses = embedded_pairs(Encoders(), ["a", "bcd"], tokens()[:2])
    assert texts.tolist() == [[1, 1], [3, 1]]
    assert poses == pytest.approx(tokens()[:2].reshape(2, -1)[:, :2], rel=1e-5)


def test_open_texts_know_whom_they_are_true_of(tmp_path):
    stream = TextPoseStream(add_poses(tmp_path / "poses"))
    people = [*stream.training, *stream.held_out]
    counts = [sum(map(one.holds_for, people)) for one in OPEN_TEXTS]
    assert counts[3] == len(people)
    assert counts[4] + counts[5] == len(people)
    assert sum(counts[:3]) == len(people)
