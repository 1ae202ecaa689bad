"""Faults on request: a model of such a name fails in that way, whatever the method."""

from __future__ import annotations

import gzip
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from envelope.gateway.demo.asked import DemoError
from envelope.gateway.demo.exchange import EVENT_STREAM, Exchange, json_body

__all__ = ["FAULTS", "Fault", "FaultState", "Healthy"]


_MOST_FAILED: Final = 10_000
_A_WHILE: Final = 10  # seconds, in which what was sent of a stream is passed on


class Healthy(Exception):
    """This time there is no fault."""


@dataclass(slots=True)
class FaultState:
    """What faults remember: the requests that failed once, and since when the demo is down."""

    failed: set[bytes] = field(default_factory=set)
    down_since: float | None = None

    def failed_before(self, digest: bytes) -> bool:
        """False the first time, True the second, and so on."""
        if digest in self.failed:
            self.failed.remove(digest)
            return True
        if len(self.failed) >= _MOST_FAILED:
            self.failed.clear()
        self.failed.add(digest)
        return False


@dataclass(frozen=True, slots=True)
class Fault:
    """What a fault may use: the exchange, the body of the answer that it spoils, and what the demo remembers.

    ``stream`` are the events of the answer, none if no stream was asked for. ``digest`` is that of the request, ``key``
    and ``address`` are the demo's own.
    """

    exchange: Exchange
    good: bytes
    stream: list[bytes]
    digest: bytes
    state: FaultState
    scale: float
    key: str
    address: str


def _error(status: int, message: str, **more: Any) -> Callable[[Fault], Awaitable[None]]:
    error = DemoError(status, message, **more)

    async def fail(fault: Fault) -> None:
        await fault.exchange.json(status, error.error)

    return fail


async def _busy_once(fault: Fault) -> None:
    if fault.state.failed_before(fault.digest):
        raise Healthy
    error = DemoError(429, "Rate limit reached", type="requests", code="rate_limit_exceeded").error
    await fault.exchange.json(429, error, retry_after=fault.exchange.seconds(2))


async def _500_once(fault: Fault) -> None:
    if fault.state.failed_before(fault.digest):
        raise Healthy
    await _error(500, "The server had an error", type="server_error")(fault)


async def _down(fault: Fault) -> None:
    """For 60 seconds since it is first asked for."""
    now = time.monotonic()
    if fault.state.down_since is None:
        fault.state.down_since = now
    if now - fault.state.down_since >= 60 * fault.scale:
        raise Healthy
    await _error(503, "down", type="server_error")(fault)


async def _reset(fault: Fault) -> None:
    await fault.exchange.hang_up()


async def _silent(fault: Fault) -> None:
    await fault.exchange.pause()


async def _slow_first(fault: Fault) -> None:
    await fault.exchange.pause(20)
    raise Healthy


async def _part(fault: Fault, share: float) -> None:
    if fault.stream:
        await fault.exchange.start(200, EVENT_STREAM)
        for event in fault.stream[: max(1, int(len(fault.stream) * share))]:
            await fault.exchange.write(event)
        return
    await fault.exchange.start(200, content_length=str(len(fault.good)))
    await fault.exchange.write(fault.good[: max(1, int(len(fault.good) * share))])


async def _cut(fault: Fault) -> None:
    """After 40 of 60 tokens."""
    await _part(fault, 40 / 60)
    await fault.exchange.pause(_A_WHILE if fault.stream else 0.1)
    await fault.exchange.hang_up()


async def _stall(fault: Fault) -> None:
    await _part(fault, 0.5)
    await fault.exchange.pause()


async def _drip(fault: Fault) -> None:
    """A byte a second."""
    good = b"".join(fault.stream) or fault.good
    await fault.exchange.start(200, *([EVENT_STREAM] if fault.stream else []), content_length=str(len(good)))
    for index in range(len(good)):
        await fault.exchange.write(good[index : index + 1])
        await fault.exchange.pause(1)
    await fault.exchange.end()


async def _bad_chunk(fault: Fault) -> None:
    """In the middle, what is no JSON."""
    if not fault.stream:
        return await _body(fault.good[: len(fault.good) // 2])(fault)
    await _part(fault, 0.5)
    await fault.exchange.pause(_A_WHILE)
    return await fault.exchange.end(b'data: {"choices":[{"te\n\ndata: [DONE]\n\n')


async def _no_done(fault: Fault) -> None:
    """A stream that ends without its last event."""
    if not fault.stream:
        raise Healthy
    await _part(fault, 1 - 1 / len(fault.stream))
    await fault.exchange.end()


async def _error_event(fault: Fault) -> None:
    """An error in the middle."""
    error = DemoError(500, f"overloaded at {fault.address}", type="server_error").error
    if not fault.stream:
        return await fault.exchange.json(500, error)
    await _part(fault, 0.5)
    await fault.exchange.pause(_A_WHILE)
    return await fault.exchange.end(b"data: %b\n\n" % json_body(error))


async def _endless(fault: Fault) -> None:
    await fault.exchange.start(200, *([EVENT_STREAM] if fault.stream else []))
    await fault.exchange.write(b'data: {"text":"' if fault.stream else b'{"text":"')
    while True:
        await fault.exchange.write(b"x" * 65_536)
        await fault.exchange.pause(0)


async def _10mb(fault: Fault) -> None:
    text = "x" * 10_000_000
    await fault.exchange.json(200, {"object": "text_completion", "choices": [{"text": text, "index": 0}]})


@cache
def _bomb() -> bytes:
    return gzip.compress(b'{"text":"' + b"x" * 100_000_000 + b'"}', 1)


async def _gzip_bomb(fault: Fault) -> None:
    """100 MB in 440 KB."""
    await fault.exchange.answer(200, _bomb(), content_encoding="gzip")


def _body(body: bytes, content_type: str = "application/json", status: int = 200) -> Callable[[Fault], Awaitable[None]]:
    async def fail(fault: Fault) -> None:
        await fault.exchange.answer(status, body, content_type)

    return fail


async def _redirect(fault: Fault) -> None:
    await fault.exchange.answer(302, b"", location=f"{fault.address}/v1/models")


async def _leak(fault: Fault) -> None:
    error = DemoError(400, f"Bearer {fault.key} at {fault.address}/v1 failed").error
    error["error"]["param"] = fault.key
    await fault.exchange.json(400, error)


async def _leak_in_success(fault: Fault) -> None:
    await fault.exchange.json(200, {"text": f"your key is {fault.key}"})


_HTML: Final = b"<!doctype html><title>Oops</title>"
_LIMIT: Final = "This model's maximum context length is 4097 tokens."

FAULTS: Final[Mapping[str, Callable[[Fault], Awaitable[None]]]] = {
    "fault-429": _error(429, "Rate limit reached", type="requests", code="rate_limit_exceeded"),
    "fault-429-retry-after": _busy_once,
    "fault-500-once": _500_once,
    "fault-503": _error(503, "overloaded", type="server_error"),
    "fault-down-60": _down,
    "fault-401": _error(401, "Incorrect API key provided: demo****key", code="invalid_api_key"),
    "fault-404": _error(404, "The model does not exist", code="model_not_found"),
    "fault-404-html": _body(_HTML, "text/html", 404),
    "fault-context-length": _error(400, _LIMIT, param="messages", code="context_length_exceeded"),
    "fault-content-filter": _error(400, "The prompt was filtered.", param="prompt", code="content_filter"),
    "fault-error-in-200": _body(json_body(DemoError(200, "overloaded", type="server_error").error)),
    "fault-leak": _leak,
    "fault-leak-in-success": _leak_in_success,
    "fault-nothing": _body(b"[]"),
    "fault-reset": _reset,
    "fault-silent": _silent,
    "fault-slow-first": _slow_first,
    "fault-cut": _cut,
    "fault-stall": _stall,
    "fault-drip": _drip,
    "fault-bad-chunk": _bad_chunk,
    "fault-no-done": _no_done,
    "fault-error-event": _error_event,
    "fault-endless": _endless,
    "fault-10mb": _10mb,
    "fault-gzip-bomb": _gzip_bomb,
    "fault-html": _body(_HTML, "text/html"),
    "fault-lying-type": _body(_HTML),
    "fault-cut-json": _body(b'{"choices":[{"text":"Hel'),
    "fault-deep": _body(b"[" * 500 + b"]" * 500),
    "fault-redirect": _redirect,
}
"""What each does, by the model's name. ``once`` and ``retry-after`` fail every other time that the very same request
comes. Seconds are scaled."""
