"""What a client's call costs beside bare httpx2: the same bytes to and from the same server, taking turns.

The server is a process of its own on loopback. Times are this process's, of all its threads: the server's part and the
waiting are the same for both, and would hide the difference.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Any

import httpx2

from envelope import Envelope, encode
from envelope.calls.request import ApiRequest
from envelope.calls.signing import sign
from envelope.client import AsyncGatewayClient, GatewayClient
from tests.bench.documents import documents

METHOD, ARGS = "v1/completions", {"prompt": "中国队什么时候进世界杯", "max_tokens": 200}
KEY, SECRET = "key", "secret"
CALLS = 50


def client_times(rounds: int, progress: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """The best microseconds of one call, ``bare`` and ``ours``, by each client: ``sync`` and ``async``."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{ours.recv()}"
        return {"sync": _sync(url, rounds, progress), "async": asyncio.run(_async(url, rounds, progress))}
    finally:
        server.kill()
        server.join()


def _sync(url: str, rounds: int, progress: Callable[[str], None]) -> dict[str, float]:
    with httpx2.Client() as bare, GatewayClient([url], key=KEY, secret=SECRET) as client:
        request = _request(url)

        def post() -> bytes:
            return bare.post(**request).content

        def call() -> object:
            return client.call(METHOD, ARGS)

        best: dict[str, float] = {}
        for number in range(rounds):
            progress(f"sync, round {number + 1} of {rounds}")
            for name, one in (("bare", post), ("ours", call)):
                one()
                started = time.process_time()
                for _ in range(CALLS):
                    one()
                _keep(best, name, started)
        return best


async def _async(url: str, rounds: int, progress: Callable[[str], None]) -> dict[str, float]:
    async with httpx2.AsyncClient() as bare, AsyncGatewayClient([url], key=KEY, secret=SECRET) as client:
        request = _request(url)

        async def post() -> object:
            return (await bare.post(**request)).content

        async def call() -> object:
            return await client.call(METHOD, ARGS)

        ways: tuple[tuple[str, Callable[[], Awaitable[object]]], ...] = (("bare", post), ("ours", call))
        best: dict[str, float] = {}
        for number in range(rounds):
            progress(f"async, round {number + 1} of {rounds}")
            for name, one in ways:
                await one()
                started = time.process_time()
                for _ in range(CALLS):
                    await one()
                _keep(best, name, started)
        return best


def _keep(best: dict[str, float], name: str, started: float) -> None:
    passed = (time.process_time() - started) / CALLS * 1e6
    best[name] = min(best.get(name, passed), passed)


def _request(url: str) -> dict[str, Any]:
    """What the client sends, ready to be sent by httpx2."""
    call = ApiRequest(key=KEY, api_type="openai", api_name="custom", method=METHOD, args=dict(ARGS))
    http = sign(call, SECRET, time.time_ns).write("form")
    headers = {"Accept-Encoding": "gzip", "Idempotency-Key": "0" * 32, "User-Agent": "bench"}
    headers["Content-Type"] = http.content_type or ""
    return {"url": f"{url}{http.path}?{http.query}", "content": http.body, "headers": headers}


def _serve(connection: Connection) -> None:
    body = encode(Envelope.ok(documents()["completion"]["response"]), "json")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                received = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(received.split(b"content-length:")[1].split(b"\r\n")[0]))
                writer.write(head + body)
        except asyncio.IncompleteReadError:
            writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        connection.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())
