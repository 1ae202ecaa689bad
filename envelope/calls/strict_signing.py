r"""A stricter signature than the gateway's, for both ends of one's own: it covers the whole call, and works once.

The parameter ``sign`` is ``hmac-sha256:<nonce>:<64 lower-case hexadecimal digits>``: the HMAC-SHA-256, under the
secret, of three lines of UTF-8 without a line feed at the end:

    hmac-sha256:<nonce>
    <api_type, as JSON>
    <all parameters as they came except sign and secret, as JSON>

The JSON has no spaces, no escapes that it does not need, and names in the order of their bytes. Numbers and booleans
are the text that a query string has for them, and a map that PHP reads as a list is a list, so a call has one signature
in every carrier; only an ``_o_args`` that is itself a map, in a JSON body, keeps its types. The nonce (16 to 64 of
``A-Za-z0-9_-``) is another in each call.

Beyond the gateway's scheme (`envelope.calls.signing`), this one protects the border between a name and its value, the
API's type, ``cache``, ``lang``, ``result_type`` and values that begin with ``@``; and a call that was overheard cannot
be sent again. It hides nothing, and does not cover headers (``Accept`` counts if there is no ``result_type``). Neither
scheme takes the other's signatures, and this one never the secret itself.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from envelope.calls.bounds import names_fault
from envelope.calls.carriers import canonical_json, has_exact_text, text_tree
from envelope.calls.parameters import NONCE_PATTERN, PARAMETERS, STRICT_SCHEME, STRICT_SIGN_PATTERN
from envelope.calls.request import ApiRequest, amended
from envelope.calls.signing import CHINA, check_dateline, dateline_of
from envelope.errors import EncodeError, RequestError
from envelope.hints import Hint
from envelope.path import format_path
from envelope.registry.codes import INVALID_CREDENTIALS

__all__ = ["check_strictly", "sign_strictly", "strict_signature", "used_nonce", "verify_strictly"]

_UNSIGNED = ("sign", "secret")
_TYPED = {row.name for row in PARAMETERS if row.default is None}


def sign_strictly(
    request: ApiRequest, secret: str, clock: Callable[[], int], nonce: Callable[[], str], *, zone: tzinfo = CHINA
) -> ApiRequest:
    """*request* with the time and its strict signature, without the secret.

    *clock* returns the time in nanoseconds, *nonce* a text that no other call of this key has: `secrets.token_urlsafe`.
    `ValueError` if that is not 16 to 64 of ``A-Za-z0-9_-``, or *secret* is empty; `EncodeError` for a call that cannot
    be written.
    """
    dated = amended(request, dateline=dateline_of(clock, zone), sign="", secret="")
    return amended(dated, sign=strict_signature(dated, secret, nonce()))


def strict_signature(request: ApiRequest, secret: str, nonce: str, *, params: Mapping[str, Any] | None = None) -> str:
    """What ``sign`` must be for *request*, or for its *params* as they came. Errors are those of `sign_strictly`."""
    if not secret:
        raise ValueError("an empty secret proves nothing")
    if re.fullmatch(NONCE_PATTERN, nonce) is None:
        raise ValueError("a nonce is 16 to 64 of A-Z, a-z, 0-9, _ and -")
    sent = request.to_params() if params is None else params
    if reason := names_fault(sent):
        raise EncodeError(reason, kind="limit", hint=Hint("php-setting", "max_input_vars"))
    for name, value in sent.items():
        if name not in _TYPED and not has_exact_text(value):
            raise EncodeError("a float of more digits than its text has", path=format_path([name]), hint=Hint("as-str"))
    covered = {
        name: value if name in _TYPED else text_tree(value) for name, value in sent.items() if name not in _UNSIGNED
    }
    head = f"{STRICT_SCHEME}:{nonce}"
    lines = b"\n".join([head.encode(), canonical_json(request.api_type), canonical_json(covered)])
    return f"{head}:{hmac.new(secret.encode('utf-8', 'surrogatepass'), lines, hashlib.sha256).hexdigest()}"


def verify_strictly(
    request: ApiRequest,
    secret: str,
    clock: Callable[[], int],
    remember: Callable[[str, str, int], bool],
    *,
    params: Mapping[str, Any] | None = None,
    window: int = 300,
    zone: tzinfo = CHINA,
) -> None:
    """Raise `RequestError` unless *request* has a strict signature that proves that its caller knows *secret*.

    It is at most *window* seconds in the past or future, and its nonce was not used before: ``remember(key, nonce,
    until)`` says whether the nonce is new to this key, and keeps it through *until* (Unix time in seconds), both in one
    step even if calls come at the same moment. It is asked last, so only callers who know the secret fill its store.
    *params* are the call's as they came, as for `envelope.calls.verify`. Comparisons take constant time.
    """
    nonce, until = check_strictly(request, secret, clock, params=params, window=window, zone=zone)
    if not remember(request.key, nonce, until):
        raise used_nonce()


def check_strictly(
    request: ApiRequest,
    secret: str,
    clock: Callable[[], int],
    *,
    params: Mapping[str, Any] | None = None,
    window: int = 300,
    zone: tzinfo = CHINA,
) -> tuple[str, int]:
    """The same but for the nonce, which is returned with its *until*: whoever awaits a store remembers it there."""
    if request.secret:
        raise RequestError("a signature is needed, not the secret", code=INVALID_CREDENTIALS, path="$.secret")
    if re.fullmatch(STRICT_SIGN_PATTERN, request.sign) is None:
        raise RequestError("not a strict signature", code=INVALID_CREDENTIALS, path="$.sign")
    nonce = request.sign.split(":")[1]
    try:
        expected = strict_signature(request, secret, nonce, params=params)
    except EncodeError as error:
        raise RequestError(error.reason, path=error.path) from None
    if not hmac.compare_digest(request.sign.encode(), expected.encode()):
        raise RequestError("not the signature of this call", code=INVALID_CREDENTIALS, path="$.sign")
    return nonce, check_dateline(request.dateline, clock, window, zone) + window


def used_nonce() -> RequestError:
    """What to raise for a nonce that is not new."""
    return RequestError("the nonce of another call", code=INVALID_CREDENTIALS, path="$.sign")
