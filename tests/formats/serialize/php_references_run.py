"""Random PHP values with value references, kept: `python -m tests.formats.serialize.php_references_run`."""

from __future__ import annotations

from random import Random

import click

import envelope
from envelope import DecodeError
from envelope.testing.php import Php
from tests import php as php_process
from tests.test_php import random_references

BATCH = 1000


def compare(php: Php, seed: int, count: int) -> tuple[int, list[str]]:
    """How many of *count* documents have value references, and where PHP and this library differ.

    PHP makes two thirds of the documents; the others are serialized by hand, sensible or not.
    """
    referring = 0
    faults: list[str] = []
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        share = -(-size * 2 // 3)
        seeds = [b"%d" % number for number in range(seed + start, seed + start + share)]
        bodies = [body or b"" for body in php.ask("random references", seeds)]
        faults += _written_back(php, bodies)
        rng = Random(f"{seed} {start}")
        by_hand = [random_references(rng, 4) for _ in range(size - share)]
        faults += _as_php_reads(php, by_hand)
        referring += sum(b"R:" in body for body in bodies + by_hand)
    return referring, faults


def _written_back(php: Php, bodies: list[bytes]) -> list[str]:
    """What PHP wrote is read and written back the same, and what is written is to PHP what it wrote itself."""
    faults = []
    ours = []
    for body in bodies:
        value = envelope.loads(body, "serialize", values="php", references="keep")
        again = envelope.dumps(value, "serialize", values="php")
        ours.append(again)
        if again != body:
            faults.append(f"PHP wrote {body!r}, this library {again!r}")
        if not envelope.same(value, envelope.loads(again, "serialize", values="php", references="keep")):
            faults.append(f"{body!r} read twice is not the same")
    theirs = zip(bodies, php.ask("unserialize", ours), php.ask("unserialize", bodies), strict=True)
    return faults + [f"PHP reads {body!r} and what was written of it otherwise" for body, a, b in theirs if a != b]


def _as_php_reads(php: Php, bodies: list[bytes]) -> list[str]:
    """What PHP reads, and only that, is read here; and what PHP makes of it is written back the same."""
    faults = []
    answers = php.ask("unserialize", bodies)
    for body, answer in zip(bodies, answers, strict=True):
        try:
            envelope.loads(body, "serialize", values="php", references="keep")
        except DecodeError as error:
            if answer is not None:
                faults.append(f"PHP reads {body!r}: {error}")
        else:
            if answer is None:
                faults.append(f"PHP does not read {body!r}")
    return faults + _written_back(php, [answer for answer in answers if answer is not None])


@click.command()
@click.option("--count", default=20000, show_default=True, help="How many documents.")
@click.option("--seed", default=1, show_default=True, help="Where the random documents begin.")
def main(count: int, seed: int) -> None:
    """Compare COUNT random documents with PHP; exit status 1 if any differs."""
    if why := php_process.missing():
        raise click.ClickException(why)
    with php_process.start() as php:
        referring, faults = compare(php, seed, count)
    for line in sorted(faults, key=len)[:20]:
        click.echo(line)
    click.echo(f"{count} documents, {referring} with value references, seed {seed}: {len(faults)} differences")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
