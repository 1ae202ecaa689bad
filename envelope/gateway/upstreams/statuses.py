"""What an upstream's HTTP status means for the call: one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from envelope.registry.codes import NO_RESULT, SUCCESS, TARGET_SERVER_ERROR

__all__ = ["STATUSES", "StatusRow", "row_of_status"]


class StatusRow(NamedTuple):
    """What a status means.

    ``code``   the call's. With 2000, the upstream's own words are passed on inside ``response.error``.
    ``retry``  whether another attempt may mend it although the registry does not say so of the code.
    ``rest``   whether the upstream rests. What callers can bring about at will must not put it to rest.
    """

    code: str
    retry: bool = False
    rest: bool = False


# The operator's account with the upstream was refused: its words would be about the operator's key.
_REFUSED: Final = StatusRow(TARGET_SERVER_ERROR, rest=True)

STATUSES: Final[Mapping[int, StatusRow]] = {
    401: _REFUSED,
    402: _REFUSED,
    407: _REFUSED,
    408: StatusRow(NO_RESULT, retry=True),
    425: StatusRow(NO_RESULT, retry=True),
    429: StatusRow(NO_RESULT, retry=True, rest=True),
}
"""Statuses that mean something else than their class."""

_CLASSES: Final[Mapping[int, StatusRow]] = {
    2: StatusRow(SUCCESS),
    3: StatusRow(TARGET_SERVER_ERROR),  # never followed
    4: StatusRow(NO_RESULT),
    5: StatusRow(TARGET_SERVER_ERROR, rest=True),
}


def row_of_status(status: int) -> StatusRow:
    """The row of *status*, or that of its class."""
    return STATUSES.get(status) or _CLASSES.get(status // 100, _CLASSES[5])
