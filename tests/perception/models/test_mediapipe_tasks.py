"""MediaPipe comes without matplotlib, and leaves it as it was."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import sys
from handwright.perception.models.mediapipe_tasks import import_mediapipe
_, options, vision = import_mediapipe()
assert not [name for name in sys.modules if name.startswith("matplotlib")]
assert vision.HandLandmarker and options
from mediapipe.tasks.python.vision import drawing_utils
drawing_utils.plt.figure
import matplotlib.pyplot as real
assert drawing_utils.plt.figure is real.figure
"""
BEFORE = """
import matplotlib.pyplot as real
from handwright.perception.models.mediapipe_tasks import import_mediapipe
import_mediapipe()
import sys
from mediapipe.tasks.python.vision import drawing_utils
assert sys.modules["matplotlib.pyplot"] is real is drawing_utils.plt
"""

LEFT_OPEN = """
from handwright.perception.models.download import ensure_models
from handwright.perception.models.mediapipe_tasks import TaskPool, import_mediapipe, open_task
import_mediapipe()
pool = TaskPool(lambda _: open_task("HandLandmarker", ensure_models().hand_landmarker, ""))
with pool.borrowed(0):
    pass
"""


LITTLE_MEMORY = """
import os, resource
from handwright.perception.models import mediapipe_tasks as tasks
from handwright.perception.models.download import ensure_models

tasks.import_mediapipe()
model = ensure_models().hand_landmarker
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (used + tasks.TASK_BYTES + ({more} << 20),) * 2)
try:
    tasks.open_task("HandLandmarker", model, "")
    print("opened")
except MemoryError as error:
    print(error)
"""


@pytest.mark.models
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no limit of the address space can be set")
@pytest.mark.parametrize(("more", "said"), [(-1, "768 MiB more are needed"), (64, "opened")])
def test_a_task_is_opened_with_enough_memory_alone(more: int, said: str):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LITTLE_MEMORY.format(more=more)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, f"{said}\n")


@pytest.mark.models
def test_a_task_that_is_left_open_ends_quietly():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LEFT_OPEN], check=True, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr


def test_plots_are_imported_when_something_is_plotted_and_not_before():
    subprocess.run([sys.executable, "-W", "ignore", "-c", WITHOUT], check=True)


def test_matplotlib_that_is_there_already_stays():
    subprocess.run([sys.executable, "-W", "ignore", "-c", BEFORE], check=True)
