"""The command of a long comparison with PHP, which is the same for all that give a line for each difference."""

from __future__ import annotations

from collections.abc import Callable

import click

from envelope.testing.php import Php
from tests import php as php_process

__all__ = ["comparison"]

_SHOWN = 20


def comparison(compare: Callable[[Php, int, int], list[str]], things: str, *, count: int) -> click.Command:
    """A command that asks *compare* (PHP, seed, count) for the differences over *count* random *things*.

    Its exit status is 1 if there are any; the shortest are shown.
    """

    @click.command(help=f"Compare COUNT random {things} with PHP; exit status 1 if any differs.")
    @click.option("--count", default=count, show_default=True, help=f"How many {things}.")
    @click.option("--seed", default=1, show_default=True, help="Where the random ones begin.")
    def main(count: int, seed: int) -> None:
        if why := php_process.missing():
            raise click.ClickException(why)
        with php_process.start() as php:
            differences = compare(php, seed, count)
        for line in sorted(differences, key=len)[:_SHOWN]:
            click.echo(line)
        click.echo(f"{count} {things}, seed {seed}: {len(differences)} differences")
        raise SystemExit(bool(differences))

    return main
