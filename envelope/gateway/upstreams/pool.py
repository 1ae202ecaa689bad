"""`Upstreams`: a call is asked of one upstream after the other until one answers, within one deadline."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Self

from envelope.calls.retry_after import seconds_to_wait
from envelope.gateway.upstreams.call import UpstreamCall
from envelope.gateway.upstreams.http import Connections, Flow
from envelope.gateway.upstreams.masks import Masks
from envelope.gateway.upstreams.methods import Ask, how_to_ask
from envelope.gateway.upstreams.outcome import Attempted, Outcome, What
from envelope.gateway.upstreams.plan import Attempt, Plan, Rests, Wait
from envelope.gateway.upstreams.reading import RESTFUL, Finding, find, find_in_stream
from envelope.gateway.upstreams.settings import UpstreamSettings
from envelope.gateway.upstreams.stream import Stream
from envelope.registry.codes import REGISTRY, TIMEOUT, CodeRegistry

__all__ = ["MAX_BYTES", "Upstreams"]

MAX_BYTES: Final = 10 * 1024 * 1024
"""How long an upstream's answer may be, decompressed, by default."""


class Upstreams:
    """The upstreams of a gateway, for one event loop; made in it, and closed at its end.

    ``retries``    how many more rounds over all upstreams follow the first one.
    ``max_bytes``  how long an answer may be, decompressed, and an event of a stream.
    ``registry``   says which codes another attempt may mend.
    ``random``     from 0 to 1, for the choice by weight.
    ``told``       is told of each attempt, and until when its upstream rests after it, by the loop's clock; 0 if it is
                   awake.
    """

    def __init__(
        self,
        upstreams: Sequence[UpstreamSettings],
        *,
        retries: int = 2,
        max_bytes: int = MAX_BYTES,
        registry: CodeRegistry = REGISTRY,
        random: Callable[[], float] = random.random,
        told: Callable[[Attempted, float], None] = lambda *_: None,
    ) -> None:
        if not upstreams:
            raise ValueError("there is no upstream")
        self._upstreams = tuple(upstreams)
        self._max_bytes = max_bytes
        self._retries = retries
        self._registry = registry
        self._random = random
        self._told = told
        self._rests = Rests(self._upstreams)
        self._masks = Masks(self._upstreams)
        self._connections = Connections(self._upstreams, max_bytes=max_bytes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._connections.aclose()

    def is_any_awake(self) -> bool:
        """Whether any upstream is not resting."""
        now = asyncio.get_running_loop().time()
        return not all(self._rests.until(upstream, now) for upstream in range(len(self._upstreams)))

    def rests(self) -> dict[str, float]:
        """How many seconds each upstream will still rest, by its name; 0 if it is awake."""
        now = asyncio.get_running_loop().time()
        ends = {row.name: self._rests.until(index, now) for index, row in enumerate(self._upstreams)}
        return {name: max(until - now, 0.0) for name, until in ends.items()}

    async def ask(self, call: UpstreamCall, *, seconds: float, ask: Ask | None = None) -> Outcome:
        """What came of *call* within *seconds*, whatever is tried in them; *ask* is its `how_to_ask`, if that is known.

        `RequestError` for a call that no upstream can be asked: 4010 or 4014 for its method, 4003 for its arguments.
        """
        ask = ask or how_to_ask(call)

        async def attempt(step: Attempt) -> tuple[Finding, str]:
            got = await self._connections.exchange(ask, step)
            return find(got, call, self._masks), got.retry_after

        outcome = await self._try(attempt, seconds)
        assert isinstance(outcome, Outcome)  # noqa: S101  # no attempt of these is a stream
        return outcome

    async def stream(
        self, call: UpstreamCall, *, seconds: float, shows_usage: bool = True, ask: Ask | None = None
    ) -> Stream | Outcome:
        """The events of *call*, once the first is there, within *seconds*; or what came of it if there are none.

        Until then, one upstream is asked after the other, as `ask` does; after it, no other is. Whoever gets a stream
        hears it to its `end`, or leaves it. Without *shows_usage*, an event that has nothing but the usage is left out
        (`asking_for_usage`). Errors are those of `ask`.
        """
        ask = ask or how_to_ask(call)
        now = asyncio.get_running_loop().time

        async def attempt(step: Attempt) -> tuple[Finding, str] | Stream:
            first = now() + min(step.first_byte, step.total)
            got = await self._connections.open(ask, step)
            if not isinstance(got, Flow):
                return find(got, call, self._masks), got.retry_after
            stream = Stream(got, max_bytes=self._max_bytes, masks=self._masks, shows_usage=shows_usage, deadline=first)
            stream.status = got.status
            try:
                what = await stream.begin()
            except BaseException:
                stream.leave()
                raise
            return stream if what == "answer" else (find_in_stream(what, got.status, stream.error), "")

        return await self._try(attempt, seconds)

    async def _try(
        self, attempt: Callable[[Attempt], Awaitable[tuple[Finding, str] | Stream]], seconds: float
    ) -> Outcome | Stream:
        """Make one attempt after the other until there is an answer, or a stream."""
        now = asyncio.get_running_loop().time
        plan = Plan(self._upstreams, self._rests, deadline=now() + seconds, retries=self._retries, random=self._random)
        attempts: list[Attempted] = []
        last: Finding | None = None
        while (step := plan.next(began := now())) is not None:
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                continue
            got = await attempt(step)
            if isinstance(got, Stream):
                self._begin(got, step.upstream, began, tuple(attempts))
                return got
            last, asked_to_wait = got
            ended = now()
            name = self._upstreams[step.upstream].name
            attempts.append(Attempted(name, last.what, last.status, ended - began))
            is_answer = last.what in ("answer", "nothing")  # whatever an operator says of its code
            retry = not is_answer and (last.retry or self._registry.get(last.code).retryable)
            retry_after = seconds_to_wait(asked_to_wait, time.time()) if retry and asked_to_wait else None
            if last.rest:
                self._rests.begin(step.upstream, ended, retry_after)
            else:
                self._rests.end(step.upstream, began)
            self._told(attempts[-1], self._rests.until(step.upstream, ended))
            if not retry:
                break
            plan.failed(step.upstream, ended, retry_after=retry_after)
        if last is None:
            return Outcome(code=TIMEOUT)
        return Outcome(
            code=last.code,
            response=[] if last.response is None else last.response,
            usage=last.usage,
            upstream=attempts[-1].upstream,
            status=last.status,
            attempts=tuple(attempts),
        )

    def _begin(self, stream: Stream, upstream: int, began: float, before: tuple[Attempted, ...]) -> None:
        """Let a stream run on its upstream's own times. The attempt has its end when the stream has."""
        settings = self._upstreams[upstream]
        now = asyncio.get_running_loop().time

        def ended(what: What) -> None:
            attempted = Attempted(settings.name, what, stream.status, now() - began)
            stream.attempts = (*before, attempted)
            if what in RESTFUL:
                self._rests.begin(upstream, now())
            self._told(attempted, self._rests.until(upstream, now()))

        self._rests.end(upstream, began)
        stream.upstream = settings.name
        stream.run(stall=settings.stall, deadline=began + settings.total, ended=ended)
