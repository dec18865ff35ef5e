"""Opens a critic, the packaged one unless another is named; without weights geometry alone judges."""

from __future__ import annotations

from pathlib import Path

from handwright.review.critic.prediction import Critic

PACKAGED = Path(__file__).parents[2] / "weights" / "critic"


def open_critic(folder: Path = PACKAGED) -> Critic | None:
    """The critic of a folder, or None where there is none.

    Args:
        folder: With critic.onnx and calibration.json.

    Raises:
        MissingModelError: The folder is there but incomplete or damaged.
    """
    if not folder.is_dir():
        return None
    from handwright.review.critic.onnx_critic import CriticRunner

    return CriticRunner.load(folder)
