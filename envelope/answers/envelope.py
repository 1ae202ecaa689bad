"""`Envelope`: the six fields of a gateway's answer, and any extras.

The model has no clock, ids or texts of its own: it holds what it is given. Formats never see it; `Envelope.to_value`
and `Envelope.from_value` are the only bridge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, TypeVar

from envelope.errors import EncodeError, ValidationError
from envelope.path import format_path, short_path

__all__ = ["TEXT_FIELDS", "Envelope", "Note", "wire_map"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

TEXT_FIELDS = ("error", "reason", "error_code", "request_id", "last_id")
"""The fields that are strings: all but the payload."""

_NO_EXTRAS: Mapping[str, Any] = {}
_MISSING: Any = object()


class Note(NamedTuple):
    """A repair made while reading an envelope: its ``path``, and what was done."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope(Generic[T_co]):
    """One answer: ``response`` (any value), five strings, and fields beyond the six in their own order.

    ``notes`` lists what was repaired when the envelope was read; it is neither compared nor written.
    """

    response: T_co
    error: str = ""
    reason: str = ""
    error_code: str = "0000"
    request_id: str = ""
    last_id: str = ""
    extras: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = field(default=(), compare=False, repr=False)

    def __init__(
        self,
        *,
        response: T_co,
        error: str = "",
        reason: str = "",
        error_code: str = "0000",
        request_id: str = "",
        last_id: str = "",
        extras: Mapping[str, Any] = _NO_EXTRAS,
        notes: tuple[Note, ...] = (),
    ) -> None:
        # What dataclass would generate, except that setting the fields is faster: see _set_response.
        _set_response(self, response)
        _set_error(self, error)
        _set_reason(self, reason)
        _set_error_code(self, error_code)
        _set_request_id(self, request_id)
        _set_last_id(self, last_id)
        _set_extras(self, {} if extras is _NO_EXTRAS else extras)
        _set_notes(self, notes)

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
        """A failure with this code; ``response`` is ``[]``, which is how PHP gateways write nothing."""
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

        *payload* is the name to write ``response`` under. `EncodeError` if a text field is not a `str`, or an extra
        has the name of a field.
        """
        return wire_map(
            self.response,
            self.error,
            self.reason,
            self.error_code,
            self.request_id,
            self.last_id,
            self.extras,
            payload,
        )

    @staticmethod
    def from_value(value: object, payload: str = "response", *, strict: bool = False) -> Envelope[Any]:
        """The envelope in a decoded map, whatever the order of its fields.

        Unless *strict*, known faults are repaired and noted: a missing payload becomes ``[]``, a missing or null text
        ``""``; an integer code is padded to four digits, and an integer id becomes its decimal. Any other fault is a
        `ValidationError` with the field's path.
        """
        _check_payload(payload)
        extras = value.copy() if type(value) is dict else _members(value)
        take = extras.pop
        response = take(payload, _MISSING)
        error = take("error", _MISSING)
        reason = take("reason", _MISSING)
        error_code = take("error_code", _MISSING)
        request_id = take("request_id", _MISSING)
        last_id = take("last_id", _MISSING)
        notes: tuple[Note, ...] = ()
        is_ordinary = type(error) is type(reason) is type(error_code) is type(request_id) is type(last_id) is str
        if not is_ordinary or response is _MISSING:
            texts = [error, reason, error_code, request_id, last_id]
            response, texts, notes = _repair(response, payload, texts, strict=strict)
            error, reason, error_code, request_id, last_id = texts
        envelope: Envelope[Any] = object.__new__(Envelope)
        # Calling the class would first put all of these into a dict.
        Envelope.__init__(
            envelope,
            response=response,
            error=error,
            reason=reason,
            error_code=error_code,
            request_id=request_id,
            last_id=last_id,
            extras=extras,
            notes=notes,
        )
        return envelope

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from envelope.answers.pydantic import envelope_core_schema

        return envelope_core_schema(cls, source, handler)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        described = handler(schema)
        shown = handler.resolve_ref_schema(described)
        for name in ("extras", "notes"):  # an extra is on the wire as a field of its own
            shown["properties"].pop(name, None)
        shown["required"] = [name for name in shown["required"] if name in shown["properties"]]
        return described

    if not TYPE_CHECKING:

        def __class_getitem__(cls, params: Any) -> Any:
            # Pydantic takes Envelope[Model] for any dataclass, and does not ask the class unless that is an annotation.
            # super() by name: a dataclass with slots is another class than the one it was written as.
            alias = Annotated[super(Envelope, cls).__class_getitem__(params), cls]
            alias.__mro_entries__ = lambda _: (cls,)  # a class may be derived from Envelope[T]
            return alias


def wire_map(
    response: object,
    error: str,
    reason: str,
    error_code: str,
    request_id: str,
    last_id: str,
    extras: Mapping[str, Any],
    payload: str,
) -> dict[str, Any]:
    """What `Envelope.to_value` returns, from its fields: an engine's answers need no `Envelope` on the way."""
    _check_payload(payload)
    value = {
        payload: response,
        "error": error,
        "reason": reason,
        "error_code": error_code,
        "request_id": request_id,
        "last_id": last_id,
    }
    if not type(error) is type(reason) is type(error_code) is type(request_id) is type(last_id) is str:
        name = next(name for name in TEXT_FIELDS if type(value[name]) is not str)
        raise EncodeError(f"a str, not {type(value[name]).__name__}", path=format_path([name]))
    if type(extras) is not dict and not isinstance(extras, Mapping):
        raise EncodeError(f"extras are a mapping, not {type(extras).__name__}")
    if extras:
        for name in extras:
            if name in value:
                raise EncodeError("an extra has the name of a field", path=short_path([name]))
        value.update(extras)
    return value


# A frozen dataclass sets its fields with object.__setattr__, which looks each up by name.
(
    _set_response,
    _set_error,
    _set_reason,
    _set_error_code,
    _set_request_id,
    _set_last_id,
    _set_extras,
    _set_notes,
) = (getattr(Envelope, field.name).__set__ for field in fields(Envelope))


def _check_payload(payload: str) -> None:
    if type(payload) is not str or payload in TEXT_FIELDS:
        raise TypeError(f"payload must be the name of a separate field, not {payload!r}")


def _members(value: object) -> dict[Any, Any]:
    """The map of an envelope that is not a dict: PHP may write an stdClass, and an empty map as ``[]``."""
    from envelope.values.php_types import PhpObject

    if type(value) is PhpObject and value.class_name == "stdClass":
        return {entry.mangled: entry.value for entry in value.properties}
    if value == [] and type(value) is list:
        return {}
    raise ValidationError(f"an envelope is a map, not {type(value).__name__}")


def _repair(response: Any, payload: str, texts: list[Any], *, strict: bool) -> tuple[Any, list[str], tuple[Note, ...]]:
    """The payload and the five texts, repaired, and a note of each change."""
    notes: list[Note] = []
    if response is _MISSING:
        if strict:
            raise ValidationError("missing", path=format_path([payload]))
        response = []
        notes.append(Note(format_path([payload]), "missing, taken as []"))
    repaired = [
        text if type(text) is str else _repair_text(text, name, notes, strict=strict)
        for name, text in zip(TEXT_FIELDS, texts, strict=True)
    ]
    return response, repaired, tuple(notes)


def _repair_text(value: object, name: str, notes: list[Note], *, strict: bool) -> str:
    """The text to use for a *value* that is not one; adds a note of it."""
    from envelope.values.php_rules import INT_MAX, INT_MIN

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
