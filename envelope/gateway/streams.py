"""`LiveStream`: an admitted call whose answer is a stream, from its first event to its settling, and how it is sent.

It is let in before the first byte, and settled before the last event, which says how it ended. So a stream that was cut
never looks whole, and what a caller has seen the end of is on the books.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from envelope.adapters.asgi_wire import Receive, Send
    from envelope.calls.http import Rendered
    from envelope.gateway.upstreams.stream import Stream

__all__ = ["LiveStream", "send_stream", "without_returns"]

_HEADERS: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events back
)


class LiveStream:
    """A stream that is being answered.

    ``renew`` gives the call more time on the books, every *seconds*; it returns False once the call is closed.
    ``settle`` ends the call, and returns its answer as a whole one would be sent. ``is_left``: its caller hung up.
    """

    def __init__(
        self,
        stream: Stream,
        *,
        request_id: str,
        last_id: str,
        renew: Callable[[], Awaitable[bool]],
        seconds: float,
        settle: Callable[[Stream], Awaitable[Rendered]],
    ) -> None:
        self._stream = stream
        self.request_id = request_id
        self.last_id = last_id
        self.is_left = False
        self._settle = settle
        self._renewing = asyncio.create_task(self._renew(renew, seconds))

    @property
    def deadline(self) -> float:
        """When it ends at the latest, by the loop's clock."""
        return self._stream.deadline

    async def next(self) -> bytes:
        """The next events to send; none at the end."""
        return await self._stream.next()

    def leave(self) -> None:
        """The caller is gone, and pays for what came."""
        self.is_left = True
        self._stream.leave()

    async def finish(self) -> Rendered:
        """Settle, and return how it ended."""
        return await self._settle(self._stream)

    def close(self) -> None:
        """Let go of the upstream, and renew no more."""
        self._stream.leave()
        self._renewing.cancel()

    async def _renew(self, renew: Callable[[], Awaitable[bool]], seconds: float) -> None:
        await asyncio.sleep(seconds)
        while await renew():
            await asyncio.sleep(seconds)
        self._stream.leave()  # for nothing: the books have closed the call


async def send_stream(
    live: LiveStream,
    receive: Receive,
    send: Send,
    *,
    last: Callable[[Rendered], bytes],
    cut: Callable[[], Rendered | None],
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> None:
    """Send a stream, each chunk once the caller has taken the one before; *last* makes its last event.

    If the task is cancelled, *cut* says how it ends; None lets it be cancelled.
    """
    leaving = asyncio.create_task(_leave(live, receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, *headers]})
        while passed := await live.next():
            try:
                async with asyncio.timeout_at(live.deadline):  # for who takes nothing
                    await send({"type": "http.response.body", "body": passed, "more_body": True})
            except TimeoutError:
                live.leave()
        rendered = await live.finish()
    except asyncio.CancelledError:
        ended = cut()
        if ended is None:
            raise
        rendered = ended
    finally:
        leaving.cancel()
        live.close()
    if not live.is_left:
        await send({"type": "http.response.body", "body": last(rendered), "more_body": False})


async def _leave(live: LiveStream, receive: Receive) -> None:
    """Leave the stream as soon as its caller does."""
    with suppress(asyncio.CancelledError):
        while (await receive())["type"] != "http.disconnect":
            pass
        live.leave()


def without_returns(value: Any) -> Any:
    """*value*, which JSON can hold, with each CR as LF: an event cannot hold one."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, dict):
        return {without_returns(name): without_returns(member) for name, member in value.items()}
    if isinstance(value, list):
        return [without_returns(member) for member in value]
    return value
