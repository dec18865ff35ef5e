"""Training of the embedded family; needs ``handwright[train]``.

Reading order: ``settings`` (how to train), ``loop`` (one loop for all members, exact resume), ``members``
(from a name to a recipe), ``recipes`` (what each member learns), ``networks`` (what is trained), ``streams``
(what it is trained on).
"""
