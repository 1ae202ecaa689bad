r"""A JSON scanner: finds the first fault of a document, with its byte offset and path.

    value  = object | array | string | number | true | false | null
    object = { (string : value (, string : value)*)? }       array = [ (value (, value)*)? ]
    number = -? int frac? exp?                               string = "…", RFC 8259, surrogates in pairs only

It makes no values. orjson reads; this runs if orjson failed, or if exactness is in doubt.
"""

from __future__ import annotations

import math
import re
from typing import Final

import orjson

from envelope.errors import DecodeError
from envelope.formats.common.budget import Budget
from envelope.formats.common.cursor import Cursor
from envelope.formats.common.decoded import Decoded
from envelope.hints import Hint, HintName
from envelope.limits import Limits
from envelope.path import Step, short_path
from envelope.values.php_rules import INT_MAX, INT_MIN

__all__ = ["JsonScanner"]

ORJSON_DEPTH: Final = 1024  # orjson's own limit

_SPACE: Final = re.compile(rb"[ \t\n\r]*")
# What ends the plain part of a string: an escape, or a byte that is not in it (its end, or a fault). They are searched
# for one by one, because a repeated group would take a hundred bytes of memory for each.
_MARK: Final = re.compile(rb'(\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))|["\\\x00-\x1f]')
_CUT_ESCAPE: Final = re.compile(rb"(?:\\(?:u[0-9A-Fa-f]{0,3})?)?")  # all that the end of the input may leave of one
_ESCAPE: Final = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|.)")
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD: Final = re.compile(rb"true|false|null")
# Members of a list that cannot be at fault, each with its comma: small numbers, words, plain texts, empty containers.
# At most so many, because each takes memory.
_MEMBERS: Final = re.compile(
    rb"""(?:(?:-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?|true|false|null|"[^"\\,\x00-\x1f\x80-\xff]*"|\[\]|\{\})"""
    rb"""[ \t\n\r]*,[ \t\n\r]*){4,250}"""
)
_CLOSERS: Final = {b"[": b"]", b"{": b"}"}

_HINTS: Final[tuple[tuple[bytes, HintName], ...]] = (
    (b"'", "double-quotes"),
    (b"N", "no-nan"),
    (b"I", "no-infinity"),
    (b"-I", "no-infinity"),
    (b"T", "lower-case"),
    (b"F", "lower-case"),
)


class JsonScanner(Cursor):
    """One document; `scan` raises for its first fault.

    With *big_as_text*, an integer beyond 64 bits is none: it is to be read as its text, as with JSON_BIGINT_AS_STRING.
    """

    __slots__ = ("bad_utf8", "big_as_text", "rewritten", "rewritten_to")

    def __init__(
        self, data: bytes, format: str, limits: Limits, source: Decoded | None = None, *, big_as_text: bool = False
    ) -> None:
        super().__init__(data, format, limits, source=source)
        self.budget = Budget(limits, "orjson", ORJSON_DEPTH)
        self.budget.items += 1  # the root is not counted
        self.big_as_text = big_as_text
        # The document up to a place, with its integers beyond 64 bits in quotes: for each a place would take more.
        self.rewritten = bytearray()
        self.rewritten_to = 0

    def scan(self) -> bytes | None:
        """value, with white space around it, then the end of the input.

        Return the document with quotes around each integer beyond 64 bits; None if there is none.
        """
        try:
            self.data.decode()
            self.bad_utf8 = len(self.data)
        except UnicodeDecodeError as exc:
            self.bad_utf8 = exc.start
        steps: list[Step | None] = []
        try:
            self.document(steps)
        except DecodeError as error:
            error.path = short_path([step for step in steps if step is not None])
            raise
        if not self.rewritten_to:
            return None
        self.rewritten += memoryview(self.data)[self.rewritten_to :]
        return bytes(self.rewritten)

    def document(self, steps: list[Step | None]) -> None:
        """The whole grammar. *steps* holds the place in each open container: a key, an index, None before a key."""
        data = self.data
        pos = self.space(0)
        while True:
            # ---- value
            if steps and isinstance(place := steps[-1], int) and len(steps) < self.budget.max_depth:
                pos, steps[-1] = self.members(pos, place)
            self.enter(0, 1, pos)
            opener = data[pos : pos + 1]
            if opener in _CLOSERS:
                self.enter(len(steps) + 1, 0, pos)
                steps.append(None if opener == b"{" else 0)
                pos = self.space(pos + 1)
                if data[pos : pos + 1] != _CLOSERS[opener]:
                    if opener == b"{":
                        pos = self.key(pos, steps)
                    continue
            else:
                pos = self.scalar(pos)

            # ---- out of the containers that are complete
            while True:
                pos = self.space(pos)
                if not steps:
                    if pos < len(data):
                        raise self.trailing(pos)
                    return
                closer = b"]" if isinstance(steps[-1], int) else b"}"
                byte = data[pos : pos + 1]
                if byte == b"," or byte != closer:
                    break
                pos += 1
                steps.pop()

            # ---- on to the next member
            if byte != b",":
                raise self.fail(f"expected ',' or '{closer.decode()}'", pos)
            pos = self.space(pos + 1)
            place = steps[-1]
            if isinstance(place, int):
                steps[-1] = place + 1
            else:
                pos = self.key(pos, steps)

    def members(self, pos: int, index: int) -> tuple[int, int]:
        """Return the place and the index after the members of a list, from *index* on, that need no closer look."""
        while match := _MEMBERS.match(self.data, pos):
            count = match.group().count(b",")
            if count > self.budget.items:  # one of them is beyond the limit
                break
            self.budget.items -= count
            index += count
            pos = match.end()
        return pos, index

    def space(self, pos: int) -> int:
        """Return the place after white space."""
        match = _SPACE.match(self.data, pos)
        return match.end() if match else pos

    def key(self, pos: int, steps: list[Step | None]) -> int:
        """string `:`, and the white space around it"""
        steps[-1] = None
        if self.data[pos : pos + 1] != b'"':
            raise self.fail("expected a key in double quotes", pos)
        end = self.string(pos)
        steps[-1] = orjson.loads(self.data[pos:end])
        return self.space(self.expect(b":", self.space(end)))

    def scalar(self, pos: int) -> int:
        """string | number | true | false | null"""
        data = self.data
        if data[pos : pos + 1] == b'"':
            return self.string(pos)
        if match := _WORD.match(data, pos):
            return match.end()
        match = _NUMBER.match(data, pos)
        if match is None:
            hint = next((Hint(name) for start, name in _HINTS if data.startswith(start, pos)), None)
            raise self.fail("expected a value", pos, hint=hint)
        self.check_number(match)
        return match.end()

    def check_number(self, match: re.Match[bytes]) -> None:
        """Fail if a number is beyond an int64 (unless that is a text) or a float."""
        if match[1] or match[2]:
            if math.isinf(float(match.group())):
                raise self.fail("a number beyond the range of a float", match.start(), kind="limit")
        # More digits than an int64 has are cut before int() sees them: it refuses thousands.
        elif not INT_MIN <= int(match.group()[:21]) <= INT_MAX:
            if not self.big_as_text:
                hint = Hint("bigint-as-string")
                raise self.fail("an integer beyond 64 bits", match.start(), kind="limit", hint=hint)
            self.rewritten += b'%b"%b"' % (self.data[self.rewritten_to : match.start()], match.group())
            self.rewritten_to = match.end()

    def string(self, pos: int) -> int:
        """`"…"` in UTF-8, without control characters and lone surrogates"""
        marks = (mark.start() for mark in _MARK.finditer(self.data, pos + 1) if not mark[1])
        stop = next(marks, len(self.data))
        if self.bad_utf8 < stop:
            raise self.fail("not UTF-8", self.bad_utf8, hint=Hint("other-encoding"))
        if self.data[stop : stop + 1] != b'"':
            raise self.bad_string(stop)
        self.check_surrogates(pos + 1, stop)
        return stop + 1

    def bad_string(self, stop: int) -> DecodeError:
        """Return the error for what a string cannot hold at *stop*, to be raised."""
        rest = self.data[stop : stop + 6]
        if _CUT_ESCAPE.fullmatch(rest):
            return self.fail("expected the string to end", len(self.data))
        if rest.startswith(b"\\"):
            return self.fail("an escape that JSON does not have", stop)
        return self.fail("a control character in a string", stop, hint=Hint("escaped-control"))

    def check_surrogates(self, start: int, end: int) -> None:
        """Each high surrogate's escape is followed by a low one's, and no low one stands alone."""
        high = None
        if self.data.find(b"\\u", start, end) < 0:
            return
        for escape in _ESCAPE.finditer(self.data, start, end):
            unit = int(escape[1], 16) if escape[1] else 0
            is_low = 0xDC00 <= unit <= 0xDFFF
            if high is not None and not (is_low and escape.start() == high + 6):
                raise self.fail("a lone surrogate", high)
            if is_low and high is None:
                raise self.fail("a lone surrogate", escape.start())
            high = escape.start() if 0xD800 <= unit <= 0xDBFF else None
        if high is not None:
            raise self.fail("a lone surrogate", high)
