"""One call from beginning to end, without I/O: a generator that says what to do next, and is told what came of it.

It yields `Look` and `Keep` (ask and tell the cache), `Send` (an HTTP request) and `Wait`, and returns the `Answer` or
raises `CallFailed`. Both clients run it, one by blocking and one by awaiting.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from envelope import __version__
from envelope.calls.request import ApiRequest
from envelope.calls.retry_after import seconds_to_wait
from envelope.calls.signing import sign
from envelope.calls.strict_signing import sign_strictly
from envelope.client.answer import Answer
from envelope.client.cache import Stored
from envelope.client.errors import CallFailed
from envelope.client.events import AttemptEvent
from envelope.client.payloads import maker_of
from envelope.client.plan import Attempt, Plan, Wait
from envelope.client.reading import failure_of_fault, failure_of_verdict, read_reply, read_stored
from envelope.client.settings import CallOptions, check_timeout
from envelope.client.wire import Fault, Flow, Reply, Send
from envelope.errors import EncodeError, ValidationError
from envelope.formats import ResultType

if TYPE_CHECKING:
    from envelope.client.settings import Settings

__all__ = ["Keep", "Look", "Step", "conversation", "opening", "with_payload"]

_LOG = logging.getLogger("envelope.client")
_AGENT = f"envelope-engine/{__version__}"


@dataclass(frozen=True, slots=True)
class Look:
    """Ask the cache for an answer to this request."""

    request: ApiRequest


@dataclass(frozen=True, slots=True)
class Keep:
    """Tell the cache to keep this answer to the request."""

    request: ApiRequest
    stored: Stored


Step: TypeAlias = Look | Keep | Send | Wait
Steps: TypeAlias = Generator[Step, Any, Answer[Any]]


def conversation(
    settings: Settings,
    method: str,
    args: Mapping[str, Any] | None,
    params: Mapping[str, Any] | None,
    *,
    response: Any = None,
    check: bool = True,
    options: CallOptions,
) -> Steps:
    """The steps of one call. The reply to `Look` is a `Stored` or None, that to `Send` a `Reply` or a `Fault`."""
    make = maker_of(response)
    try:
        request = _request(settings, method, args, params, options)
    except (TypeError, ValueError) as error:
        raise error.with_traceback(None) from None  # its frames hold the key
    call = _Call(settings, request, options)
    answer = yield from call.steps()
    assert isinstance(answer, Answer)  # noqa: S101  # no stream was wanted
    if answer.verdict.ok:
        return with_payload(answer, make, settings)
    if not check:
        return answer
    raise _failure(answer, settings)


def opening(
    settings: Settings,
    method: str,
    args: Mapping[str, Any] | None,
    params: Mapping[str, Any] | None,
    options: CallOptions,
) -> Generator[Step, Any, Flow | Answer[Any]]:
    """The steps until a stream begins: the `Flow`, or an answer that is a success, if it does not come to a stream."""
    try:
        request = _request(settings, method, {**(args or {}), "stream": True}, params, options)
    except (TypeError, ValueError) as error:
        raise error.with_traceback(None) from None  # its frames hold the key
    got = yield from _Call(settings, request, options, is_stream=True).steps()
    if isinstance(got, Answer) and not got.verdict.ok:
        raise _failure(got, settings)
    return got


def _failure(answer: Answer[Any], settings: Settings) -> CallFailed:
    failure = failure_of_verdict(answer, settings)
    failure.address, failure.attempts = answer.address, answer.attempts
    return failure


def with_payload(answer: Answer[Any], make: Callable[[Any], Any] | None, settings: Settings) -> Answer[Any]:
    """The *answer*, a success, with what *make* makes of its payload; `CallFailed` if that does not fit."""
    if make is None:
        return answer
    try:
        return replace(answer, response=make(answer.response))
    except ValidationError as error:
        path = f"$.{settings.payload}{error.path.removeprefix('$')}"
        failure = CallFailed(
            error.reason,
            kind="payload",
            layer="gateway",
            code=answer.error_code,
            envelope=answer,
            path=path,
            http_status=answer.http_status,
            address=answer.address,
            attempts=answer.attempts,
        )
    raise failure  # outside the handler, as the error's frames hold the payload


def _request(
    settings: Settings,
    method: str,
    args: Mapping[str, Any] | None,
    params: Mapping[str, Any] | None,
    options: CallOptions,
) -> ApiRequest:
    """The call, not signed yet."""
    if unknown := sorted(options.keys() - CallOptions.__annotations__.keys()):
        raise TypeError(f"a call has no option {', '.join(unknown)}")
    return ApiRequest(
        key=settings.key,
        api_type=options.get("api_type", settings.api_type),
        api_name=options.get("api_name", settings.api_name),
        method=method,
        args=None if args is None else dict(args),
        params=dict(params or {}),
        cache=options.get("cache", True),
        result_type=options.get("result_type", settings.result_type),
        lang=options.get("lang", settings.lang),
        version=options.get("version", ""),
    )


class _Call:
    """What one call has found so far."""

    def __init__(
        self, settings: Settings, request: ApiRequest, options: CallOptions, *, is_stream: bool = False
    ) -> None:
        self._is_stream = is_stream
        self._settings = settings
        self._request = request
        self._result_type = ResultType(request.result_type)
        timeout = options.get("timeout", settings.timeout)
        check_timeout(timeout)
        self._deadline = settings.monotonic() + timeout
        self._idempotency_key = options.get("idempotency_key") or settings.idempotency_key()
        if re.fullmatch(r"[!-~]{1,255}", self._idempotency_key) is None:
            raise ValueError("an idempotency key is 1 to 255 characters of ASCII, without spaces")
        self._has_cache = settings.cache is not None and options.get("cache", True) and not is_stream
        self._attempts = 0

    def steps(self) -> Generator[Step, Any, Answer[Any] | Flow]:
        """The steps; they return an `Answer`, or a `Flow` if a stream is wanted and has begun."""
        settings, now = self._settings, self._settings.monotonic
        old: Answer[Any] | None = None
        if self._has_cache and (stored := (yield Look(self._request))) is not None:
            old = self._cached(stored)
            if old is not None and not old.stale:
                return old
        plan = Plan(
            settings.rests,
            len(settings.addresses),
            deadline=self._deadline,
            retries=settings.retries,
            failover=settings.failover,
            fallback=old is not None,
            random=settings.random,
        )
        told: Answer[Any] | CallFailed = CallFailed("there was no time for an attempt", kind="timeout", retryable=True)
        was_sent = False
        while (step := plan.next(now())) is not None:
            if isinstance(step, Wait):
                yield step
                continue
            self._attempts += 1
            started = now()
            outcome: Reply | Fault | Flow = yield self._send(step)
            if isinstance(outcome, Flow):
                settings.rests.end(step.address)
                self._tell(step.address, now() - started, outcome)
                return outcome
            found = self._read(outcome, step.address)
            self._tell(step.address, now() - started, found)
            if isinstance(found, Answer) and found.verdict.ok:
                settings.rests.end(step.address)
                if self._has_cache:
                    yield Keep(self._request, Stored(found.body, found.format, settings.clock() / 10**9))
                return found
            sent = not (isinstance(outcome, Fault) and outcome.kind == "unreachable")
            self._record(plan, step.address, outcome, found, sent=sent)
            if sent or not was_sent:  # "nothing was sent" would be wrong of a call of which an attempt was
                told = found
            was_sent = was_sent or sent
        return self._end(told, old)

    def _cached(self, stored: Stored) -> Answer[Any] | None:
        answer = read_stored(stored, self._settings)
        if answer is None:
            return None
        # An entry from the future is not fresh either: one of the clocks is wrong.
        is_fresh = abs(self._settings.clock() / 10**9 - stored.time) < self._settings.fresh
        return replace(answer, cached=True, stale=not is_fresh)

    def _send(self, attempt: Attempt) -> Send:
        settings = self._settings
        try:
            http = self._signed().write(settings.carrier)
        except EncodeError as error:
            raise error.with_traceback(None) from None  # its frames hold the secret
        headers: list[tuple[str | bytes, str | bytes]] = [
            ("Accept-Encoding", "identity" if self._is_stream else "gzip"),
            ("Idempotency-Key", self._idempotency_key),
            ("User-Agent", _AGENT),
        ]
        if http.content_type:
            headers.append(("Content-Type", http.content_type))
        return Send(
            verb=http.verb,
            url=f"{settings.addresses[attempt.address]}{http.path}?{http.query}",
            headers=headers,
            body=http.body,
            connect=attempt.connect,
            total=attempt.total,
            max_bytes=settings.limits.max_bytes,
            is_stream=self._is_stream,
        )

    def _signed(self) -> ApiRequest:
        """The call as it is sent now: signed anew in each attempt, as a strict signature works once."""
        settings = self._settings
        if settings.sign == "secret":
            return replace(self._request, secret=settings.secret)
        if settings.sign == "strict":
            return sign_strictly(self._request, settings.secret, settings.clock, secrets.token_urlsafe)
        return sign(self._request, settings.secret, settings.clock)

    def _read(self, outcome: Reply | Fault, address: int) -> Answer[Any] | CallFailed:
        attempts = self._attempts
        if isinstance(outcome, Fault):
            return failure_of_fault(outcome, address=address, attempts=attempts)
        return read_reply(outcome, self._result_type, self._settings, address=address, attempts=attempts)

    def _record(
        self, plan: Plan, address: int, outcome: Reply | Fault, found: Answer[Any] | CallFailed, *, sent: bool
    ) -> None:
        """Tell the plan what came of an attempt that did not succeed."""
        now, retry_after = self._settings.monotonic(), None
        if isinstance(outcome, Reply):
            retry_after = seconds_to_wait(outcome.retry_after, self._settings.clock() / 10**9)
        if isinstance(found, Answer):
            # Whoever sends envelopes is alive.
            self._settings.rests.end(address)
            is_mendable, rest = found.verdict.retryable, False
        else:
            is_mendable, rest = found.retryable or found.kind == "status", found.kind != "limit"
        plan.failed(address, now, sent=sent, mendable=is_mendable, rest=rest, retry_after=retry_after)

    def _end(self, told: Answer[Any] | CallFailed, old: Answer[Any] | None) -> Answer[Any]:
        """What is left when no attempt succeeded: an old answer, unless the gateway has refused this call for good."""
        if old is not None and not (isinstance(told, Answer) and not told.verdict.retryable):
            return replace(old, attempts=self._attempts)
        if isinstance(told, Answer):
            return replace(told, attempts=self._attempts)
        told.attempts = self._attempts
        raise told

    def _tell(self, address: int, seconds: float, found: Answer[Any] | CallFailed | Flow) -> None:
        if self._settings.on_attempt is None:
            return
        is_ok = isinstance(found, Flow) or (isinstance(found, Answer) and found.verdict.ok)
        failure = found.kind if isinstance(found, CallFailed) else None if is_ok else "verdict"
        event = AttemptEvent(
            number=self._attempts,
            address=self._settings.addresses[address],
            index=address,
            api_type=self._request.api_type,
            api_name=self._request.api_name,
            method=self._request.method,
            seconds=seconds,
            failure=failure,
            http_status=found.http_status,
            error_code=found.error_code if isinstance(found, Answer) else None,
        )
        try:
            self._settings.on_attempt(event)
        except Exception as error:  # an answer, perhaps paid for, must not be lost for a log
            _LOG.warning("on_attempt failed: %s", type(error).__name__)
