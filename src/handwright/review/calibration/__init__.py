"""From the critic's logits to probabilities and thresholds, as packaged or fitted to a user's own hands.

Read ``calibration`` (the value and its file), ``fitting`` (how it is estimated), and ``user_calibration``.
"""
