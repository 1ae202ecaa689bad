"""How much a call may be. It is read before anybody knows who calls, so this is little."""

from __future__ import annotations

from collections.abc import Sized
from typing import Final

from envelope.calls.php_query import MAX_INPUT_VARS
from envelope.limits import Limits

__all__ = ["MAX_NAMES", "REQUEST_LIMITS", "names_fault"]

REQUEST_LIMITS: Final = Limits(max_bytes=2 * 1024 * 1024, max_items=100_000)
"""What the query, and likewise the body, of a call may be by default: 2 MiB, 100,000 items, and the usual depth."""

MAX_NAMES: Final = MAX_INPUT_VARS
"""How many parameters a call may have, whatever its carrier and limits: as many as PHP reads of a query or form."""


def names_fault(params: Sized) -> str:
    """What is wrong if there are more than `MAX_NAMES` *params*; else ``""``."""
    return f"more than {MAX_NAMES} parameters" if len(params) > MAX_NAMES else ""
