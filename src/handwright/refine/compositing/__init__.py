"""Compositing: which pixels may change, what stays in front, how paint goes into the picture and fits it."""
