"""What `envelope gateway serve` does: it listens, checks what it was given, and serves."""

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
from envelope.gateway.serving import interrupts_wait, listen
from envelope.gateway.serving import serve as serve_gateway
from envelope.gateway.settings import read_settings
from envelope.gateway.stores.addresses import shown_address
from envelope.gateway.stores.errors import StoreError
from envelope.gateway.stores.opening import open_store

if TYPE_CHECKING:
    from socket import socket

__all__ = ["serve_as_told"]


def serve_as_told(config: str | None, host: str, port: int, workers: int, drain: float, *, is_demo: bool) -> None:
    """Listen, and serve the gateway of the settings in *config*, or a demo; what is wrong is told on standard error."""
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
        with interrupts_wait():
            demo = set_up(Path.cwd(), address=upstream.address, key=upstream.key)
        files = "gateway.toml, gateway.db, gateway.key"
        click.echo(f"The demo is at {address}, its files ({files}) are in {printable(str(Path.cwd()))}.")
        for what, lines in examples(demo, address).items():
            click.echo("\n".join(["", what, "", *lines]))
        click.echo("\nCtrl-C ends it.")
        serve_gateway(Path(CONFIG), listener, workers=workers, drain=drain)
