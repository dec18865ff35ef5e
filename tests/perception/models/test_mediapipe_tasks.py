"""MediaPipe comes without matplotlib, and leaves it as it was."""

from __future__ import annotations

import subprocess
import sys

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


def test_plots_are_imported_when_something_is_plotted_and_not_before():
    subprocess.run([sys.executable, "-W", "ignore", "-c", WITHOUT], check=True)


def test_matplotlib_that_is_there_already_stays():
    subprocess.run([sys.executable, "-W", "ignore", "-c", BEFORE], check=True)
