"""The whole study on the world of one drawn hand: page, plots and sheets, and nothing painted twice."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from handwright.handrefiner.network_loader import NetworkLoader
from handwright.refine.pipeline import Engine
from handwright.reproduce import painted
from handwright.reproduce.handrefiner import paint_all, run
from handwright.reproduce.handrefiner.before_after import GROUP, STATES
from handwright.reproduce.handrefiner.results import STRENGTHS
from handwright.reproduce.handrefiner.run import reproduce_handrefiner
from handwright.reproduce.handrefiner.study import Study
from tests.reproduce.conftest import TINY
from tests.reproduce.test_measure import Colours


def no_defects(bench):
    """In place of hands with a defect, which need the whole of ``refine``."""
    for state in STATES:
        record = {"attempted": True, "replaced": False, "found": True, "score": 0.9, "sound": False}
        crop = np.full((8, 8, 3), 90, np.uint8)
        bench.store.unit(GROUP, f"a/{state}", lambda made=(record, crop): made)
    return ("a",)


class Clock:
    """Every painting takes a second."""

    def __init__(self):
        self.now = 0

    def perf_counter(self):
        self.now += 1
        return float(self.now)


@pytest.fixture
def study(network, monkeypatch) -> Study:
    @contextmanager
    def engine(_):
        yield Engine(None, NetworkLoader(lambda settings: network))

    def scored(subject, settings, seed, net, judge):
        strength = settings.diffusion.strength
        scores = {"malformed": abs(strength - 0.6), "joint_error": 0.02, "fit_share": 0.5}
        return {"scores": scores, "objections": 0}, subject.pixels

    monkeypatch.setattr(painted, "time", Clock())
    monkeypatch.setattr(run, "open_engine", engine)
    monkeypatch.setattr(run, "paint_before_after", no_defects)
    monkeypatch.setattr(run, "open_extractor", lambda _: Colours())
    monkeypatch.setattr(paint_all, "judge_subject", scored)
    monkeypatch.setattr(Study, "identity", lambda self: {"a": "study"})
    return Study(scale=TINY)


@dataclass
class Finished:
    """A study that ran at one go: its page in ``docs``, its work folder ``work``."""

    folder: Path
    paintings: int = 0

    @property
    def page(self) -> Path:
        return self.folder / "docs" / "page.md"


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> Finished:
    return Finished(tmp_path_factory.mktemp("study"))


@pytest.fixture
def finished(study, network, once) -> Finished:
    """Painted by the first test that needs it; a test that would write in its folder copies it."""
    if not once.paintings:
        reproduce_handrefiner(study, once.page, "the command", once.folder / "work")
        once.paintings = len(network.requests)
        network.requests.clear()
    return once


@pytest.fixture
def work(finished, tmp_path) -> Path:
    """A work folder of one's own in which all is painted."""
    return Path(shutil.copytree(finished.folder / "work", tmp_path / "work"))


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_study_is_a_page_with_its_pictures(finished):
    result = " ".join(finished.page.read_text().split())
    for words in (
        "`the command`",
        "tuned, auto (ours)",
        "not measured: no ControlNet 'untuned'",
        "N 2 hands a row",
        "fixed: tuned, fixed; full: tuned, s = 1.0; adaptive: tuned, adaptive; auto: tuned, auto (ours).",
        "N 1 hands a row, the first of those of Table 3. As the published code has it",
    ):
        assert words in result
    assert "mean 0.60 [0.60, 0.60]" in result
    for name in files(finished.page.parent):
        assert name == "page.md" or f"({name})" in result
    assert '"strength": 0.6' in (finished.folder / "work" / "handwright.json").read_text()
    assert (finished.folder / "work" / "choose_000.jpg").is_file()


def test_a_study_that_is_done_gives_its_page_again_without_painting(study, network, finished, work, tmp_path):
    page = tmp_path / "docs" / "page.md"
    assert reproduce_handrefiner(study, page, "the command", work) == work
    assert not network.requests
    assert page.read_bytes() == finished.page.read_bytes()


def test_a_study_that_is_killed_twice_writes_the_same_page(study, network, finished, tmp_path):
    page, rule = tmp_path / "docs" / "page.md", network.rule
    for share in (1, 2):
        network.requests.clear()

        def killed(request, limit=finished.paintings * share // 4):
            if len(network.requests) > limit:
                raise KeyboardInterrupt
            return rule(request)

        network.rule = killed
        with pytest.raises(KeyboardInterrupt):
            reproduce_handrefiner(study, page, "the command", tmp_path / "in parts")
        assert not page.exists()
    network.rule = rule
    reproduce_handrefiner(study, page, "the command", tmp_path / "in parts")
    assert files(page.parent) == files(finished.page.parent)


def test_people_decide_where_they_did(study, work, tmp_path):
    page, choices = tmp_path / "page.md", tmp_path / "choices.csv"
    choices.write_text("picture,strength\n830000,0.4\n830001,0.5\n")
    reproduce_handrefiner(replace(study, choices=choices), page, "x", work)
    assert "mean 0.45 [0.40, 0.50]" in page.read_text()
    assert "People chose." in page.read_text()
    assert STRENGTHS[0] == 0.1


def test_how_the_other_controlnets_were_trained_is_told_in_the_words_of_their_folder(
    study, work, tmp_path, monkeypatch
):
    monkeypatch.setattr(Study, "variant_identities", lambda self: {})
    variants = tmp_path / "variants"
    variants.mkdir()
    (variants / "README.md").write_text("All from one start.\n")
    page = tmp_path / "page.md"
    reproduce_handrefiner(replace(study, variants=variants), page, "x", work)
    assert page.read_text().endswith("## The other ControlNets\n\nAll from one start.\n")
