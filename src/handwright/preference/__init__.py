"""Preference studies: pages that show raters pictures of several systems side by side, and what answers mean.

Reading order: `study` (pairs of pictures, attention checks and the page that raters open), `answers` (their
files, checked against the key), `scoring` (win rates, Bradley–Terry scores, agreement), `sample_size`.
"""

from handwright.preference.answers import Answers, read_answers
from handwright.preference.sample_size import pictures_needed
from handwright.preference.scoring import PairResult, StudyResult, score_study
from handwright.preference.study import QUESTIONS, make_study

__all__ = [
    "QUESTIONS", "Answers", "PairResult", "StudyResult", "make_study", "pictures_needed", "read_answers",
    "score_study",
]  # fmt: skip
