"""Plug-ins are imported when they are named; whatever is wrong with one is one line."""

from __future__ import annotations

import hashlib
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from handwright.options import OPTIONS
from handwright.plug_ins import METHODS, PlugIn, PlugInError, chosen, describe, find_class, is_name, name_of

MODULE = """
class Judge:
    version = 3
    def __init__(self):
        print("opened")
    def judge(self, pixels, regions):
        if pixels is None:
            raise ValueError("no pixels\\nat all")
        return [pixels, regions]

class Locked:
    def __init__(self, path):
        pass
    def judge(self, pixels, regions):
        return []

class Idle:
    judge = "later"

instance = Judge.__new__(Judge)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module in the current folder, under a name of its own."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    name = f"mine_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    return name


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("mine:Judge", True),
        ("pkg.mod:Class_2", True),
        ("mine", False),
        ("mine.Judge", False),
        (":Judge", False),
        ("mine:", False),
        ("pkg..mod:C", False),
        ("models/hand.task", False),
        ("C:\\models\\hand.task", False),
        ("os:system()", False),
        (7, False),
        (None, False),
    ],
)
def test_a_name_is_a_module_and_a_class(name: Any, right: Any):
    assert is_name(name) is right


def test_every_kind_is_an_option_and_has_one_method():
    assert all(OPTIONS[kind].plug_in for kind in METHODS)
    assert {name for name, option in OPTIONS.items() if option.plug_in} == set(METHODS)


def test_a_class_of_the_current_folder_is_found_and_called(module: str):
    plug_in = PlugIn("critic", f"{module}:Judge")
    assert plug_in(1, 2) == [1, 2]
    assert plug_in.name == f"{module}:Judge"
    assert name_of(plug_in.object) == plug_in.name


def test_a_class_and_an_object_serve_as_well_as_a_name(module: str):
    found = find_class("critic", f"{module}:Judge")
    assert PlugIn("critic", found)(1, 2) == PlugIn("critic", found())(1, 2) == [1, 2]


@pytest.mark.parametrize(
    ("rest", "what"),
    [
        ("_gone:Judge", "cannot import `critic`"),
        (":Nobody", "is no class: there is no such name"),
        (":instance", "is no class: it is a Judge"),
        (":Idle", "has no method judge(); give it one"),
        (":Locked", "could not be made: TypeError"),
    ],
)
def test_what_is_no_critic_is_refused_in_one_line(module: str, rest: str, what: str):
    with pytest.raises(PlugInError) as refused:
        PlugIn("critic", module + rest)
    assert what in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("text", ["import nowhere_at_all", "1 / 0", "raise SystemExit(0)", "def ("])
def test_a_module_that_does_not_load_is_refused_in_one_line(module: str, text: str):
    Path(f"{module}_bad.py").write_text(text)
    with pytest.raises(PlugInError, match="cannot import `fitter`") as refused:
        find_class("fitter", f"{module}_bad:Fitter")
    assert "\n" not in str(refused.value)


def test_what_it_raises_becomes_one_line_with_its_own_error_as_the_cause(module: str):
    with pytest.raises(PlugInError, match=r"failed: ValueError: no pixels at all; mend it") as failed:
        PlugIn("critic", f"{module}:Judge")(None, [])
    assert isinstance(failed.value.__cause__, ValueError)


def test_calls_come_one_at_a_time():
    inside, most = [], []

    class Painter:
        def paint(self, job: Any):
            inside.append(job)
            most.append(len(inside))
            threading.Event().wait(0.01)
            inside.remove(job)

    plug_in = PlugIn("painter", Painter())
    threads = [threading.Thread(target=plug_in, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_it_is_described_by_name_version_and_source_without_being_opened(module: str, capsys: Any):
    described = describe({"critic": f"{module}:Judge"})
    source = Path(f"{module}.py").read_bytes()
    assert described == {
        "critic": {
            "name": f"{module}:Judge",
            "version": "3",
            "source_sha256": hashlib.sha256(source).hexdigest(),
        }
    }
    assert capsys.readouterr().out == ""


def test_those_among_options_are_chosen_by_what_they_are():
    class Fitter:
        def fit(self, pixels: Any, observation: Any, camera: Any): ...

    mine = Fitter()
    given = {"fitter": mine, "critic": "a.b:C", "painter": "draw", "landmarker": Path("x.task"), "seed": 3}
    assert chosen(given) == {"fitter": mine, "critic": "a.b:C"}
    assert chosen({"fitter": None}) == {}
