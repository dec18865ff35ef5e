"""Finding and fitting: from pixels to the hands in them."""
