"""The merged parameters of random POSTs compared with a real PHP's $_REQUEST: `python -m tests.calls.php_merge_run`."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from tempfile import TemporaryFile
from typing import IO

import click

import envelope
from envelope.calls.http import HttpRequest
from envelope.calls.merging import merge_params
from envelope.calls.reading import read_body, read_query
from envelope.limits import DEFAULT_LIMITS
from envelope.values.php_rules import INT_MAX
from tests import php as php_process

ROUTER = Path(__file__).with_name("php_request.php")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# Few, so that the two halves of a call overlap.
NAMES = ["a", "a", "b", "5", "-1", "05", "x.y", "x y", "%D0%96", "%ff", "[a", "a[", " a"]
KEYS = ["", "", "0", "0", "1", "1", "2", "-3", "x", "x", "y", "01", "k.l", "k l", "%D0%96", "%fe", str(INT_MAX + 1)]


def random_part(rng: Random) -> str:
    """A query string or form of a few parameters."""
    pairs = []
    for number in range(rng.randrange(7)):
        name = rng.choice(NAMES) + "".join(f"[{rng.choice(KEYS)}]" for _ in range(rng.choice([0, 0, 1, 1, 2, 3])))
        pairs.append(f"{name.replace(' ', '+')}={rng.choice('uvw')}{number}")
    return "&".join(pairs)


@contextmanager
def php_server() -> Iterator[int]:
    """PHP's own web server, which answers $_REQUEST serialized: its port on this machine."""
    command = ["php", "-d", "display_errors=0", "-d", "log_errors=0", "-S", "127.0.0.1:0", str(ROUTER)]
    with TemporaryFile("w+") as log:  # not a pipe, which would fill up
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        try:
            yield _port(process, log)
        finally:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[bytes], log: IO[str]) -> int:
    """The port that the system chose for PHP."""
    while process.poll() is None:
        log.seek(0)
        if address := re.search(r"http://127\.0\.0\.1:(\d+)\) started", log.read()):
            return int(address[1])
        time.sleep(0.01)
    raise RuntimeError("php's web server did not start")


def compare(port: int, seed: int, count: int) -> list[str]:
    rng = Random(seed)
    faults: list[str] = []
    for _ in range(count):
        query, form = random_part(rng), random_part(rng)
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", f"/?{query}", form, FORM)
        theirs = connection.getresponse().read()
        connection.close()
        http = HttpRequest(query=query, body=form.encode(), content_type=FORM["Content-Type"])
        merged = merge_params(read_query(http.query, DEFAULT_LIMITS), read_body(http, DEFAULT_LIMITS))
        ours = envelope.dumps(merged, "serialize", values="php")
        if ours != theirs:
            faults.append(f"{query!r} and {form!r}: PHP {theirs!r}, we {ours!r}")
    return faults


@click.command()
@click.option("--count", default=5000, show_default=True, help="How many calls.")
@click.option("--seed", default=1, show_default=True, help="Where the random calls begin.")
def main(count: int, seed: int) -> None:
    """Compare COUNT random calls with PHP; exit status 1 if any differs."""
    if why := php_process.missing():
        raise click.ClickException(why)
    started = time.monotonic()
    with php_server() as port:
        faults = compare(port, seed, count)
    for line in faults[:20]:
        click.echo(line)
    click.echo(f"{count} calls, seed {seed}: {len(faults)} differences, {time.monotonic() - started:.1f} s")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
