"""The admin API: an operator's commands over HTTP, under `ADMIN`, for whoever has the admin token."""

from typing import Final

__all__ = ["ADMIN"]

ADMIN: Final = "/admin/"
"""What the paths of the admin API begin with."""
