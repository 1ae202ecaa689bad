"""No error holds the key, the secret or the signature: not in its text, its chain, nor its frames' variables."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import pytest

from envelope import Envelope, Limits
from envelope.client import AsyncGatewayClient, GatewayClient, SqliteCache
from tests.client.conftest import KEY, SECRET, MakeCaller
from tests.client.servers import Received, Reply, dead, http, says, serving

SIGN = re.compile(r"\b[0-9A-F]{32}\b|hmac-sha256:")


def frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def told(error: BaseException | None) -> str:
    """All that a debugger or an error tracker would show of *error*, but for the tests' own frames."""
    seen: set[int] = set()
    texts: list[str] = []
    pending = [error]
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        texts += [str(one), repr(one), repr(one.args), repr(vars(one))]
        for place in frames(one.__traceback__):
            if "/tests/" not in place.tb_frame.f_code.co_filename:
                texts.append(f"{place.tb_frame.f_code.co_filename}: {place.tb_frame.f_locals!r}")
        pending += [one.__context__, one.__cause__]
    return "\n".join(texts)


def check(error: BaseException) -> None:
    text = told(error)
    assert KEY not in text
    assert SECRET not in text
    assert not SIGN.search(text)


FAILURES: dict[str, Callable[[Received], Reply]] = {
    "network": lambda _: [],
    "cut": lambda _: [http(200, b"{}" * 50)[:-5]],
    "no http": lambda _: [b"what?\r\n\r\n"],
    "timeout": lambda _: [3600.0],
    "status": lambda _: [http(500, b"")],
    "no envelope": lambda _: [http(200, b"<p>hello")],
    "verdict": says(Envelope.fail("4005")),
    "payload": says(Envelope.ok({"a": 1})),
    "too large": lambda _: [http(200, b"x" * 5000)],
}


@pytest.mark.parametrize("sign", ["md5", "strict", "secret"])
@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_call(name: str, sign: str, caller: MakeCaller) -> None:
    pytest.importorskip("pydantic")
    options = {"sign": sign, "retries": 0, "timeout": 0.5, "carrier": "query", "limits": Limits(max_bytes=4096)}
    with serving(FAILURES[name]) as server:
        client = caller([server.url, dead()] if name != "payload" else [server.url], **options)
        with pytest.raises(Exception) as caught:  # noqa: PT011  # any of them
            client.call(response=list[int] if name == "payload" else None)
    check(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("sign", ["md5", "strict", "secret"])
@pytest.mark.parametrize(
    "params", [{"x": None}, {"x": [1.5, {}]}, {"x": "\ud800"}, {"a b": 1}, {f"x{n}": n for n in range(1001)}]
)
def test_a_call_that_cannot_be_written(params: Any, sign: str, caller: MakeCaller) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # any of them
        caller([dead()], sign=sign, timeout=1).call(params=params)
    check(caught.value)


@pytest.mark.parametrize(
    "options", [{"addresses": ["x"]}, {"sign": "no"}, {"nonsense": 1}, {"rest": "x", "failover": 1}]
)
@pytest.mark.parametrize("client", [GatewayClient, AsyncGatewayClient])
def test_a_client_that_cannot_be_made(client: Any, options: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        client(**{"addresses": ["https://a.example"], "key": KEY, "secret": SECRET, **options})
    check(caught.value)


@pytest.mark.parametrize("reply", [FAILURES["timeout"], lambda _: [http(200, b"x" * 50)[:-5], 3600.0]])
def test_a_call_that_is_cancelled(reply: Callable[[Received], Reply]) -> None:
    async def cancelled(url: str) -> None:
        async with AsyncGatewayClient([url], key=KEY, secret=SECRET, sign="secret", carrier="query") as client:
            async with asyncio.timeout(0.3):
                await client.call()

    with serving(reply) as server, pytest.raises(TimeoutError) as caught:
        asyncio.run(cancelled(server.url))
    check(caught.value)


def test_a_call_that_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(send: Any) -> None:
        raise KeyboardInterrupt

    with GatewayClient(["https://a.example"], key=KEY, secret=SECRET) as client:
        monkeypatch.setattr(client._transport, "exchange", interrupted)
        with pytest.raises(KeyboardInterrupt) as caught:
            client.call()
    check(caught.value)
    names = [place.tb_frame.f_code.co_name for place in frames(caught.value.__traceback__)]
    assert names[-1] == "_exchange"


def test_what_is_shown_and_kept(tmp_path: Any) -> None:
    path = tmp_path / "cache.sqlite"
    options: Any = {"key": KEY, "secret": SECRET, "cache": SqliteCache(path)}
    with serving(says(Envelope.ok([]))) as server, GatewayClient([server.url], **options) as client:
        answer = client.call()
    shown = f"{client!r} {answer!r} {client._settings!r}"
    assert server.url in shown
    for secret in (KEY, SECRET):
        assert secret not in shown
        assert all(secret.encode() not in file.read_bytes() for file in tmp_path.iterdir())
    assert path.stat().st_mode & 0o077 == 0
