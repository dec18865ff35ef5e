"""Training and test data: one synthetic world, edited photographs, and the files both travel in.

Reading order:

- ``hands``, ``people``: pictures with exact truth, sound or with a defect; ``world`` renders them.
- ``photo_edits``: defects made on real photographs.
- ``captions``: sentences about a picture; ``synthesise``: many pictures, reproducibly.
- ``shards``: the files (WebDataset); ``sample``, ``loaders``: other people's data sets.
- ``shapes``: the names of arrays in signatures.
"""
