"""What an upstream's reply means: a `Finding`, with the call's code and what the next attempt depends on."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from typing import Any, Final, NamedTuple

from envelope.answers.envelope import Envelope
from envelope.answers.verdicts import judge, upstream_error
from envelope.calls.media import split_content_type
from envelope.errors import DecodeError
from envelope.formats import FORMATS, ResultType
from envelope.gateway.upstreams.call import UpstreamCall
from envelope.gateway.upstreams.hop import Fault, Reply
from envelope.gateway.upstreams.masks import Masks
from envelope.gateway.upstreams.outcome import What
from envelope.gateway.upstreams.statuses import row_of_status
from envelope.gateway.upstreams.usage import Usage, usage_of
from envelope.limits import Limits
from envelope.options import ReadOptions
from envelope.registry.codes import NETWORK_ERROR, NO_RESULT, SUCCESS, TARGET_SERVER_ERROR, TIMEOUT

__all__ = ["RESTFUL", "Finding", "find", "find_in_stream"]


class Finding(NamedTuple):
    """What came of one attempt. ``retry``: another may mend it although the registry does not say so of the code."""

    what: What
    code: str
    status: int | None = None
    response: Any = None
    usage: Usage | None = None
    retry: bool = False
    rest: bool = False


_CODES: Final[dict[What, str]] = {
    "unreachable": NETWORK_ERROR,
    "network": NETWORK_ERROR,
    "silent": TIMEOUT,
    "time": TIMEOUT,
    "limit": TARGET_SERVER_ERROR,
    "type": TARGET_SERVER_ERROR,
    "body": TARGET_SERVER_ERROR,
}
# Not what callers can bring about: they can ask for long answers, and for methods that an upstream does not have.
RESTFUL: Final[frozenset[What]] = frozenset(("unreachable", "network", "silent", "time"))
"""What lets an upstream rest."""

_OPTIONS: Final = ReadOptions(limits=Limits(max_depth=190))
"""What an envelope can hold: it is itself a level, and is read with the usual limits."""

_TEXTS: Final = frozenset(("text", "srt", "vtt"))
_FILES: Final = ("audio/", "image/", "video/")
_FILE_TYPES: Final = frozenset(("application/octet-stream", "application/pdf", "application/zip"))
_UNSEEN: Final = object()


def find(got: Reply | Fault, call: UpstreamCall, masks: Masks) -> Finding:
    """What *got* means for *call*."""
    if isinstance(got, Fault):
        if got.status is None or row_of_status(got.status).code == SUCCESS:
            return _fault(got.what, got.status)
        # The status has said enough.
        got = Reply(got.status, "", got.retry_after, b"")
    row = row_of_status(got.status)
    if row.code == SUCCESS:
        return _success(got, call, masks)
    if row.code == NO_RESULT:
        response = _error(got, masks)
        retry = row.retry or judge(Envelope(response=response, error_code=NO_RESULT)).retryable
        return Finding("error", NO_RESULT, got.status, response, retry=retry, rest=row.rest)
    what: What = "redirect" if 300 <= got.status <= 399 else "status"
    return Finding(what, row.code, got.status, retry=row.retry, rest=row.rest)


def find_in_stream(what: What, status: int | None, error: Any) -> Finding:
    """What it means that a stream ended before any of it was passed on; *error* is the upstream's, without keys."""
    if what == "nothing":
        return Finding("nothing", NO_RESULT, status)
    if what == "error":
        retry = judge(Envelope(response=error, error_code=NO_RESULT)).retryable
        return Finding("error", NO_RESULT, status, error, retry=retry)
    return _fault(what, status)


def _fault(what: What, status: int | None) -> Finding:
    return Finding(what, _CODES[what], status, rest=what in RESTFUL)


def _success(reply: Reply, call: UpstreamCall, masks: Masks) -> Finding:
    media_type, is_utf8 = _split(reply.content_type)
    if reply.status == 204:
        return Finding("nothing", NO_RESULT, reply.status)
    if _asked_for_text(call) and media_type in ("text/plain", "text/vtt", "application/x-subrip"):
        response = _text(reply.body) if is_utf8 else _UNSEEN
    elif media_type.startswith(_FILES) or media_type in _FILE_TYPES:
        response = {"content_type": media_type, "b64": b64encode(reply.body).decode()}
    elif media_type in ("", "application/json", "text/json", "text/plain") or media_type.endswith("+json"):
        response = _json(reply.body) if is_utf8 else _UNSEEN
    else:
        return _fault("type", reply.status)
    if response is _UNSEEN:
        return _fault("body", reply.status)
    if masks.has_key(reply.body):
        response = masks.value(response)
    if upstream_error(response) is not None:
        response = masks.value(response)
        retry = judge(Envelope(response=response, error_code=NO_RESULT)).retryable
        return Finding("error", NO_RESULT, reply.status, response, retry=retry)
    if not response and not isinstance(response, int | float):
        return Finding("nothing", NO_RESULT, reply.status)
    return Finding("answer", SUCCESS, reply.status, response, usage_of(response))


_split = lru_cache(128)(split_content_type)


def _asked_for_text(call: UpstreamCall) -> bool:
    asked = (call.args or {}).get("response_format", call.params.get("response_format"))
    return isinstance(asked, str) and asked in _TEXTS


def _json(body: bytes) -> Any:
    """The value in *body*, `_UNSEEN` if there is none that an envelope can hold."""
    try:
        return FORMATS[ResultType.JSON].loads(body, _OPTIONS)
    except DecodeError:
        return _UNSEEN


def _text(body: bytes) -> Any:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return _UNSEEN


def _error(reply: Reply, masks: Masks) -> dict[str, Any]:
    """The upstream's error as ``response``: in its own words, or in ours if those are not JSON."""
    value = _json(reply.body) if reply.body else _UNSEEN
    if value is _UNSEEN or not value:
        message = f"HTTP {reply.status}"
        return {"error": {"message": message, "type": "upstream_error", "param": None, "code": None}}
    value = masks.value(value)
    return value if upstream_error(value) is not None else {"error": value}
