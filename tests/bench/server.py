"""Calls a second through `EnvelopeApp`, beside an ASGI application that sends orjson's bytes of the same answer.

All are served by uvicorn, over sockets, and take turns; the seconds are those of the server's processor. Where there is
wrk, it calls them: each server has a process of its own on one processor, wrk has another. Else they are served in this
process, and the clients' time is not counted: they write sixteen calls at once, so that a call's share of the sockets is
less than wrk sees.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from urllib.request import urlopen

import orjson
import uvicorn
from uvicorn.server import ServerState

from envelope import Envelope, RequestIds
from envelope.adapters.asgi import ASGIApp, EnvelopeApp, Receive, Scope, Send
from envelope.calls.engine import Engine
from envelope.calls.request import ApiRequest

QUERY = b"key=caller&secret=s3cret&method=v1/completions&result_type=json&_o_args=%7B%22prompt%22%3A%22hello+world%22%2C%22max_tokens%22%3A200%7D"  # fmt: skip
CONNECTIONS = 16
REQUEST = b"GET /openai/custom/?%b HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nAccept: */*\r\n\r\n" % QUERY


def raw_app(payload: Any) -> ASGIApp:
    """What answers the same, as little as ASGI needs: it reads nothing of the call."""
    answer = Envelope.ok(payload, request_id="1.6403f86cd67f6", last_id="1593583206").to_value()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = orjson.dumps(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


def parsing_app(payload: Any) -> ASGIApp:
    """The same, but it also has the standard library parse the query, and does nothing with that: the least that any
    server costs that is written in Python and asks what it is called with."""
    raw = raw_app(payload)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        parse_qsl(scope["query_string"].decode())
        await raw(scope, receive, send)

    return app


def envelope_app(payload: Any) -> ASGIApp:
    """The gateway: it reads the call, checks the secret, and answers with *payload*."""
    ids = RequestIds(time.time_ns)
    engine = Engine(request_id=ids, last_id=lambda: "1593583206", secrets={"caller": "s3cret"}.get, clock=time.time_ns)

    async def handler(request: ApiRequest) -> Any:
        return payload

    return EnvelopeApp(engine, handler)


APPS = {"raw": raw_app, "parsing": parsing_app, "gateway": envelope_app}


def server_rates(payload: Any, rounds: int, seconds: float) -> dict[str, float]:
    """Calls a second of both, the best of several rounds in which they take turns."""
    return _rates_of_wrk(payload, rounds, seconds) if has_wrk() else _rates_here(payload, rounds, seconds)


def has_wrk() -> bool:
    """Whether wrk can call a server that has a processor for itself."""
    return shutil.which("wrk") is not None and sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1


def _rates_of_wrk(payload: Any, rounds: int, seconds: float) -> dict[str, float]:
    best = dict.fromkeys(APPS, 0.0)
    with ExitStack() as stack:
        servers = {name: stack.enter_context(_served(name, payload)) for name in APPS}
        for _ in range(rounds):
            for name, (port, process) in servers.items():
                best[name] = max(best[name], _rate_of_wrk(port, process, seconds))
    return best


@contextmanager
def _served(name: str, payload: Any) -> Iterator[tuple[int, int]]:
    """The port and the id of a process that serves the application of this name on one processor."""
    # asyncio turns Nagle's algorithm off only where a socket says that it is TCP.
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(name, payload, listening), daemon=True
        )
        server.start()
        try:
            yield listening.getsockname()[1], server.pid or 0
        finally:
            server.kill()
            server.join()


def _serve(name: str, payload: Any, listening: socket.socket) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    config = uvicorn.Config(APPS[name](payload), lifespan="off", access_log=False, log_level="error")
    uvicorn.Server(config).run([listening])


def _rate_of_wrk(port: int, process: int, seconds: float) -> float:
    url = f"http://127.0.0.1:{port}/openai/custom/?{QUERY.decode()}"
    with urlopen(url, timeout=30) as answer:  # it has started
        answer.read()
    whole = max(1, round(seconds))  # wrk takes no less
    cpu = max(os.sched_getaffinity(0))
    command = ["taskset", "-c", f"{cpu}", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{whole}s", "-H", "Accept: */*", url]
    started = processor_time(process)
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60 + whole).stdout
    passed = processor_time(process) - started
    calls = re.search(r"([0-9]+) requests in", said)
    if calls is None or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError("the server did not answer")
    return int(calls[1]) / passed


def processor_time(process: int) -> float:
    """The seconds that a process and those that it started have had of the processor, for themselves and in the kernel
    (proc(5): ppid, utime, stime)."""
    parents, ticks = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended
            fields = file.read_text("utf-8", "replace").rpartition(")")[2].split()
            parents[int(file.parent.name)] = int(fields[1])
            ticks[int(file.parent.name)] = int(fields[11]) + int(fields[12])
    family = [process]
    for each in family:
        family += (child for child, parent in parents.items() if parent == each)
    return sum(ticks[each] for each in family) / os.sysconf("SC_CLK_TCK")


def _rates_here(payload: Any, rounds: int, seconds: float) -> dict[str, float]:
    apps = {name: make(payload) for name, make in APPS.items()}
    best = dict.fromkeys(apps, 0.0)
    for _ in range(rounds):
        for name, app in apps.items():
            best[name] = max(best[name], asyncio.run(_rate(app, seconds)))
    return best


async def _rate(app: ASGIApp, seconds: float) -> float:
    config = uvicorn.Config(app, lifespan="off", access_log=False, log_level="error")
    config.load()
    state = ServerState()
    make: Any = config.http_protocol_class
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: make(config=config, server_state=state, app_state={}), "127.0.0.1", 0, backlog=CONNECTIONS
    )
    clients = [socket.create_connection(server.sockets[0].getsockname()) for _ in range(CONNECTIONS)]
    calls, of_clients = 0, 0.0
    started = time.process_time()
    while (passed := time.process_time() - started) < seconds:
        at = time.process_time()
        for client in clients:
            client.sendall(REQUEST)
        of_clients += time.process_time() - at
        calls += CONNECTIONS
        # The server has all the calls, so this ends when it has written all the answers.
        while state.total_requests < calls or state.tasks:
            await asyncio.sleep(0)
        at = time.process_time()
        for client in clients:
            if not client.recv(1 << 20).startswith(b"HTTP/1.1 200 "):
                raise RuntimeError("the server did not answer")
        of_clients += time.process_time() - at
    for client in clients:
        client.close()
    server.close()
    await asyncio.sleep(0.01)  # the connections end
    return calls / (passed - of_clients)
