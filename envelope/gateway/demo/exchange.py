"""`Exchange`: one request and its answer over ASGI, with what a server that fails can do besides."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from envelope.adapters.asgi import Receive, Send
from envelope.formats import FORMATS, ResultType
from envelope.gateway.demo.log import Served

__all__ = ["EVENT_STREAM", "Exchange", "Gone", "json_body"]

EVENT_STREAM: Final = "text/event-stream"


class Gone(Exception):
    """Whoever asked has hung up, or we have."""


def json_body(value: Any) -> bytes:
    """*value* byte for byte as PHP's json_encode writes it, and an empty map as one."""
    row = FORMATS[ResultType.JSON]
    return row.dumps(value, row.writing(dialect="php", maps="object"))


class Exchange:
    """One answer. All seconds are multiplied by *scale*."""

    def __init__(self, receive: Receive, send: Send, served: Served, scale: float) -> None:
        self._receive = receive
        self._send = send
        self._served = served
        self._scale = scale

    async def body(self) -> AsyncIterator[bytes]:
        """The body of the request as it arrives."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Gone
            yield message.get("body", b"")
            more = message.get("more_body", False)

    async def answer(self, status: int, body: bytes, content_type: str = "application/json", **headers: str) -> None:
        """A whole answer."""
        await self.start(status, content_type, content_length=str(len(body)), **headers)
        await self.end(body)

    async def stream(self, events: Iterable[bytes]) -> None:
        """A whole stream of events; `Gone` as soon as whoever asked hangs up."""
        await self.start(200, EVENT_STREAM)
        gone = asyncio.ensure_future(self._receive())
        try:
            for event in events:
                await self.write(event)
                if gone.done():
                    raise Gone
        finally:
            gone.cancel()
        await self.end()

    async def json(self, status: int, value: Any, **headers: str) -> None:
        """A whole answer in JSON."""
        await self.answer(status, json_body(value), **headers)

    async def start(self, status: int, content_type: str = "application/json", **headers: str) -> None:
        """The head of an answer; a header's name has _ for -."""
        self._served.status = status
        named = {"content-type": content_type, **{name.replace("_", "-"): text for name, text in headers.items()}}
        pairs = [(name.encode(), text.encode()) for name, text in named.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def write(self, chunk: bytes) -> None:
        """Some of the body."""
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def end(self, chunk: bytes = b"") -> None:
        """The last of the body."""
        self._served.is_whole = True
        await self._send({"type": "http.response.body", "body": chunk, "more_body": False})

    async def pause(self, seconds: float | None = None) -> None:
        """Wait; for ever if it is not said how long. `Gone` as soon as whoever asked hangs up."""
        try:
            async with asyncio.timeout(None if seconds is None else seconds * self._scale):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return
        raise Gone

    def seconds(self, seconds: float) -> str:
        """*seconds* as `Retry-After` has them, scaled."""
        return str(round(seconds * self._scale))

    async def hang_up(self) -> None:
        """Reset the connection. ASGI knows no way to do that: uvicorn's own transport does."""
        transport = self._send.__self__.transport  # type: ignore[attr-defined]
        if not transport.is_closing():
            linger = struct.pack("ii", 1, 0)  # what was not sent yet is dropped
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            transport.abort()
        await self.pause()
