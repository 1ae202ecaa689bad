"""How names are spelled in tagged JSON: the keys of arrays, and properties with their visibility."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Final, NamedTuple

from envelope.values.php_rules import array_key, is_class_name, text_or_bytes

if TYPE_CHECKING:
    from envelope.values.php_types import PhpProperty, Visibility

__all__ = [
    "INTEGER",
    "PropertyName",
    "full_name",
    "is_tag",
    "key_name",
    "read_base64",
    "read_key",
    "read_property",
    "read_visibility",
    "short_name",
    "visibility_of",
    "write_base64",
]

_BASE64: Final = "@base64:"
_INT: Final = "@int:"
INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,18}")


class PropertyName(NamedTuple):
    """A property's name, and its visibility if the name says it."""

    name: str | bytes | int
    visibility: Visibility | None = None
    declared_in: str = ""


def is_tag(name: str) -> bool:
    """Whether a member of this name is no key of an array: a tag, or a property that is spelled in full."""
    return name[:1] == "@" and name[1:2] != "@" and not name.startswith(_BASE64)


def key_name(key: str | bytes | int) -> str:
    """Return how the *key* of an array is spelled."""
    if type(key) is bytes:
        return _BASE64 + write_base64(key)
    return f"@{key}" if type(key) is str and key[:1] == "@" else str(key)


def short_name(entry: PhpProperty) -> str:
    """Return how a property is spelled that is the only one of its name."""
    return f"{_INT}{entry.name}" if type(entry.name) is int else key_name(entry.name)


def full_name(entry: PhpProperty) -> str:
    """Return how a property is spelled with its visibility."""
    owner = f"{entry.declared_in}:" if entry.declared_in else ""
    return f"@{entry.visibility}:{owner}{key_name(entry.name)}"


def visibility_of(entry: PhpProperty, class_name: str) -> str:
    """Return how the visibility of a property of *class_name* is spelled, if it is not public."""
    is_inherited = entry.declared_in not in ("", class_name)
    return f"{entry.visibility}:{entry.declared_in}" if is_inherited else entry.visibility


def read_key(name: str) -> str | bytes | int | None:
    """Return the key of an array that *name* spells; None if it spells none."""
    key = _read_text(name)
    return array_key(key) if type(key) is str else key


def read_property(name: str) -> PropertyName | None:
    """Return the property that *name* spells; None if it spells none."""
    if name.startswith(_INT):
        digits = name.removeprefix(_INT)
        number = array_key(digits) if INTEGER.fullmatch(digits) else None
        return PropertyName(number) if type(number) is int else None
    head, found, rest = name.partition(":")
    visibility = _VISIBILITIES.get(head) if found else None
    owner = ""
    if visibility == "private":
        owner, found, rest = rest.partition(":")
        if not found or not is_class_name(owner):
            return None
    text = _read_text(name if visibility is None else rest)
    return None if text is None else PropertyName(text, visibility, owner)


_VISIBILITIES: Final[dict[str, Visibility]] = {
    "@public": "public",
    "@protected": "protected",
    "@private": "private",
}


def read_visibility(word: object, class_name: str) -> tuple[Visibility, str] | None:
    """Return the visibility that *word* spells, with the class of a private property; None if it spells none."""
    if word == "protected":
        return "protected", ""
    if word == "private":
        return "private", class_name
    if type(word) is str and word.startswith("private:") and is_class_name(owner := word.removeprefix("private:")):
        return "private", owner
    return None


def _read_text(name: str) -> str | bytes | None:
    if name[:1] != "@":
        return name
    if name[1:2] == "@":
        return name[1:]
    return read_base64(name.removeprefix(_BASE64)) if name.startswith(_BASE64) else None


def write_base64(raw: bytes) -> str:
    """Return *raw* in base64."""
    return b64encode(raw).decode()


def read_base64(text: object) -> str | bytes | None:
    """Return the PHP string that is *text* in base64, as a value; None if it is none."""
    if type(text) is not str:
        return None
    try:
        return text_or_bytes(b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None
