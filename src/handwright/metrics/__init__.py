"""Measures of hands and of sets of pictures; each figure comes with its name, its count N and an interval.

Reading order: `estimate` (a figure and its interval, rates, paired differences), `joints` (MPJPE, PCK,
detection confidence), `average_precision` (OKS, DAP), `frechet` and `kernel` (FID, KID) over the features of
`extractors` (CLIPSIM among them), `poses` (generated hand and body poses), and `sets` (one folder of pictures
against another). `crops` cuts hands out of pictures, `results` is what an evaluation returns.
"""
