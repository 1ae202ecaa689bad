"""Random objects of PHP's own classes against json_encode: `python -m tests.conversion.php_classes_run`."""

from __future__ import annotations

from pathlib import Path

import click

import envelope
from envelope import EncodeError
from envelope.testing.php import Php
from tests import php as php_process

OPERATIONS = Path(__file__).with_name("php_classes.php")
BATCH = 1000


def start() -> Php:
    """A PHP that makes such objects."""
    return Php(OPERATIONS)


def classes(php: Php) -> list[str]:
    """The classes of which there are objects."""
    return (php.ask_one("classes", b"") or b"").decode().split()


def compare(php: Php, name: str, seed: int, count: int) -> list[str]:
    """Where *count* objects of the class *name* are shown otherwise than by `json_encode`."""
    faults = []
    for first in range(seed, seed + count, BATCH):
        questions = [b"%s %d" % (name.encode(), number) for number in range(first, min(first + BATCH, seed + count))]
        bodies = [body or b"" for body in php.ask("object", questions)]
        for body, shown in zip(bodies, php.ask("unserialize json", bodies), strict=True):
            # What PHP cannot show (an object in itself) is an error; PHP says false, which is nothing.
            ours = _shown(body)
            if ours != (shown or b""):
                faults.append(f"{body!r}\n  PHP shows {shown!r}\n  this library {ours!r}")
    return faults


def _shown(body: bytes) -> bytes:
    try:
        return envelope.convert(body, "serialize", "json", values="php", target_dialect="php", on_loss="ignore")
    except EncodeError as error:
        if "contains itself" in error.reason:
            return b""
        raise


@click.command()
@click.option("--count", default=2000, show_default=True, help="How many objects of each class.")
@click.option("--seed", default=1, show_default=True, help="Where the random objects begin.")
def main(count: int, seed: int) -> None:
    """Compare COUNT random objects of each of PHP's own classes; exit status 1 if any is shown otherwise."""
    if why := php_process.missing():
        raise click.ClickException(why)
    failed = False
    with start() as php:
        for name in classes(php):
            faults = compare(php, name, seed, count)
            for line in sorted(faults, key=len)[:3]:
                click.echo(line)
            click.echo(f"{name}: {count} objects, seed {seed}: {len(faults)} differences")
            failed = failed or bool(faults)
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
