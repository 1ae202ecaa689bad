"""`GatewayClient`: calls that block."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, Literal, Self, TypeVar, Unpack, overload

from envelope.client.answer import Answer
from envelope.client.conversation import Keep, Look, Step, conversation, opening, with_payload
from envelope.client.errors import CallFailed
from envelope.client.pages import next_page
from envelope.client.payloads import maker_of
from envelope.client.plan import Wait
from envelope.client.settings import CallOptions, ClientOptions, new_settings
from envelope.client.streaming import Events
from envelope.client.transports import transport
from envelope.client.wire import Fault, Flow, Reply, Send

__all__ = ["GatewayClient"]

T = TypeVar("T")


class GatewayClient:
    """A client of one gateway, for any number of threads; close it, or use it in a ``with``.

    *addresses* are tried in their order. *http* is an `httpx2.Client` or `httpx.Client` to use, which stays open; by
    default the client makes one of its own (extra ``client``; `ImportError` if that is not installed). The *options*
    are described in `envelope.client.settings.Settings`.
    """

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
        self._transport, self._own = transport(made.addresses, http)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._addresses)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless they are those of a client that was handed in."""
        if self._own is not None:
            self._own.close()

    @overload
    def call(
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
    def call(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: Any = None,
        check: bool = True,
        **options: Unpack[CallOptions],
    ) -> Answer[Any]: ...
    def call(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: Any = None,
        check: bool = True,
        **options: Unpack[CallOptions],
    ) -> Answer[Any]:
        """Call *method* with the upstream's arguments *args* and the API's own parameters *params*.

        The payload becomes a *response*: a pydantic model, a msgspec Struct, a dataclass, a TypedDict, or a list of
        them (`envelope.client.payloads`). A call that does not succeed raises `CallFailed`; with ``check=False``, an
        envelope that says so is returned, its payload as it came. `EncodeError` if the call cannot be written. The
        *options* are described in `CallOptions`.
        """
        steps = conversation(self._settings, method, args, params, response=response, check=check, options=options)
        return self._run(steps)

    @overload
    def pages(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: type[T],
        **options: Unpack[CallOptions],
    ) -> Iterator[Answer[T]]: ...
    @overload
    def pages(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: Any = None,
        **options: Unpack[CallOptions],
    ) -> Iterator[Answer[Any]]: ...
    def pages(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        response: Any = None,
        **options: Unpack[CallOptions],
    ) -> Iterator[Answer[Any]]:
        """The pages of a list: the call, and then again with each answer's ``pageToken`` until one has none, or
        one that was there before.

        Each page is a call of its own, with its own time-out; one that fails raises `CallFailed`. The payload of each
        becomes a *response*, as in `call`.
        """
        make = maker_of(response)
        page, sent = dict(params or {}), set[str]()
        while True:
            answer = self.call(method, args, params=page, **options)
            yield with_payload(answer, make, self._settings)
            if (following := next_page(answer, page, sent)) is None:
                return
            page = following

    def stream(
        self,
        method: str = "",
        args: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> Iterator[Any]:
        """The events of a call as the upstream sends them, as values of JSON, and last of all the `Answer`.

        Until the stream begins, other addresses are tried as in `call`; after that, none is. One that is cut, or fails,
        raises `CallFailed` after what came. The time-out is that of the whole stream. Without a stream, there is only
        the `Answer`.
        """
        got = self._run(opening(self._settings, method, args, params, options))
        if isinstance(got, Answer):
            yield got
            return
        events = Events(self._settings, options, got)
        try:
            for chunk in got.chunks:
                yield from events.of(chunk)
                if events.ended:
                    return
            failure = events.failure()
        except CallFailed:
            raise
        except Exception as error:  # whatever it is, it holds the request
            failure = events.failure(error)
        finally:
            got.close()
        raise failure

    def _run(self, steps: Generator[Step, Any, T]) -> T:
        reply: Any = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as end:
                answer: T = end.value
                return answer
            reply = self._do(step)

    def _do(self, step: Step) -> Any:
        cache = self._settings.cache
        if isinstance(step, Send):
            return self._exchange(step)
        if isinstance(step, Wait):
            return time.sleep(step.seconds)
        if cache is not None and isinstance(step, Look):
            return cache.get(step.request)
        if cache is not None and isinstance(step, Keep):
            cache.put(step.request, step.stored)
        return None

    def _exchange(self, send: Send) -> Reply | Fault | Flow:
        try:
            if send.is_stream:
                return self._transport.open(send)
            return self._transport.exchange(send)
        except BaseException as error:
            # An interrupt goes on, without the frames below, whose variables are the request.
            error.__context__ = error.__cause__ = None
            raise error.with_traceback(None)  # noqa: B904  # it is the same one
