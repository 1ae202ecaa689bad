"""Which version of the library this is."""

from __future__ import annotations

__all__ = ["library_version"]


def library_version() -> str | None:
    """Its number; None where it is not installed: a checkout on sys.path."""
    # Imported here, for it takes longer than most commands.
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("envelope-engine")
    except PackageNotFoundError:
        return None
