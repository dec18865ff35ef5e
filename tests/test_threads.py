"""Work keeps to as many threads as its process may use."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from handwright import threads as threads_module
from handwright.errors import UsageError
from handwright.threads import MAX_DEFAULT_THREADS, SPIN_COUNT, SPINS, VARIABLE, both, once, threads


@pytest.fixture(autouse=True)
def no_wish(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


@pytest.mark.parametrize(("cpus", "expected"), [(1, 1), (2, 2), (64, MAX_DEFAULT_THREADS)])
def test_the_default_follows_the_cpus_up_to_a_limit(cpus, expected, opencv_threads, monkeypatch):
    opencv_threads(2)
    monkeypatch.setattr(threads_module, "available_cpus", lambda: cpus)
    assert threads() == expected


@pytest.mark.parametrize("wish", [1, 2, 4, 32])
def test_the_environment_variable_decides(wish, opencv_threads, monkeypatch):
    opencv_threads(2)
    monkeypatch.setenv(VARIABLE, f" {wish} ")
    assert threads() == wish


@pytest.mark.parametrize("wish", ["0", "-1", "two", "1.5"])
def test_another_value_of_the_variable_is_refused(wish, opencv_threads, monkeypatch):
    opencv_threads(2)
    monkeypatch.setenv(VARIABLE, wish)
    with pytest.raises(UsageError, match=VARIABLE):
        threads()


def test_a_worker_process_keeps_to_one_thread(opencv_threads, monkeypatch):
    opencv_threads(1)
    monkeypatch.setenv(VARIABLE, "4")
    assert threads() == 1


@pytest.mark.parametrize("allowed", [1, 2])
def test_two_functions_give_what_each_gives_alone(allowed, opencv_threads):
    opencv_threads(allowed)
    assert both(lambda: 1, lambda: "two") == (1, "two")


@pytest.mark.parametrize("allowed", [1, 2])
@pytest.mark.parametrize("which", [0, 1])
def test_an_exception_of_either_of_two_functions_is_passed_on(allowed, which, opencv_threads):
    def fails():
        raise ValueError("no")

    opencv_threads(allowed)
    works = [lambda: 1, lambda: 2]
    works[which] = fails
    with pytest.raises(ValueError, match="no"):
        both(*works)


def test_two_functions_run_at_the_same_time_where_two_threads_are_allowed(opencv_threads):
    opencv_threads(2)
    met = Barrier(2, timeout=300)
    both(met.wait, met.wait)


def test_work_is_done_once_whichever_threads_ask():
    started, asked = [], Barrier(2)

    def work() -> list[int]:
        started.append(1)
        return [7]

    result = once(work)
    assert not started

    def ask(_: int) -> list[int]:
        asked.wait(10)
        return result()

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ask, range(2))
    assert first is second
    assert started == [1]


def test_work_that_failed_is_done_again():
    outcomes = iter([ValueError("first"), 3])

    def work() -> int:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    result = once(work)
    with pytest.raises(ValueError, match="first"):
        result()
    assert result() == 3


@pytest.mark.parametrize(
    ("given", "expected"), [({}, SPINS), ({SPIN_COUNT: "7"}, "7"), ({"OMP_WAIT_POLICY": "PASSIVE"}, "None")]
)
def test_the_command_line_lets_threads_sleep_unless_the_user_says_otherwise(given, expected, monkeypatch):
    code = "import os, sys\nfrom handwright.apps.cli import main\ntry:\n    main(['--version'])\n"
    code += "except SystemExit:\n    print(os.environ.get(sys.argv[1]), 'torch' in sys.modules)\n"
    for name in (SPIN_COUNT, "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    command = [sys.executable, "-c", code, SPIN_COUNT]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == f"{expected} False"
