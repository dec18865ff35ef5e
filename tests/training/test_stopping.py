"""A run that is asked to stop ends with a whole checkpoint and goes on from there."""

import os
import signal

from handwright.training.stopping import stop_requests
from tests.training.test_loop import Toy, settings, train


def test_a_file_or_sigterm_asks_to_stop_and_the_earlier_handler_comes_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with stop_requests(tmp_path / ".stop") as requested:
        assert not requested()
        (tmp_path / ".stop").touch()
        assert requested()
        (tmp_path / ".stop").unlink()
        assert not requested()
        os.kill(os.getpid(), signal.SIGTERM)
        assert requested()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_stopped_run_has_done_one_step_and_kept_it(tmp_path):
    progress = train(Toy(), settings(), tmp_path, stop_requested=lambda: True)
    assert (progress.step, progress.done) == (1, False)
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-00000001"]
