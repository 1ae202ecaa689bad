"""The client's own connections, by httpcore2, which is below httpx2: one request, one whole answer, in its time.

httpx2's own client would bring redirects, cookies and authentication, which a gateway's caller has no use for, and take
twice as long. Its timeouts are for each read; here they are points in time, so nothing that drips gets past them.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack, ExitStack
from typing import Any, Final

import httpcore2

from envelope.calls.reply_bodies import BodyReader
from envelope.client.wire import Fault, Flow, Reply, Send, fault_of, is_stream, within
from envelope.client.workers import run_within

__all__ = ["AsyncConnections", "Connections"]

# The defaults of httpx2.
_POOL: Final[Any] = {"max_connections": 100, "max_keepalive_connections": 20, "keepalive_expiry": 5.0}


class Connections:
    """Connections that block, for any number of threads."""

    def __init__(self, ssl_context: ssl.SSLContext | None) -> None:
        self._ssl_context = ssl_context
        self._of_process = (os.getpid(), self._new_pool())

    def exchange(self, send: Send) -> Reply | Fault:
        """Send the request and read the whole answer."""
        now = time.monotonic()
        end = now + send.total
        timeout = {"connect": now + send.connect, "pool": send.connect, "read": end, "write": end}
        try:
            with self._pool().stream(
                send.verb, send.url, headers=send.headers, content=send.body or None, extensions={"timeout": timeout}
            ) as response:
                headers = _headers(response)
                body = _reader(headers, send)
                for chunk in response.iter_stream():
                    body.add(chunk)
                return _reply(response, headers, body)
        except Exception as error:  # whatever it is, it holds the request
            return fault_of(error)

    def open(self, send: Send) -> Flow | Reply | Fault:
        """Send the request, and read the answer; if it is a stream of events, only as far as its headers."""
        now = time.monotonic()
        end = now + send.total
        timeout = {"connect": now + send.connect, "pool": send.connect, "read": end, "write": end}
        stack = ExitStack()
        try:
            response = stack.enter_context(
                self._pool().stream(
                    send.verb,
                    send.url,
                    headers=send.headers,
                    content=send.body or None,
                    extensions={"timeout": timeout},
                )
            )
            headers = _headers(response)
            if is_stream(headers.get("content-type", "")):
                return Flow(response.status, response.iter_stream(), stack.pop_all().close)
            with stack:
                body = _reader(headers, send)
                for chunk in response.iter_stream():
                    body.add(chunk)
                return _reply(response, headers, body)
        except Exception as error:  # whatever it is, it holds the request
            return fault_of(error)

    def close(self) -> None:
        """Close them."""
        self._pool().close()

    def _pool(self) -> httpcore2.ConnectionPool:
        # After a fork, parent and child would read each other's answers.
        process, pool = self._of_process
        if process != os.getpid():
            pool = self._new_pool()
            self._of_process = (os.getpid(), pool)
        return pool

    def _new_pool(self) -> httpcore2.ConnectionPool:
        return httpcore2.ConnectionPool(self._ssl_context, network_backend=_Backend(), **_POOL)


class AsyncConnections:
    """Connections that are awaited, in one loop."""

    def __init__(self, ssl_context: ssl.SSLContext | None) -> None:
        self._pool = httpcore2.AsyncConnectionPool(ssl_context, **_POOL)

    async def exchange(self, send: Send) -> Reply | Fault:
        """Send the request and read the whole answer."""
        timeout = {"connect": send.connect, "pool": send.connect}
        try:
            async with (
                asyncio.timeout(send.total),
                self._pool.stream(
                    send.verb,
                    send.url,
                    headers=send.headers,
                    content=send.body or None,
                    extensions={"timeout": timeout},
                ) as response,
            ):
                headers = _headers(response)
                body = _reader(headers, send)
                async for chunk in response.aiter_stream():
                    body.add(chunk)
                return _reply(response, headers, body)
        except Exception as error:  # whatever it is, it holds the request
            return fault_of(error)

    async def open(self, send: Send) -> Flow | Reply | Fault:
        """Send the request, and read the answer; if it is a stream of events, only as far as its headers."""
        timeout = {"connect": send.connect, "pool": send.connect}
        end = asyncio.get_running_loop().time() + send.total
        stack = AsyncExitStack()
        try:
            async with asyncio.timeout_at(end):
                response = await stack.enter_async_context(
                    self._pool.stream(
                        send.verb,
                        send.url,
                        headers=send.headers,
                        content=send.body or None,
                        extensions={"timeout": timeout},
                    )
                )
                headers = _headers(response)
                if is_stream(headers.get("content-type", "")):
                    return Flow(response.status, within(response.aiter_stream(), end), stack.pop_all().aclose)
                async with stack:
                    body = _reader(headers, send)
                    async for chunk in response.aiter_stream():
                        body.add(chunk)
                    return _reply(response, headers, body)
        except Exception as error:  # whatever it is, it holds the request
            return fault_of(error)

    async def aclose(self) -> None:
        """Close them."""
        await self._pool.aclose()


def _headers(response: httpcore2.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def _reader(headers: dict[str, str], send: Send) -> BodyReader:
    return BodyReader(headers.get("content-encoding", ""), headers.get("content-length", ""), send.max_bytes)


def _reply(response: httpcore2.Response, headers: dict[str, str], body: BodyReader) -> Reply:
    return Reply(
        status=response.status,
        content_type=headers.get("content-type", ""),
        retry_after=headers.get("retry-after", ""),
        is_bounded="content-length" in headers or "transfer-encoding" in headers,
        body=body.whole(),
    )


def _left(end: float | None, late: type[Exception]) -> float:
    """The seconds until *end*, which httpcore2 passes on as a timeout; raises *late* if there are none."""
    left = (end or 0.0) - time.monotonic()
    if left <= 0:
        raise late
    return left


class _Backend(httpcore2.NetworkBackend):
    """TCP connections whose timeouts are points in time."""

    def __init__(self) -> None:
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        seconds = _left(timeout, httpcore2.ConnectTimeout)

        def connect() -> httpcore2.NetworkStream | Exception:
            try:
                return self._backend.connect_tcp(host, port, seconds, local_address, socket_options)
            except Exception as error:
                return error

        # A name has many addresses, each with its own time, and looking it up has none at all.
        made = run_within(seconds, connect)
        if isinstance(made, httpcore2.NetworkStream):
            return _Stream(made)
        raise made or httpcore2.ConnectTimeout


class _Stream(httpcore2.NetworkStream):
    """A connection whose timeouts are points in time."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream
        self._socket = stream.get_extra_info("socket")

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._socket.settimeout(_left(timeout, httpcore2.ReadTimeout))
        data: bytes = self._socket.recv(max_bytes)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            while rest:
                self._socket.settimeout(_left(timeout, httpcore2.WriteTimeout))
                rest = rest[self._socket.send(rest) :]
        except TimeoutError:
            raise
        except OSError as error:
            raise httpcore2.WriteError from error  # httpcore2 then reads what the server may have said before

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore2.ConnectTimeout)))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
