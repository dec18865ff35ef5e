"""What a program that paints hands itself needs of a picture, and how its paint comes back.

``planned`` (which hands, with fit and mask), ``controls`` (depth and mask of the whole picture), ``squares``
(a square per hand, and the way into the picture), ``outcome`` (what a repair changed).
"""
