"""What each code is to a client of OpenAI: an HTTP status and an error object, for which its package raises a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from envelope.registry.codes import (
    ACCOUNT_NOT_FOUND,
    ACCOUNT_STOPPED,
    API_MAINTENANCE,
    API_NOT_ADDED,
    API_NOT_FOUND,
    API_STOPPED,
    CALLS_EXCEEDED,
    INSUFFICIENT_BALANCE,
    INVALID_CREDENTIALS,
    MISSING_PARAM,
    NETWORK_ERROR,
    PARAM_ERROR,
    RATE_LIMIT_EXCEEDED,
    SERVER_ERROR,
    TARGET_SERVER_ERROR,
    TIMEOUT,
    UNKNOWN_ERROR,
    WRONG_PAGE_TOKEN,
)

__all__ = ["ERRORS", "ErrorRow", "error_object", "row_of", "status_of_error"]


class ErrorRow(NamedTuple):
    """The HTTP ``status``, and the error's ``type`` and ``code``, in OpenAI's words."""

    status: int
    type: str
    code: str


_INVALID: Final = "invalid_request_error"

ERRORS: Final[Mapping[str, ErrorRow]] = {
    SERVER_ERROR: ErrorRow(500, "server_error", "server_error"),
    NETWORK_ERROR: ErrorRow(502, "server_error", "upstream_unreachable"),
    TARGET_SERVER_ERROR: ErrorRow(502, "server_error", "upstream_error"),
    PARAM_ERROR: ErrorRow(400, _INVALID, "invalid_value"),
    ACCOUNT_NOT_FOUND: ErrorRow(401, _INVALID, "invalid_api_key"),
    INVALID_CREDENTIALS: ErrorRow(401, _INVALID, "invalid_api_key"),
    API_STOPPED: ErrorRow(403, "permission_error", "api_stopped"),
    ACCOUNT_STOPPED: ErrorRow(403, "permission_error", "account_deactivated"),
    RATE_LIMIT_EXCEEDED: ErrorRow(429, "requests", "rate_limit_exceeded"),
    API_MAINTENANCE: ErrorRow(503, "server_error", "maintenance"),
    API_NOT_FOUND: ErrorRow(404, _INVALID, "unknown_url"),
    API_NOT_ADDED: ErrorRow(403, "permission_error", "api_not_granted"),
    CALLS_EXCEEDED: ErrorRow(429, "insufficient_quota", "insufficient_quota"),
    MISSING_PARAM: ErrorRow(400, _INVALID, "missing_required_parameter"),
    WRONG_PAGE_TOKEN: ErrorRow(400, _INVALID, "invalid_value"),
    INSUFFICIENT_BALANCE: ErrorRow(429, "insufficient_quota", "insufficient_quota"),
    TIMEOUT: ErrorRow(504, "server_error", "timeout"),
    UNKNOWN_ERROR: ErrorRow(500, "server_error", "server_error"),
}
"""Each failure's row."""


def row_of(code: str, status: int) -> ErrorRow:
    """The row of *code*; of an operator's own, one that says the *status* of its registry."""
    own = ErrorRow(status, _INVALID if status < 500 else "server_error", code)
    return ERRORS.get(code, own)


def error_object(message: str, row: ErrorRow, param: str | None = None) -> dict[str, Any]:
    """The body of a failure."""
    return {"error": {"message": message, "type": row.type, "param": param, "code": row.code}}


_BUSY: Final = frozenset(("tokens", "requests", "rate_limit_exceeded", "rate_limit_error", "insufficient_quota"))
_SERVER: Final = ("server_error", "api_error", "overloaded", "timeout")


def status_of_error(error: Any) -> int:
    """The HTTP status of an upstream's *error* that came under 200, by what it says of itself."""
    words = [error.get(name) for name in ("code", "type")] if isinstance(error, dict) else [error]
    for word in words:
        if isinstance(word, int) and 400 <= word <= 599:
            return word
        if isinstance(word, str) and word in _BUSY:
            return 429
        if isinstance(word, str) and word.startswith(_SERVER):
            return 500
    return 400
