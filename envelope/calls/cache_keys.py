"""Cache keys: under which name the answer to a call is kept."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from envelope.calls.carriers import plain_text, text_tree
from envelope.calls.parameters import PARAMETERS
from envelope.calls.request import ApiRequest
from envelope.formats import FORMATS, ResultType

__all__ = ["cache_key", "client_cache_key"]

# The fields that say which API it is: they are one list in a key.
_API = ("api_type", "api_name", "method")
_NOT_KEYED = {row.name for row in PARAMETERS if not row.in_client_cache_key}


def cache_key(request: ApiRequest) -> str:
    """The SHA-256, in hexadecimal, of what is called for: the same however it was sent, and in whatever order.

    Who calls, when, in which format and whether from the cache makes no difference; the language and the version do.
    Parameters count as the text that a query string has of them, so that ``5`` and ``"5"`` are one; ``_o_args`` keeps
    its types.
    """
    call: dict[str, Any] = {"api": [getattr(request, name) for name in _API], "params": text_tree(request.params)}
    for row in PARAMETERS:
        if row.in_cache_key and row.field not in _API:
            value = getattr(request, row.field)
            call[row.field] = str(value) if isinstance(value, str) else value  # an enum's value is its text
    # The library's own writer checks the domain; orjson, once that is certain, sorts the keys.
    FORMATS[ResultType.JSONU].dumps(call)
    return hashlib.sha256(orjson.dumps(call, option=orjson.OPT_SORT_KEYS)).hexdigest()


def client_cache_key(request: ApiRequest) -> str:
    """The key that the gateway's own PHP client uses: the MD5 of the API's name, ``_``, and all values with commas.

    It knows neither names nor language, and the order of parameters counts (it is that of `ApiRequest.to_params`):
    `cache_key` is safer. `EncodeError` with the path of a parameter that is neither a text nor an integer.
    """
    values = [plain_text(name, value) for name, value in request.to_params().items() if name not in _NOT_KEYED]
    return hashlib.md5(f"{request.api_name}_{','.join(values)}".encode(), usedforsecurity=False).hexdigest()
