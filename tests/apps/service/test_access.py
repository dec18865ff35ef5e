"""Who may ask, how often, and where the service listens."""

from __future__ import annotations

import pytest

from handwright.apps.service.access import Keys, Rate
from handwright.apps.service.settings import KEYS_VARIABLE, ServiceSettings, is_loopback, read_keys
from handwright.errors import UsageError

KEY = "a-key-that-is-long-enough"


def test_without_keys_everybody_is_an_address():
    assert Keys(()).owner(None, "127.0.0.1") == "127.0.0.1"


def test_with_keys_only_they_count():
    keys = Keys((KEY, KEY + "2"))
    assert keys.owner(KEY, "a") == keys.owner(KEY, "b") != keys.owner(KEY + "2", "a")
    for wrong in (None, "", KEY[:-1], KEY + "3"):
        assert keys.owner(wrong, "127.0.0.1") is None
    assert KEY not in str(keys.owner(KEY, "a"))


def test_a_client_is_slowed_down_and_others_are_not():
    now = [0.0]
    rate = Rate(6, clock=lambda: now[0])
    assert [rate.wait_seconds("a") for _ in range(6)] == [0.0] * 6
    assert rate.wait_seconds("a") == pytest.approx(10)
    assert rate.wait_seconds("b") == 0
    now[0] = 10.0
    assert rate.wait_seconds("a") == 0
    assert rate.wait_seconds("a") > 0
    assert {Rate(0).wait_seconds("a") for _ in range(1000)} == {0.0}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "[::1]", "localhost"])
def test_this_machine_alone(host):
    assert is_loopback(host)
    ServiceSettings(host=host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org"])
def test_no_wider_address_without_a_key(host):
    with pytest.raises(UsageError, match="without an API key"):
        ServiceSettings(host=host)
    ServiceSettings(host=host, keys=(KEY,))


@pytest.mark.parametrize(
    ("name", "value"),
    [("workers", 0), ("max_bytes", 0), ("max_seconds", 0.0), ("rate_per_minute", -1.0), ("port", 70000)],
)
def test_bounds_that_make_no_sense_are_named(name, value):
    with pytest.raises(UsageError, match=name):
        ServiceSettings(**{name: value})


def test_a_key_that_can_be_guessed_is_refused():
    with pytest.raises(UsageError, match="too short"):
        ServiceSettings(keys=("secret",))


def test_keys_come_from_a_file_and_the_environment(tmp_path, monkeypatch):
    file = tmp_path / "keys"
    file.write_text(f"# ours\n{KEY}\n\n{KEY}-b  # the shop\n")
    monkeypatch.setenv(KEYS_VARIABLE, f"{KEY}, other-key-that-is-long")
    assert read_keys(file) == (KEY, "other-key-that-is-long", f"{KEY}-b")
    monkeypatch.delenv(KEYS_VARIABLE)
    assert read_keys(None) == ()
    file.write_text("# none\n")
    with pytest.raises(UsageError, match="holds no key"):
        read_keys(file)
    with pytest.raises(UsageError, match="cannot read the keys"):
        read_keys(tmp_path / "nowhere")
