"""`AsyncGatewayClient`: calls that are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from typing import Any, Literal, Self, TypeVar, Unpack, overload

from envelope.client.answer import Answer
from envelope.client.conversation import Keep, Look, Step, conversation, opening, with_payload
from envelope.client.errors import CallFailed
from envelope.client.pages import next_page
from envelope.client.payloads import maker_of
from envelope.client.plan import Wait
from envelope.client.settings import CallOptions, ClientOptions, new_settings
from envelope.client.streaming import Events
from envelope.client.transports import async_transport
from envelope.client.wire import Fault, Flow, Reply, Send

__all__ = ["AsyncGatewayClient"]

T = TypeVar("T")


class AsyncGatewayClient:
    """`GatewayClient` for asyncio; *http* is an `httpx2.AsyncClient` or `httpx.AsyncClient`."""

    _addresses: Sequence[str] = ()  # before there are any, an error may show the client

    def __init__(
        self, addresses: Sequence[str], *, key: str, secret: str, http: Any = None, **options: Unpack[ClientOptions]
    ) -> None:
        made = new_settings(addresses, key, secret, options)
        del key, secret  # an error below would show them among its variables
        if isinstance(made, Exception):
            raise made
        self._settings = made
        self._addresses = made.addresses
        self._transport, self._own = async_transport(made.addresses, http)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._addresses)!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections, unless they are those of a client that was handed in."""
        if self._own is not None:
            await self._own.aclose()

    @overload
    async def call(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: type[T],
        check: Literal[True] = True,
        **options: Unpack[CallOptions],
    ) -> Answer[T]: ...
    @overload
    async def call(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: Any = None,
        check: bool = True,
        **options: Unpack[CallOptions],
    ) -> Answer[Any]: ...
    async def call(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: Any = None,
        check: bool = True,
        **options: Unpack[CallOptions],
    ) -> Answer[Any]:
        """As `GatewayClient.call`."""
        steps = conversation(self._settings, method, args, params, response=response, check=check, options=options)
        return await self._run(steps)

    @overload
    def pages(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: type[T],
        **options: Unpack[CallOptions],
    ) -> AsyncIterator[Answer[T]]: ...
    @overload
    def pages(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: Any = None,
        **options: Unpack[CallOptions],
    ) -> AsyncIterator[Answer[Any]]: ...
    async def pages(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: Any = None,
        **options: Unpack[CallOptions],
    ) -> AsyncIterator[Answer[Any]]:
        """As `GatewayClient.pages`."""
        make = maker_of(response)
        page, sent = dict(params or {}), set[str]()
        while True:
            answer = await self.call(method, args, params=page, **options)
            yield with_payload(answer, make, self._settings)
            if (following := next_page(answer, page, sent)) is None:
                return
            page = following

    async def stream(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> AsyncIterator[Any]:
        """As `GatewayClient.stream`."""
        got = await self._run(opening(self._settings, method, args, params, options))
        if isinstance(got, Answer):
            yield got
            return
        events = Events(self._settings, options, got)
        try:
            async for chunk in got.chunks:
                for event in events.of(chunk):
                    yield event
                if events.ended:
                    return
            failure = events.failure()
        except CallFailed:
            raise
        except Exception as error:  # whatever it is, it holds the request
            failure = events.failure(error)
        finally:
            await got.close()
        raise failure

    async def _run(self, steps: Generator[Step, Any, T]) -> T:
        reply: Any = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                answer: T = end.value
                return answer
            reply = await self._do(step)

    async def _do(self, step: Step) -> Any:
        cache = self._settings.cache
        if isinstance(step, Send):
            return await self._exchange(step)
        if isinstance(step, Wait):
            return await asyncio.sleep(step.seconds)
        # A file must not hold up the loop.
        if cache is not None and isinstance(step, Look):
            return await asyncio.to_thread(cache.get, step.request)
        if cache is not None and isinstance(step, Keep):
            await asyncio.to_thread(cache.put, step.request, step.stored)
        return None

    async def _exchange(self, send: Send) -> Reply | Fault | Flow:
        try:
            if send.is_stream:
                return await self._transport.open(send)
            return await self._transport.exchange(send)
        except BaseException as error:
            # A cancellation goes on, without the frames below, whose variables are the request.
            error.__context__ = error.__cause__ = None
            raise error.with_traceback(None)  # noqa: B904  # it is the same one
