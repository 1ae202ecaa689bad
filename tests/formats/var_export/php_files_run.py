"""PHP files against PHP: `python -m tests.formats.var_export.php_files_run --count 5000 --seed 1`.

Random files are included by PHP, and read by us; the values must be the same.
"""

from __future__ import annotations

from random import Random

import envelope
from envelope.options import Unknown
from envelope.testing.php import Php
from tests.formats.var_export.php_files import random_file
from tests.formats.var_export.php_operators import MEANT, known, random_program
from tests.php_comparison import comparison

COUNT_IN_TESTS = 500
BATCH = 250


def compare(php: Php, seed: int, count: int) -> list[str]:
    """The differences between PHP and us over *count* random files, and as many with operators, one line each."""
    rng = Random(seed)
    found: list[str] = []
    for start in range(0, count, BATCH):
        numbers = range(seed * count + start, seed * count + min(start + BATCH, count))
        for files, unknown in (
            ([random_file(rng, number) for number in numbers], None),
            ([random_program(rng) for _ in numbers], known),
        ):
            answers = zip(files, php.ask("include", files), strict=True)
            found += (fault for file, answer in answers if (fault := differ(file, answer, unknown)))
    return found


def differ(file: bytes, answer: bytes | None, unknown: Unknown | None) -> str:
    """How we read *file* otherwise than PHP, which serialized its value or (None) refused it; ``""`` if we do not.

    Files with calls, which *unknown* knows, may be refused: where PHP does, and where we mean to.
    """
    try:
        value = envelope.loads(file, "var_export", values="php", dialect="file", unknown=unknown)
    except envelope.DecodeError as error:
        if unknown and (answer is None or any(reason in error.reason for reason in MEANT)):
            return ""
        ours = str(error)
    else:
        if answer in written(value, file):
            return ""
        ours = repr(written(value, file))
    return f"{file!r}: PHP has {answer!r}, this library {ours}"


def written(value: object, file: bytes) -> list[bytes]:
    """*value* as PHP may serialize it: of a lone variable, we return the value alone."""
    values = [value]
    if b"$" in file:
        values += [{name: value} for name in ("plain", "one", "two", "Жук")]
    return [envelope.dumps(each, "serialize", values="php") for each in values]


main = comparison(compare, "files", count=5000)


if __name__ == "__main__":
    main()
