"""What `envelope inspect` shows: trees, outlines, sizes, and the byte range of each value."""
