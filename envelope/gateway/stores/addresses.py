"""Where a store is: the path of a SQLite file, or the address of a PostgreSQL database, as libpq reads it."""

from __future__ import annotations

import os
import re
from typing import Final

__all__ = ["is_postgresql", "shown_address"]

_SCHEMES: Final = ("postgresql://", "postgres://")
# Up to the last @: in an address that is not written as it must be, a password may have any character.
_PASSWORDS: Final = re.compile(r"(?s)(?<=://)([^:/?@]*:).*(?=@)|([?&](?:ssl)?password=)[^&]*")


def is_postgresql(address: str | os.PathLike[str]) -> bool:
    """Whether *address* is that of a PostgreSQL database; any other is the path of a file."""
    return isinstance(address, str) and address.startswith(_SCHEMES)


def shown_address(address: str | os.PathLike[str]) -> str:
    """*address*, without the password that it may have."""
    if not (isinstance(address, str) and is_postgresql(address)):
        return os.fspath(address)
    return _PASSWORDS.sub(lambda found: f"{found[1] or found[2]}…", address)
