"""The order of random names compared with PHP's ksort: `python -m tests.calls.php_ksort_run`."""

from __future__ import annotations

from random import Random

import click

import envelope
from envelope.calls.bounds import MAX_NAMES
from envelope.calls.ksort import ksort
from envelope.testing.php import Php
from envelope.values.php_rules import INT_MAX, INT_MIN
from tests import php as php_process

ALPHABETS = [
    "01",
    "019",
    "19e",
    "019ea",
    "0e+-1",
    "19 e",
    "19 \t\n\r\v\fa",
    "0123456789",
    "19.e-",
    "12aB_жé",
    "1٣²\0\x85\xa0 ",
]
EDGES = [
    *(f"{sign}{zeros}{number}{end}" for number in (INT_MAX, INT_MAX + 1, -INT_MIN + 1, 10**19, 10**20, 10**400)
      for sign in ("", "-", "+", " -") for zeros in ("", "0") for end in ("", " ", ".", ".0", "e0", "e5", "e-5", "a")),
    "1e308", "1e309", "-1e309", "1e999", "1e9999999999999999999", "1e-400", "0e0", "-0", "+0", "00", "0x1", ".5", "5.", ".", "+.5", "1e", "1e+", " ", "", "inf", "nan", "1_0", "9a", "10", "9e0",
]  # fmt: skip
BATCH = 500


def random_names(rng: Random, most: int) -> list[str]:
    """Names of few characters, so that many are equal or go round in circles."""
    alphabets, longest = rng.sample(ALPHABETS, rng.choice([1, 1, 2])), rng.choice([2, 3, 4, 5, 22])
    names: dict[str, None] = {}
    for _ in range(rng.randint(1, most)):
        edge = rng.random() < 0.1
        name = rng.choice(EDGES) if edge else "".join(rng.choices(rng.choice(alphabets), k=rng.randint(1, longest)))
        names[name] = None
    return list(names)


def compare(php: Php, seed: int, count: int, most: int) -> list[str]:
    """The differences between PHP and us over *count* random sets of at most *most* names, one line each."""
    rng = Random(seed)
    faults: list[str] = []
    for start in range(0, count, BATCH):
        sets = [random_names(rng, most) for _ in range(min(BATCH, count - start))]
        answers = php.ask("ksort", [envelope.dumps(names, "serialize") for names in sets])
        for names, answer in zip(sets, answers, strict=True):
            theirs = envelope.loads(answer or b"N;", "serialize")
            if (ours := ksort(names)) != theirs:
                faults.append(f"{names!r}: PHP {theirs!r}, we {ours!r}")
    return faults


@click.command()
@click.option("--count", default=5000, show_default=True, help="How many sets of names.")
@click.option("--seed", default=1, show_default=True, help="Where the random sets begin.")
@click.option("--most", type=click.IntRange(1, MAX_NAMES), default=60, show_default=True, help="Names in a set.")
def main(count: int, seed: int, most: int) -> None:
    """Compare COUNT random sets of names with PHP; exit status 1 if any differs."""
    if why := php_process.missing():
        raise click.ClickException(why)
    with php_process.start() as php:
        faults = compare(php, seed, count, most)
    for line in sorted(faults, key=len)[:20]:
        click.echo(line)
    click.echo(f"{count} sets of at most {most} names, seed {seed}: {len(faults)} differences")
    raise SystemExit(bool(faults))


if __name__ == "__main__":
    main()
