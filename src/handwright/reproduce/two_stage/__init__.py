"""Giving a Hand to Diffusion Models: its tables measured again, every row on one base.

Reading order: ``study`` (what is asked for), ``cases`` (the poses), ``rows`` (the treatments), ``run`` (paint
and find people), ``measure``, ``page`` (the tables).
"""

from handwright.reproduce.two_stage.run import reproduce_two_stage
from handwright.reproduce.two_stage.study import TwoStageStudy

__all__ = ["TwoStageStudy", "reproduce_two_stage"]
