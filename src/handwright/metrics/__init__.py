"""Measures of hands and of sets of pictures; each figure comes with its name, its count N and an interval.

Reading order: `statistics` (a figure and its interval, rates, paired differences), `keypoints` (MPJPE, PCK,
OKS, DAP, detection confidence), `distances` (FID, KID, CLIPSIM) over the features of `extractors`,
`parameters` (generated hand and body poses), and `sets` (one folder of pictures against another). `crops`
cuts hands out of pictures, `results` is what an evaluation returns, `packages` reports an optional package
that is missing.
"""
