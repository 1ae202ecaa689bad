"""Random sessions compared with PHP's: `python -m tests.formats.serialize.php_sessions_run`."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import envelope
from envelope import EncodeError
from envelope.options import Dialect
from envelope.testing.php import Php
from tests.php_comparison import comparison
from tests.random_values import random_text, random_value

HANDLERS: dict[str, Dialect] = {"php": "session", "php_binary": "session_binary"}
BATCH = 500


def compare(php: Php, seed: int, count: int) -> list[str]:
    """The differences between PHP and us over *count* random sessions, half of them PHP's and half ours."""
    faults: list[str] = []
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        for handler, dialect in HANDLERS.items():
            share = size // 4 or 1
            faults += theirs(php, handler, dialect, range(seed + start, seed + start + share))
            faults += ours(php, handler, dialect, Random(f"{seed} {start}"), share)
    return faults


def theirs(php: Php, handler: str, dialect: Dialect, seeds: range) -> Iterator[str]:
    """What PHP writes: read, and written again, it is the same bytes."""
    bodies = php.ask(f"{handler} random", [str(seed).encode() for seed in seeds])
    for seed, body in zip(seeds, bodies, strict=True):
        assert body is not None
        value = envelope.loads(body, "serialize", values="php", dialect=dialect, references="keep")
        again = envelope.dumps(value, "serialize", values="php", dialect=dialect)
        if again != body:
            yield f"{handler}, seed {seed}: PHP wrote {body!r}, this library {again!r}"


def ours(php: Php, handler: str, dialect: Dialect, rng: Random, count: int) -> Iterator[str]:
    """What we write: PHP writes the same bytes, and reads the same value; what we refuse, PHP does not keep whole."""
    values = [{random_text(rng): random_value(rng, 3) for _ in range(rng.randrange(5))} for _ in range(count)]
    arrays = [envelope.dumps(value, "serialize") for value in values]
    bodies = php.ask(f"{handler} encode", arrays)
    written = [_written(value, dialect) for value in values]
    read = php.ask(f"{handler} decode", [body or b"" for body in written])
    for value, array, theirs, body, back in zip(values, arrays, bodies, written, read, strict=True):
        if body is None:
            if theirs is not None and len(envelope.loads(theirs, "serialize", dialect=dialect)) == len(value):
                yield f"{handler} {value!r}: refused, but PHP wrote {theirs!r}"
        elif theirs != body:
            yield f"{handler} {value!r}: PHP wrote {theirs!r}, this library {body!r}"
        elif back != array:
            yield f"{handler} {value!r}: PHP read {back!r}"


def _written(value: dict[str, Any], dialect: Dialect) -> bytes | None:
    try:
        return envelope.dumps(value, "serialize", dialect=dialect)
    except EncodeError:
        return None


main = comparison(compare, "sessions", count=20_000)


if __name__ == "__main__":
    main()
