"""Cache keys: the name under which the answer to a call is cached."""

from __future__ import annotations

import hashlib
from typing import Any

from envelope.calls.carriers import canonical_json, plain_text, text_tree
from envelope.calls.parameters import PARAMETERS
from envelope.calls.request import ApiRequest

__all__ = ["cache_key", "client_cache_key"]

# The fields that identify the API: they form one list in a key.
_API = ("api_type", "api_name", "method")
_NOT_KEYED = {row.name for row in PARAMETERS if not row.in_client_cache_key}


def cache_key(request: ApiRequest, *, with_lang: bool = True) -> str:
    """The SHA-256, in hexadecimal, of what is requested, whatever the carrier and the order of the parameters.

    The caller, the time, the format and ``cache`` make no difference; the version does, and so does the language unless
    *with_lang* is false, because answers are not translated. Parameters count as their text in a query string, so ``5``
    and ``"5"`` are the same; ``_o_args`` keeps its types.
    """
    call: dict[str, Any] = {"api": [getattr(request, name) for name in _API], "params": text_tree(request.params)}
    for row in PARAMETERS:
        if row.in_cache_key and row.field not in _API and (with_lang or row.field != "lang"):
            value = getattr(request, row.field)
            call[row.field] = str(value) if isinstance(value, str) else value  # an enum's value is its text
    return hashlib.sha256(canonical_json(call)).hexdigest()


def client_cache_key(request: ApiRequest) -> str:
    """The key that the gateway's own PHP client uses: MD5 of the API's name, ``_``, and all values joined by commas.

    It ignores names and language, and depends on the order of parameters (that of `ApiRequest.to_params`):
    `cache_key` is safer. `EncodeError` with the path of a parameter that is neither a text nor an integer.
    """
    values = [plain_text(name, value) for name, value in request.to_params().items() if name not in _NOT_KEYED]
    return hashlib.md5(
        f"{request.api_name}_{','.join(values)}".encode("utf-8", "surrogatepass"), usedforsecurity=False
    ).hexdigest()
