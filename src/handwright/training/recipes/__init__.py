"""One short recipe a member of the family."""
