"""Models from disk: ``places`` (where) → ``components`` and ``controlnets`` → ``zoo`` (all of a model).

``devices`` names where they run and what memory they need, ``libraries`` is the one import of diffusers and
transformers.
"""
