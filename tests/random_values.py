"""Random portable values from a seed, fast: for runs too long for Hypothesis."""

from __future__ import annotations

import struct
from random import Random
from typing import Any

INTS = (0, 1, -1, 2**63 - 1, -(2**63), 4000, 10**15)
FLOATS = (
    0.0,
    -0.0,
    1.0,
    0.1,
    1e15,
    1e16,
    1e17,
    1e21,
    1e22,
    1e25,
    -1e-4,
    1e-5,
    5e-324,
    1.7976931348623157e308,
    2**53 + 0.0,
)
TEXTS = (
    "",
    "0",
    "0000",
    "4000",
    "-1",
    "-0",
    "05",
    "1.5",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "it's",
    'quo"te',
    "back\\slash",
    "a\0b",
    "\0",
    "\0\0",
    "\0*\0p",
    "\x01\x1f\x7f",
    "line\nbreak\r\n\t",
    "中国队什么时候进世界杯",
    "Привет, мир",
    "😀👩‍👩‍👧",
    "e\u0301",
    "\u2028\u2029",
    "\ufffe\uffff",
    "</root>&amp;]]>",
    "a:1:{}",
    "$x {$y}",
)


def random_float(rng: Random) -> float:
    """Any finite double: its bits are drawn, so that every exponent is as likely as any other."""
    while True:
        number: float = struct.unpack("<d", rng.randbytes(8))[0]
        if number - number == 0:
            return number


def random_text(rng: Random) -> str:
    if rng.random() < 0.5:
        return rng.choice(TEXTS)
    alphabet = rng.choice(
        ("abcdefgh_-.", "0123456789-", "абвгд", "中文字符", "\x00\x07\n'\"\\/<&", "😀é߿ࠀ\uffff\U0010ffff")
    )
    return "".join(rng.choices(alphabet, k=rng.randrange(12)))


def random_value(rng: Random, depth: int = 4) -> Any:
    kind = rng.randrange(12 if depth else 7)
    if kind == 0:
        return rng.choice((None, True, False))
    if kind == 1:
        return rng.choice(INTS) if rng.random() < 0.3 else rng.randrange(-1000, 1000)
    if kind == 2:
        return rng.choice(FLOATS)
    if kind == 3:
        return random_float(rng)
    if kind == 4:
        return rng.getrandbits(63) - rng.getrandbits(63)
    if kind <= 6:
        return random_text(rng)
    size = rng.randrange(5)
    if kind <= 8:
        return [random_value(rng, depth - 1) for _ in range(size)]
    if kind == 9:
        return {str(index): random_value(rng, depth - 1) for index in range(size)}
    return {random_text(rng): random_value(rng, depth - 1) for _ in range(size)}
