"""Random PHP values to tagged JSON and back: `python -m tests.conversion.php_tagged_run`."""

from __future__ import annotations

import re
from collections import Counter

import click

import envelope
from envelope.testing.php import Php
from tests import php as php_process

BATCH = 1000
TAG = re.compile(rb'"(@[@a-z0-9]+:?)[^"]*":')  # names that are tags, spelled in full, or escaped


def compare(php: Php, seed: int, count: int) -> tuple[Counter[bytes], list[str]]:
    """How many of *count* documents that PHP makes have each tag, and which do not come back the same."""
    found: Counter[bytes] = Counter()
    faults: list[str] = []
    for start in range(seed, seed + count, BATCH):
        seeds = [b"%d" % number for number in range(start, min(start + BATCH, seed + count))]
        for number, body in zip(seeds, php.ask("random tagged", seeds), strict=True):
            assert body is not None
            target = "json" if int(number) % 2 else "jsonu"
            tagged = envelope.convert(body, "serialize", target, objects="tagged")
            again = envelope.convert(tagged, target, "serialize", objects="tagged")
            if again != body:
                faults.append(f"PHP wrote {body!r}, which is {tagged!r}, and that is {again!r}")
            found.update(set(TAG.findall(tagged)))
    return found, faults


@click.command()
@click.option("--count", default=20000, show_default=True, help="How many documents.")
@click.option("--seed", default=1, show_default=True, help="Where the random documents begin.")
def main(count: int, seed: int) -> None:
    """Convert COUNT random documents of PHP to tagged JSON and back; exit status 1 if any is not the same."""
    if why := php_process.missing():
        raise click.ClickException(why)
    found: Counter[bytes] = Counter()
    faults: list[str] = []
    with php_process.start() as php:
        for start in range(0, count, 20 * BATCH):
            more, worse = compare(php, seed + start, min(20 * BATCH, count - start))
            found += more
            faults += worse
            click.echo(f"{min(start + 20 * BATCH, count)} of {count}: {len(faults)} differences", err=True)
    for line in sorted(faults, key=len)[:20]:
        click.echo(line)
    click.echo(
        ", ".join(f"{tag.decode()} in {number}" for tag, number in sorted(found.items()) if number > count / 999)
    )
    click.echo(f"{count} documents, seed {seed}: {len(faults)} differences")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
