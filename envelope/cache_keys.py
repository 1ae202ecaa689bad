"""Cache keys: under which name the answer to a call is kept."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from envelope.errors import EncodeError
from envelope.formats import FORMATS, ResultType
from envelope.limits import DEFAULT_LIMITS
from envelope.path import format_path
from envelope.php_query import as_carried
from envelope.request import ApiRequest

__all__ = ["cache_key", "client_cache_key"]


def cache_key(request: ApiRequest) -> str:
    """The SHA-256, in hexadecimal, of what is called for: the same however it was sent, and in whatever order.

    Who calls, when, in which format and whether from the cache makes no difference; the language and the version do.
    Parameters count as the text that a query string has of them, so that ``5`` and ``"5"`` are one; ``_o_args`` keeps
    its types. `EncodeError` or `DecodeError` for parameters that no query string has.
    """
    call = {
        "api": [request.api_type, request.api_name, request.method],
        "args": None if request.args is None else dict(request.args),
        "params": as_carried(request.params),
        "lang": str(request.lang),
        "version": request.version,
    }
    # The library's own writer checks the domain; orjson, once that is certain, sorts the keys.
    body = FORMATS[ResultType.JSONU].dumps(call, "portable", "array", "typed", None, DEFAULT_LIMITS)
    return hashlib.sha256(orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)).hexdigest()


def client_cache_key(request: ApiRequest) -> str:
    """The key that the gateway's own PHP client uses: the MD5 of the API's name, ``_``, and all values with commas.

    It knows neither names nor language, and the order of parameters counts: `cache_key` is safer. `EncodeError` with
    the path of a parameter that is a list or a map.
    """
    own = {name: value for name, value in request.to_params().items() if name in ("method", "_o_args")}
    values = [_text(name, value) for name, value in as_carried({**own, **request.params}).items()]
    text = f"{request.api_name}_".encode() + b",".join(values)
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


def _text(name: str | bytes, value: Any) -> bytes:
    if isinstance(value, list | dict):
        raise EncodeError("a list or map has no text", path=format_path([name]))
    return value.encode() if isinstance(value, str) else bytes(value)
