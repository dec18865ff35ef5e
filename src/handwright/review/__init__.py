"""Room: the judge. A checklist for every hand of a picture; no diffusion model, no torch."""

from handwright.review.checklist import CHECKS, Check, HandReview, PictureReview, Where
from handwright.review.judge import Judge, open_judge, review_picture

__all__ = ["CHECKS", "Check", "HandReview", "Judge", "PictureReview", "Where", "open_judge", "review_picture"]
