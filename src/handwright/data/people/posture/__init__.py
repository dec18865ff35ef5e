"""How a person stands: arms that bring hands into view without passing through the body.

Reading order: ``reach`` (the body as obstacles, inverse kinematics of an arm), ``arms``
(what each arm does), ``stance`` (the whole body); ``meeting`` (how one's own two hands lie to each other).
"""
