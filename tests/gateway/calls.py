"""Calls to upstreams for tests."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from envelope.calls.http import Upload
from envelope.gateway.demo import DemoUpstream, demo_upstream
from envelope.gateway.upstreams import UpstreamCall, Upstreams, UpstreamSettings

T = TypeVar("T")

KEY = "sk-4f9c1d7e2b"
QUICK: Any = {"first_byte": 0.4, "total": 0.8}
"""Times of an upstream that will not answer anyway."""

HELD = {"fault-silent", "fault-stall", "fault-drip"}
"""The faults that last until the time is over."""


def times(fault: str) -> Any:
    """Times in which *fault* is found out: no shorter than a busy machine needs for an answer."""
    return QUICK if fault in HELD else {}


def upstream(name: str, address: str, key: str | None = KEY, **settings: Any) -> UpstreamSettings:
    return UpstreamSettings.model_validate({"name": name, "address": address, "key": key, **settings})


def completion(model: str = "gpt-4o-mini", prompt: str = "hello " * 20, **args: Any) -> UpstreamCall:
    return UpstreamCall(method="v1/completions", args={"model": model, "prompt": prompt, **args})


def upload(data: bytes, name: str = "file", filename: str = "a.bin", content_type: str = "audio/mpeg") -> Upload:
    return Upload(name=name, filename=filename, content_type=content_type, size=len(data), file=io.BytesIO(data))


def with_demo(
    test: Callable[[DemoUpstream, Upstreams], Awaitable[T]], times: Mapping[str, Any] | None = None, **options: Any
) -> T:
    """What *test* returns, given a demo and upstreams of which it is the only one, with these *times*."""

    async def run() -> T:
        async with (
            demo_upstream(key=KEY, scale=0.01) as demo,
            Upstreams([demo.settings(**(times or {}))], **options) as upstreams,
        ):
            return await test(demo, upstreams)

    return asyncio.run(run())


def with_upstreams(settings: list[UpstreamSettings], test: Callable[[Upstreams], Awaitable[T]], **options: Any) -> T:
    async def run() -> T:
        async with Upstreams(settings, **options) as upstreams:
            return await test(upstreams)

    return asyncio.run(run())
