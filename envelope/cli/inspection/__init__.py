"""What `envelope inspect` shows: trees, outlines, sizes, and where in the bytes each value stands."""
