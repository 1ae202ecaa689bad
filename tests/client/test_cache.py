"""The caches: what an entry is found by, what it serves, and what becomes of a file that is broken."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envelope import Envelope, ResultType, encode
from envelope.calls import client_cache_key
from envelope.calls.request import ApiRequest
from envelope.client import Cache, CallFailed, MemoryCache, PhpCacheFolder, SqliteCache, Stored
from tests.client.conftest import MakeCaller
from tests.client.servers import OK, dead, fine, says, serving

NOW = 1_700_000_000


@pytest.fixture(params=["memory", "sqlite"])
def make_cache(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Cache]:
    """Opens the same cache each time, if it is one that lasts."""
    if request.param == "memory":
        return MemoryCache
    return lambda: SqliteCache(tmp_path / "answers.sqlite")


def asked(key: str = "k", **fields: Any) -> ApiRequest:
    return ApiRequest(key=key, api_type="openai", api_name="custom", **{"method": "v1/models", **fields})


def test_an_entry_is_found_by_what_was_asked_and_by_whom(make_cache: Callable[[], Cache]) -> None:
    cache = make_cache()
    stored = Stored(b"[]", ResultType.XML, 5.5)
    cache.put(asked(args={"a": 1}), stored)
    assert cache.get(asked(args={"a": 1}, sign="X", dateline="now", result_type="json", cache=False)) == stored
    for other in (asked(), asked("other", args={"a": 1}), asked(args={"a": 2}), asked(args={"a": 1}, lang="ru")):
        assert cache.get(other) is None
    newer = Stored(b"[1]", ResultType.JSON, 6.5)
    cache.put(asked(args={"a": 1}), newer)
    assert cache.get(asked(args={"a": 1})) == newer


def test_memory_is_bounded_and_what_was_used_stays() -> None:
    cache = MemoryCache(max_bytes=10)
    first, second, third = (asked(method=name) for name in "abc")
    for request in (first, second):
        cache.put(request, Stored(b"12345", ResultType.JSON, 0))
    assert cache.get(first)
    cache.put(third, Stored(b"12345", ResultType.JSON, 0))
    assert [bool(cache.get(request)) for request in (first, second, third)] == [True, False, True]
    cache.put(first, Stored(b"x" * 11, ResultType.JSON, 0))
    assert not any(map(cache.get, (first, second, third)))
    cache.put(first, Stored(b"1234567890", ResultType.JSON, 0))
    assert cache.get(first)


def test_a_file_lasts_and_forgets_in_time(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite"
    cache = SqliteCache(path)
    cache.put(asked(), Stored(b"[]", ResultType.JSON, NOW))
    cache.close()
    other = SqliteCache(path)
    assert other.get(asked()) == cache.get(asked()) == Stored(b"[]", ResultType.JSON, NOW)
    other.put(asked(method="x"), Stored(b"[]", ResultType.JSON, NOW + 31 * 86_400))
    assert cache.get(asked()) is None


def test_a_file_serves_threads_and_children(tmp_path: Path) -> None:
    cache = SqliteCache(tmp_path / "answers.sqlite")
    requests = [asked(method=f"m{number}") for number in range(20)]
    assert cache.get(requests[0]) is None
    threads = [
        threading.Thread(target=cache.put, args=(request, Stored(b"[]", ResultType.JSON, NOW))) for request in requests
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(map(cache.get, requests))
    if hasattr(os, "fork"):
        child = os.fork()
        if not child:
            os._exit(0 if cache.get(requests[0]) else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert cache.get(requests[1])


def test_a_broken_file_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture, caller: MakeCaller) -> None:
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"no database " * 1000)
    with serving(fine) as server:
        answer = caller([server.url], cache=SqliteCache(path)).call()
    assert (answer, answer.cached) == (OK, False)
    assert {record.message for record in caplog.records if record.name == "envelope.client"} == {
        "the cache cannot be read: DatabaseError",
        "the cache cannot be written: DatabaseError",
    }
    with pytest.raises(OSError, match="No such file"):
        SqliteCache(tmp_path / "nowhere" / "answers.sqlite")


def test_an_entry_serves_any_format_and_type(make_cache: Callable[[], Cache], caller: MakeCaller) -> None:
    with serving(fine) as server:
        first = caller([server.url], cache=make_cache())
        assert first.call(result_type="serialize").format == "serialize"
        again = first.call(result_type="xml")
        assert (again, again.cached, again.format, again.attempts) == (OK, True, "serialize", 0)
        assert (again.verdict.ok, again.http_status, again.address) == (True, 200, None)
        assert first.call(cache=False).cached is False
        assert first.call("other").cached is False
    assert len(server.received) == 3


@pytest.mark.parametrize(
    "answer", [Envelope.fail("4003"), Envelope(response={"error": {"code": 1}}, error_code="2000")]
)
def test_only_successes_are_kept(answer: Envelope[Any], make_cache: Callable[[], Cache], caller: MakeCaller) -> None:
    with serving(says(answer)) as server:
        client = caller([server.url], cache=make_cache())
        for _ in range(2):
            assert not client.call(check=False).cached
    assert len(server.received) == 2


def test_cache_false_keeps_nothing(make_cache: Callable[[], Cache], caller: MakeCaller) -> None:
    with serving(fine) as server:
        client = caller([server.url], cache=make_cache())
        client.call(cache=False)
        assert not client.call().cached


@pytest.mark.parametrize(
    "stored",
    [
        Stored(b"no json", ResultType.JSON, NOW),
        Stored(b"[]", ResultType.JSON, NOW),
        Stored(encode(Envelope.fail("4003"), "json"), ResultType.JSON, NOW),
        Stored(encode(OK, "json"), ResultType.JSON, NOW + 2 * 86_400),  # one of the clocks is wrong
    ],
)
def test_an_entry_that_is_no_fresh_success_is_not_served(
    stored: Stored, make_cache: Callable[[], Cache], caller: MakeCaller
) -> None:
    cache = make_cache()
    cache.put(asked(key="key-0f8e", method="v1/completions"), stored)
    with serving(fine) as server:
        assert not caller([server.url], cache=cache, clock=lambda: NOW * 10**9).call().cached
        assert len(server.received) == 1


@pytest.mark.parametrize(
    "change",
    ["format = 'yaml'", "format = NULL", "format = x'00'", "body = NULL", "body = '[]'", "body = 5", "time = NULL",
     "time = 'now'", "time = x'00'"],
)  # fmt: skip
def test_what_is_no_answer_in_the_file_is_no_failure(
    change: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "answers.sqlite"
    cache = SqliteCache(path)
    cache.put(asked(), Stored(b"[]", ResultType.JSON, NOW))
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE answer SET {change}")
    connection.close()
    assert cache.get(asked()) is None
    assert "cannot be read" in caplog.text


# -------------------------------------------------------------------------------------- what the gateway's own client left


def test_the_folder_of_the_php_client(tmp_path: Path, caller: MakeCaller) -> None:
    request = asked(args={"prompt": "地球"}, params={"page": 2})
    file = tmp_path / client_cache_key(request)
    file.write_bytes(encode(OK, "serialize"))
    os.utime(file, (NOW, NOW))
    options = {"cache": PhpCacheFolder(tmp_path), "clock": lambda: (NOW + 86_399) * 10**9}
    call = {"args": {"prompt": "地球"}, "params": {"page": 2}}
    answer = caller([dead()], **options).call("v1/models", **call)
    assert (answer, answer.cached, answer.stale, answer.format) == (OK, True, False, "serialize")
    options["clock"] = lambda: (NOW + 86_401) * 10**9
    assert caller([dead()], **options).call("v1/models", **call).stale
    with serving(fine) as server:
        options["sign"] = "secret"  # a list cannot be signed, nor has it such a key
        assert not caller([server.url], **options).call("v1/models", **call).cached
        assert not caller([server.url], **options).call("v1/models", params={"x": ["1"]}).cached
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    with pytest.raises(CallFailed):
        caller([dead()], **options, retries=0).call("v1/edits")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_in_the_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / client_cache_key(asked()))
    cache = PhpCacheFolder(tmp_path)
    thread = threading.Thread(target=cache.get, args=(asked(),), daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
