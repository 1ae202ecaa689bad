"""What the decoders share: errors that say where in the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envelope.errors import DecodeError, DecodeErrorKind
from envelope.formats.common.budget import Budget
from envelope.formats.common.charsets import UTF_8, Charset
from envelope.formats.common.wrapped import behind_hint, wrapping_hint
from envelope.hints import Hint
from envelope.limits import Limits
from envelope.path import ROOT

if TYPE_CHECKING:
    from envelope.formats.common.decoded import Decoded

__all__ = ["Cursor", "column_hint", "count_of"]


class Cursor:
    """The input, and the one way to fail at a place in it.

    Most errors are made without a path: the reader that catches them on their way out knows where it was, and adds it
    (``error.path = …``). So nothing is kept for errors while all goes well.

    *charset* is that of the strings in the input. A document that was decoded as a whole is its *source*: then the
    input is UTF-8, and errors count the bytes that it was decoded from.
    """

    __slots__ = ("budget", "charset", "data", "decode", "format", "source")

    def __init__(
        self,
        data: bytes,
        format: str,
        limits: Limits,
        charset: Charset = UTF_8,
        *,
        source: Decoded | None = None,
    ) -> None:
        self.data = data
        self.format = format
        self.budget = Budget(limits)
        self.charset = charset
        self.decode = charset.decode
        self.source = source

    def expect(self, token: bytes, pos: int, what: str = "") -> int:
        """Return the place after *token*, which must be at *pos*; fails at the first byte that differs."""
        data = self.data
        if data.startswith(token, pos):
            return pos + len(token)
        at = pos
        while at < len(data) and data[at] == token[at - pos]:
            at += 1
        raise self.fail(f"expected {what or token.decode()!r}", at)

    def fail(
        self,
        reason: str,
        offset: int,
        *,
        kind: DecodeErrorKind = "malformed",
        path: str = ROOT,
        hint: Hint | None = None,
    ) -> DecodeError:
        """Return the error at *offset*, to be raised; it says so if the input ends there."""
        size, offset = self.place(len(self.data)), self.place(offset)
        if offset >= size and kind == "malformed":
            reason = f"the input ends; {reason}"
            hint = hint or column_hint(size)
        if kind == "malformed":  # what stands around a document explains more than what it was taken for
            hint = wrapping_hint(self.data, offset, self.format) or hint
        return DecodeError(reason, kind=kind, format=self.format, offset=min(offset, size), path=path, hint=hint)

    def trailing(self, pos: int) -> DecodeError:
        """Return the error for what follows the value, to be raised."""
        rest = count_of(self.place(len(self.data)) - self.place(pos), "byte")
        return self.fail(f"{rest} after the value", pos, hint=behind_hint(self.data[pos:]))

    def place(self, pos: int) -> int:
        """Return where byte *pos* stands in the caller's input."""
        return pos if self.source is None else self.source.place(pos)

    def text_or_none(self, raw: bytes) -> str | None:
        """Return the text of a string's bytes; None if they do not fit the charset."""
        try:
            return self.decode(raw)
        except UnicodeDecodeError:
            return None

    def not_in_charset(self, what: str, offset: int, hint: Hint | None = None) -> DecodeError:
        """Return the error for *what* (a string, a name) that does not fit the charset, to be raised."""
        return self.fail(f"{what} that is not {self.charset.name.upper()}", offset, kind="forbidden", hint=hint)

    def enter(self, depth: int, items: int, offset: int) -> None:
        """Pay for a container at *depth* that holds *items* values; fails at *offset* if that exceeds the limits."""
        if excess := self.budget.enter(depth, items):
            raise self.fail(excess.reason, offset, kind="limit", hint=excess.hint)


def count_of(number: int, noun: str) -> str:
    """``1 byte``, ``2 bytes``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def column_hint(size: int) -> Hint | None:
    """Return a guess at why the input ends at *size*: MySQL's columns cut text at these lengths."""
    column = {255: "TINYTEXT", 65_535: "TEXT", 16_777_215: "MEDIUMTEXT"}.get(size)
    return Hint("cut-by-column", size, column) if column else None
