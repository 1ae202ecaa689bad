"""Random cells, serialized or nearly so, judged as WordPress does: `python -m tests.conversion.mixed_run`."""

from __future__ import annotations

from random import Random

import click

from envelope.conversion.mixed import is_serialized, trimmed
from envelope.testing.php import Php
from tests import php as php_process

BATCH = 2000
PARTS = [b"a", b"s", b"O", b"E", b"C", b"b", b"i", b"d", b"N", b":", b";", b"}", b"{", b'"', b"0", b"12", b".", b"-", b"+",
         b"E9", b"e", b" ", b"\n", b"\r", b"\t", b"\v", b"\0", b"\f", b"\xa0", b"x", b"\xff", b"a:1:{i:0;N;}",
         b's:1:"x";', b"i:5;", b"d:0.5;", b"d:INF;", b"b:1;", b"N;", b'O:8:"stdClass":0:{}', b'E:3:"A:B";']  # fmt: skip


def random_cell(rng: Random) -> bytes:
    """Something between a document and noise."""
    return b"".join(rng.choices(PARTS, k=rng.randrange(8)))


def compare(php: Php, seed: int, count: int) -> tuple[int, list[str]]:
    """How many of *count* cells are serialized to PHP, and which are not so to us, or the other way round."""
    rng = Random(seed)
    found, differences = 0, []
    for start in range(0, count, BATCH):
        cells = [random_cell(rng) for _ in range(min(BATCH, count - start))]
        answers = [answer == b"1" for answer in php.ask("is serialized", cells)]
        found += sum(answers)
        pairs = zip(cells, answers, strict=True)
        differences += [f"{cell!r}: {answer}" for cell, answer in pairs if is_serialized(trimmed(cell)) is not answer]
    return found, differences


@click.command()
@click.option("--count", default=1_000_000, show_default=True, help="How many cells.")
@click.option("--seed", default=1, show_default=True, help="Where the random cells begin.")
def main(count: int, seed: int) -> None:
    """Compare COUNT random cells with PHP; exit status 1 if any differs."""
    if why := php_process.missing():
        raise click.ClickException(why)
    with php_process.start() as php:
        found, differences = compare(php, seed, count)
    for line in differences[:20]:
        click.echo(line)
    click.echo(f"{count} cells, {found} of them serialized: {len(differences)} differences")
    raise SystemExit(bool(differences))


if __name__ == "__main__":
    main()
