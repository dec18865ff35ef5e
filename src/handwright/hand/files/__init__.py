"""Hands as files and in other conventions.

Reading order: ``hands_file`` (the JSON file of a picture's hands), ``mesh`` (OBJ and glTF) and
``mano`` (MANO parameters).
"""
