"""A call of a client of OpenAI, read: who makes it by ``Authorization``, then what it asks by its path and body."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

from envelope.calls.media import split_content_type
from envelope.calls.php_query import parse_query
from envelope.calls.request import ApiRequest
from envelope.errors import DecodeError, RequestError
from envelope.formats import FORMATS, ResultType
from envelope.gateway.entry import Entered
from envelope.gateway.upstreams.methods import check_method
from envelope.options import ReadOptions
from envelope.registry.codes import ACCOUNT_NOT_FOUND, INVALID_CREDENTIALS
from envelope.registry.languages import Lang

if TYPE_CHECKING:
    from envelope.adapters.multipart import Form
    from envelope.gateway.entry import Entry
    from envelope.gateway.known import Known
    from envelope.limits import Limits

__all__ = ["authenticate", "read_request"]

_SCHEME: Final = "bearer "
_TYPE: Final = "openai"


async def authenticate(entry: Entry, authorization: str, api: str) -> Known:
    """Whose API key it is: an account's key and its secret, joined by a dot. `RequestError` if it is nobody's.

    Whoever is to sign strictly cannot call so.
    """
    token = authorization[len(_SCHEME) :].strip() if authorization[: len(_SCHEME)].lower() == _SCHEME else ""
    key, _, secret = token.rpartition(".")
    if not key:
        raise _refused("an API key is wanted: Authorization: Bearer, the account's key, a dot, its secret")
    known = await entry.known(key)
    if known is None:
        raise RequestError("no such account", code=ACCOUNT_NOT_FOUND)
    if not hmac.compare_digest(secret.encode(), known.secret.encode("utf-8", "surrogatepass")):
        raise _refused("not the API key of this account")
    if known.account.strict_signature:
        raise _refused("this account takes signed calls alone")
    entry.check_standing(api, known)
    return known


def read_request(scope: Any, form: Form | None, known: Known, api: str, limits: Limits) -> Entered:
    """The call; `RequestError` (4010, 4003) for one that cannot be."""
    method = scope["path"][1:]
    check_method(method)
    args: dict[str, Any] | None = None
    params: dict[str, Any] = {}
    if form is None:
        params = _query(scope["query_string"], limits)
    elif form.files or split_content_type(form.content_type)[0] == _FORM:
        args = _query(form.body, limits)
    elif form.body or scope["method"] == "POST":
        args = _object(form.body, limits)
    try:
        request = ApiRequest(
            key=known.account.key,
            api_name=api,
            api_type=_TYPE,
            method=method,
            args=args,
            params=params,
            # Whoever asks OpenAI the same twice gets two answers.
            cache=False,
            lang=Lang.EN,
            files=() if form is None else form.files,
        )
    except ValueError:
        reason = "a parameter whose name cannot be passed on"
    else:
        return Entered(request, known)
    raise RequestError(reason)


_FORM: Final = "application/x-www-form-urlencoded"


def _query(text: bytes, limits: Limits) -> dict[str, Any]:
    try:
        return {str(name): value for name, value in parse_query(text, limits).items()}
    except DecodeError as error:
        reason = error.reason
    raise RequestError(reason)


def _object(body: bytes, limits: Limits) -> dict[str, Any]:
    try:
        value = FORMATS[ResultType.JSON].loads(body, ReadOptions(limits=limits))
    except DecodeError as error:
        reason = f"the body is not JSON: {error.reason}"
    else:
        if isinstance(value, dict):
            return value
        reason = "the body is not a JSON object"
    raise RequestError(reason)


def _refused(reason: str) -> RequestError:
    return RequestError(reason, code=INVALID_CREDENTIALS)
