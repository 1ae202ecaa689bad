"""The library inside other systems: each module needs a package of its own, which an extra of that name installs."""
