"""`Engine`: from a call to an answer and back, with the registry, languages, formats and requests joined.

It has no clock, ids or secrets but those passed to it, and does no I/O: a server passes it what HTTP carried
(`envelope.calls.HttpRequest`) and sends the `Rendered` that it returns.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from inspect import isawaitable
from types import MappingProxyType
from typing import Any, Final, Protocol

from envelope.answers.envelope import Envelope, wire_map
from envelope.api import decode
from envelope.calls.bounds import REQUEST_LIMITS
from envelope.calls.caller import Caller
from envelope.calls.http import HttpRequest, Rendered
from envelope.calls.media import content_type_of, format_of_content_type
from envelope.calls.payloads import plain
from envelope.calls.request import ApiRequest, read_call, read_caller
from envelope.calls.signing import CHINA, verify
from envelope.calls.statuses import Statuses
from envelope.calls.strict_signing import verify_strictly
from envelope.errors import EncodeError, RequestError
from envelope.formats import ResultType, ResultTypeName, get_format
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import Dialect, Maps
from envelope.registry.codes import ACCOUNT_NOT_FOUND, SERVER_ERROR, SUCCESS, UNKNOWN_ERROR
from envelope.registry.languages import Lang
from envelope.registry.messages import Messages

__all__ = ["Asker", "Engine"]

_NO_EXTRAS: Final[Mapping[str, Any]] = {}
_LOG: Final = logging.getLogger("envelope")


class Asker(Protocol):
    """Whoever is answered: an `ApiRequest`, a `Caller`, or the `RequestError` of an invalid call."""

    @property
    def result_type(self) -> str:
        """The format of the answer."""

    @property
    def lang(self) -> str:
        """Its language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A server's side of a call: ``answer`` does all of it, ``read``, ``respond`` and ``fail`` are its parts.

    A server with routes of its own asks ``caller`` for the format and language, then ``respond``, ``fail`` or
    ``recover``. ``parse`` reads what a gateway answered.

    ``messages``        the registry and the texts.
    ``request_id``      returns the next id (`envelope.RequestIds`), and ``last_id`` the next record's; ``""`` by
                        default.
    ``secrets``         returns the secret of a key, or None for an unknown key; without it there are no accounts: a
                        call needs neither ``key`` nor ``secret``. It needs ``clock``, which returns the time in
                        nanoseconds; ``window`` is the maximum age of a signature in seconds, and ``zone`` the time zone
                        of its ``dateline``.
    ``remember_nonce``  says whether a nonce is new, and keeps it (`verify_strictly`). With it, only strict signatures
                        are taken, and no others nor the secret itself; without it, none.
    ``apis``            the names of the APIs; without it, any name will do.
    ``result_type``     the format for callers who ask for none that is known, and ``lang`` likewise their language.
    ``statuses``        the HTTP status of a failure: ``"registry"`` for that of its code, ``"ok"`` for 200 whatever
                        the code. PHP's ``file_get_contents`` returns nothing for another status, and the gateway's own
                        client goes to its next address.
    ``payload``         the name of the payload's field.
    ``default``         makes values of other payloads, as in `encode`; `plain` does for dates, decimals, dataclasses
                        and models.
    ``request_limits``  for calls, which are read before it is known who calls: for the query and the body each. A
                        server reads no more of a body than ``max_bytes`` and one byte.
    ``limits``          for payloads, and what ``parse`` reads.
    ``on_error``        is told what a handler raised, or why its payload cannot be written; by default that is logged.
    ``dialects``        by format, as in `encode`, and likewise ``maps``: a PHP gateway writes json and jsonu in
                        ``"php"``.
    """

    messages: Messages = field(default_factory=Messages)
    request_id: Callable[[], str] = str
    last_id: Callable[[], str] = str
    secrets: Callable[[str], str | None] | None = field(default=None, repr=False)
    clock: Callable[[], int] | None = None
    remember_nonce: Callable[[str, str, int], bool] | None = field(default=None, repr=False)
    window: int = 300
    zone: tzinfo = CHINA
    apis: Collection[str] | None = None
    result_type: ResultType | ResultTypeName = ResultType.JSON
    lang: Lang | str = Lang.CN
    statuses: Statuses = "registry"
    payload: str = "response"
    default: Callable[[Any], Any] | None = plain
    dialects: Mapping[str, Dialect] = field(default_factory=dict)
    maps: Maps = "array"
    request_limits: Limits = REQUEST_LIMITS
    limits: Limits = DEFAULT_LIMITS
    on_error: Callable[[Exception], None] | None = None
    _fallback: Caller = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.secrets is None) != (self.clock is None):
            raise TypeError("secrets and clock (clock=time.time_ns) go together: a signature has a time")
        if self.secrets is not None and not callable(self.secrets):
            raise TypeError('secrets is a function of a key, like {"key": "secret"}.get')
        if self.remember_nonce is not None and self.secrets is None:
            raise TypeError("remember_nonce needs secrets: only signatures have a nonce")
        if isinstance(self.apis, str):  # any part of it would be an API
            raise TypeError('apis are a collection, like {"custom"}')
        if self.statuses not in ("registry", "ok"):
            raise ValueError("statuses is registry or ok")
        object.__setattr__(self, "_fallback", Caller(get_format(self.result_type).name, Lang(self.lang)))

    def read(self, http: HttpRequest) -> ApiRequest:
        """The call in *http*, whose caller has proved who it is. `RequestError` for any other."""
        request, params = read_call(
            http,
            apis=self.apis,
            has_accounts=self.secrets is not None,
            limits=self.request_limits,
            fallback=self._fallback,
        )
        if self.secrets is not None and self.clock is not None:
            try:
                secret = self.secrets(request.key)
                if not secret:  # an empty one proves nothing
                    raise RequestError("no such account", code=ACCOUNT_NOT_FOUND, path="$.key")
                if self.remember_nonce is None:
                    verify(request, secret, self.clock, params=params, window=self.window, zone=self.zone)
                else:
                    remember = self.remember_nonce
                    verify_strictly(
                        request, secret, self.clock, remember, params=params, window=self.window, zone=self.zone
                    )
            except RequestError as error:
                error.result_type, error.lang = request.result_type, request.lang
                raise
        return request

    def caller(self, http: HttpRequest) -> Caller:
        """The format and language that *http* asks for: all that an answer needs on a server's own routes.

        They come from ``result_type`` and ``lang`` in the query or the body, else from the headers; whatever else is in
        *http*, even if it cannot be read, is not looked at. `RequestError` (4003) for a format or language that there
        is not.
        """
        return read_caller(http, limits=self.request_limits, fallback=self._fallback)

    def answer(self, http: HttpRequest, handler: Callable[[ApiRequest], Any]) -> Rendered:
        """What *handler* returns for the call, rendered; an invalid call gets an answer too.

        *handler* returns a payload or an `Envelope` (`Envelope.fail("4016")`), or raises `RequestError` if it finds
        something wrong itself. What else it raises, or a function of the engine's does (``secrets`` …), is told to
        ``on_error`` and answered as in `recover`.
        """
        try:
            request = self.read(http)
        except Exception as error:
            return self._recover_unread(http, error)
        try:
            return self.respond(request, handler(request))
        except Exception as error:
            return self.recover(request, error)

    async def answer_async(self, http: HttpRequest, handler: Callable[[ApiRequest], Awaitable[Any] | Any]) -> Rendered:
        """The same, for a *handler* that may be asynchronous."""
        try:
            request = self.read(http)
        except Exception as error:
            return self._recover_unread(http, error)
        try:
            payload = handler(request)
            return self.respond(request, await payload if isawaitable(payload) else payload)
        except Exception as error:
            return self.recover(request, error)

    def respond(self, asker: Asker, payload: Any) -> Rendered:
        """The answer that carries *payload*: any value, or an `Envelope`, whose blank fields are filled in.

        A failure without an ``error`` gets its code's message, one without a ``reason`` the code's description in the
        caller's language. `EncodeError` if the payload cannot be written.
        """
        if isinstance(payload, Envelope):
            return self._render(
                asker,
                self.limits,
                payload.response,
                code=payload.error_code,
                error=payload.error,
                reason=payload.reason,
                request_id=payload.request_id or self.request_id(),
                last_id=payload.last_id or self.last_id(),
                extras=payload.extras,
            )
        return self._render(asker, self.limits, payload, request_id=self.request_id(), last_id=self.last_id())

    def fail(self, asker: Asker, code: str, *, error: str = "", reason: str = "", status: int = 0) -> Rendered:
        """The answer for a failure with this *code*; a blank *error* or *reason* is taken from the registry.

        *status* is its HTTP status, if it is not the code's own: 405 stays 405 (`code_of_status` has its code).
        A failure goes out whatever else fails: what the format cannot hold of *error* and *reason* is escaped as in
        Python, and an id that cannot be made is blank.
        """

        def render(error: str, reason: str) -> Rendered:
            # Not within `limits`, which are meant for payloads: it is small.
            return self._render(
                asker,
                DEFAULT_LIMITS,
                [],
                code=code,
                error=error,
                reason=reason,
                request_id=_id_or_blank(self.request_id),
                last_id=_id_or_blank(self.last_id),
                status=status,
            )

        try:
            return render(error, reason)
        except EncodeError:
            return render(_escaped(error), _escaped(reason))

    def refuse(self, error: RequestError, asker: Asker | None = None) -> Rendered:
        """The answer to an invalid call: its code's description, and which parameter is wrong, or else the reason.

        *asker* is who is answered, if it is not who the error says.
        """
        asker = asker or error
        text = self.messages.text(error.code, asker.lang)
        about = error.path.removeprefix("$").removeprefix(".") or error.reason
        return self.fail(asker, error.code, reason=f"{text}: {about}")

    def recover(self, asker: Asker, error: Exception) -> Rendered:
        """The answer if a handler raised *error*.

        A `RequestError` says itself what is wrong. Of others the caller learns nothing, and ``on_error`` all: 4000 for
        an `EncodeError`, that is, a payload that cannot be written, and 5000 for any other.
        """
        if isinstance(error, RequestError):
            return self.refuse(error, asker)
        try:
            (self.on_error or _log)(error)
        except Exception as failure:  # the caller is answered all the same
            _LOG.error("on_error failed", exc_info=failure)
            _log(error)
        return self.fail(asker, SERVER_ERROR if isinstance(error, EncodeError) else UNKNOWN_ERROR)

    def _recover_unread(self, http: HttpRequest, error: Exception) -> Rendered:
        """The answer if `read` raised *error*."""
        if isinstance(error, RequestError):
            return self.refuse(error)
        try:
            asker: Asker = self.caller(http)
        except RequestError as unknown:
            asker = unknown
        return self.recover(asker, error)

    def _render(
        self,
        asker: Asker,
        limits: Limits,
        response: Any,
        *,
        code: str = SUCCESS,
        error: str = "",
        reason: str = "",
        request_id: str,
        last_id: str,
        extras: Mapping[str, Any] = _NO_EXTRAS,
        status: int = 0,
    ) -> Rendered:
        lang = asker.lang if isinstance(asker.lang, Lang) else Lang(asker.lang)
        row = self.messages.registry.get(code)
        if not row.is_success:
            error = error or row.message
            reason = reason or str(self.messages.text(row.code, lang))
        format = get_format(asker.result_type)
        result_type = format.name
        options = format.writing("portable", self.maps, self.dialects.get(result_type, "typed"), limits)
        try:
            value = wire_map(
                response,
                error,
                reason,
                code,
                request_id,
                last_id,
                extras,
                self.payload,
            )
        except EncodeError as fault:
            fault.format = result_type
            raise
        body = format.dumps(value, options, self.default)
        return Rendered(200 if self.statuses == "ok" else status or row.http_status, _headers(result_type, lang), body)

    def parse(self, body: bytes, content_type: str = "", *, result_type: str | None = None) -> Envelope[Any]:
        """The envelope in a gateway's answer, read in the format that was requested, else that of its content type.

        `DecodeError`, `ValidationError` or `UnknownFormat` if there is none.
        """
        format = get_format(format_of_content_type(content_type) if result_type is None else result_type).name
        return decode(
            body, format, payload=self.payload, dialect=self.dialects.get(format, "typed"), limits=self.limits
        )


def _log(error: Exception) -> None:
    _LOG.error("a call could not be answered", exc_info=error)


def _id_or_blank(new: Callable[[], str]) -> str:
    try:
        return new()
    except Exception as error:
        _LOG.error("no id could be made for a failure", exc_info=error)
        return ""


def _escaped(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


@cache
def _headers(result_type: ResultType, lang: Lang) -> Mapping[str, str]:
    return MappingProxyType(
        {
            "Content-Type": content_type_of(result_type),
            "Content-Language": lang.tag,
            "Vary": "Accept, Accept-Language",
        }
    )
