"""Training of the embedded family: crops, one loop, one recipe a member. Needs ``handwright[train]``."""
