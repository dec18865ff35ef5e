"""Clothes: ``wardrobe`` chooses them and names them, ``garments`` cuts them as meshes."""
