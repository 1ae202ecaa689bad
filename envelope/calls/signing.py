"""Signatures: how a caller proves that it knows its secret without sending it, as the gateway's own client does.

The signature is the MD5, in upper-case hexadecimal, of the secret, every name followed by its value in the order of
PHP's ksort, and the secret again. A value that begins with ``@`` (a file, to old versions of PHP's curl) is left out
with its name, and so is what the client adds after signing: ``sign``, ``secret``, ``cache``, ``lang``, ``result_type``.

It covers the parameters as they are sent, including empty ones, so a server checks the parameters as they came, not as
it understood them.

That is the gateway's own scheme, and it is weak. Whoever overhears a signed call can, without the secret,

- move the border between a name and its value (``q=hello`` is signed as ``qh=ello``), or between two parameters;
- send it to an API of another type: the path's ``api_type`` is not signed;
- change ``cache``, ``lang`` and ``result_type``;
- add any parameter whose value begins with ``@``;
- send it again and again within the window of time.

Between two ends of one's own, `envelope.calls.strict_signing` protects all of that.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

from envelope.calls.bounds import names_fault
from envelope.calls.carriers import plain_text
from envelope.calls.ksort import ksort
from envelope.calls.parameters import DATELINE_PATTERN, PARAMETERS, STRICT_SCHEME
from envelope.calls.request import ApiRequest, amended
from envelope.errors import EncodeError, RequestError
from envelope.hints import Hint
from envelope.registry.codes import INVALID_CREDENTIALS, MISSING_PARAM

__all__ = ["CHINA", "check_dateline", "dateline_of", "sign", "signature", "verify"]

CHINA = timezone(timedelta(hours=8), "CST")
"""The time zone of the gateway's servers, and so of a ``dateline``."""

_UNSIGNED = {row.name for row in PARAMETERS if not row.signed}
_DATELINE = "%Y-%m-%d %H:%M:%S"


def signature(call: ApiRequest | Mapping[str, Any], secret: str) -> str:
    """The signature of a call, or of its parameters as they came, under *secret*: 32 upper-case hexadecimal digits.

    It is the same in every carrier. `EncodeError` with the path of a parameter that is neither a text nor an integer:
    no other JSON value has a single text form. More than 1000 parameters are one of kind ``limit``, at once.
    """
    params = call.to_params() if isinstance(call, ApiRequest) else call
    if reason := names_fault(params):
        raise EncodeError(reason, kind="limit", hint=Hint("php-setting", "max_input_vars"))
    parts = [secret]
    for name in ksort(name for name in params if name not in _UNSIGNED):
        text = plain_text(name, params[name])
        if not text.startswith("@"):
            parts += (name, text)
    parts.append(secret)
    return hashlib.md5(_raw("".join(parts)), usedforsecurity=False).hexdigest().upper()


def sign(request: ApiRequest, secret: str, clock: Callable[[], int], *, zone: tzinfo = CHINA) -> ApiRequest:
    """*request* with the time and its signature, without the secret. *clock* returns the time in nanoseconds."""
    dated = amended(request, dateline=dateline_of(clock, zone), sign="", secret="")
    return amended(dated, sign=signature(dated, secret))


def verify(
    request: ApiRequest,
    secret: str,
    clock: Callable[[], int],
    *,
    params: Mapping[str, Any] | None = None,
    window: int = 300,
    zone: tzinfo = CHINA,
) -> None:
    """Raise `RequestError` unless *request* proves that its caller knows *secret*.

    The proof is the secret itself, or a signature at most *window* seconds in the past or future; if it has both, both
    must be right; a strict signature is refused. *params* are the call's as they came (`read_call` of
    `envelope.calls.request`); without them, those that the library would write. Comparisons take constant time.
    """
    if request.sign.startswith(STRICT_SCHEME):
        raise RequestError("a strict signature, which is not taken here", code=INVALID_CREDENTIALS, path="$.sign")
    if request.secret and not hmac.compare_digest(_raw(request.secret), _raw(secret)):
        raise RequestError("not the key's secret", code=INVALID_CREDENTIALS, path="$.secret")
    if not request.sign:
        if not request.secret:
            raise RequestError("neither secret nor signature", code=INVALID_CREDENTIALS, path="$.sign")
        return
    try:
        expected = signature(request if params is None else params, secret)
    except EncodeError as error:
        raise RequestError(error.reason, path=error.path) from None
    if not hmac.compare_digest(_raw(request.sign), _raw(expected)):
        raise RequestError("not the signature of this call", code=INVALID_CREDENTIALS, path="$.sign")
    check_dateline(request.dateline, clock, window, zone)


def dateline_of(clock: Callable[[], int], zone: tzinfo) -> str:
    """The time as a ``dateline``."""
    return datetime.fromtimestamp(_nanoseconds(clock) // 10**9, zone).strftime(_DATELINE)


def check_dateline(dateline: str, clock: Callable[[], int], window: int, zone: tzinfo) -> int:
    """The Unix time in seconds of a *dateline* within the window; `RequestError` for any other, or for none."""
    if not dateline:
        raise RequestError("missing", code=MISSING_PARAM, path="$.dateline")
    now = _nanoseconds(clock) / 10**9
    seconds = _seconds(dateline, zone, now)
    if abs(seconds - now) > window:
        hint = Hint("clocks", window)
        raise RequestError("too old, or in the future", code=INVALID_CREDENTIALS, path="$.dateline", hint=hint)
    return seconds


def _nanoseconds(clock: Callable[[], int]) -> int:
    """The time; `TypeError` for a clock like ``time.time``, by which every call would be too old."""
    now = clock()
    if not isinstance(now, int):
        raise TypeError("a clock tells nanoseconds, as an int: time.time_ns")
    return now


def _seconds(dateline: str, zone: tzinfo, now: float) -> int:
    """The Unix time of a *dateline*; of the two that an hour has when summer time ends, the one nearer to *now*."""
    if re.fullmatch(DATELINE_PATTERN, dateline) is not None:
        with suppress(ValueError, OverflowError):  # such an error holds the text
            local = datetime.strptime(dateline, _DATELINE)
            times = (int(local.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1))
            return min(times, key=lambda time: abs(time - now))
    raise RequestError("not a time", path="$.dateline", hint=Hint("dateline"))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
