"""`Envelope`: the six fields of a gateway's answer, and the rest.

The model knows no clock, no ids and no texts: it says what it is given. Formats never see it; `Envelope.to_value`
and `Envelope.from_value` are the only bridge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from envelope.errors import EncodeError, ValidationError
from envelope.path import format_path, short_path
from envelope.values import INT_MAX, INT_MIN, PhpObject

__all__ = ["TEXT_FIELDS", "Envelope", "Note"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

TEXT_FIELDS = ("error", "reason", "error_code", "request_id", "last_id")
"""The fields that are strings: all but the payload."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was mended on the way in: at ``path``, and what was done."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope(Generic[T_co]):
    """One answer: ``response`` (any value), five strings, and fields beyond the six in their own order.

    ``notes`` says what was mended when the envelope was read; it is neither compared nor written.
    """

    response: T_co
    error: str = ""
    reason: str = ""
    error_code: str = "0000"
    request_id: str = ""
    last_id: str = ""
    extras: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = field(default=(), compare=False, repr=False)

    @staticmethod
    def ok(
        response: T, *, request_id: str = "", last_id: str = "", extras: Mapping[str, Any] | None = None
    ) -> Envelope[T]:
        """A success: code ``"0000"``, no error."""
        return Envelope(response=response, request_id=request_id, last_id=last_id, extras=extras or {})

    @staticmethod
    def fail(
        code: str,
        *,
        error: str = "",
        reason: str = "",
        request_id: str = "",
        last_id: str = "",
        extras: Mapping[str, Any] | None = None,
    ) -> Envelope[Any]:
        """A failure with this code; ``response`` is ``[]``, as PHP gateways say nothing."""
        return Envelope(
            response=[],
            error=error,
            reason=reason,
            error_code=code,
            request_id=request_id,
            last_id=last_id,
            extras=extras or {},
        )

    def to_value(self, payload: str = "response") -> dict[str, Any]:
        """The map that goes on the wire: ``response, error, reason, error_code, request_id, last_id``, the extras.

        *payload* is the name that ``response`` goes by. `EncodeError` where a text field is no `str`, or where an
        extra has the name of a field.
        """
        _check_payload(payload)
        value = {
            payload: self.response,
            "error": self.error,
            "reason": self.reason,
            "error_code": self.error_code,
            "request_id": self.request_id,
            "last_id": self.last_id,
        }
        for name in TEXT_FIELDS:
            if type(value[name]) is not str:
                raise EncodeError(f"a str, not {type(value[name]).__name__}", path=format_path([name]))
        if not isinstance(self.extras, Mapping):
            raise EncodeError(f"extras are a mapping, not {type(self.extras).__name__}")
        if self.extras:
            for name in self.extras:
                if name in value:
                    raise EncodeError("an extra has the name of a field", path=short_path([name]))
            value.update(self.extras)
        return value

    @staticmethod
    def from_value(value: object, payload: str = "response", *, strict: bool = False) -> Envelope[Any]:
        """The envelope in a decoded map, whatever the order of its fields.

        Unless *strict*, what is missing or mistyped in a known way is mended and noted: a missing payload is
        ``[]``, a missing or null text ``""``, an integer code is padded to four digits, an integer id is its
        decimal. Everything else is a `ValidationError` with the field's path.
        """
        _check_payload(payload)
        fields = _fields(value)
        notes: list[Note] = []
        if payload in fields:
            response = fields.pop(payload)
        elif strict:
            raise ValidationError("missing", path=format_path([payload]))
        else:
            response = []
            notes.append(Note(format_path([payload]), "missing, taken as []"))
        texts = {name: _read_text(fields, name, notes, strict=strict) for name in TEXT_FIELDS}
        return Envelope(response=response, **texts, extras=fields, notes=tuple(notes))


def _check_payload(payload: str) -> None:
    if type(payload) is not str or payload in TEXT_FIELDS:
        raise TypeError(f"payload is the name of a field of its own, not {payload!r}")


def _fields(value: object) -> dict[Any, Any]:
    """A copy of the map that an envelope is; PHP may also write it as an stdClass, and an empty one as ``[]``."""
    if type(value) is dict:
        return dict(value)
    if type(value) is PhpObject and value.class_name == "stdClass":
        return {entry.mangled: entry.value for entry in value.properties}
    if value == [] and type(value) is list:
        return {}
    raise ValidationError(f"an envelope is a map, not {type(value).__name__}")


_MISSING = object()


def _read_text(fields: dict[Any, Any], name: str, notes: list[Note], *, strict: bool) -> str:
    """Take one of the five strings out of *fields*."""
    value = fields.pop(name, _MISSING)
    return value if type(value) is str else _mend_text(value, name, notes, strict=strict)


def _mend_text(value: object, name: str, notes: list[Note], *, strict: bool) -> str:
    """A text for what is none, and a note of it."""
    path = format_path([name])
    is_missing = value is _MISSING
    if strict:
        raise ValidationError("missing" if is_missing else f"a string, not {type(value).__name__}", path=path)
    if is_missing or value is None:
        notes.append(Note(path, f"{'missing' if is_missing else 'null'}, taken as ''"))
        return ""
    if type(value) is int and INT_MIN <= value <= INT_MAX:
        if name == "error_code" and value >= 0:
            notes.append(Note(path, "an integer, padded to four digits"))
            return f"{value:04d}"
        if name in ("request_id", "last_id"):
            notes.append(Note(path, "an integer, taken as its decimal"))
            return str(value)
    raise ValidationError(f"a string, not {type(value).__name__}", path=path)
