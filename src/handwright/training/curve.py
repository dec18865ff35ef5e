"""The learning curve of a run as a picture that a person looks at."""

import json
from pathlib import Path

import numpy as np

_SMOOTH = 50


def draw_curve(log: Path, picture: Path) -> None:
    """Plot loss and samples a second against samples seen; writes a PNG, whole or not at all."""
    from matplotlib.figure import Figure

    from handwright.image import write_atomically

    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    if len(lines) < 2:
        return
    steps, losses, speeds = (np.array([line[k] for line in lines]) for k in ("step", "loss", "samples_per_s"))
    window = min(_SMOOTH, len(losses))
    smooth = np.convolve(losses, np.ones(window) / window, "valid")
    figure = Figure(figsize=(8, 4), layout="constrained")
    loss, speed = figure.subplots(1, 2)
    loss.plot(steps, losses, linewidth=0.3, alpha=0.4)
    loss.plot(steps[window - 1 :], smooth)
    loss.set(xlabel="step", ylabel="loss", yscale="log")
    speed.plot(steps, speeds, linewidth=0.5)
    speed.set(xlabel="step", ylabel="samples per second")
    write_atomically(picture, lambda file: figure.savefig(file, format="png", dpi=100))
