"""`Gateway`: one call, in order: who calls, what it may cost, what the upstream says, what is charged, and the answer.

The books are written twice: when the call is admitted, which holds the most that it can cost, and when it ends, which
charges and releases. The answer is sent after that, so whatever a caller has seen is on the books.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import orjson

from envelope.adapters.http_failures import asker_of
from envelope.answers.envelope import Envelope
from envelope.answers.request_ids import RequestIds
from envelope.answers.verdicts import judge
from envelope.calls.cache_keys import cache_key
from envelope.calls.engine import Asker, Engine
from envelope.calls.http import HttpRequest, Rendered, Upload
from envelope.calls.request import ApiRequest
from envelope.errors import EncodeError, RequestError
from envelope.formats import ResultType
from envelope.gateway.admin.desk import Desk
from envelope.gateway.admin.door import AdminApi
from envelope.gateway.books.admission import Admission, Admitted, admit
from envelope.gateway.books.cache import CacheEntry
from envelope.gateway.books.gate import Refused
from envelope.gateway.books.repeats import Repeated
from envelope.gateway.books.serving import Served, serve_cached
from envelope.gateway.books.settling import Settled, Settlement, renew, settle
from envelope.gateway.entry import Entered, Entry
from envelope.gateway.jobs import GET, SUBMIT, found, queued, submitted
from envelope.gateway.known import KnownAccounts
from envelope.gateway.logs import Ended
from envelope.gateway.openai.face import OpenAIFace
from envelope.gateway.page_tokens import PAGE_TOKEN, PURPOSE, PageTokens
from envelope.gateway.receipts import RECEIPT, receipt
from envelope.gateway.stores.errors import StoreError, StoreUnavailable
from envelope.gateway.streams import LiveStream, without_returns
from envelope.gateway.told import Told
from envelope.gateway.unsettled import Unsettled
from envelope.gateway.upstreams.call import UpstreamCall
from envelope.gateway.upstreams.methods import Ask, asking_for_usage, how_to_ask
from envelope.gateway.upstreams.outcome import Outcome
from envelope.limits import Limits
from envelope.registry.codes import SERVER_ERROR, TIMEOUT, UNKNOWN_ERROR, Billing
from envelope.registry.messages import Messages

if TYPE_CHECKING:
    from envelope.gateway.logs import CallLog
    from envelope.gateway.prices import Price
    from envelope.gateway.settings import GatewaySettings
    from envelope.gateway.stores.store import Store, Transaction
    from envelope.gateway.upstreams.pool import Upstreams
    from envelope.gateway.upstreams.stream import Stream
    from envelope.gateway.vault import Vault

__all__ = ["IDEMPOTENCY_KEY", "Face", "Gateway", "new_request_ids"]

T = TypeVar("T")

IDEMPOTENCY_KEY: Final = "idempotency_key"
"""The parameter that does what the header ``Idempotency-Key`` does, for callers who cannot send that."""

_SCRIPT: Final = "/api_call.php"
# Lists, files and jobs change behind their arguments.
_NEVER_CACHED: Final = frozenset({"v1/files", SUBMIT, GET})
_NO_STREAM: Final = (None, False, 0, "", "0", "false")  # a form has texts
_OWN: Final = frozenset({SUBMIT, GET})
_MAX_MODEL: Final = 128
_MAX_KEY: Final = 255
# A longer answer might not fit in another format's limits, which is known only once the call is charged for.
_MOST_CACHED: Final = 1 << 20
_CHUNK: Final = 1 << 20
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
class _Call:
    """A call that was read, and what it means here.

    ``digest`` is of its arguments, ``""`` if it has no idempotency key and is not cached; ``seconds_cached`` says for
    how long its answer is kept for others, 0 if it is not. ``asking`` are the seconds in which upstreams were asked.
    """

    entered: Entered
    asked: UpstreamCall
    ask: Ask
    request_id: str
    key: str
    model: str
    price: Price
    size: int
    hold: int
    digest: str
    seconds_cached: int
    began: float
    stream: Stream | None = None
    is_stream: bool = False
    shows_usage: bool = True
    asked_at: float = 0.0
    asking: float = 0.0

    @property
    def request(self) -> ApiRequest:
        """The call as it was read."""
        return self.entered.request

    @property
    def account(self) -> int:
        """Whose it is."""
        return self.entered.known.account.id


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
        self._prices = settings.tariff
        self._tokens = PageTokens(vault.derive_all(PURPOSE))
        self._request_ids = request_ids or new_request_ids(store, clock)
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
        call = self._read(entered, idempotency_key, began)
        ready = await self._ready(call)
        scope = "" if self._settings.cache.shared else str(call.account)
        admission = self._admission(call)
        cached = None
        if call.seconds_cached:
            cached = replace(admission, hold=call.price.cached)

        def steps(db: Transaction) -> Served | Admitted | Repeated | Refused:
            served = None if cached is None else serve_cached(db, cached, scope, call.digest)
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
            return await self._finish(face, call, number, got, scope)
        call.stream = got
        return self._live(face, call, number, got, scope)

    async def _finish(self, face: Face, call: _Call, number: int, outcome: Outcome, scope: str) -> Rendered:
        """End a call: its answer, and its settling."""
        try:
            end = self._end(face, call, number, outcome, scope)
        except Exception as error:
            self._log.fault(error)
            code = SERVER_ERROR if isinstance(error, EncodeError) else UNKNOWN_ERROR
            end = self._end(face, call, number, replace(outcome, code=code, response=[], usage=None), scope)
        return await self._settle(face, call, end)

    def _live(self, face: Face, call: _Call, number: int, stream: Stream, scope: str) -> LiveStream:
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
                    face, call, number, replace(outcome, response=without_returns(outcome)), scope
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

    def _read(self, entered: Entered, idempotency_key: str, began: float) -> _Call:
        """What a call means here; `RequestError` for what is wrong with its arguments, page token or key."""
        entered, key = _with_key(entered, idempotency_key)
        request = entered.request
        asked = self._asked(request, entered.known.account.id)
        ask = how_to_ask(asked)
        args = {**asked.params, **(asked.args or {})}
        is_stream = args.get("stream") not in _NO_STREAM and request.method not in _OWN
        shows_usage = True
        if is_stream:
            asked, shows_usage = asking_for_usage(asked)
            ask = how_to_ask(asked)
        model = args.get("model")
        model = model[:_MAX_MODEL] if isinstance(model, str) and model.isprintable() else ""
        price = self._prices.of(request.method, model)
        size = _size(ask)
        seconds_cached = 0 if is_stream else self._seconds_cached(request)
        digest = ""
        if key or seconds_cached:
            # The language is no part of either key: upstreams' answers are not translated.
            digest = cache_key(request, with_lang=False)
            if request.files:
                digest = _with_files(digest, request.files)
        return _Call(
            entered=entered,
            asked=asked,
            ask=ask,
            request_id=self._request_ids(),
            key=key,
            model=model,
            price=price,
            size=size,
            hold=price.hold(args, size),
            digest=digest,
            seconds_cached=seconds_cached,
            began=began,
            is_stream=is_stream,
            shows_usage=shows_usage,
        )

    def _asked(self, request: ApiRequest, account: int) -> UpstreamCall:
        """What an upstream would be asked; a page token of ours is the row after which the page begins."""
        args, params = request.args, request.params
        if PAGE_TOKEN in params:
            after = self._tokens.after(params[PAGE_TOKEN], account, request.method)
            params = {name: value for name, value in params.items() if name != PAGE_TOKEN}
            if args is None:
                params["after"] = after
            else:
                args = {**args, "after": after}
        return UpstreamCall(method=request.method, args=args, params=params, files=request.files)

    def _admission(self, call: _Call) -> Admission:
        request = call.request
        return Admission(
            account=call.account,
            api_type=request.api_type,
            api_name=request.api_name,
            method=request.method,
            model=call.model,
            request_id=call.request_id,
            hold=call.hold,
            seconds=self._settings.seconds,
            node=self._store.node,
            idempotency_key=call.key,
            digest=bytes.fromhex(call.digest),
            lang=request.lang,
            result_type=request.result_type,
        )

    def _seconds_cached(self, request: ApiRequest) -> int:
        """``cache=no`` keeps a call out of the cache: its answer neither comes from there nor goes there."""
        if not request.cache or request.method in _NEVER_CACHED or request.files:
            return 0
        cache = self._settings.cache
        return cache.methods.get(request.method, cache.seconds)

    def _of_books(self, call: _Call, got: Served | Repeated | Refused) -> Envelope[Any]:
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

    def _extras(self, call: _Call, response: Any) -> dict[str, Any]:
        token = self._tokens.next(response, call.account, call.request.method, call.entered.known.page_key)
        return {} if token is None else {PAGE_TOKEN: token}

    async def _ready(self, call: _Call) -> Outcome | None:
        """What comes of a call that no upstream is asked; `RequestError` for arguments that will not do."""
        if call.request.method == SUBMIT:
            return submitted(call.asked)
        if call.request.method == GET:
            return await found(self._store, call.account, call.asked)
        return None

    async def _ask(self, call: _Call) -> Outcome | Stream:
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

    def _end(self, face: Face, call: _Call, number: int, outcome: Outcome, scope: str) -> _End:
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
            settlement=self._settlement(call, number, outcome, scope, answer, verdict.ok, verdict.billing),
        )

    async def _settle(self, face: Face, call: _Call, end: _End) -> Rendered:
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

    async def _write(self, call: _Call, steps: Callable[[Transaction], T], *, synced: bool = True) -> T:
        """A transaction of this call. If it is not known to be recorded, the caller is told that the call is free."""
        try:
            return await self._store.write(steps, synced=synced)
        except StoreUnavailable:
            self.unsettled.add(call.request_id)
            raise

    def _settlement(
        self,
        call: _Call,
        number: int,
        outcome: Outcome,
        scope: str,
        answer: Envelope[Any],
        ok: bool,  # noqa: FBT001  # as in Verdict
        billing: Billing,
    ) -> Settlement:
        seconds = call.seconds_cached
        value = stored_value(answer) if ok and (call.key or seconds) and not call.is_stream else None
        if value is not None and len(value) > _MOST_CACHED:
            seconds = 0
        charge = 0
        if billing is Billing.CHARGED:
            is_counted = outcome.usage is not None or not call.price.completion
            delivered = 0
            if not is_counted:
                delivered = len(orjson.dumps(outcome.response)) if call.stream is None else call.stream.delivered
            charge = min(call.price.charge(outcome.usage, size=call.size, delivered=delivered), call.hold)
        return Settlement(
            call=number,
            request_id=call.request_id,
            code=outcome.code,
            ok=ok,
            billing=billing,
            charge=charge,
            prompt_tokens=outcome.usage.prompt if outcome.usage else 0,
            completion_tokens=outcome.usage.completion if outcome.usage else 0,
            attempts=len(outcome.attempts),
            upstream=outcome.upstream,
            answer=value,
            cache=CacheEntry(scope, call.digest, seconds) if ok and seconds else None,
            has_key=bool(call.key),
        )

    def _receipt(self, call: _Call, number: int, billing: Billing, settled: Settled) -> dict[str, Any]:
        return receipt(
            call.entered.known.secret,
            request_id=call.request_id,
            last_id=str(number),
            billing=billing,
            charge=settled.charge,
            balance=settled.balance,
        )


def stored_value(answer: Envelope[Any]) -> bytes:
    """What a repeat or a cached answer is made of: JSON, whatever format was asked for."""
    return orjson.dumps({"response": answer.response})


def _with_key(entered: Entered, header: str) -> tuple[Entered, str]:
    """The call without its idempotency key, and the key: of the header, else of the parameter."""
    request, key = entered.request, header
    if IDEMPOTENCY_KEY in request.params:
        params = dict(request.params)
        given = params.pop(IDEMPOTENCY_KEY)
        key = header or given
        entered = replace(entered, request=replace(request, params=params))
    if not (isinstance(key, str) and key.isprintable() and len(key) <= _MAX_KEY):
        raise RequestError("not an idempotency key", path=f"$.{IDEMPOTENCY_KEY}")
    return entered, key


def _size(ask: Ask) -> int:
    """How many bytes of text are sent to the upstream, which is the most tokens that it can read in them."""
    if ask.json is not None:
        return len(ask.json)
    return len(ask.path) + sum(len(text.encode("utf-8", "surrogatepass")) for _, text in ask.fields)


def _with_files(digest: str, files: tuple[Upload, ...]) -> str:
    """A digest of a call and of the files that came with it."""
    whole = hashlib.sha256(digest.encode())
    for upload in files:
        one = hashlib.sha256()
        upload.file.seek(0)
        while chunk := upload.file.read(_CHUNK):
            one.update(chunk)
        upload.file.seek(0)
        whole.update(orjson.dumps([upload.name, upload.filename, one.hexdigest()]))
    return whole.hexdigest()


def _with_retry(rendered: Rendered, seconds: int) -> Rendered:
    return replace(rendered, headers={**rendered.headers, "Retry-After": str(seconds)}) if seconds else rendered
