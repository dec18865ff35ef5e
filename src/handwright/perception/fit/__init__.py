"""Fitting: from 21 observed landmarks to a regular, anatomically limited hand.

Reading order: ``hand_fit`` (the fit), ``_solver`` and ``_chain`` (its compiled inner loop),
``landmark_weights`` (which landmarks count less), ``outline`` (proportions from the hand's outline) and
``edited_depth`` (relative depth from a depth image that the user edited).
"""
