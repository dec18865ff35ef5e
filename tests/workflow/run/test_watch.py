"""A watched folder: what is there, what comes, what changes, and what is not a picture yet."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from PIL import Image as PILImage

from handwright.errors import UsageError
from handwright.workflow.run.batch import RunOptions
from handwright.workflow.run.request import Request
from handwright.workflow.run.watch import watch_folder
from tests.workflow.fakes import open_fake_engine, picture


@pytest.fixture
def watching(here):
    """Watch ``in`` until the test ends; the runs' results come in a list."""
    (here / "in" / "deep").mkdir(parents=True)
    results, stop, opened = [], threading.Event(), []

    def engine():
        opened.append(1)
        return open_fake_engine()

    def watch():
        options = RunOptions(open_engine=engine)
        watch_folder(here / "in", here / "out", Request(seed=1), options, results.append, stop)

    thread = threading.Thread(target=watch)
    yield here, results, thread.start
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert len(opened) <= 1


def until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    assert condition()


def test_what_is_there_and_what_comes_is_refined_once_with_one_engine(watching):
    here, results, start = watching
    picture(here / "in" / "a.png")
    start()
    until((here / "out" / "a.png").exists)
    picture(here / "in" / "deep" / "b.png")
    (here / "in" / "notes.txt").write_text("no picture")
    until((here / "out" / "deep" / "b.png").exists)
    until(lambda: len(results) == 2)
    assert [outcome.record["error"] for result in results for outcome in result.outcomes] == [None, None]
    assert sorted(path.name for path in (here / "out").rglob("*") if path.is_file()) == ["a.png", "b.png"]


def test_a_picture_counts_once_it_is_written_whole_and_again_when_it_changes(watching):
    here, results, start = watching
    start()
    picture(here / "whole.png")
    data = (here / "whole.png").read_bytes()
    with (here / "in" / "slow.png").open("wb") as file:
        for part in np.array_split(np.frombuffer(data, np.uint8), 6):
            file.write(part.tobytes())
            file.flush()
            time.sleep(0.15)
    until((here / "out" / "slow.png").exists)
    first = (here / "out" / "slow.png").read_bytes()
    PILImage.fromarray(np.full((64, 64, 3), 9, np.uint8)).save(here / "in" / "slow.png")
    until(lambda: (here / "out" / "slow.png").read_bytes() != first)
    assert all(outcome.record["error"] is None for outcome in results[-1].outcomes)


def test_results_inside_the_folder_are_no_pictures_to_refine(here):
    (here / "in").mkdir()
    picture(here / "in" / "a.png")
    results, stop = [], threading.Event()

    def watch():
        options = RunOptions(open_engine=open_fake_engine)
        watch_folder(here / "in", here / "in" / "out", Request(), options, results.append, stop)

    thread = threading.Thread(target=watch)
    thread.start()
    until((here / "in" / "out" / "a.png").exists)
    time.sleep(1.5)
    stop.set()
    thread.join(20)
    assert len(results) == 1


@pytest.mark.parametrize(("folder", "output"), [("nowhere", "out"), ("in", "in"), ("file.png", "out")])
def test_folders_that_make_no_sense_are_refused(here, folder, output):
    (here / "in").mkdir()
    (here / "file.png").write_bytes(b"x")
    with pytest.raises(UsageError, match="folder"):
        watch_folder(here / folder, here / output, Request(), RunOptions(), print)
