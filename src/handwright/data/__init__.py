"""Training and test data: rendered worlds with exact truth, and the files they travel in.

- ``scenes``: one hand in a picture, sound or with a known defect; what the benches stand on.
- ``hands``: one or two hands, dressed, holding, malformed; ``render`` and ``places`` draw them.
- ``captions``: what there is to say; ``synthesise``, ``shards``: worlds of them as WebDataset files.
"""
