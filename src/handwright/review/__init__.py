"""Room: the judge. A checklist for every hand of a picture; no diffusion model, no torch.

Read ``checklist`` (the values) and ``judge`` (from a picture to its review), then ``checks`` (by geometry),
``critic`` (by a network, fused with these), ``calibration`` (the critic's probabilities and thresholds),
``proposals`` (hands that the detector misses), ``expectation_check`` (against a prompt), and ``review_json``
and ``overlay`` (what users get).
"""

from handwright.review.checklist import CHECKS, Check, HandReview, PictureReview, Where
from handwright.review.judge import Judge, open_judge, review_picture

__all__ = ["CHECKS", "Check", "HandReview", "Judge", "PictureReview", "Where", "open_judge", "review_picture"]
