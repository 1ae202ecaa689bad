"""Charsets compared with PHP's mbstring, or else with its iconv: `python -m tests.formats.charsets_run --count 1000`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from random import Random
from typing import NamedTuple
from unicodedata import combining

import click

from envelope.formats.common.charsets import UTF_16, Charset, charset_of, labels
from envelope.testing.php import Php
from tests import php as php_process

# PHP's names, where they are others than ours.
MB = {
    "ibm866": "CP866",
    "iso-8859-8-i": "ISO-8859-8",
    "windows-1252": "Windows-1252",
    "gb18030": "GB18030",
    "euc-jp": "eucJP-win",
    "iso-2022-jp": "ISO-2022-JP-MS",
    "shift_jis": "SJIS-win",
    "euc-kr": "UHC",
}
ICONV = {
    "big5": "BIG5-HKSCS",  # mbstring's BIG-5 has no Hong Kong characters
    "macintosh": "MACINTOSH",
    **{f"windows-{page}": f"CP{page}" for page in (874, 1250, 1253, 1255, 1256, 1257, 1258)},
}
UNTESTED = {"x-mac-cyrillic": "neither mbstring nor iconv knows it"}


class Known(NamedTuple):
    """How many characters differ from PHP's, and why."""

    number: int
    reason: str


KNOWN = {
    "big5": Known(7, "glibc refuses signs that have another code, too"),
    "cp950": Known(250, "Python has ETEN's kana and signs where mbstring has private use"),
    "euc-jp": Known(376, "rows 89 to 92 are NEC's, as in the WHATWG's; eucJP-win has private use there"),
    "gb18030": Known(1, "80 is the euro sign, as in the WHATWG's; mbstring has that in CP936 alone"),
    "macintosh": Known(2, "glibc has another triangle at C6, and another code for the apple at F0"),
    "shift_jis": Known(1, "80 is a control character, as in the WHATWG's"),
    "windows-1255": Known(1, "CA is a point, as in the WHATWG's; glibc refuses it"),
}
CHARSETS = sorted({*labels().values()} - {UTF_16})


@cache
def characters(name: str) -> list[bytes]:
    """The bytes of each character that the charset has, of four-byte ones a sample."""
    charset = charset_of(name)
    assert charset is not None
    singles = [bytes([byte]) for byte in range(256) if fits(charset, bytes([byte]))]
    found = [single for single in singles if single not in (b"\n", b"\x1b")]
    alone = set(singles)
    pairs = [bytes([lead, trail]) for lead in range(0x81, 0xFF) for trail in range(0x30, 0xFF)]
    found += [
        pair for pair in pairs if not {pair[:1], pair[1:]} <= alone and pair[:1] not in alone and fits(charset, pair)
    ]
    if name == "euc-jp":
        found += [code for pair in pairs if fits(charset, code := b"\x8f" + pair)]
    if name == "iso-2022-jp":
        shifted = [
            b"\x1b$B" + bytes([row, cell]) + b"\x1b(B" for row in range(0x21, 0x7F) for cell in range(0x21, 0x7F)
        ]
        found += [code for code in shifted if fits(charset, code)]
    if name in ("gb18030", "utf-8"):
        rng = Random(name)
        points = [rng.randrange(0x80, 0x110000) for _ in range(20000)]
        chars = [chr(point) for point in points if not 0xD800 <= point < 0xE000]
        found += [char.encode(charset.codec) for char in chars]
    return found


def is_composed(name: str) -> bool:
    """Whether glibc makes one character of a letter and the mark behind it."""
    return name in ("windows-1255", "windows-1258")


def fits(charset: Charset, raw: bytes) -> bool:
    try:
        charset.decode(raw)
    except UnicodeDecodeError:
        return False
    return True


def asked(php: Php, name: str, texts: Iterable[bytes]) -> Iterator[tuple[bytes, str, str | None]]:
    """Each of the *texts*, what we make of it, and what PHP does; nothing if PHP does not know the charset."""
    charset = charset_of(name)
    assert charset is not None
    operation, other = ("iconv decode", ICONV[name]) if name in ICONV else ("mb decode", MB.get(name, name))
    texts = list(texts)
    answers = php.ask(operation, [f"{other}\n".encode() + text for text in texts])
    for text, answer in zip(texts, answers, strict=True):
        theirs = None if answer is None else answer.decode("utf-8", "replace")
        yield text, charset.decode(text), theirs


def compare(php: Php, seed: int, count: int) -> Iterator[tuple[str, int, list[str]]]:
    """For each charset: how many of its characters differ from PHP's, and the differences that are not known.

    *count* random texts are of the characters that PHP reads the same.
    """
    for name in CHARSETS:
        if name in UNTESTED:
            continue
        answers = list(asked(php, name, characters(name)))
        others = [
            f"{name} {text!r}: PHP reads {theirs!r}, we {ours!r}" for text, ours, theirs in answers if ours != theirs
        ]
        faults = others if len(others) != KNOWN.get(name, Known(0, "")).number else []
        same = [
            text for text, ours, theirs in answers if ours == theirs and not (is_composed(name) and combining(ours))
        ]
        rng = Random(f"{seed} {name}")
        texts = [b"".join(rng.choices(same, k=rng.randrange(1, 30))) for _ in range(count)]
        faults += [f"{name} {text!r}: PHP reads {b!r}, we {a!r}" for text, a, b in asked(php, name, texts) if a != b]
        yield name, len(others), faults


@click.command()
@click.option("--count", default=1000, show_default=True, help="How many texts in each charset.")
@click.option("--seed", default=1, show_default=True, help="Where the random texts begin.")
def main(count: int, seed: int) -> None:
    """Compare all characters, and COUNT random texts, of each charset with PHP; exit status 1 if any differs."""
    if why := php_process.missing():
        raise click.ClickException(why)
    total = 0
    click.echo("| charset | characters | others in PHP | held against | why |\n| --- | --- | --- | --- | --- |")
    with php_process.start() as php:
        for name, others, faults in compare(php, seed, count):
            theirs = f"iconv {ICONV[name]}" if name in ICONV else f"mbstring {MB.get(name, name)}"
            reason = KNOWN[name].reason if name in KNOWN else ""
            click.echo(f"| {name} | {len(characters(name))} | {others} | {theirs} | {reason} |")
            for line in faults[:5]:
                click.echo(line)
            total += len(faults)
    for name, why in UNTESTED.items():
        click.echo(f"| {name} | {len(characters(name))} | untested | | {why} |")
    click.echo(f"{count} texts in each charset, seed {seed}: {total} differences that are not known")
    raise SystemExit(bool(total))


if __name__ == "__main__":
    main()
