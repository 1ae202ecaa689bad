"""A client of httpx or httpx2 that was handed in: one request, one whole answer, in its time.

Either package will do, so nothing of them is imported here; what both have is used.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import lru_cache
from inspect import iscoroutinefunction
from itertools import islice
from typing import Any

from envelope.calls.reply_bodies import BodyReader
from envelope.client.wire import LATE, Fault, Flow, Reply, Send, fault_of, is_stream, within
from envelope.client.workers import run_within

__all__ = ["AsyncHandedIn", "HandedIn"]


class HandedIn:
    """A `Client`, for any number of threads."""

    def __init__(self, http: Any) -> None:
        if iscoroutinefunction(getattr(http, "send", None)):
            raise TypeError("http= is a Client of httpx2 or httpx, not an AsyncClient")
        self._http = http

    def exchange(self, send: Send) -> Reply | Fault:
        """Send the request and read the whole answer."""
        end = time.monotonic() + send.total
        # Its timeouts are for each read, and nothing else ends a blocking call: it runs in a thread of its own.
        got = run_within(send.total, lambda: self._exchange(send, end)) or LATE
        assert not isinstance(got, Flow)  # noqa: S101  # none was wanted
        return got

    def open(self, send: Send) -> Flow | Reply | Fault:
        """Send the request, and read the answer; if it is a stream of events, only as far as its headers."""
        end = time.monotonic() + send.total
        return run_within(send.total, lambda: self._exchange(send, end)) or LATE

    def _exchange(self, send: Send, end: float) -> Flow | Reply | Fault:
        """From *end* on, nobody waits for it any more."""
        try:
            response = self._http.send(_request(self._http, send), stream=True, follow_redirects=False)
            if send.is_stream and is_stream(response.headers.get("content-type", "")):
                return Flow(response.status_code, _chunks(response.iter_raw(), end), response.close)
            try:
                body = _reader(response, send)
                for chunk in response.iter_bytes() if response.is_stream_consumed else response.iter_raw():
                    body.add(chunk)
                    if time.monotonic() > end:
                        return LATE
                return _reply(response, body)
            finally:
                response.close()
        except Exception as error:  # whatever it is, it holds the request
            return fault_of(error)


def _chunks(chunks: Iterator[bytes], end: float) -> Iterator[bytes]:
    """*chunks* until *end*; `TimeoutError` then."""

    def read() -> list[bytes] | Exception:
        try:
            return [*islice(chunks, 1)]
        except Exception as error:
            return error

    while True:
        got = run_within(end - time.monotonic(), read)
        if got is None:
            raise TimeoutError
        if isinstance(got, Exception):
            raise got
        if not got:
            return
        yield got[0]


class AsyncHandedIn:
    """An `AsyncClient`."""

    def __init__(self, http: Any) -> None:
        if not iscoroutinefunction(getattr(http, "send", None)):
            raise TypeError("http= is an AsyncClient of httpx2 or httpx, not a Client")
        self._http = http

    async def exchange(self, send: Send) -> Reply | Fault:
        """Send the request and read the whole answer."""
        got = await self.open(send)
        assert not isinstance(got, Flow)  # noqa: S101  # none was wanted
        return got

    async def open(self, send: Send) -> Flow | Reply | Fault:
        """Send the request, and read the answer; if it is a wanted stream of events, only as far as its headers."""
        end = asyncio.get_running_loop().time() + send.total
        try:
            async with asyncio.timeout_at(end):
                response = await self._http.send(_request(self._http, send), stream=True, follow_redirects=False)
                if send.is_stream and is_stream(response.headers.get("content-type", "")):
                    return Flow(response.status_code, within(response.aiter_raw(), end), response.aclose)
                try:
                    body = _reader(response, send)
                    async for chunk in response.aiter_bytes() if response.is_stream_consumed else response.aiter_raw():
                        body.add(chunk)
                    return _reply(response, body)
                finally:
                    await response.aclose()
        except Exception as error:  # whatever it is, it holds the request
            return fault_of(error)


def _request(http: Any, send: Send) -> Any:
    timeout = (send.connect, send.total, send.total, send.connect)  # connect, read, write, pool
    request = http.build_request(send.verb, send.url, content=send.body or None, headers=send.headers, timeout=timeout)
    # These packages log each URL, and the query has the key.
    url: Any = type(request.url)
    request.url = _without_query(url)(request.url)
    return request


@lru_cache(maxsize=8)
def _without_query(url: type) -> Any:
    """A subclass of the class *url* that is shown without its query."""

    def shown(self: Any) -> str:
        return f"{self.scheme}://{self.netloc.decode('ascii')}{self.path}"

    return type(url.__name__, (url,), {"__str__": shown, "__repr__": lambda self: f"URL({shown(self)!r})"})


def _reader(response: Any, send: Send) -> BodyReader:
    # A client in a test may have the body already, decompressed.
    encoding = "" if response.is_stream_consumed else response.headers.get("content-encoding", "")
    return BodyReader(encoding, response.headers.get("content-length", ""), send.max_bytes)


def _reply(response: Any, body: BodyReader) -> Reply:
    return Reply(
        status=response.status_code,
        content_type=response.headers.get("content-type", ""),
        retry_after=response.headers.get("retry-after", ""),
        is_bounded=response.http_version == "HTTP/2"
        or "content-length" in response.headers
        or "transfer-encoding" in response.headers,
        body=body.whole(),
    )
