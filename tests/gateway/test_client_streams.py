"""Streams through the library's own clients: events, and at the end the envelope, or `CallFailed` after what came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import httpx2
import pytest

from envelope.client import Answer, AsyncGatewayClient, CallFailed, GatewayClient
from tests.client.servers import dead, serving
from tests.gateway.served import SECRET, Served, served

TEXT = "hello " * 38
Hear = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("streams"), times={"stall": 1.0, "first_byte": 2.0}) as world:
        yield world


def blocking(addresses: list[str], args: Any, heard: list[Any], *, handed: bool, **options: Any) -> list[Any]:
    given = httpx2.Client() if handed else None
    with GatewayClient(addresses, key="demo", secret=SECRET, retries=0, http=given, **options) as client:
        try:
            heard.extend(client.stream("v1/completions", args))
        finally:
            if given is not None:
                given.close()
    return heard


def awaited(addresses: list[str], args: Any, heard: list[Any], *, handed: bool, **options: Any) -> list[Any]:
    async def story() -> list[Any]:
        given = httpx2.AsyncClient() if handed else None
        async with AsyncGatewayClient(addresses, key="demo", secret=SECRET, retries=0, http=given, **options) as client:
            try:
                async for event in client.stream("v1/completions", args):
                    heard.append(event)  # noqa: PERF401  # what came before it failed counts, too
            finally:
                if given is not None:
                    await given.aclose()
        return heard

    return asyncio.run(story())


@pytest.fixture(params=[(blocking, False), (blocking, True), (awaited, False), (awaited, True)])
def hear(request: pytest.FixtureRequest) -> Hear:
    kind, handed = request.param
    return partial(kind, handed=handed)


def text_of(events: list[Any]) -> str:
    return "".join(event["choices"][0]["text"] for event in events if not isinstance(event, Answer))


@pytest.mark.parametrize("format", ["json", "serialize"])
def test_events_and_then_the_answer(world: Served, hear: Hear, format: str) -> None:
    *events, answer = hear([dead(), world.address], {"prompt": TEXT, "max_tokens": 100}, [], result_type=format)
    assert text_of(events) == f"You said: {TEXT}"
    assert isinstance(answer, Answer)
    assert (answer.verdict.ok, answer.response["usage"]["completion_tokens"]) == (True, 60)


@pytest.mark.parametrize(
    ("model", "code"), [("fault-cut", "4001"), ("fault-stall", "4017"), ("fault-error-event", "2000")]
)
def test_a_stream_that_fails(world: Served, hear: Hear, model: str, code: str) -> None:
    heard: list[Any] = []
    with pytest.raises(CallFailed) as caught:
        hear([world.address], {"prompt": TEXT, "max_tokens": 100, "model": model}, heard)
    assert caught.value.code == code
    assert text_of(heard)


def test_a_refusal(world: Served, hear: Hear) -> None:
    with pytest.raises(CallFailed) as caught:
        hear([world.address], {"prompt": TEXT, "model": "fault-503"}, [])
    assert caught.value.code == "4002"


def test_a_stream_without_its_envelope_is_cut(hear: Hear) -> None:
    body = b'data: {"choices":[{"text":"a"}]}\n\n'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    for rest in ([], [b"data: {"], [b"event: envelope\ndata: {}\n\n"]):
        with serving(lambda _, rest=rest: [head, body, *rest]) as server:  # type: ignore[misc]
            heard: list[Any] = []
            with pytest.raises(CallFailed):
                hear([server.url], {"prompt": "x"}, heard)
            assert text_of(heard) == "a"


def test_the_time_is_that_of_the_whole_stream(hear: Hear) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    event: list[bytes | float] = [b'data: {"choices":[{"text":"a"}]}\n\n', 0.05]
    with serving(lambda _: [head, *event * 600]) as server:
        with pytest.raises(CallFailed) as caught:
            hear([server.url], {"prompt": "x"}, [], timeout=0.5)
        assert caught.value.kind == "timeout"
