"""JSON with PHP's flags against PHP: `python -m tests.formats.json.php_flags_run --count 100000 --seed 1`.

Random values are written by PHP's json_encode and by us, each with 20 sets of flags; the bytes must be equal. As many
random documents, full of integers of any size, are read with JSON_BIGINT_AS_STRING; the values must be the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from random import Random

import envelope
from envelope.options import ENCODE_FLAGS, DecodeFlag, EncodeFlag, Maps
from envelope.testing.php import Php, tagged
from tests.php_comparison import comparison
from tests.random_values import random_text, random_value

COUNT_IN_TESTS = 1000
SETS = 20
BATCH = 500

READING: tuple[DecodeFlag, ...] = ("JSON_BIGINT_AS_STRING",)
NUMBERS = ("0", "-0", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
           "18446744073709551616", "12345678901234567890.0", "12345678901234567890e0", "1e19", "-9223372036854775809.5",
           "1" * 400, "0.1", "true", "null", "[]", "{}")  # fmt: skip


def compare(php: Php, seed: int, count: int) -> list[str]:
    """The differences between PHP and us over *count* random values and documents, one line each."""
    rng = Random(seed)
    found: list[str] = []
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        values = [random_value(rng) for _ in range(size)]
        maps: Maps = "array" if start // BATCH % 2 else "object"
        for _ in range(SETS):
            flags = rng.sample(ENCODE_FLAGS, rng.randrange(len(ENCODE_FLAGS)))
            found += written_differently(php, values, flags, maps)
        found += read_differently(php, [random_document(rng) for _ in range(size)])
    return found


def written_differently(php: Php, values: list[object], flags: Collection[EncodeFlag], maps: Maps) -> Iterator[str]:
    """Where we write *values* otherwise than PHP."""
    trees = list(map(tagged, values))
    for format, given in (("json", flags), ("jsonu", {*flags, "JSON_UNESCAPED_UNICODE"})):
        head = "|".join(given).encode()
        answers = php.ask(f"{maps} json_encode", [b"%b\n%b" % (head, tree) for tree in trees])
        for value, answer in zip(values, answers, strict=True):
            ours = envelope.dumps(value, format, dialect="php", maps=maps, flags=flags)
            if ours != answer:
                yield f"{format} maps={maps} {flags} {value!r}: PHP wrote {answer!r}, this library {ours!r}"


def random_document(rng: Random, depth: int = 4) -> bytes:
    """A JSON document of numbers in all spellings, and of texts that look like them."""
    space = rng.choice((b"", b"", b" ", b"\n\t"))
    kind = rng.randrange(9 if depth else 6)
    if kind == 0:
        return envelope.dumps(random_text(rng), "jsonu")
    if kind == 1:
        return b'"%b"' % rng.choice(NUMBERS).encode()
    if kind == 2:
        return space + rng.choice(NUMBERS).encode() + space
    if kind < 6:
        return b"%d" % ((rng.getrandbits(rng.randrange(1, 90)) + 1) * rng.choice((1, -1)))
    members = [random_document(rng, depth - 1) for _ in range(rng.randrange(8))]
    if kind == 6:
        keys = [envelope.dumps(random_text(rng) or rng.choice(NUMBERS), "json") for _ in members]
        return b"{%b}" % b",".join(b"%b:%b" % pair for pair in zip(keys, members, strict=True))
    return b"[%b%b]" % (space, b",".join(members) or space)


def read_differently(php: Php, documents: list[bytes]) -> Iterator[str]:
    """Where we read *documents* otherwise than PHP, which serializes their values."""
    head = "|".join(READING).encode()
    answers = php.ask("json_decode flags", [b"%b\n%b" % (head, document) for document in documents])
    for document, answer in zip(documents, answers, strict=True):
        ours = envelope.dumps(envelope.loads(document, "json", flags=READING), "serialize")
        if ours != answer:
            yield f"{document!r}: PHP has {answer!r}, this library {ours!r}"


main = comparison(compare, f"values with {SETS} sets of flags, and documents", count=20_000)


if __name__ == "__main__":
    main()
