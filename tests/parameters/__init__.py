"""What the numbers of the ``…Params`` classes change, on hands that are recorded while they are repaired."""
