"""`Demo`: an upstream shaped like OpenAI's, as an ASGI application."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import orjson

from envelope.adapters.asgi import Receive, Scope, Send
from envelope.adapters.bodies import BodyReader
from envelope.adapters.multipart import Form
from envelope.calls.media import FORM_TYPE, split_content_type
from envelope.calls.php_query import parse_query
from envelope.errors import DecodeError, RequestError
from envelope.gateway.demo.answers import World, answer
from envelope.gateway.demo.asked import Asked, DemoError
from envelope.gateway.demo.exchange import Exchange, Gone, json_body
from envelope.gateway.demo.faults import FAULTS, Fault, FaultState, Healthy
from envelope.gateway.demo.log import Served
from envelope.gateway.demo.pictures import png
from envelope.gateway.demo.streams import events, is_stream
from envelope.limits import Limits

__all__ = ["Demo"]

_LIMITS: Final = Limits(max_bytes=64 * 1024 * 1024)
_LOG: Final = 100_000
_PICTURE: Final = re.compile(r"/_images/([0-9a-f]{64})\.png")


class Demo:
    """An upstream that needs no network: the same request has the same answer, but for ids and the time.

    ``key``     must come as ``Authorization: Bearer``; ``""`` lets everybody in.
    ``scale``   multiplies the seconds of all faults (`FAULTS`); without *faults*, none of them happens.
    ``clock``   the time in seconds, ``new_id`` makes ids of their prefix; by default of the number of the request.
    ``served``  is the log of the last 100,000 requests, which ``GET /_log.json`` shows as JSON.
    """

    def __init__(
        self,
        *,
        key: str = "demo-key",
        scale: float = 1.0,
        faults: bool = True,
        clock: Callable[[], int] = lambda: int(time.time()),
        new_id: Callable[[str], str] | None = None,
    ) -> None:
        self._key = key
        self._scale = scale
        self._world = World(clock, new_id or self._next_id)
        self._faults = FAULTS if faults else {}
        self._state = FaultState()
        self._ids = self._count = 0
        self.served: deque[Served] = deque(maxlen=_LOG)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; only of HTTP."""
        if scope["type"] != "http":
            raise ValueError(f"the demo speaks HTTP, not {scope['type']}")
        headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
        served = Served(number=self._count + 1, method=scope["path"].removeprefix("/"))
        exchange = Exchange(receive, send, served, self._scale)
        try:
            await self._serve(scope, headers, exchange, served)
        except Gone:
            pass
        except DemoError as error:
            await exchange.json(error.status, error.error)

    async def _serve(self, scope: Scope, headers: dict[str, str], exchange: Exchange, served: Served) -> None:
        if picture := _PICTURE.fullmatch(scope["path"]):
            return await exchange.answer(200, png(bytes.fromhex(picture[1])), "image/png")
        if scope["path"] == "/_log.json":
            self._admit(headers)
            return await exchange.answer(200, orjson.dumps([asdict(row) for row in self.served]))
        self._count += 1
        self.served.append(served)
        self._admit(headers)
        reader = BodyReader(
            content_type=headers.get("content-type", ""),
            content_encoding=headers.get("content-encoding", ""),
            content_length=headers.get("content-length", ""),
            limits=_LIMITS,
        )
        try:
            async for chunk in exchange.body():
                reader.feed(chunk)
            form = reader.finish()
        except RequestError as error:
            raise DemoError(413 if "longer" in error.reason else 400, error.reason) from None
        finally:
            reader.close()
        try:
            address = f"{scope.get('scheme', 'http')}://{headers.get('host', '')}"
            asked = _asked(scope, form, address)
            served.model = asked.model
            await self._answer(asked, exchange, served)
        finally:
            for upload in form.files:
                upload.file.close()
        return None

    def _admit(self, headers: dict[str, str]) -> None:
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if self._key and not hmac.compare_digest(given.encode(), self._key.encode()):
            raise DemoError(401, "Incorrect API key provided", code="invalid_api_key")

    async def _answer(self, asked: Asked, exchange: Exchange, served: Served) -> None:
        fault = self._faults.get(asked.model)
        good = answer(asked, self._world)
        body = json_body(good.value) if good.content_type == "application/json" else good.value
        if fault is not None:
            stream = list(events(asked, good)) if is_stream(asked) else []
            given = Fault(exchange, body, stream, asked.digest(), self._state, self._scale, self._key, asked.address)
            try:
                return await fault(given)
            except Healthy:
                pass
        served.prompt_tokens, served.completion_tokens = good.prompt_tokens, good.completion_tokens
        if is_stream(asked):
            return await exchange.stream(events(asked, good))
        return await exchange.answer(200, body, good.content_type)

    def _next_id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}-{hashlib.sha256(str(self._ids).encode()).hexdigest()[:29]}"


def _asked(scope: Scope, form: Form, address: str) -> Asked:
    """The request; `DemoError` for a body that cannot be read."""
    try:
        args: dict[Any, Any] = parse_query(scope["query_string"])
        if form.body and split_content_type(form.content_type)[0] == FORM_TYPE:
            args |= parse_query(form.body, _LIMITS)
        elif form.body:
            value = orjson.loads(form.body)
            if not isinstance(value, dict):
                raise DemoError(400, "the body is no JSON object")
            args |= value
    except (DecodeError, orjson.JSONDecodeError):
        raise DemoError(400, "We could not parse the JSON body of your request.") from None
    method = scope["path"].removeprefix("/")
    return Asked(verb=scope["method"], method=method, args=args, files=form.files, address=address)
