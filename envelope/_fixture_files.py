"""The files that say what a fixture is: a case's `case.toml`, and `<name>.toml` beside an invalid body."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, Literal, TypeVar, get_args

from envelope._toml import parse_toml
from envelope.errors import DecodeErrorKind, ValidationError
from envelope.formats import FORMATS
from envelope.model import TEXT_FIELDS
from envelope.path import ROOT, format_path, short_path
from envelope.verdicts import CONTRADICTIONS

__all__ = ["STATABLE", "Case", "Refusal", "read_case", "read_refusal"]

STATABLE: Final = ("error-code", "request-id", *(rule for rule in CONTRADICTIONS if rule != "success-with-http-error"))
"""The rules that a case may be there to break: what an envelope says, not how it is written."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a `case.toml` says of the bodies beside it.

    ``payload`` is the name that the envelope's payload goes by; without one the value is no envelope. ``losses`` are,
    by format, the paths of what it cannot hold of the value. ``findings`` are the rules that the envelope is there to
    break. ``rewrites`` are the formats in which a body of PHP's domain is written again as it was; ``sha256`` vouches,
    by format, for bodies that no other body tells all of.
    """

    title: str
    values: Literal["portable", "php"] = "portable"
    maps: Literal["array", "object"] = "array"
    payload: str = ""
    losses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    findings: Sequence[str] = ()
    rewrites: Sequence[str] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check("title", isinstance(self.title, str) and self.title.strip(), "a text that says something")
        _check_word("values", self.values, ("portable", "php"))
        _check_word("maps", self.maps, ("array", "object"))
        is_name = isinstance(self.payload, str) and self.payload not in TEXT_FIELDS
        _check("payload", is_name, "the name of a field of its own")
        _check_formats("losses", self.losses)
        for format, paths in self.losses.items():
            _check_words(f"losses.{format}", paths, None)
        _check_words("findings", self.findings, STATABLE)
        _check("findings", self.payload or not self.findings, "for an envelope, whose payload has a name")
        _check_words("rewrites", self.rewrites, FORMATS)
        _check_formats("sha256", self.sha256)
        for format, digest in self.sha256.items():
            is_digest = isinstance(digest, str) and _DIGEST.fullmatch(digest)
            _check(f"sha256.{format}", is_digest, "64 hexadecimal digits in lower case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What stands beside an invalid body: of which kind its fault is, at which byte and path, and why it is one."""

    kind: DecodeErrorKind
    offset: int
    path: str = ROOT
    why: str = ""
    values: Literal["portable", "php"] = "portable"

    def __post_init__(self) -> None:
        _check_word("kind", self.kind, get_args(DecodeErrorKind))
        _check("offset", type(self.offset) is int and self.offset >= 0, "a count of bytes")
        _check("path", isinstance(self.path, str), "a text")
        _check("why", isinstance(self.why, str), "a text")
        _check_word("values", self.values, ("portable", "php"))


_T = TypeVar("_T", Case, Refusal)


def read_case(data: bytes) -> Case:
    """The `Case` that a `case.toml` describes; `DecodeError` where it is no TOML, `ValidationError` where no case."""
    return _read(data, Case)


def read_refusal(data: bytes) -> Refusal:
    """The `Refusal` that the TOML beside an invalid body describes; it raises as `read_case` does."""
    return _read(data, Refusal)


def _read(data: bytes, type: type[_T]) -> _T:
    table: dict[str, Any] = parse_toml(data)
    known = [entry.name for entry in fields(type)]
    for name in table:
        if name not in known:
            raise ValidationError("no such field", path=short_path([name]), hint=f"the fields are {', '.join(known)}")
    for entry in fields(type):
        if entry.default is MISSING and entry.default_factory is MISSING and entry.name not in table:
            raise ValidationError("missing", path=format_path([entry.name]))
    return type(**table)


def _check(name: str, is_right: object, wanted: str) -> None:
    if not is_right:
        raise ValidationError(f"{name} is {wanted}", path=f"{ROOT}.{name}")


def _check_word(name: str, value: object, words: Collection[str]) -> None:
    _check(name, isinstance(value, str) and value in words, f"one of {', '.join(words)}")


def _check_words(name: str, values: object, words: Collection[str] | None) -> None:
    members: Sequence[object] = values if isinstance(values, list | tuple) else ()
    _check(name, members is values, "a list")
    for index, value in enumerate(members):
        is_right = isinstance(value, str) and (words is None or value in words)
        _check(f"{name}[{index}]", is_right, f"one of {', '.join(words)}" if words is not None else "a text")


def _check_formats(name: str, table: object) -> None:
    is_right = isinstance(table, dict) and all(format in FORMATS for format in table)
    _check(name, is_right, f"a table of formats, which are {', '.join(FORMATS)}")
