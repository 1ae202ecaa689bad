"""Signatures: how a caller proves that it knows its secret without sending it, as the gateway's own client does.

The signature is the MD5, in upper-case hexadecimal, of the secret, every name followed by its value in the order of
PHP's ksort, and the secret again. A value that begins with ``@`` (a file, to PHP's curl of old) is left out with its
name, and so is what the client adds afterwards: ``sign``, ``secret``, ``cache``, ``lang``, ``result_type``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cmp_to_key

from envelope.codes import INVALID_CREDENTIALS
from envelope.errors import DecodeError, EncodeError, RequestError
from envelope.path import format_path
from envelope.php_query import as_carried
from envelope.request import ApiRequest
from envelope.values import array_key

__all__ = ["CHINA", "sign", "signature", "verify"]

CHINA = timezone(timedelta(hours=8), "CST")
"""The time zone of the gateway's servers, which a ``dateline`` is in."""

_UNSIGNED = ("sign", "secret", "cache", "lang", "result_type")
_DATELINE = "%Y-%m-%d %H:%M:%S"
_DATELINE_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def signature(request: ApiRequest, secret: str) -> str:
    """The signature of *request* under *secret*: 32 upper-case hexadecimal digits, the same in every carrier.

    `EncodeError` with the path of a parameter that is a list or a map, which has no value to sign; `DecodeError` for
    names that PHP would not take.
    """
    # As text, for so a query string or form has it: what the carrier was makes no difference then.
    params = as_carried(request.to_params())
    digest = hashlib.md5(secret.encode(), usedforsecurity=False)
    for name in sorted(params, key=cmp_to_key(_ksort)):
        value = params[name]
        if isinstance(value, list | dict):
            raise EncodeError("a list or map cannot be signed", path=format_path([name]))
        if name not in _UNSIGNED and not _raw(value).startswith(b"@"):
            digest.update(_raw(name) + _raw(value))
    digest.update(secret.encode())
    return digest.hexdigest().upper()


def sign(request: ApiRequest, secret: str, clock: Callable[[], int], *, zone: tzinfo = CHINA) -> ApiRequest:
    """*request* with the time and its signature, and without the secret. *clock* answers it in nanoseconds."""
    dateline = datetime.fromtimestamp(clock() // 10**9, zone).strftime(_DATELINE)
    dated = replace(request, dateline=dateline, sign="", secret="")
    return replace(dated, sign=signature(dated, secret))


def verify(
    request: ApiRequest, secret: str, clock: Callable[[], int], *, window: int = 300, zone: tzinfo = CHINA
) -> None:
    """Raise `RequestError` unless *request* proves that its caller knows *secret*.

    It does by the secret itself, or by a signature that is at most *window* seconds old, or as early; where it has
    both, both must be right. Each comparison takes the same time wherever the first difference is.
    """
    if request.secret and not hmac.compare_digest(request.secret.encode(), secret.encode()):
        raise RequestError("not the key's secret", code=INVALID_CREDENTIALS, path="$.secret")
    if not request.sign:
        if not request.secret:
            raise RequestError("neither secret nor signature", code=INVALID_CREDENTIALS, path="$.sign")
        return
    try:
        expected = signature(request, secret)
    except (DecodeError, EncodeError) as error:
        raise RequestError(error.reason, path=error.path) from None
    if not hmac.compare_digest(request.sign.encode(), expected.encode()):
        raise RequestError("not the signature of this call", code=INVALID_CREDENTIALS, path="$.sign")
    if abs(_seconds(request.dateline, zone) - clock() / 10**9) > window:
        hint = f"the clocks may differ by {window} seconds"
        raise RequestError("too long ago, or yet to come", code=INVALID_CREDENTIALS, path="$.dateline", hint=hint)


def _seconds(dateline: str, zone: tzinfo) -> float:
    try:
        if _DATELINE_FORM.fullmatch(dateline) is None:
            raise ValueError
        return datetime.strptime(dateline, _DATELINE).replace(tzinfo=zone).timestamp()
    except (ValueError, OverflowError):
        raise RequestError("no time", path="$.dateline", hint="as 2023-03-05 10:03:24") from None


def _ksort(a: str | bytes, b: str | bytes) -> int:
    """PHP's order of two keys: integers by their value, all else by their bytes."""
    if isinstance(a, str) and isinstance(b, str):
        first, second = array_key(a), array_key(b)
        if isinstance(first, int) and isinstance(second, int):
            return (first > second) - (first < second)
    return (_raw(a) > _raw(b)) - (_raw(a) < _raw(b))


def _raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
