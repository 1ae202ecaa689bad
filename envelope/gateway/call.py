"""A call as it was read: what it asks of an upstream, what it may cost, and what it is known by in the books."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import orjson

from envelope.calls.cache_keys import cache_key
from envelope.calls.http import Upload
from envelope.calls.request import ApiRequest
from envelope.errors import RequestError
from envelope.gateway.books.admission import Admission
from envelope.gateway.entry import Entered
from envelope.gateway.jobs import GET, SUBMIT
from envelope.gateway.page_tokens import PAGE_TOKEN, PageTokens
from envelope.gateway.upstreams.call import UpstreamCall
from envelope.gateway.upstreams.methods import Ask, asking_for_usage, how_to_ask

if TYPE_CHECKING:
    from envelope.gateway.prices import Price
    from envelope.gateway.settings import GatewaySettings
    from envelope.gateway.upstreams.stream import Stream

__all__ = ["IDEMPOTENCY_KEY", "Call", "CallReader"]

IDEMPOTENCY_KEY: Final = "idempotency_key"
"""The parameter that does what the header ``Idempotency-Key`` does, for callers who cannot send that."""

# Lists, files and jobs change behind their arguments.
_NEVER_CACHED: Final = frozenset({"v1/files", SUBMIT, GET})
_NO_STREAM: Final = (None, False, 0, "", "0", "false")  # a form has texts
_OWN: Final = frozenset({SUBMIT, GET})
_MAX_MODEL: Final = 128
_MAX_KEY: Final = 255
_CHUNK: Final = 1 << 20


@dataclass(slots=True, kw_only=True)
class Call:
    """A call that was read, and what it means here.

    ``digest`` is of its arguments, ``""`` if it has no idempotency key and is not cached; ``seconds_cached`` says for
    how long its answer is kept for others, 0 if it is not, and ``scope`` for whom (``""``: all). ``began`` is
    `time.monotonic` when it came; ``asking`` are the seconds in which upstreams were asked.
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
    scope: str
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


class CallReader:
    """Reads calls by an operator's *settings*, on the *node* of a store."""

    def __init__(
        self, settings: GatewaySettings, tokens: PageTokens, node: str, request_ids: Callable[[], str]
    ) -> None:
        self._cache = settings.cache
        self._seconds = settings.seconds
        self._prices = settings.tariff
        self._tokens = tokens
        self._node = node
        self._request_ids = request_ids

    def read(self, entered: Entered, idempotency_key: str, began: float) -> Call:
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
        return Call(
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
            scope="" if self._cache.shared else str(entered.known.account.id),
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

    def admission(self, call: Call) -> Admission:
        """What the books are asked to let a call in."""
        request = call.request
        return Admission(
            account=call.account,
            api_type=request.api_type,
            api_name=request.api_name,
            method=request.method,
            model=call.model,
            request_id=call.request_id,
            hold=call.hold,
            seconds=self._seconds,
            node=self._node,
            idempotency_key=call.key,
            digest=bytes.fromhex(call.digest),
            lang=request.lang,
            result_type=request.result_type,
        )

    def _seconds_cached(self, request: ApiRequest) -> int:
        """``cache=no`` keeps a call out of the cache: its answer neither comes from there nor goes there."""
        if not request.cache or request.method in _NEVER_CACHED or request.files:
            return 0
        return self._cache.methods.get(request.method, self._cache.seconds)


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
