"""`envelope gateway serve`: the gateway, run."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click
from rich.text import Text

from envelope.cli.common.report import printable, show
from envelope.errors import EnvelopeError
from envelope.formats import ResultType
from envelope.gateway.demo.serving import DemoUpstream, demo_upstream
from envelope.gateway.demo.setting_up import FILE, DemoAccount, set_up
from envelope.gateway.running import open_vault, registry_of
from envelope.gateway.serving import listen
from envelope.gateway.serving import serve as serve_gateway
from envelope.gateway.settings import read_settings
from envelope.gateway.stores.opening import open_store

if TYPE_CHECKING:
    from socket import socket

__all__ = ["serve"]

_EXAMPLES = """\b
Examples:
  envelope gateway serve --demo
  envelope gateway serve --config gateway.toml --port 8080 --workers 2
"""


@click.command(epilog=_EXAMPLES)
@click.option("--config", metavar="FILE", default=FILE, show_default=True, help="The gateway's settings, in TOML.")
@click.option("--demo", is_flag=True, help="Make a gateway in this folder that needs nothing: an upstream, an account.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0 is any.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes that answer.")
def serve(*, config: str, demo: bool, host: str, port: int, workers: int) -> None:
    """Serve a gateway: it answers calls, asks its upstreams, and keeps the books.

    Ctrl-C or SIGTERM ends it once the calls that it took are answered.
    """
    try:
        listener = listen(host, port)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {printable(host)}:{port}: {error.strerror}") from None
    address = f"http://{host}:{listener.getsockname()[1]}"
    try:
        if demo:
            _serve_demo(listener, address, workers)
        else:
            _check(Path(config))
            show(Text(f"serving on {address}"))
            serve_gateway(Path(config), listener, workers=workers)
    except (EnvelopeError, OSError) as error:
        raise click.ClickException(printable(str(error))) from None
    finally:
        listener.close()


def _check(path: Path) -> None:
    """Fail before anything is served, in words for whoever starts it."""
    if not path.exists():
        raise click.UsageError(f"there is no {printable(str(path))}; --demo makes a gateway that needs none")
    settings = read_settings(path)
    registry_of(settings)
    open_vault(settings.key_file)
    open_store(settings.store).close()


def _serve_demo(listener: socket, address: str, workers: int) -> None:
    with _upstream() as upstream:
        account = set_up(Path.cwd(), address=upstream.address, key=upstream.key)
        click.echo(_told(account, address))
        serve_gateway(Path(FILE), listener, workers=workers)


@contextmanager
def _upstream() -> Iterator[DemoUpstream]:
    """The demo's upstream, in a thread and an event loop of its own."""
    started = threading.Event()
    ended = asyncio.Event()
    made: list[tuple[DemoUpstream, asyncio.AbstractEventLoop]] = []

    async def run() -> None:
        async with demo_upstream() as upstream:
            made.append((upstream, asyncio.get_running_loop()))
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="demo upstream", daemon=True)
    thread.start()
    started.wait(10)
    [(upstream, loop)] = made
    try:
        yield upstream
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


def _told(account: DemoAccount, address: str) -> str:
    """What to try, in lines that work as they stand."""
    url = f"{address}/openai/custom/?key={quote(account.key)}&secret={quote(account.secret)}"
    args = "%7B%22prompt%22%3A%22hello%22%2C%22max_tokens%22%3A20%7D"
    calls = [f"curl '{url}&method=v1/completions&_o_args={args}&result_type={name}&cache=no'" for name in ResultType]
    lines = [
        f"The demo is at {address}; its files (gateway.toml, gateway.db, gateway.key) are in {Path.cwd()}.",
        "",
        "Try it, in each of the five formats:",
        "",
        *calls,
        "",
        "In another terminal, in this folder:",
        "",
        "envelope gateway calls",
        "envelope gateway audit",
        "",
        "Ctrl-C ends it.",
    ]
    return "\n".join(lines)
