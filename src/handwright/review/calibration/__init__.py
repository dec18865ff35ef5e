"""From a network's logits to probabilities and thresholds.

``calibration`` estimates scales, temperatures and thresholds, and holds the value and its file.
``review.critic.recalibration`` fits one to a user's own hands.
"""

from handwright.review.calibration.calibration import BUDGET, Calibration, Head

__all__ = ["BUDGET", "Calibration", "Head"]
