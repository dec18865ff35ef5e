"""From a text or a pose to a picture that passes its review: ``generation`` is the way in.

Reading order: ``pose_source`` (where the pose comes from), ``engines`` (what paints), ``attempts`` (make,
review, mend, review again), ``generation`` (several pictures, their files and their report).
"""
