"""What the decoders share: errors that say where in the input."""

from __future__ import annotations

from envelope.errors import DecodeError, DecodeErrorKind
from envelope.formats.common.budget import Budget
from envelope.formats.common.wrapped import behind_hint, wrapping_hint
from envelope.hints import Hint
from envelope.limits import Limits
from envelope.path import ROOT

__all__ = ["Cursor", "column_hint", "count_of", "text_or_none"]


class Cursor:
    """The input, and the one way to fail at a place in it.

    Most errors are made without a path: the reader that catches them on their way out knows where it was, and adds it
    (``error.path = …``). So nothing is kept for errors while all goes well.
    """

    __slots__ = ("budget", "data", "format")

    def __init__(self, data: bytes, format: str, limits: Limits) -> None:
        self.data = data
        self.format = format
        self.budget = Budget(limits)

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
        size = len(self.data)
        if offset >= size and kind == "malformed":
            reason = f"the input ends; {reason}"
            hint = hint or column_hint(size)
        if kind == "malformed":  # what stands around a document explains more than what it was taken for
            hint = wrapping_hint(self.data, offset, self.format) or hint
        return DecodeError(reason, kind=kind, format=self.format, offset=min(offset, size), path=path, hint=hint)

    def trailing(self, pos: int) -> DecodeError:
        """Return the error for what follows the value, to be raised."""
        rest = count_of(len(self.data) - pos, "byte")
        return self.fail(f"{rest} after the value", pos, hint=behind_hint(self.data[pos:]))

    def enter(self, depth: int, items: int, offset: int) -> None:
        """Pay for a container at *depth* that holds *items* values; fails at *offset* if that exceeds the limits."""
        if excess := self.budget.enter(depth, items):
            raise self.fail(excess.reason, offset, kind="limit", hint=excess.hint)


def count_of(number: int, noun: str) -> str:
    """``1 byte``, ``2 bytes``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def text_or_none(raw: bytes) -> str | None:
    """Return the text of UTF-8 bytes; None if they are not UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def column_hint(size: int) -> Hint | None:
    """Return a guess at why the input ends at *size*: MySQL's columns cut text at these lengths."""
    column = {255: "TINYTEXT", 65_535: "TEXT", 16_777_215: "MEDIUMTEXT"}.get(size)
    return Hint("cut-by-column", size, column) if column else None
