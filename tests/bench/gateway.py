"""`python -m tests.bench.gateway`: the gateway's calls a second, side by side with as little as could do the same.

nginx is the upstream; wrk calls with 32 connections, and both have one processor, the servers another, where they take
turns. All are served by uvicorn, one worker each:

- hop: a raw ASGI application that asks the upstream with aiohttp, and sends orjson's bytes of the envelope;
- gateway: `envelope gateway serve`, with durable books, which admits, asks, charges, records, and sends;
- plain: a raw ASGI application that sends the same bytes;
- cached: the gateway's answers from its cache, which are charged and recorded too.

``--litellm PYTHON`` adds LiteLLM's proxy, installed for that interpreter, without a database. Needs Linux with two
processors, nginx and wrk.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import aiohttp
import orjson
from rich.console import Console
from rich.table import Table

from envelope.gateway.books.accounts import create_account, deposit, grant
from envelope.gateway.money import UNIT
from envelope.gateway.running import open_vault
from envelope.gateway.stores.opening import open_store
from envelope.gateway.stores.store import Transaction
from tests.bench.server import processor_time

CONNECTIONS = 32
ARGS = {"prompt": "hello world", "max_tokens": 200}
COMPLETION = {
    "id": "cmpl-6qY0bIoPXYs7nCMME3g9buaZcxbf6",
    "object": "text_completion",
    "created": 1677981805,
    "model": "text-davinci-003",
    "choices": [{"text": "hello world", "index": 0, "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 16, "completion_tokens": 43, "total_tokens": 59},
}
ANSWER = {
    "response": COMPLETION,
    "error": "",
    "reason": "",
    "error_code": "0000",
    "request_id": "1.6403f86cd67f6",
    "last_id": "1593583206",
}
QUERY = (
    "key=caller&secret=s3cret&method=v1/completions&result_type=json"
    "&_o_args=%7B%22prompt%22%3A%22hello+world%22%2C%22max_tokens%22%3A200%7D"
)
NGINX = """\
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 200 '{answer}'; }} }}
}}
"""
SETTINGS = """\
log = "none"
[[upstreams]]
name = "nginx"
address = "http://127.0.0.1:{port}"
[[prices]]
call = "0.0001"
cached = "0.00001"
prompt = "0.001"
completion = "0.002"
"""
LITELLM = """\
model_list:
  - model_name: text-davinci-003
    litellm_params:
      model: text-completion-openai/text-davinci-003
      api_base: http://127.0.0.1:{port}/v1
      api_key: none
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """What wrk saw: calls a second, and the times within which half and 99 of 100 were answered, in milliseconds.

    ``of_processor`` are the calls in a second of the server's processor: with other work on the machine it says more.
    """

    calls: float
    of_processor: float
    half: float
    most: float


class Hop:
    """The hop of a gateway that does nothing else; ``UPSTREAM`` in the environment is where to."""

    def __init__(self) -> None:
        self.upstream = f"{os.environ['UPSTREAM']}/v1/completions"
        self.body = orjson.dumps(ARGS)
        self.session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as self.session:
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        assert self.session is not None
        headers = {"Content-Type": "application/json"}
        async with self.session.post(self.upstream, data=self.body, headers=headers) as response:
            answer = orjson.loads(await response.read())
        await _send_json(send, orjson.dumps({**ANSWER, "response": answer}))


def hop() -> Hop:
    """What uvicorn serves as the hop."""
    return Hop()


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """What sends the answer, and does nothing else."""
    await _send_json(send, orjson.dumps(ANSWER))


async def _send_json(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    options = _arguments()
    missing = [name for name in ("nginx", "wrk", "taskset") if shutil.which(name) is None]
    if missing or len(os.sched_getaffinity(0)) < 2:
        sys.exit(f"this needs two processors and {', '.join(missing) or 'Linux'}")
    rates = measure(options.rounds, options.seconds, options.litellm)
    console = Console(highlight=False)
    table = Table("", "calls/s", "calls/s of its processor", "half within, ms", "99 % within, ms", "ratios")
    for name, of in (("hop", ""), ("gateway", "hop"), ("plain", ""), ("cached", "plain"), ("litellm", "gateway")):
        if name in rates:
            rate = rates[name]
            ratios = (rate.calls / rates[of].calls, rate.of_processor / rates[of].of_processor) if of else ()
            told = f"{', '.join(f'{ratio:.2f}' for ratio in ratios)} of {of}" if of else ""
            table.add_row(
                name,
                f"{rate.calls:.0f}",
                f"{rate.of_processor:.0f}",
                f"{rate.half:.2f}",
                f"{rate.most:.2f}",
                told,
            )
    console.print(table)
    added = rates["gateway"].half - rates["hop"].half, rates["gateway"].most - rates["hop"].most
    console.print(f"added by the gateway: {added[0]:.2f} ms to half of the calls, {added[1]:.2f} ms to 99 of 100")


def measure(rounds: int, seconds: int, litellm: str | None = None) -> dict[str, Rate]:
    """The best of several rounds for each, in which they take turns."""
    ports = dict(zip(("nginx", "hop", "gateway", "plain", "litellm"), free_ports(5), strict=True))
    uvicorn = [sys.executable, "-m", "uvicorn", "--log-level", "error", "--no-access-log", "--port"]
    serve = [sys.executable, "-m", "envelope", "gateway", "serve", "--port", str(ports["gateway"])]
    best: dict[str, Rate] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "nginx.conf").write_text(
            NGINX.format(folder=folder, port=ports["nginx"], answer=json.dumps(COMPLETION, separators=(",", ":")))
        )
        (folder / "gateway.toml").write_text(SETTINGS.format(port=ports["nginx"]))
        open_account(folder, folder / "gateway.db")
        # LiteLLM wants to be told that it may serve without a key, on loopback, and that it need not look at the network.
        upstream = {
            "UPSTREAM": f"http://127.0.0.1:{ports['nginx']}",
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        servers: list[tuple[str, list[str], bool]] = [
            ("nginx", ["nginx", "-c", str(folder / "nginx.conf")], False),
            ("hop", [*uvicorn, str(ports["hop"]), "--factory", "tests.bench.gateway:hop"], True),
            ("gateway", serve, True),
            ("plain", [*uvicorn, str(ports["plain"]), "--lifespan", "off", "tests.bench.gateway:plain"], True),
        ]
        if litellm is not None:
            (folder / "litellm.yaml").write_text(LITELLM.format(port=ports["nginx"]))
            proxy = [str(Path(litellm).with_name("litellm")), "--config", str(folder / "litellm.yaml")]
            servers.append(("litellm", [*proxy, "--host", "127.0.0.1", "--port", str(ports["litellm"])], True))
        processes = {
            name: stack.enter_context(
                serving(command, ports[name], folder, upstream, cpu=processors()[0 if is_measured else 1])
            )
            for name, command, is_measured in servers
        }
        processes["cached"] = processes["gateway"]
        url = f"http://127.0.0.1:{ports['gateway']}/openai/custom/?{QUERY}"
        urls = {
            "hop": f"http://127.0.0.1:{ports['hop']}/",
            "gateway": f"{url}&cache=no",
            "plain": f"http://127.0.0.1:{ports['plain']}/",
            "cached": url,
        }
        if litellm is not None:
            urls["litellm"] = f"http://127.0.0.1:{ports['litellm']}/v1/completions"
        for name, target in urls.items():
            check_answer(target, name)
        for _ in range(rounds):
            for name, target in urls.items():
                rate = rate_of(target, seconds, folder, processes[name], is_post=name == "litellm")
                if name not in best or rate.calls > best[name].calls:
                    best[name] = rate
    return best


def open_account(folder: Path, address: str | Path) -> None:
    """A caller with a great deal of money, in the store at that address."""
    with open_store(address) as store:
        vault = open_vault(folder / "gateway.key", store)

        def steps(db: Transaction) -> None:
            account = create_account(db, name="caller", key="caller", secret=vault.seal("s3cret"))
            grant(db, account, "custom", quota=None)
            deposit(db, account, 1_000_000 * UNIT)

        store.write_now(steps)


def processors() -> tuple[str, str]:
    """The one of what is measured, and the one of what is not."""
    cpus = sorted(os.sched_getaffinity(0))
    return str(cpus[0]), str(cpus[-1])


@contextmanager
def serving(command: Sequence[str], port: int, folder: Path, environ: dict[str, str], *, cpu: str) -> Iterator[int]:
    """The id of a server's process, which runs on these processors, as taskset writes them."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        ["taskset", "-c", cpu, *command],
        cwd=folder,
        env={**os.environ, **environ, "PYTHONPATH": str(root)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(1200):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def check_answer(url: str, name: str) -> None:
    """All give the same completion."""
    data = orjson.dumps({"model": "text-davinci-003", **ARGS}) if name == "litellm" else None
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    with urlopen(Request(url, data, headers), timeout=60) as answer:
        value = orjson.loads(answer.read())
    completion = value if name == "litellm" else value["response"]
    if completion["choices"][0]["text"] != COMPLETION["choices"][0]["text"]:  # type: ignore[index]
        raise RuntimeError(f"{name} did not answer: {value}")


def rate_of(url: str, seconds: int, folder: Path, process: int, *, is_post: bool = False) -> Rate:
    """What wrk sees of a server; *process* is the server's, whose children count."""
    command = ["taskset", "-c", processors()[1], "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    if is_post:
        script = folder / "post.lua"
        body = json.dumps({"model": "text-davinci-003", **ARGS})
        script.write_text(
            f"wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'\n"
        )
        command += ["-s", str(script)]
    started = processor_time(process)
    said = subprocess.run([*command, url], capture_output=True, text=True, check=True, timeout=60 + seconds).stdout
    passed = processor_time(process) - started
    calls = re.search(r"([0-9]+) requests in", said)
    rate = re.search(r"Requests/sec: +([0-9.]+)", said)
    if calls is None or rate is None or "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"a server did not answer every call:\n{said}")
    return Rate(float(rate[1]), int(calls[1]) / passed, _milliseconds(said, "50%"), _milliseconds(said, "99%"))


def _milliseconds(said: str, share: str) -> float:
    match = re.search(rf"{share} +([0-9.]+)(us|ms|s)", said)
    assert match is not None
    return float(match[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[match[2]]


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.gateway", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the best counts (default 5)")
    parser.add_argument("--seconds", type=int, default=5, help="of each in a round (default 5)")
    parser.add_argument("--litellm", metavar="PYTHON", help="the interpreter that has litellm[proxy]")
    return parser.parse_args()


if __name__ == "__main__":
    main()
