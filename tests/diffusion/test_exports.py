"""Every public name of the room can be imported from it."""

import pytest

import handwright.diffusion


@pytest.mark.parametrize("name", handwright.diffusion.__all__)
def test_a_public_name_is_there(name):
    assert getattr(handwright.diffusion, name) is not None
