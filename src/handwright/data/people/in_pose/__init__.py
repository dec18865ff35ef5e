"""Someone drawn in a pose that is given as 133 points: the body's inverse kinematics, and the picture.

Reading order: ``trunk`` (turn, spine and head by least squares), ``limbs`` (arms that bring the given hands
to their places, legs), ``appearance`` (who it is, by the words of a prompt), ``held_things`` (what hands
hold, by the same words), ``hands_together`` (both hands of a person's numbers brought together),
``busy_hands`` (people of the synthetic world whose hands meet or hold things), ``picture`` (all of it).
"""
