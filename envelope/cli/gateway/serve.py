"""`envelope gateway serve`: the gateway, run."""

from __future__ import annotations

import click

from envelope.cli.gateway.common import CONFIG

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
    default=30.0,
    metavar="SECONDS",
    show_default=True,
    help="How long calls have to be answered when the gateway ends.",
)
def serve(*, config: str | None, demo: bool, host: str, port: int, workers: int, drain: float) -> None:
    """Serve a gateway: it answers calls, asks its upstreams, and keeps the books.

    SIGHUP reads the settings again. Ctrl-C or SIGTERM ends it once the calls that it took are answered; the second
    time, at once.
    """
    # Here, because these need the extra, and help does not.
    from envelope.cli.gateway.serving import serve_as_told
    from envelope.gateway.serving import reloads_wait

    with reloads_wait():
        serve_as_told(config, host, port, workers, drain, is_demo=demo)
