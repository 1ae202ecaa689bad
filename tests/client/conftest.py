"""Both clients, for tests that are written once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import pytest

from envelope.client import Answer, AsyncGatewayClient, GatewayClient

# Without the extra client there is nothing to test.
collect_ignore_glob = [] if find_spec("httpx2") else ["test_*.py"]

KEY, SECRET = "key-0f8e", "secret-77aa"


class Caller(Protocol):
    """A client that blocks, whatever it is inside."""

    def call(self, method: str = "v1/completions", args: Any = None, **options: Any) -> Answer[Any]: ...

    def pages(self, method: str = "", args: Any = None, **options: Any) -> list[Answer[Any]]: ...


class _Blocking:
    def __init__(self, client: GatewayClient) -> None:
        self.client = client

    def call(self, method: str = "v1/completions", args: Any = None, **options: Any) -> Answer[Any]:
        return self.client.call(method, args, **options)

    def pages(self, method: str = "", args: Any = None, **options: Any) -> list[Answer[Any]]:
        return list(self.client.pages(method, args, **options))


class _Awaited:
    def __init__(self, client: AsyncGatewayClient, runner: asyncio.Runner) -> None:
        self.client, self.runner = client, runner

    def call(self, method: str = "v1/completions", args: Any = None, **options: Any) -> Answer[Any]:
        return self.runner.run(self.client.call(method, args, **options))

    def pages(self, method: str = "", args: Any = None, **options: Any) -> list[Answer[Any]]:
        async def gather() -> list[Answer[Any]]:
            return [answer async for answer in self.client.pages(method, args, **options)]

        return self.runner.run(gather())


MakeCaller = Callable[..., Caller]


@pytest.fixture(params=["sync", "async", "sync httpx", "async httpx"])
def caller(request: pytest.FixtureRequest) -> Iterator[MakeCaller]:
    """Makes a client of each kind: the blocking one and the other, of their own and handed in."""
    kind, _, handed_in = request.param.partition(" ")
    module: Any = None
    if handed_in:
        module = pytest.importorskip(handed_in)
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())

        def make(addresses: Sequence[str], **options: Any) -> Caller:
            options = {"key": KEY, "secret": SECRET, **options}
            if kind == "sync":
                if module:
                    options["http"] = stack.enter_context(module.Client())
                return _Blocking(stack.enter_context(GatewayClient(addresses, **options)))
            if module:
                options["http"] = module.AsyncClient()
                stack.callback(lambda: runner.run(options["http"].aclose()))
            client = AsyncGatewayClient(addresses, **options)
            stack.callback(lambda: runner.run(client.aclose()))
            return _Awaited(client, runner)

        yield make


@pytest.fixture(params=["httpx", "httpx2"])
def package(request: pytest.FixtureRequest) -> Any:
    """Each package whose clients can be handed in."""
    pytest.importorskip(request.param)
    return import_module(request.param)
