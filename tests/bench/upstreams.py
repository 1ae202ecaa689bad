"""What asking an upstream costs beside bare aiohttp: the same hop on loopback, one at a time and 32 at once.

python -m tests.bench.upstreams
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import uvloop

from envelope.gateway.upstreams import UpstreamCall, Upstreams, UpstreamSettings

KEY = "sk-0123456789abcdef"
METHOD = "v1/chat/completions"
ARGS = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello " * 30}], "max_tokens": 200}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1677981805,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello " * 40}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 16, "completion_tokens": 43, "total_tokens": 59},
}
CALLS, ROUNDS = 1500, 9


class Server(asyncio.Protocol):
    """Answers each request with the same bytes: what remains is the cost of whoever asks."""

    body = orjson.dumps(ANSWER)
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if found and len(body) >= int(length):
            self._data = b""
            self._transport.write(self.answer)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def served() -> Any:
    """The address of a server in a process of its own."""
    command = (sys.executable, "-m", "tests.bench.upstreams", "serve")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


async def measured(once: Callable[[], Awaitable[Any]], at_once: int) -> tuple[float, float]:
    """Microseconds of a call: by the clock, and of this process."""
    left = iter(range(CALLS))

    async def work() -> None:
        for _ in left:
            await once()

    clock, processor = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return (time.perf_counter() - clock) / CALLS * 1e6, (time.process_time() - processor) / CALLS * 1e6


async def main() -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    async with served() as address, aiohttp.ClientSession() as session:
        settings = UpstreamSettings.model_validate({"name": "a", "address": address, "key": KEY})
        async with Upstreams([settings]) as upstreams:
            call = UpstreamCall(method=METHOD, args=ARGS)

            async def bare() -> Any:
                data = orjson.dumps(ARGS)
                async with session.post(f"{address}/{METHOD}", data=data, headers=headers) as response:
                    return orjson.loads(await response.read())

            async def ask() -> Any:
                return (await upstreams.ask(call, seconds=60)).response

            assert await bare() == await ask() == ANSWER
            for at_once in (1, 32):
                rounds = [(await measured(bare, at_once), await measured(ask, at_once)) for _ in range(ROUNDS)]
                for index, name in enumerate(("clock", "processor")):
                    first, second = (statistics.median(pair[side][index] for pair in rounds) for side in (0, 1))
                    ratio = statistics.median(asked[index] / plain[index] for plain, asked in rounds)
                    print(f"{at_once:>2} at once, {name:<9} aiohttp {first:5.0f} µs, ask {second:5.0f} µs: {ratio:.2f}")


if __name__ == "__main__":
    uvloop.run(serve() if sys.argv[1:] == ["serve"] else main())
