"""HTTP statuses and codes: what a server's own failure (404, 405, 413, 422, 503 …) is called in an envelope."""

from __future__ import annotations

from typing import Final, Literal

from envelope.registry.codes import (
    API_MAINTENANCE,
    API_NOT_FOUND,
    INSUFFICIENT_BALANCE,
    INVALID_CREDENTIALS,
    PARAM_ERROR,
    RATE_LIMIT_EXCEEDED,
    TARGET_SERVER_ERROR,
    TIMEOUT,
    UNKNOWN_ERROR,
)

__all__ = ["Statuses", "code_of_status"]

Statuses = Literal["registry", "ok"]
"""The HTTP status of a failure: that of its code in the registry, or 200 whatever it is."""

_CODES: Final = {
    401: INVALID_CREDENTIALS,
    402: INSUFFICIENT_BALANCE,
    403: INVALID_CREDENTIALS,
    404: API_NOT_FOUND,
    405: API_NOT_FOUND,  # "with these values", as its message says
    408: TIMEOUT,
    410: API_NOT_FOUND,
    429: RATE_LIMIT_EXCEEDED,
    502: TARGET_SERVER_ERROR,
    503: API_MAINTENANCE,
    504: TIMEOUT,
}


def code_of_status(status: int) -> str:
    """The code for a failure of which only the HTTP *status* is known; for others it is 4003 below 500, else 5000."""
    return _CODES.get(status, PARAM_ERROR if status < 500 else UNKNOWN_ERROR)
