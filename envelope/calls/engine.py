"""`Engine`: from a call to an answer and back, with the registry, languages, formats and requests joined.

It has no clock, ids or secrets but those passed to it, and does no I/O: a server passes it what HTTP carried
(`envelope.calls.HttpRequest`) and sends the `Rendered` that it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Protocol

from envelope.answers.envelope import Envelope
from envelope.api import decode, encode
from envelope.calls.bounds import REQUEST_LIMITS
from envelope.calls.http import HttpRequest, Rendered
from envelope.calls.media import content_type_of, format_of_content_type
from envelope.calls.request import ApiRequest, read_call
from envelope.calls.signing import CHINA, verify
from envelope.calls.strict_signing import verify_strictly
from envelope.errors import EncodeError, RequestError
from envelope.formats import get_format
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import Dialect, Maps
from envelope.registry.codes import ACCOUNT_NOT_FOUND, SERVER_ERROR
from envelope.registry.languages import Lang
from envelope.registry.messages import Messages

__all__ = ["Asker", "Engine"]


class Asker(Protocol):
    """Whoever is answered: an `ApiRequest`, or the `RequestError` of an invalid call."""

    @property
    def result_type(self) -> str:
        """The format of the answer."""

    @property
    def lang(self) -> str:
        """Its language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A gateway's side of a call: ``read``, then ``respond`` or ``fail``; ``parse`` reads what a gateway answered.

    ``messages``        the registry and the texts.
    ``request_id``      returns the next id (`envelope.RequestIds`), and ``last_id`` the next record's; ``""`` by
                        default.
    ``secrets``         returns the secret of a key, or None for an unknown key; without it, no caller has to prove who
                        it is. It needs ``clock``, which returns the time in nanoseconds; ``window`` is the maximum age
                        of a signature in seconds, and ``zone`` the time zone of its ``dateline``.
    ``remember_nonce``  says whether a nonce is new, and keeps it (`verify_strictly`). With it, only strict signatures
                        are taken, and no others nor the secret itself; without it, none.
    ``apis``            the names of the APIs; without it, any name will do.
    ``payload``         the name of the payload's field.
    ``request_limits``  for calls, which are read before it is known who calls: for the query and the body each. A
                        server reads no more of a body than ``max_bytes`` and one byte.
    ``limits``          for payloads, and what ``parse`` reads; ``on_error`` is called if a payload cannot be written.
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
    payload: str = "response"
    dialects: Mapping[str, Dialect] = field(default_factory=dict)
    maps: Maps = "array"
    request_limits: Limits = REQUEST_LIMITS
    limits: Limits = DEFAULT_LIMITS
    on_error: Callable[[EncodeError], None] | None = None

    def __post_init__(self) -> None:
        if (self.secrets is None) != (self.clock is None):
            raise TypeError("secrets and clock go together: a signature has a time")
        if self.remember_nonce is not None and self.secrets is None:
            raise TypeError("remember_nonce needs secrets: only signatures have a nonce")

    def read(self, http: HttpRequest) -> ApiRequest:
        """The call in *http*, whose caller has proved who it is. `RequestError` for any other."""
        request, params = read_call(http, apis=self.apis, limits=self.request_limits)
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

    def answer(self, http: HttpRequest, handler: Callable[[ApiRequest], Any]) -> Rendered:
        """What *handler* returns for the call, rendered; an invalid call gets an answer too.

        *handler* returns a payload or an `Envelope` (`Envelope.fail("4016")`), or raises `RequestError` if it finds
        something wrong itself. If the payload cannot be written, the answer is 4000 and ``on_error`` gets the reason.
        Any other exception passes through to the server.
        """
        try:
            request = self.read(http)
        except RequestError as error:
            return self.refuse(error)
        try:
            return self.respond(request, handler(request))
        except RequestError as error:
            error.result_type, error.lang = request.result_type, request.lang
            return self.refuse(error)
        except EncodeError as error:
            if self.on_error is not None:
                self.on_error(error)
            return self.fail(request, SERVER_ERROR)

    def respond(self, asker: Asker, payload: Any) -> Rendered:
        """The answer that carries *payload*: any value, or an `Envelope`, whose blank fields are filled in.

        A failure without an ``error`` gets its code's message, one without a ``reason`` the code's description in the
        caller's language. `EncodeError` if the payload cannot be written.
        """
        return self._render(asker, payload if isinstance(payload, Envelope) else Envelope.ok(payload), self.limits)

    def fail(self, asker: Asker, code: str, *, error: str = "", reason: str = "") -> Rendered:
        """The answer for a failure with this *code*; a blank *error* or *reason* is taken from the registry."""
        # Not within `limits`, which are meant for payloads: it is small, and must go out.
        return self._render(asker, Envelope.fail(code, error=error, reason=reason), DEFAULT_LIMITS)

    def refuse(self, error: RequestError) -> Rendered:
        """The answer to an invalid call: its code's description, and which parameter is wrong, or else the reason."""
        text = self.messages.text(error.code, error.lang)
        about = error.path.removeprefix("$").removeprefix(".") or error.reason
        return self.fail(error, error.code, reason=f"{text}: {about}")

    def _render(self, asker: Asker, own: Envelope[Any], limits: Limits) -> Rendered:
        row = self.messages.registry.get(own.error_code)
        lang = Lang(asker.lang)
        answer = Envelope(
            response=own.response,
            error=own.error or ("" if row.is_success else row.message),
            reason=own.reason or ("" if row.is_success else str(self.messages.text(row.code, lang))),
            error_code=own.error_code,
            request_id=own.request_id or self.request_id(),
            last_id=own.last_id or self.last_id(),
            extras=own.extras,
        )
        result_type = get_format(asker.result_type).name
        dialect = self.dialects.get(result_type, "typed")
        body = encode(answer, result_type, payload=self.payload, maps=self.maps, dialect=dialect, limits=limits)
        headers = {
            "Content-Type": content_type_of(result_type),
            "Content-Language": lang.tag,
            "Vary": "Accept, Accept-Language",
        }
        return Rendered(row.http_status, headers, body)

    def parse(self, body: bytes, content_type: str = "", *, result_type: str | None = None) -> Envelope[Any]:
        """The envelope in a gateway's answer, read in the format that was requested, else that of its content type.

        `DecodeError`, `ValidationError` or `UnknownFormat` if there is none.
        """
        format = get_format(format_of_content_type(content_type) if result_type is None else result_type).name
        return decode(
            body, format, payload=self.payload, dialect=self.dialects.get(format, "typed"), limits=self.limits
        )
