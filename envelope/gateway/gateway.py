"""`Gateway`: one call, in order: who calls, what it may cost, what the upstream says, what is charged, and the answer.

The books are written twice: when the call is admitted, which holds the most that it can cost, and when it ends, which
charges and releases. The answer is sent after that, so whatever a caller has seen is on the books.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import orjson

from envelope.adapters.http_failures import asker_of
from envelope.answers.envelope import Envelope
from envelope.answers.request_ids import RequestIds
from envelope.answers.verdicts import judge
from envelope.calls.engine import Asker, Engine
from envelope.calls.http import HttpRequest, Rendered
from envelope.errors import EncodeError, RequestError
from envelope.formats import ResultType
from envelope.gateway.admin.desk import Desk
from envelope.gateway.admin.door import AdminApi
from envelope.gateway.books.admission import Admitted, admit
from envelope.gateway.books.gate import Refused
from envelope.gateway.books.repeats import Repeated
from envelope.gateway.books.serving import Served, serve_cached
from envelope.gateway.books.settling import Settled, Settlement, renew, settle
from envelope.gateway.call import Call, CallReader
from envelope.gateway.entry import Entered, Entry
from envelope.gateway.jobs import GET, SUBMIT, found, queued, submitted
from envelope.gateway.known import KnownAccounts
from envelope.gateway.logs import Ended
from envelope.gateway.openai.face import OpenAIFace
from envelope.gateway.page_tokens import PAGE_TOKEN, PURPOSE, PageTokens
from envelope.gateway.receipts import RECEIPT, receipt
from envelope.gateway.settlement import settlement_of, stored_value
from envelope.gateway.stores.errors import StoreError, StoreUnavailable
from envelope.gateway.streams import LiveStream, without_returns
from envelope.gateway.told import Told
from envelope.gateway.unsettled import Unsettled
from envelope.gateway.upstreams.outcome import Outcome
from envelope.limits import Limits
from envelope.registry.codes import SERVER_ERROR, TIMEOUT, UNKNOWN_ERROR, Billing
from envelope.registry.messages import Messages

if TYPE_CHECKING:
    from envelope.gateway.logs import CallLog
    from envelope.gateway.settings import GatewaySettings
    from envelope.gateway.stores.store import Store, Transaction
    from envelope.gateway.upstreams.pool import Upstreams
    from envelope.gateway.upstreams.stream import Stream
    from envelope.gateway.vault import Vault

__all__ = ["Face", "Gateway", "new_request_ids"]

T = TypeVar("T")

_SCRIPT: Final = "/api_call.php"
_PREFIX: Final = 6  # of a node's name: enough that two processes seldom share it, and the store would refuse the id


class _Refusal(Exception):  # a call that the books did not let in is no error
    """The books did not let a call in."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.code)
        self.refused = refused


class Face(Protocol):
    """How answers are written for one kind of callers; `Engine` writes envelopes."""

    def respond(self, asker: Asker, payload: Envelope[Any], /) -> Rendered:
        """An answer; a `Told` if it is an upstream's. `EncodeError` if it cannot be written."""

    def fail(self, asker: Asker, code: str, /, *, status: int = 0) -> Rendered:
        """A failure with this *code*, under another HTTP *status* than its own."""

    def refuse(self, error: RequestError, asker: Asker | None = None, /) -> Rendered:
        """The answer to an invalid call."""

    def recover(self, asker: Asker, error: Exception, /) -> Rendered:
        """The answer if *error* was raised, of which the caller learns nothing."""


class _Closed(Exception):  # it undoes a transaction, and goes no further
    """The call is not open any more."""


@dataclass(slots=True, kw_only=True)
class _End:
    """How a call ends: its outcome, its answer, that answer as it is sent, and what the books are told."""

    outcome: Outcome
    answer: Envelope[Any]
    rendered: Rendered
    settlement: Settlement


def new_request_ids(store: Store, clock: Callable[[], int] = time.time_ns) -> RequestIds:
    """The request ids of one process."""
    return RequestIds(clock, prefix=f"{store.node[:_PREFIX]}.")


class Gateway:
    """Answers calls from *upstreams*, on the books in *store*. *clock* is in nanoseconds of the Unix time."""

    def __init__(
        self,
        settings: GatewaySettings,
        store: Store,
        upstreams: Upstreams,
        vault: Vault,
        *,
        messages: Messages,
        log: CallLog,
        clock: Callable[[], int] = time.time_ns,
        request_ids: Callable[[], str] | None = None,
        unsettled: Unsettled | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self.max_files_bytes = settings.limits.files
        self.seconds = settings.seconds
        self._upstreams = upstreams
        self._log = log
        self.admin = AdminApi(Desk(settings, store, vault, messages.registry), log)
        self.unsettled = Unsettled(store, log=log) if unsettled is None else unsettled
        self._tokens = PageTokens(vault.derive_all(PURPOSE))
        self._request_ids = request_ids or new_request_ids(store, clock)
        self._calls = CallReader(settings, self._tokens, store.node, self._request_ids)
        limits = Limits(max_bytes=settings.limits.body, max_items=100_000)
        self.entry = Entry(KnownAccounts(store, vault), store, apis=settings.apis, limits=limits, clock=clock)
        self.engine = Engine(
            messages=messages,
            request_id=self._request_ids,
            statuses=settings.statuses,
            dialects=dict.fromkeys((ResultType.JSON, ResultType.JSONU), settings.json_dialect),
            request_limits=limits,
            on_error=log.fault,
        )
        self.openai = OpenAIFace(messages, self._request_ids, log.fault)
        self.openai_api = settings.openai_api or settings.apis[0]
        self._script_engine = replace(self.engine, statuses=settings.script_statuses)

    def engine_of(self, path: str) -> Engine:
        """What writes the answers under this path."""
        return self._script_engine if path.endswith(_SCRIPT) else self.engine

    async def answer(self, http: HttpRequest, idempotency_key: str = "") -> Rendered | LiveStream:
        """The answer to one call; never an exception. A stream is to be sent, and finished or closed."""
        began = time.monotonic()
        engine = self.engine_of(http.path)
        try:
            entered = await self.entry.read(http)
        except RequestError as error:
            self.refused(error.code)
            return engine.refuse(error)
        except Exception as error:  # the store cannot be read
            return self.failed(engine, asker_of(engine, http), error)
        return await self.answer_entered(engine, entered, idempotency_key, began)

    async def answer_entered(
        self, face: Face, entered: Entered, idempotency_key: str, began: float
    ) -> Rendered | LiveStream:
        """The same for a call whose caller has proved who it is; *began* is `time.monotonic` when it came."""
        request = entered.request
        try:
            return await self._answer(face, entered, idempotency_key, began)
        except _Refusal as refusal:
            self.refused(refusal.refused.code)
            return _with_retry(face.fail(request, refusal.refused.code), refusal.refused.retry_after)
        except RequestError as error:
            self.refused(error.code)
            return face.refuse(error, request)
        except Exception as error:
            return self.failed(face, request, error)

    def refused(self, code: str) -> None:
        """Log a call that was answered with *code*, and not let in."""
        self._log.refused(code)

    def failed(self, face: Face, asker: Asker, error: Exception) -> Rendered:
        """The answer if something of ours failed before a call was on the books, or the books cannot be written."""
        if isinstance(error, StoreError):
            self._log.fault(error)
            self._log.unanswered(SERVER_ERROR)
            return _with_retry(face.fail(asker, SERVER_ERROR, status=503), 1)
        self._log.unanswered(UNKNOWN_ERROR)
        return face.recover(asker, error)

    def cut(self, face: Face, asker: Asker) -> Rendered:
        """The answer to a call for which there is no time left, as the process ends."""
        self._log.unanswered(SERVER_ERROR)
        return _with_retry(face.fail(asker, SERVER_ERROR, status=503), 1)

    async def _answer(self, face: Face, entered: Entered, idempotency_key: str, began: float) -> Rendered | LiveStream:
        call = self._calls.read(entered, idempotency_key, began)
        ready = await self._ready(call)
        admission = self._calls.admission(call)
        cached = None
        if call.seconds_cached:
            cached = replace(admission, hold=call.price.cached)

        def steps(db: Transaction) -> Served | Admitted | Repeated | Refused:
            served = None if cached is None else serve_cached(db, cached, call.scope, call.digest)
            return admit(db, admission) if served is None else served

        # What a call holds need not outlive a power failure, after which nobody waits for its answer. What an answer
        # cost must.
        admitted = await self._write(call, steps, synced=cached is not None)
        if not isinstance(admitted, Admitted):
            return face.respond(call.request, self._of_books(call, admitted))
        number = admitted.call
        try:
            got = ready or await self._ask(call)
        except Exception as error:
            self._log.fault(error)
            got = Outcome(code=UNKNOWN_ERROR)
        if isinstance(got, Outcome):
            return await self._finish(face, call, number, got)
        call.stream = got
        return self._live(face, call, number, got)

    async def _finish(self, face: Face, call: Call, number: int, outcome: Outcome) -> Rendered:
        """End a call: its answer, and its settling."""
        try:
            end = self._end(face, call, number, outcome)
        except Exception as error:
            self._log.fault(error)
            code = SERVER_ERROR if isinstance(error, EncodeError) else UNKNOWN_ERROR
            end = self._end(face, call, number, replace(outcome, code=code, response=[], usage=None))
        return await self._settle(face, call, end)

    def _live(self, face: Face, call: Call, number: int, stream: Stream) -> LiveStream:
        seconds = self._settings.seconds

        async def more_time() -> bool:
            try:
                return await self._store.write(lambda db: renew(db, number, seconds), synced=False)
            except StoreError as error:  # there is time to try again
                self._log.fault(error)
                return True

        async def end(stream: Stream) -> Rendered:
            call.asking = time.monotonic() - call.asked_at
            outcome = stream.outcome()
            try:
                return await self._finish(
                    face, call, number, replace(outcome, response=without_returns(outcome.response))
                )
            except Exception as error:
                return self.failed(face, call.request, error)

        return LiveStream(
            stream,
            request_id=call.request_id,
            last_id=str(number),
            renew=more_time,
            seconds=seconds / 2,
            settle=end,
        )

    def _of_books(self, call: Call, got: Served | Repeated | Refused) -> Envelope[Any]:
        """The answer that the books have for a call; `_Refusal` if they did not let it in."""
        if isinstance(got, Refused):
            raise _Refusal(got)
        stored = orjson.loads(got.answer.value)
        extras = self._extras(call, stored["response"])
        if isinstance(got, Repeated):
            self._log.repeated()
            return Envelope(
                response=stored["response"],
                error_code=got.answer.code,
                request_id=got.request_id,
                last_id=str(got.call),
                extras=extras,
            )
        ended = Ended(call.request_id, got.answer.code, got.answer.billing, got.charge, time.monotonic() - call.began)
        self._log.ended(call.request, ended)
        if self._settings.receipts:
            extras[RECEIPT] = self._receipt(
                call, got.call, Billing(got.answer.billing), Settled(got.charge, got.balance)
            )
        return Envelope(
            response=stored["response"],
            error_code=got.answer.code,
            request_id=call.request_id,
            last_id=str(got.call),
            extras=extras,
        )

    def _extras(self, call: Call, response: Any) -> dict[str, Any]:
        token = self._tokens.next(response, call.account, call.request.method, call.entered.known.page_key)
        return {} if token is None else {PAGE_TOKEN: token}

    async def _ready(self, call: Call) -> Outcome | None:
        """What comes of a call that no upstream is asked; `RequestError` for arguments that will not do."""
        if call.request.method == SUBMIT:
            return submitted(call.asked)
        if call.request.method == GET:
            return await found(self._store, call.account, call.asked)
        return None

    async def _ask(self, call: Call) -> Outcome | Stream:
        call.asked_at = began = time.monotonic()
        left = max(self._settings.seconds - (began - call.began), 0.0)
        try:
            if call.is_stream:
                return await self._upstreams.stream(
                    call.asked, seconds=left, shows_usage=call.shows_usage, ask=call.ask
                )
            return await self._upstreams.ask(call.asked, seconds=left, ask=call.ask)
        finally:
            call.asking = time.monotonic() - began

    def _end(self, face: Face, call: Call, number: int, outcome: Outcome) -> _End:
        """How a call ends. Its answer is written before it is charged for: `EncodeError` if that cannot be."""
        answer = Told(
            response=outcome.response,
            error_code=outcome.code,
            request_id=call.request_id,
            last_id=str(number),
            extras=self._extras(call, outcome.response),
            status=outcome.status,
        )
        verdict = judge(answer, registry=self.engine.messages.registry, upstream_errors=self._settings.upstream_errors)
        return _End(
            outcome=outcome,
            answer=answer,
            rendered=face.respond(call.request, answer),
            settlement=settlement_of(call, number, outcome, answer, verdict),
        )

    async def _settle(self, face: Face, call: Call, end: _End) -> Rendered:
        """Settle, and return the answer: a free 4017 if the call was closed meanwhile."""
        answer, rendered, settlement = end.answer, end.rendered, end.settlement
        number = settlement.call
        is_job = call.request.method == SUBMIT and settlement.ok

        def steps(db: Transaction) -> tuple[Settled | None, Envelope[Any]]:
            if not is_job:
                return settle(db, settlement), answer
            told = replace(answer, response=queued(db, number, call.account, call.asked))
            kept = None if settlement.answer is None else stored_value(told)
            settled = settle(db, replace(settlement, answer=kept))
            if settled is None:
                raise _Closed
            return settled, told

        try:
            settled, answer = await self._write(call, steps)
        except _Closed:
            settled = None
        if settled is None:
            self._log.unanswered(TIMEOUT)
            late = Envelope.fail(TIMEOUT, request_id=call.request_id, last_id=str(number))
            return face.respond(call.request, late)
        ended = Ended(
            call.request_id, end.outcome.code, settlement.billing, settled.charge, time.monotonic() - call.began,
            call.asking, end.outcome,
        )  # fmt: skip
        self._log.ended(call.request, ended)
        if self._settings.receipts:
            told = self._receipt(call, number, Billing(settlement.billing), settled)
            answer = replace(answer, extras={**answer.extras, RECEIPT: told})
        return rendered if answer is end.answer else face.respond(call.request, answer)

    async def _write(self, call: Call, steps: Callable[[Transaction], T], *, synced: bool = True) -> T:
        """A transaction of this call. If it is not known to be recorded, the caller is told that the call is free."""
        try:
            return await self._store.write(steps, synced=synced)
        except StoreUnavailable:
            self.unsettled.add(call.request_id)
            raise

    def _receipt(self, call: Call, number: int, billing: Billing, settled: Settled) -> dict[str, Any]:
        return receipt(
            call.entered.known.secret,
            request_id=call.request_id,
            last_id=str(number),
            billing=billing,
            charge=settled.charge,
            balance=settled.balance,
        )


def _with_retry(rendered: Rendered, seconds: int) -> Rendered:
    return replace(rendered, headers={**rendered.headers, "Retry-After": str(seconds)}) if seconds else rendered
