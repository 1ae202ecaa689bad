"""What an attempt brought: an `Answer`, or a `CallFailed` and whether another attempt may mend it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from envelope.answers.verdicts import judge
from envelope.api import decode
from envelope.calls.media import format_of_content_type
from envelope.client.answer import Answer
from envelope.client.errors import CallFailed, FailureKind
from envelope.errors import DecodeError, UnknownFormat, ValidationError
from envelope.formats import ResultType

if TYPE_CHECKING:
    from envelope.answers.envelope import Envelope
    from envelope.client.cache import Stored
    from envelope.client.settings import Settings
    from envelope.client.wire import Fault, Reply

__all__ = ["failure_of_fault", "failure_of_verdict", "read_reply", "read_stored"]


def read_reply(reply: Reply, asked: ResultType, settings: Settings) -> Answer[Any] | CallFailed:
    """The answer in *reply*, whatever its verdict, or why there is none.

    It is read in the format that was *asked* for, and if that fails, in that of its content type.
    """
    formats = [asked]
    with suppress(UnknownFormat, DecodeError):  # PHP calls everything text/html
        formats.append(format_of_content_type(reply.content_type))
    reason, path = "", "$"
    for format in dict.fromkeys(formats):
        try:
            envelope = _decode(reply.body, format, settings)
        except (DecodeError, ValidationError) as error:
            if not reason:
                reason, path = f"no envelope in {asked}: {error.reason}", error.path
            continue
        return _answer(envelope, reply.status, format, reply.body, settings)
    if reply.status == 200 and not reply.is_bounded:
        reason = f"{reason}; the end of the answer was not announced, so it may have been cut"
        return CallFailed(reason, kind="network", retryable=True, path=path, http_status=200)
    verdict = judge(None, reply.status, registry=settings.registry)
    kind: FailureKind = "no-envelope" if reply.status == 200 else "status"
    reason = f"HTTP {reply.status}, {reason}"
    return CallFailed(reason, kind=kind, retryable=verdict.retryable, path=path, http_status=reply.status)


def read_stored(stored: Stored, settings: Settings) -> Answer[Any] | None:
    """The answer that a cache kept; None if it is no success (any more)."""
    try:
        answer = _answer(_decode(stored.body, stored.format, settings), 200, stored.format, stored.body, settings)
    except (DecodeError, ValidationError):
        return None
    return answer if answer.verdict.ok else None


def _decode(body: bytes, format: ResultType, settings: Settings) -> Envelope[Any]:
    dialect = settings.dialects.get(format, "typed")
    envelope = decode(body, format, payload=settings.payload, dialect=dialect, limits=settings.limits)
    if not envelope.error_code:
        # Any other map would do, as missing fields are repaired: a proxy's own error, say.
        raise ValidationError("missing", path="$.error_code")
    return envelope


def _answer(envelope: Envelope[Any], status: int, format: ResultType, body: bytes, settings: Settings) -> Answer[Any]:
    return Answer(
        response=envelope.response,
        error=envelope.error,
        reason=envelope.reason,
        error_code=envelope.error_code,
        request_id=envelope.request_id,
        last_id=envelope.last_id,
        extras=envelope.extras,
        notes=envelope.notes,
        verdict=judge(envelope, status, registry=settings.registry),
        http_status=status,
        address=None,
        attempts=0,
        format=format,
        body=body,
    )


def failure_of_verdict(answer: Answer[Any], settings: Settings) -> CallFailed:
    """Why *answer* is no success, in the registry's words: its own may hold anything."""
    verdict = answer.verdict
    row = settings.registry.get(answer.error_code)
    if verdict.layer == "upstream":
        reason = "the upstream reported an error, see envelope.response"
    elif verdict.layer == "http":
        reason = f"HTTP {answer.http_status} with a success"
    elif answer.error_code in settings.registry:
        reason = f"{row.code} {row.message}"
    else:
        reason = row.message
    return CallFailed(
        reason,
        kind="verdict",
        layer=verdict.layer or "gateway",
        code=answer.error_code,
        retryable=verdict.retryable,
        envelope=answer,
        http_status=answer.http_status,
    )


def failure_of_fault(fault: Fault) -> CallFailed:
    """Why no whole answer came."""
    return CallFailed(fault.reason, kind=fault.kind, retryable=fault.kind in ("unreachable", "network", "timeout"))
