"""An archive of serialized envelopes to measure with: `python -m tests.bench.archive --size 1GiB --out FILE`.

One third each, by bytes, of *completion*, *models* and *items*, one document a line, the same bytes for a seed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import click
import orjson

import envelope
from envelope import Envelope
from tests.bench.documents import documents

KINDS = ("completion", "models", "items")
VARIANTS = 8  # of each kind; the request ids differ from record to record
REQUEST_ID = b"1.0000000000000"


def records(seed: int, size: int) -> Iterator[bytes]:
    """Lines of about *size* bytes together, each kind in turn where it has the fewest bytes."""
    rng = Random(seed)
    made = [documents(rng.getrandbits(32)) for _ in range(VARIANTS)]
    bodies = {kind: [_body(made[variant][kind]) for variant in range(VARIANTS)] for kind in KINDS}
    written = dict.fromkeys(KINDS, 0)
    while sum(written.values()) < size:
        kind = min(written, key=written.__getitem__)
        line = rng.choice(bodies[kind]).replace(REQUEST_ID, b"1.%013x" % rng.getrandbits(52))
        written[kind] += len(line)
        yield line


def _body(value: object) -> bytes:
    # A line feed in a text would end the line.
    one_line = orjson.loads(orjson.dumps(value).replace(b"\\n", b" "))
    return envelope.encode(Envelope(response=one_line, request_id=REQUEST_ID.decode()), "serialize") + b"\n"


def parse_size(text: str) -> int:
    """Bytes of `64MiB`, `1GiB`, `1000000`."""
    match = re.fullmatch(r"(\d+)(|KiB|MiB|GiB)", text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no size such as 64MiB")
    return int(match[1]) << {"": 0, "KiB": 10, "MiB": 20, "GiB": 30}[match[2]]


@click.command()
@click.option("--size", default="64MiB", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--seed", default=1, show_default=True)
def main(size: str, out: Path, seed: int) -> None:
    """Write the archive."""
    with open(out, "wb") as file:
        file.writelines(records(seed, parse_size(size)))


if __name__ == "__main__":
    main()
