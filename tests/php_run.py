"""The long comparison with PHP: `python -m tests.php_run --count 1000000 --seed 1`.

Random portable values are written by PHP and by us, as arrays and with maps="object", in serialize and var_export
(and, where `--format` names them, in json and jsonu of the php dialect); the bytes must be equal, and what we read of
PHP's bytes must be the value.
"""

from __future__ import annotations

import sys
import time
from random import Random

import click
from rich.progress import Progress

from envelope.options import Maps
from envelope.testing.php import Php
from tests import php as php_process
from tests.random_values import random_value

COUNT_IN_TESTS = 20_000
BATCH = 500


def compare(
    php: Php, seed: int, count: int, formats: tuple[str, ...] = ("serialize", "var_export", "json", "jsonu")
) -> list[str]:
    """The differences between PHP and us over *count* random values, one line each."""
    rng = Random(seed)
    differences: list[str] = []
    for start in range(0, count, BATCH):
        values = [random_value(rng) for _ in range(min(BATCH, count - start))]
        # Alternate the two ways of writing maps, so that each value is compared once in every format.
        maps: Maps = "array" if start // BATCH % 2 else "object"
        for format in formats:
            differences += php.disagreements(values, format, maps=maps)
    return differences


@click.command()
@click.option("--count", default=1_000_000, show_default=True, help="How many values.")
@click.option("--seed", default=1, show_default=True, help="Where the random values begin.")
@click.option("--format", "formats", multiple=True, default=("serialize", "var_export"), show_default=True)
def main(count: int, seed: int, formats: tuple[str, ...]) -> None:
    """Compare COUNT random values with PHP; exit status 1 if any differs."""
    if why := php_process.missing():
        raise click.ClickException(why)
    php = php_process.start()
    started = time.monotonic()
    differences: list[str] = []
    step = 10_000
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("values", total=count)
        for done in range(0, count, step):
            differences += compare(php, seed + done, min(step, count - done), formats)
            progress.advance(task, min(step, count - done))
    php.close()
    for line in differences[:20]:
        click.echo(line)
    seconds = time.monotonic() - started
    click.echo(f"{count} values, seed {seed}, {' and '.join(formats)}: {len(differences)} differences, {seconds:.0f} s")
    raise SystemExit(bool(differences))


if __name__ == "__main__":
    main()
