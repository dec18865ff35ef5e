"""Recipes: what each member learns from and by which loss; see ``training.loop.Recipe``."""
