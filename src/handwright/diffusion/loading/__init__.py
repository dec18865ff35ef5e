"""Models from disk: ``places`` (where) → ``components`` and ``controlnets`` → ``zoo`` (all of a model).

``compatibility`` checks that components belong together, ``devices`` and ``memory`` where they run, and
``libraries`` is the one import of diffusers and transformers.
"""
