"""The library inside other systems: each module needs a package of its own, installed separately or by an extra."""
