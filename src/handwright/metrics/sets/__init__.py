"""One set of pictures measured against another.

Reading order: `items` (a picture and its labels), `gather` (one pass over a set), `paired` (pictures in both
sets), `measures` (every measure by its name), and `evaluation`, which runs what a plan names and
compares two treatments.
"""
