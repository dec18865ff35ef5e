"""Recipes of the networks that look at pictures: what is a hand, what is wrong with it, and features."""
