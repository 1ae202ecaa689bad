"""`envelope gateway serve`: the gateway, run."""

from __future__ import annotations

from errno import EACCES, EADDRINUSE
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from envelope.cli.common.report import printable, show
from envelope.cli.gateway.common import CONFIG, telling
from envelope.cli.gateway.examples import examples
from envelope.errors import EnvelopeError
from envelope.gateway.demo.setting_up import set_up
from envelope.gateway.demo.threaded import demo_in_thread
from envelope.gateway.running import open_vault, registry_of
from envelope.gateway.serving import DRAIN, listen, reloads_wait
from envelope.gateway.serving import serve as serve_gateway
from envelope.gateway.settings import read_settings
from envelope.gateway.stores.addresses import shown_address
from envelope.gateway.stores.errors import StoreError
from envelope.gateway.stores.opening import open_store

if TYPE_CHECKING:
    from socket import socket

__all__ = ["serve"]

_EXAMPLES = """\b
Examples:
  envelope gateway serve --demo
  envelope gateway serve --config gateway.toml --port 8080 --workers 2

\b
The least that gateway.toml says:
  [[upstreams]]
  name = "openai"
  address = "https://api.openai.com"
  key = "sk-..."
"""


@click.command(epilog=_EXAMPLES)
@click.option("--config", metavar="FILE", help=f"The gateway's settings, in TOML.  [default: {CONFIG}]")
@click.option("--demo", is_flag=True, help="Make a gateway in this folder that needs nothing: an upstream, an account.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0 is any.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Processes that answer.")
@click.option(
    "--drain",
    type=click.FloatRange(1, 3600),
    default=DRAIN,
    metavar="SECONDS",
    show_default=True,
    help="How long calls have to be answered when the gateway ends.",
)
def serve(*, config: str | None, demo: bool, host: str, port: int, workers: int, drain: float) -> None:
    """Serve a gateway: it answers calls, asks its upstreams, and keeps the books.

    SIGHUP reads the settings again. Ctrl-C or SIGTERM ends it once the calls that it took are answered; the second
    time, at once.
    """
    with reloads_wait():
        _serve(config, host, port, workers, drain, is_demo=demo)


def _serve(config: str | None, host: str, port: int, workers: int, drain: float, *, is_demo: bool) -> None:
    if is_demo and config is not None:
        raise click.UsageError(f"--demo makes a {CONFIG} of its own: leave --config out")
    with _listening(host, port) as listener:
        name = f"[{host}]" if ":" in host else host
        address = f"http://{printable(name)}:{listener.getsockname()[1]}"
        try:
            if is_demo:
                _serve_demo(listener, address, workers, drain)
            else:
                _check(config or CONFIG)
                show(Text(f"serving on {address}"))
                serve_gateway(Path(config or CONFIG), listener, workers=workers, drain=drain)
        except EnvelopeError as error:
            raise click.ClickException(printable(str(error))) from None
        except OSError as error:
            raise click.ClickException(f"cannot use {printable(str(error.filename))}: {error.strerror}") from None


def _listening(host: str, port: int) -> socket:
    try:
        return listen(host, port)
    except OSError as error:
        hint = "; --port takes another, 0 any that is free" if error.errno in (EACCES, EADDRINUSE) else ""
        raise click.ClickException(f"cannot listen on {printable(host)}, port {port}: {error.strerror}{hint}") from None


def _check(config: str) -> None:
    """Fail before anything is served, in words for whoever starts it."""
    if not Path(config).exists():
        raise click.UsageError(f"there is no {printable(config)}; --help shows one, and --demo needs none")
    with telling(config):
        settings = read_settings(config)
    with telling(str(settings.codes)):
        registry_of(settings)
    try:
        with open_store(settings.store) as store:
            open_vault(settings.key_file, store)
    except StoreError as error:
        raise click.ClickException(printable(f"{shown_address(settings.store)}: {error.reason}")) from None


def _serve_demo(listener: socket, address: str, workers: int, drain: float) -> None:
    with demo_in_thread() as upstream:
        demo = set_up(Path.cwd(), address=upstream.address, key=upstream.key)
        files = "gateway.toml, gateway.db, gateway.key"
        click.echo(f"The demo is at {address}, its files ({files}) are in {printable(str(Path.cwd()))}.")
        for what, lines in examples(demo, address).items():
            click.echo("\n".join(["", what, "", *lines]))
        click.echo("\nCtrl-C ends it.")
        serve_gateway(Path(CONFIG), listener, workers=workers, drain=drain)
