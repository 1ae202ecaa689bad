"""What an attempt brought: an `Answer`, or a `CallFailed` and whether another attempt may mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envelope.answers.envelope import Envelope
from envelope.answers.verdicts import judge
from envelope.api import decode
from envelope.calls.media import format_of_content_type
from envelope.client.answer import Answer
from envelope.client.errors import CallFailed, FailureKind
from envelope.errors import DecodeError, UnknownFormat, ValidationError
from envelope.formats import ResultType

if TYPE_CHECKING:
    from envelope.client.cache import Stored
    from envelope.client.settings import Settings
    from envelope.client.wire import Fault, Reply

__all__ = ["failure_of_fault", "failure_of_verdict", "read_reply", "read_stored"]


def read_reply(
    reply: Reply, asked: ResultType, settings: Settings, *, address: int, attempts: int
) -> Answer[Any] | CallFailed:
    """The answer in *reply*, whatever its verdict, or why there is none.

    It is read in the format that was *asked* for, and if that fails, in that of its content type.
    """
    format, found = asked, _read(reply.body, asked, settings)
    if not isinstance(found, Envelope) and (told := _told(reply.content_type)) not in (None, asked):
        second = _read(reply.body, told, settings)
        if isinstance(second, Envelope):
            format, found = told, second
    if isinstance(found, Envelope):
        return _answer(found, reply.status, format, reply.body, settings, address=address, attempts=attempts)
    reason = f"no envelope in {asked}: {found.reason}"
    kind: FailureKind = "no-envelope" if reply.status == 200 else "status"
    is_retryable = judge(None, reply.status, registry=settings.registry).retryable
    if reply.status == 200 and not reply.is_bounded:
        reason += "; the end of the answer was not announced, so it may have been cut"
        kind, is_retryable = "network", True
    return CallFailed(
        f"HTTP {reply.status}, {reason}",
        kind=kind,
        retryable=is_retryable,
        path=found.path,
        http_status=reply.status,
        address=address,
        attempts=attempts,
    )


def read_stored(stored: Stored, settings: Settings) -> Answer[Any] | None:
    """The answer that a cache kept; None if it is no success (any more)."""
    found = _read(stored.body, stored.format, settings)
    if not isinstance(found, Envelope):
        return None
    answer = _answer(found, 200, stored.format, stored.body, settings)
    return answer if answer.verdict.ok else None


def _told(content_type: str) -> Any:
    """The format of a content type; None if it does not say: PHP calls everything text/html."""
    try:
        return format_of_content_type(content_type)
    except (UnknownFormat, DecodeError):
        return None


def _read(body: bytes, format: ResultType, settings: Settings) -> Envelope[Any] | DecodeError | ValidationError:
    """The envelope in *body*, or why there is none."""
    dialect = settings.dialects.get(format, "typed")
    try:
        envelope = decode(body, format, payload=settings.payload, dialect=dialect, limits=settings.limits)
    except (DecodeError, ValidationError) as error:
        return error.with_traceback(None)
    # Missing fields are repaired, so any map would do: a proxy's own error, say.
    return envelope if envelope.error_code else ValidationError("missing", path="$.error_code")


def _answer(
    envelope: Envelope[Any],
    status: int,
    format: ResultType,
    body: bytes,
    settings: Settings,
    *,
    address: int | None = None,
    attempts: int = 0,
) -> Answer[Any]:
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
        address=address,
        attempts=attempts,
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


def failure_of_fault(fault: Fault, *, address: int, attempts: int) -> CallFailed:
    """Why no whole answer came."""
    is_retryable = fault.kind in ("unreachable", "network", "timeout")
    return CallFailed(fault.reason, kind=fault.kind, retryable=is_retryable, address=address, attempts=attempts)
