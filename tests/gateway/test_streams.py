"""Streams over the envelope route: the upstream's events, then the envelope, which alone says that all came."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from envelope import Envelope, decode
from envelope.calls.events import EventReader, data_of
from envelope.formats import ResultType
from tests.gateway.served import SECRET, Got, Served, served, wait_until

TEXT = "hello " * 38  # 60 tokens with what the demo says before
ARGS: dict[str, Any] = {"prompt": TEXT, "stream": True, "max_tokens": 100}
DEMO: dict[str, Any] = {"stall": 1.0, "first_byte": 2.0}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("streams"), times=DEMO) as world:
        yield world


class Streamed(NamedTuple):
    events: list[Any]
    envelope: Envelope[Any]


def read(got: Got, format: str = "json") -> Streamed:
    """The events and the envelope of a stream."""
    assert got.headers["content-type"] == "text/event-stream"
    *events, last = EventReader(2**20).feed(got.body)
    assert last.startswith(b"event: envelope\n")
    data = data_of(last)
    assert data is not None
    return Streamed([json.loads(data_of(event) or b"") for event in events], decode(data, format))


def text_of(events: list[Any]) -> str:
    return "".join(choice["text"] for event in events for choice in event["choices"])


@pytest.mark.parametrize("format", [row.value for row in ResultType])
def test_a_whole_stream_ends_with_its_envelope(world: Served, format: str) -> None:
    streamed = read(world.call(args=ARGS, result_type=format, lang="ru"), format)
    assert text_of(streamed.events) == f"You said: {TEXT}"
    answer = streamed.envelope
    usage = {"prompt_tokens": 57, "completion_tokens": 60, "total_tokens": 117}
    assert (answer.error_code, answer.response) == ("0000", {"events": 61, "usage": usage})
    record = world.record(answer)
    assert record is not None
    assert str(record.id) == answer.last_id
    assert (record.state, record.charge, record.completion_tokens) == ("settled", 100 + 57 + 120, 60)


def test_the_usage_is_an_event_only_for_who_asks(world: Served) -> None:
    asked = read(world.call(args={**ARGS, "stream_options": {"include_usage": True}}))
    assert [event["usage"]["total_tokens"] for event in asked.events if event.get("usage")] == [117]
    assert asked.envelope.response["events"] == 62
    assert not [event for event in read(world.call(args=ARGS)).events if event.get("usage")]


@pytest.mark.parametrize(
    ("model", "code", "events"),
    [
        ("fault-cut", "4001", 42),
        ("fault-stall", "4017", 31),
        ("fault-bad-chunk", "4002", 31),
        ("fault-no-done", "4001", 61),
        ("fault-error-event", "2000", 31),
    ],
)
def test_a_stream_that_fails_ends_with_its_code_and_is_free(world: Served, model: str, code: str, events: int) -> None:
    streamed = read(world.call(args={**ARGS, "model": model}))
    answer = streamed.envelope
    assert (answer.error_code, len(streamed.events)) == (code, events)
    if code == "2000":
        assert answer.response["error"]["message"] == "overloaded at ***"
    record = world.record(answer)
    assert record is not None
    assert (record.code, record.charge, record.billing, record.verdict_ok) == (code, 0, "free", False)


@pytest.mark.parametrize(
    ("model", "code", "status"),
    [
        ("fault-503", "4002", 502),
        ("fault-reset", "4001", 502),
        ("fault-silent", "4017", 504),
        ("fault-404", "2000", 200),
        ("fault-429", "2000", 200),
    ],
)
def test_what_fails_before_the_first_event_is_an_envelope(world: Served, model: str, code: str, status: int) -> None:
    got = world.call(args={**ARGS, "model": model})
    assert (got.status, got.code) == (status, code)


def test_a_refusal_is_an_envelope(world: Served) -> None:
    assert (world.call(args=ARGS, secret="no").status, world.call(args=ARGS, secret="no").code) == (401, "4005")
    world.account("poor", units=10)
    assert world.call(args=ARGS, key="poor").code == "4016"


def test_an_upstream_that_does_not_stream_is_answered_whole(world: Served) -> None:
    got = world.call("v1/embeddings", {"input": "hello", "stream": True})
    assert (got.code, got.envelope.response["object"]) == ("0000", "list")


class Caller:
    """One who hears a stream as slowly as a test likes, and may hang up."""

    def __init__(self, world: Served, args: Any, **params: str) -> None:
        named = {"key": "demo", "secret": SECRET, "method": "v1/completions", "_o_args": json.dumps(args), **params}
        self.socket = socket.create_connection(("127.0.0.1", world.port), timeout=60)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.sendall(f"GET /openai/custom/?{urlencode(named)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    def hear(self, word: bytes = b"") -> bytes:
        """What came, up to the piece with *word*."""
        heard = self.socket.recv(200)
        while word not in heard:
            piece = self.socket.recv(200)
            assert piece, heard
            heard += piece
        return heard

    def close(self) -> None:
        self.socket.close()


def test_who_hangs_up_pays_for_what_came(world: Served) -> None:
    before = world.balance()
    calls = len(world.records())
    caller = Caller(world, {**ARGS, "model": "fault-stall", "max_tokens": 1000})
    caller.hear(b"said")
    caller.close()
    wait_until(lambda: len(rows := world.records()) > calls and rows[0].state == "settled")
    record = world.records()[0]
    assert (record.code, record.billing, record.completion_tokens) == ("0000", "charged", 0)
    # The prompt as it was held, and each byte that came as a token.
    assert record.hold > record.charge > 100 + len(TEXT)
    assert world.balance() == before - record.charge


def test_a_slow_caller_holds_the_upstream_back(world: Served) -> None:
    """Little more than what the buffers of the connections hold is read ahead."""
    long = {"prompt": "x" * 300_000, "stream": True, "max_tokens": 1_000_000}
    calls = len(world.records())
    body = urlencode({"method": "v1/completions", "_o_args": json.dumps(long), "secret": SECRET}).encode()
    with socket.create_connection(("127.0.0.1", world.port), timeout=60) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = (
            "POST /openai/custom/?key=demo HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        )
        caller.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert caller.recv(10) == b"HTTP/1.1 2"
        [stream] = [row for row in world.records() if row.state == "open"]
        assert stream.id
    wait_until(lambda: len(rows := world.records()) > calls and rows[0].state == "settled")
    record = world.records()[0]
    assert record.code == "0000"
    assert record.charge < record.hold
    assert not world.upstream.served[-1].is_whole


def test_a_key_guards_a_stream_while_it_runs_and_is_free_then(world: Served) -> None:
    key = {"Idempotency-Key": "stream-1"}
    args = {**ARGS, "model": "fault-stall"}
    caller = Caller(world, args, idempotency_key="stream-1", cache="no", lang="en")
    caller.hear()
    got = world.call(args=args, headers=key)
    assert (got.status, got.code) == (429, "4008")
    caller.hear(b"4017")
    caller.close()
    first, second = (read(world.call(args=ARGS, headers=key)).envelope for _ in range(2))
    assert first.error_code == second.error_code == "0000"
    assert first.last_id != second.last_id


def test_a_stream_is_never_cached(world: Served) -> None:
    first, second = (read(world.call(args=ARGS, cache="yes")).envelope for _ in range(2))
    assert first.last_id != second.last_id
    assert not [row for row in world.records() if row.is_cached]


def test_a_long_stream_is_renewed(tmp_path: Path) -> None:
    """Its time on the books is a second, and it takes several: a recovery that gives no grace leaves it alone."""
    with served(tmp_path, times={"stall": 60, "total": 60}, seconds=1.0) as world:
        caller = Caller(world, {**ARGS, "model": "fault-stall"})
        caller.hear()
        [opened] = world.store.read_now(lambda db: db.execute("SELECT deadline FROM call"))
        wait_until(
            lambda: world.store.read_now(lambda db: db.execute("SELECT deadline FROM call"))[0][0] > opened[0] + 10**6
        )
        caller.close()
        wait_until(lambda: world.records()[0].state == "settled")


def test_a_stream_that_recovery_closed_is_4017_and_free(tmp_path: Path) -> None:
    with served(tmp_path, times={"stall": 60, "total": 60}, seconds=1.0) as world:
        caller = Caller(world, {**ARGS, "model": "fault-stall"}, lang="en")
        caller.hear()
        assert world.close_lost() == 1
        assert b"event: envelope" in caller.hear(b"4017")
        caller.close()
        world.lost += 1
        assert world.records()[0].charge == 0
