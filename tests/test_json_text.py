"""JSON of others: what is no JSON is one kind of error, however it is wrong."""

import pytest

from handwright.json_text import parse_json


@pytest.mark.parametrize("text", ["{", "", b"\xff", "[" * 200_000, b'{"a":' * 200_000])
def test_what_is_no_json_or_too_deep_is_a_value_error(text):
    with pytest.raises(ValueError):
        parse_json(text)


@pytest.mark.parametrize("text", ['{"a": [1]}', b'{"a": [1]}'])
def test_json_is_read(text):
    assert parse_json(text) == {"a": [1]}
