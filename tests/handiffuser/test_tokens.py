"""A person as tokens: there and back, valid rotations from any numbers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from handwright.body import parameters_of_json, wholebody_of
from handwright.hand.rig import axis_angle_matrix
from handwright.handiffuser.tokens import TOKENS, USED, WIDTH, decode, encode, rotation_of_sixd, sixd_of
from tests.handiffuser.poses import records


def test_tokens_hold_the_whole_person() -> None:
    """All 133 points come back to a tenth of a pixel; no shape number of the world is cut off."""
    for record in records()[:6]:
        person = parameters_of_json(record["body"])
        tokens = encode(person)
        assert tokens.shape == (len(TOKENS), WIDTH)
        assert (tokens[USED == 0] == 0).all()
        again = decode(tokens, person.size_px)
        np.testing.assert_allclose(wholebody_of(again), wholebody_of(person), atol=0.1)


def test_rotations_survive_six_numbers() -> None:
    """Two columns are a rotation."""
    turns = axis_angle_matrix(np.random.default_rng(0).normal(0, 1.5, (40, 3)))
    np.testing.assert_allclose(rotation_of_sixd(sixd_of(turns)), turns, atol=1e-12)


@given(arrays(np.float64, (3, 6), elements=st.floats(-3, 3, width=32)))
@settings(max_examples=80, deadline=None)
def test_any_six_numbers_are_a_rotation(numbers: np.ndarray) -> None:
    """Also where a column vanishes or both are parallel."""
    turns = rotation_of_sixd(numbers)
    np.testing.assert_allclose(turns @ turns.swapaxes(1, 2), np.repeat(np.eye(3)[None], 3, 0), atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(turns), 1, atol=1e-6)


def test_noise_is_a_person() -> None:
    """Whatever T2H draws can be shown."""
    tokens = np.random.default_rng(1).normal(0, 2, (len(TOKENS), WIDTH))
    assert np.isfinite(wholebody_of(decode(tokens, (256, 192)))).all()
