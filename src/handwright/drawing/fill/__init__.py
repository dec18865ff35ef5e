"""Background for a hole: exemplar-based inpainting from coarse to fine.

- ``background``: where background may be copied from, and its fill in a picture of any size.
- ``patch_fill``: the fill itself; ``pyramid``: its resolutions; ``onion_peel``: its first guess.
- ``patchmatch``: the compiled search for nearest patches and the vote of patches.
- ``push_pull``: smooth interpolation of scattered samples.
"""
