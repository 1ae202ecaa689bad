"""`Talk`: one call on its way through the wrapper, and what becomes of its answer."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Any, Final

from envelope.adapters.asgi_wire import (
    Message,
    Receive,
    Scope,
    Send,
    call_headers,
    http_request,
    send_options,
    send_rendered,
    texts,
    with_form,
)
from envelope.adapters.bodies import BodyReader, Inflater, has_parameters, longest
from envelope.adapters.http_failures import MAX_FAILURE_BYTES, asker_of, fail, is_envelope, options_headers, recover
from envelope.adapters.multipart import Form, TooLarge, is_multipart
from envelope.calls.engine import Asker, Engine
from envelope.calls.http import HttpRequest
from envelope.errors import RequestError

__all__ = ["SCOPE_KEY", "Talk", "note_failure", "talk_of"]

SCOPE_KEY: Final = "envelope"
"""Where in an application's scope the wrapper leaves its `Talk`."""


def note_failure(error: Exception, scope: Any) -> None:
    """Remember what a route raised, for a framework that answers it with a 500 itself, as Litestar does.

    Its ``after_exception`` takes this function. A `RequestError` is then answered as what it says, and any other is
    told to ``on_error``; one with a ``status_code``, the framework's own, is answered by that.
    """
    if not hasattr(error, "status_code"):
        talk_of(scope).note(error)


def talk_of(scope: Scope) -> Talk:
    """What the wrapper knows of a call; `RuntimeError` if there is no wrapper."""
    talk = scope.get(SCOPE_KEY)
    if not isinstance(talk, Talk):
        raise RuntimeError("the application is not inside an EnvelopeMiddleware")
    return talk


class Talk:
    """One call on its way through the wrapper: what was read of its body, and what became of its answer."""

    def __init__(self, engine: Engine, scope: Scope, receive: Receive, send: Send, max_files_bytes: int) -> None:
        self.engine = engine
        self._scope = scope
        self.max_files_bytes = max_files_bytes
        self._headers = call_headers(scope)
        self._receive = receive
        self._send = send
        content_type = self._headers.get(b"content-type", "")
        self._bound = longest(content_type, engine.request_limits, max_files_bytes)
        self._is_kept = has_parameters(content_type)
        self._body = bytearray()
        self._is_read = False
        self._is_gone = False
        self._inflater: Inflater | None = None
        self._fault: RequestError | None = None
        self._raised: Exception | None = None  # by a route, whatever the application then makes of it
        # The answer: not begun, held until it is known to be an envelope, replaced, or passed on.
        self._state = "none"
        self._held: list[Message] = []
        self._held_bytes = 0
        self._is_whole = False
        is_encoded = b"content-encoding" in self._headers
        self.inner_headers = [
            (name, value)
            for name, value in scope["headers"]
            if not is_encoded or name.lower() not in (b"content-encoding", b"content-length")
        ]

    def asker(self) -> Asker:
        """The format and language to answer in, from what was read so far; also for a call that names unknown ones."""
        return asker_of(self.engine, self._request())

    def note(self, error: Exception) -> None:
        """The application will answer *error* with a 500, and not raise it."""
        self._raised = error

    def check_caller(self) -> None:
        """`RequestError` if the call names a format or language that there is not."""
        self.engine.caller(self._request())

    def _request(self) -> HttpRequest[bytes]:
        return with_form(http_request(self._scope, self._headers), self._form())

    def _form(self) -> Form:
        """What was read of the body, without files."""
        body, content_type = bytes(self._body), self._headers.get(b"content-type", "")
        if not is_multipart(content_type):
            return Form(body, (), content_type)
        # Nobody may need the form, so a package that is missing is not told here; nor what is wrong with it.
        with suppress(RequestError, ImportError, OSError):
            reader = BodyReader(
                content_type=content_type, content_encoding="", content_length="", limits=self.engine.request_limits
            )
            with closing(reader):
                reader.feed(body)
                form = reader.finish()
            for upload in form.files:
                upload.file.close()
            return form._replace(files=())
        return Form(b"", ())

    def check_length(self) -> None:
        """`RequestError` if the headers alone show that the body will not be read."""
        length = self._headers.get(b"content-length", "")
        try:
            if length.isdecimal() and int(length[:20]) > self._bound:
                raise TooLarge(f"the body is longer than {self._bound} bytes")
            self._inflater = Inflater(self._headers.get(b"content-encoding", ""), self._bound)
        except RequestError as error:
            self._fault = error
            raise

    async def receive(self) -> Message:
        """What *app* receives."""
        message = await self._receive()
        if message["type"] != "http.request":
            self._is_gone = True
            return message
        try:
            return self._read(message)
        except RequestError as error:
            # An application may catch it, and answer as it likes: then this is the answer.
            self._fault = error
            raise

    def _read(self, message: Message) -> Message:
        if self._inflater is not None:
            body = self._inflater.feed(message.get("body", b""))
            if not message.get("more_body", False):
                self._inflater.finish()
            message = {**message, "body": body}
        if self._is_kept:
            self._body += message.get("body", b"")
            if len(self._body) > self.engine.request_limits.max_bytes:  # it has files, and may be long
                self._is_kept = False
                self._body.clear()
        self._is_read = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """What *app* sends."""
        if self._state in ("none", "held") and message["type"] in ("http.response.start", "http.response.body"):
            await self._weigh(message)
        elif self._state != "replaced":
            await self._send(message)

    async def _weigh(self, message: Message) -> None:
        """Decide on the answer as soon as possible."""
        if message["type"] == "http.response.start":
            if message["status"] < 400 and self._fault is None:
                self._state = "passed"
                return await self._send(message)
            self._state = "held"
            self._held = [message]
            is_unanswered = message["status"] == 405 and self._scope["method"] == "OPTIONS"
            if is_unanswered or self._fault is not None:
                await self._replace()
            return None
        self._held.append(message)
        self._held_bytes += len(message.get("body", b""))
        if self._held_bytes > MAX_FAILURE_BYTES:
            await self._replace()
        elif not message.get("more_body", False):
            if self._is_envelope():
                self._state = "passed"
                for held in self._held:
                    await self._send(held)
            elif self._held[0]["status"] != 500 or self._raised is not None:
                await self._replace()
            else:
                self._is_whole = True  # Starlette raises what made it a 500 when that is sent: then `end` answers
        return None

    def _is_envelope(self) -> bool:
        """Whether the answer that is held is one of ours."""
        start, *bodies = self._held
        body = b"".join(message.get("body", b"") for message in bodies)
        return is_envelope(self.engine, texts(start), body, is_head=self._scope["method"] == "HEAD")

    async def _replace(self) -> None:
        """Answer with the envelope of the failure instead of what was held."""
        start = self._held[0]
        self._state = "replaced"
        if start["status"] == 405 and self._scope["method"] == "OPTIONS":
            return await send_options(self._send, options_headers(texts(start)))
        await self.finish_body()
        why = self._fault or (self._raised if start["status"] == 500 else None)
        if why is not None:
            rendered = recover(self.engine, self.asker(), why)
        else:
            rendered = fail(self.engine, self.asker(), start["status"])
        return await send_rendered(self._send, self._scope, rendered, texts(start))

    async def finish_body(self) -> None:
        """Read what *app* did not of a body that may say in which format to answer."""
        has_body = b"content-length" in self._headers or b"transfer-encoding" in self._headers
        if not has_body or b"expect" in self._headers:
            return
        with suppress(RequestError):
            while self._is_kept and not (self._is_read or self._is_gone or self._fault):
                await self.receive()

    async def end(self, error: Exception | None) -> None:
        """*app* has returned, or raised *error*."""
        if self._state == "passed":
            if error is not None:
                raise error
            return
        is_fault = error is None or error is self._fault
        if self._state == "replaced":
            if not is_fault and error is not None:
                recover(self.engine, self.asker(), error)  # it is told, and answered already
            return
        if self._is_gone:
            return
        if self._is_whole and error is None:
            await self._replace()
            return
        await self.finish_body()
        why = self._fault or error or RuntimeError("the application returned without an answer")
        given = texts(self._held[0]) if self._held else []
        self._state = "replaced"
        await send_rendered(self._send, self._scope, recover(self.engine, self.asker(), why), given)
