"""The people pass is silent, and holds the process's stderr only until it has met somebody."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from handwright.perception.detect import landmarker as people_module
from handwright.perception.models.download import ensure_models

EMPTY = np.zeros((64, 64, 3), np.uint8)
JOINTS = [SimpleNamespace(x=0.5, y=0.5, visibility=0.9, presence=0.9)] * 33


def test_stderr_is_held_until_the_first_person_and_never_again(monkeypatch):
    held: list[bool] = []

    @contextlib.contextmanager
    def quiet():
        held.append(True)
        yield

    class Net:
        def detect(self, people):
            return SimpleNamespace(pose_landmarks=people)

        def close(self):
            held.append(False)

    monkeypatch.setattr(people_module, "silenced_stderr", quiet)
    task = people_module._PoseTask(Net())
    assert task.detect([]).pose_landmarks == []
    assert task.detect([JOINTS]).pose_landmarks == [JOINTS]
    assert held == [True, True]
    task.detect([JOINTS])
    task.detect([])
    assert held == [True, True]
    task.close()
    assert held[-1] is False


@pytest.mark.models
@pytest.mark.photos
def test_meeting_people_again_and_again_prints_nothing(photos):
    picture = sorted((photos / "mediapipe_gesture_testdata" / "images").glob("four_*.jpg"))[0]
    model = ensure_models().pose_landmarker
    code = (
        "import sys, numpy as np, PIL.Image; from pathlib import Path;"
        "from handwright.perception.detect.landmarker import PoseNetwork;"
        "net = PoseNetwork(Path(sys.argv[2]));"
        "pixels = np.asarray(PIL.Image.open(sys.argv[1]).convert('RGB').resize((512, 512)));"
        "print([len(net(seen)) for seen in (pixels, pixels[:, ::-1], pixels)])"
    )
    command = [sys.executable, "-c", code, str(picture), str(model)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    assert ended.stdout == "[1, 1, 1]\n"
