"""Fitting: from 21 observed landmarks to a regular, anatomically limited hand.

Reading order: ``hand_fit`` (the fit), ``_solver`` and ``_chain`` (its compiled inner loop),
``landmark_weights`` (which landmarks count less, and their depth from an image that the user edited) and
``outline`` (proportions from the hand's outline).
"""
