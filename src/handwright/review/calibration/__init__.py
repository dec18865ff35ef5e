"""From a network's logits to probabilities and thresholds.

Read ``calibration`` (the value and its file), then ``fitting`` (how scales, temperatures and thresholds are
estimated). ``review.critic.recalibration`` fits one to a user's own hands.
"""

from handwright.review.calibration.calibration import BUDGET, Calibration, Head

__all__ = ["BUDGET", "Calibration", "Head"]
