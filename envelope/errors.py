"""The exception tree: what failed, the kind of failure, where, and what to do about it.

The fields are the interface, the wording is not. Errors hold nothing of the input but keys (see `envelope.path`), so
they can be logged; all of them can be pickled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from envelope.path import ROOT

if TYPE_CHECKING:
    from envelope.hints import Hint
    from envelope.values.php_types import Loss

__all__ = [
    "DecodeError",
    "DecodeErrorKind",
    "EncodeError",
    "EncodeErrorKind",
    "EnvelopeError",
    "LossError",
    "LossWarning",
    "RequestError",
    "UnknownCode",
    "UnknownFormat",
    "ValidationError",
]

DecodeErrorKind = Literal["malformed", "limit", "forbidden"]
"""``malformed``: not what the format's writer writes. ``limit``: beyond `envelope.Limits`, or beyond a number's
range. ``forbidden``: well-formed, but refused (a class in the portable domain, a DOCTYPE, another encoding)."""

EncodeErrorKind = Literal["unrepresentable", "limit"]
"""``unrepresentable``: outside the value domain, or outside what the format can hold. ``limit``: too much of it."""


class EnvelopeError(Exception):
    """Root of every error of this library."""


class EncodeError(EnvelopeError, ValueError):
    """A value cannot be written. ``path`` says which part of it."""

    def __init__(
        self,
        reason: str,
        *,
        kind: EncodeErrorKind = "unrepresentable",
        format: str = "",
        path: str = ROOT,
        hint: Hint | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind: EncodeErrorKind = kind
        self.format = format
        self.path = path
        self.hint = hint

    def __str__(self) -> str:
        return _sentence(self.format, f"{self.kind} at {self.path}", self.reason, self.hint)


class DecodeError(EnvelopeError, ValueError):
    """Bytes cannot be read. ``offset`` counts bytes of the caller's input from 0; ``path`` is where the reader was."""

    def __init__(
        self,
        reason: str,
        *,
        kind: DecodeErrorKind = "malformed",
        format: str = "",
        offset: int = 0,
        path: str = ROOT,
        hint: Hint | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind: DecodeErrorKind = kind
        self.format = format
        self.offset = offset
        self.path = path
        self.hint = hint

    def __str__(self) -> str:
        return _sentence(self.format, f"{self.kind} at byte {self.offset}, {self.path}", self.reason, self.hint)


class ValidationError(EnvelopeError, ValueError):
    """A value is well-formed but not what it must be: an envelope, a registry's row. ``path`` names the field."""

    def __init__(self, reason: str, *, path: str = ROOT, hint: Hint | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path
        self.hint = hint

    def __str__(self) -> str:
        return _sentence("", f"invalid at {self.path}", self.reason, self.hint)


class RequestError(ValidationError):
    """A request cannot be answered as asked. ``code`` is the error code to answer with, ``path`` the parameter.

    ``result_type`` and ``lang`` say how the caller wants the answer, as far as the request says.
    """

    def __init__(
        self,
        reason: str,
        *,
        code: str = "4003",
        path: str = ROOT,
        hint: Hint | None = None,
        result_type: str = "json",
        lang: str = "cn",
    ) -> None:
        super().__init__(reason, path=path, hint=hint)
        self.code = code
        self.result_type = result_type
        self.lang = lang

    def __str__(self) -> str:
        return _sentence(self.code, f"at {self.path}", self.reason, self.hint)


class LossError(EnvelopeError, ValueError):
    """A conversion would change the value. ``losses`` lists each place (`envelope.Loss`); nothing was written."""

    def __init__(self, losses: Sequence[Loss], format: str = "") -> None:
        super().__init__(losses, format)
        self.losses = list(losses)
        self.format = format

    def __str__(self) -> str:
        shown = "; ".join(map(str, self.losses[:3]))
        more = f"; and {len(self.losses) - 3} more" if len(self.losses) > 3 else ""
        is_kept = self.format == "serialize" and any(loss.is_reference for loss in self.losses)
        keep = "keep references with references='keep', or " if is_kept else ""
        return f"{self.format} would lose: {shown}{more} ({keep}allow it with on_loss='warn' or 'ignore')"


class LossWarning(UserWarning):
    """A conversion changed the value, and was asked to warn about it."""


class UnknownFormat(EnvelopeError, LookupError):
    """No format has this name."""


class UnknownCode(EnvelopeError, LookupError):
    """The registry holds no such error code."""


def _sentence(format: str, where: str, reason: str, hint: Hint | None) -> str:
    return f"{format + ': ' if format else ''}{where}: {reason}{f' ({hint})' if hint else ''}"
