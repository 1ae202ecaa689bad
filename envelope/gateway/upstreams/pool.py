"""`Upstreams`: a call is asked of one upstream after the other until one answers, within one deadline."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

from envelope.calls.retry_after import seconds_to_wait
from envelope.gateway.upstreams.call import UpstreamCall
from envelope.gateway.upstreams.http import Connections
from envelope.gateway.upstreams.masks import Masks
from envelope.gateway.upstreams.methods import Ask, how_to_ask
from envelope.gateway.upstreams.outcome import Attempted, Outcome
from envelope.gateway.upstreams.plan import Plan, Rests, Wait
from envelope.gateway.upstreams.reading import Finding, find
from envelope.gateway.upstreams.settings import UpstreamSettings
from envelope.registry.codes import REGISTRY, TIMEOUT, CodeRegistry

__all__ = ["MAX_BYTES", "Upstreams"]

MAX_BYTES: Final = 10 * 1024 * 1024
"""How long an upstream's answer may be, decompressed, by default."""


class Upstreams:
    """The upstreams of a gateway, for one event loop; made in it, and closed at its end.

    ``retries``    how many more rounds over all upstreams follow the first one.
    ``max_bytes``  how long an answer may be, decompressed.
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
        untils = {row.name: self._rests.until(index, now) for index, row in enumerate(self._upstreams)}
        return {name: max(until - now, 0.0) for name, until in untils.items()}

    async def ask(self, call: UpstreamCall, *, seconds: float, ask: Ask | None = None) -> Outcome:
        """What came of *call* within *seconds*, whatever is tried in them; *ask* is its `how_to_ask`, if that is known.

        `RequestError` for a call that no upstream can be asked: 4010 or 4014 for its method, 4003 for its arguments.
        """
        ask = ask or how_to_ask(call)
        now = asyncio.get_running_loop().time
        plan = Plan(self._upstreams, self._rests, deadline=now() + seconds, retries=self._retries, random=self._random)
        attempts: list[Attempted] = []
        last: Finding | None = None
        while (step := plan.next(began := now())) is not None:
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                continue
            got = await self._connections.exchange(ask, step)
            last = find(got, call, self._masks)
            ended = now()
            name = self._upstreams[step.upstream].name
            attempts.append(Attempted(name, last.what, last.status, ended - began))
            is_answer = last.what in ("answer", "nothing")  # whatever an operator says of its code
            retry = not is_answer and (last.retry or self._registry.get(last.code).retryable)
            retry_after = seconds_to_wait(got.retry_after, time.time()) if retry and got.retry_after else None
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
