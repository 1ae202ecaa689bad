"""What a typed and a plain XML element may be: the rules for both ways of reading.

A rule's error has no place yet; the exact reader adds it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import orjson

from envelope.errors import DecodeError, DecodeErrorKind
from envelope.formats.common.budget import Budget
from envelope.formats.common.memory import is_out_of_memory
from envelope.hints import Hint
from envelope.values.php_rules import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from envelope.formats.common.budget import Excess
    from envelope.hints import HintName
    from envelope.limits import Limits

FORMAT: Final = "xml"

_LIBXML2_DEPTH: Final = 2047  # containers; libxml2 goes no deeper than 2048 elements
WHITE: Final = " \t\r\n"
PASSED_OVER: Final = rb"<!--.*?-->|<\?.*?\?>"
"""A comment or a processing instruction: a regular expression in which a dot is any byte."""


def fault(reason: str, *, kind: DecodeErrorKind = "malformed", hint: Hint | None = None) -> DecodeError:
    """Return a fault of the document, whose place the caller adds; to be raised."""
    return DecodeError(reason, kind=kind, format=FORMAT, hint=hint)


def beside() -> DecodeError:
    """Return the fault of text beside elements, to be raised."""
    return fault("text beside elements", hint=Hint("text-or-elements"))


def check_namespace(tag: str, attributes: Iterable[str], hint: HintName) -> None:
    """Fail if a tag or an attribute is in a namespace."""
    if ":" in tag or any(name == "xmlns" or ":" in name for name in attributes):
        raise fault("a namespace", kind="forbidden", hint=Hint(hint))


def exotic() -> DecodeError:
    """Return the fault of what must be read exactly: its reason is never seen.

    Names that are not ASCII, for example: libxml2 knows those of XML 1.0's fifth edition, expat those of the fourth,
    and only one may decide.
    """
    return fault("this is read exactly")


def inside() -> DecodeError:
    """Return the fault of an element inside a scalar, to be raised."""
    return fault("an element inside a value that is not a container", hint=Hint("plain-dialect"))


def budget_of(limits: Limits) -> Budget:
    """Return the budget of one document: what libxml2 would not read is not written either."""
    return Budget(limits, "libxml2", _LIBXML2_DEPTH)


def beyond(excess: Excess) -> DecodeError:
    """Return the fault of what goes beyond a limit, to be raised."""
    return fault(excess.reason, kind="limit", hint=excess.hint)


CONTAINERS: Final = frozenset({"map", "list"})
KINDS: Final = CONTAINERS | {"int", "float", "bool", "null"}


_TYPED_ATTRIBUTES: Final = frozenset({"type", "key", "escaped", "escaped-key"})


def typed_head(tag: str, attributes: Mapping[str, str], parent: str) -> tuple[str, str, bool]:
    """Key, type (`""` for text) and whether the text is escaped, of an element in a *parent* (`""`: the document)."""
    if not parent and tag != "root":
        raise fault("the root element is not named root", hint=Hint("plain-dialect"))
    if parent == "list" and tag != "item":
        raise fault("a member of a list is not named item")
    if not attributes:
        return tag, "", False
    if not attributes.keys() <= _TYPED_ATTRIBUTES:
        raise fault("an attribute other than type, key, escaped and escaped-key")
    for name in ("escaped", "escaped-key"):
        if attributes.get(name, "true") != "true":
            raise fault(f'{name} is "true" or absent')
    kind = attributes.get("type", "")
    if "type" in attributes and kind not in KINDS:
        raise fault("a type other than map, list, int, float, bool and null", hint=Hint("text-has-no-type"))
    if kind and "escaped" in attributes:
        raise fault("escaped on an element that is not text")
    return _typed_key(tag, attributes, parent), kind, "escaped" in attributes


def _typed_key(tag: str, attributes: Mapping[str, str], parent: str) -> str:
    if "key" in attributes:
        if parent != "map" or tag != "item":
            raise fault("a key on an element that is not an item of a map")
        return unescape(attributes["key"]) if "escaped-key" in attributes else attributes["key"]
    if "escaped-key" in attributes:
        raise fault("escaped-key without a key")
    return tag


def plain_key(tag: str, attributes: Mapping[str, str], *, root: bool) -> str | None:
    """Return the key of an element; None for an `item` without one."""
    for name in attributes:
        if name != "key":
            is_type = name == "type" and attributes[name] in KINDS
            hint = Hint("typed-dialect") if is_type else Hint("attributes")
            raise fault("an attribute other than key", hint=hint)
        if root or tag != "item":
            raise fault("a key on an element that is not an item", hint=Hint("attributes"))
    return attributes.get("key") if tag == "item" else tag


def plain_container(names: list[str | None], values: list[Any]) -> Any:
    """Return a list if all children are items without a key; else a map, with a list of values for a repeated name."""
    if names.count(None) == len(names):
        return values
    members: dict[str, list[Any]] = {}
    for name, value in zip(names, values, strict=True):
        members.setdefault("item" if name is None else name, []).append(value)
    return {name: found if len(found) > 1 else found[0] for name, found in members.items()}


def unescape(text: str) -> str:
    """Return the text of which *text* is the inside of a JSON string."""
    try:
        return str(orjson.loads(f'"{text}"'))
    except orjson.JSONDecodeError as exc:
        lacks_memory = is_out_of_memory(exc)
    # After the handler, because orjson's error holds the text.
    if lacks_memory:
        raise MemoryError
    raise fault("escaped text is not the inside of a JSON string")


_INT: Final = re.compile(r"0|-?[1-9][0-9]*")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def _read_int(text: str) -> int:
    if not _INT.fullmatch(text):
        raise fault("expected a decimal integer")
    if len(text) > 20 or not INT_MIN <= (number := int(text)) <= INT_MAX:
        raise fault("an int beyond 64 bits", kind="limit")
    return number


def _read_float(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise fault("expected a JSON number")
    number = float(text)
    if number - number != 0:
        raise fault("a float beyond 64 bits", kind="limit")
    return number


def _read_bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise fault("expected true or false")
    return text == "true"


def _read_null(text: str) -> None:
    if text:
        raise fault("expected nothing in a null")


SCALARS: Final[dict[str, Callable[[str], Any]]] = {
    "": str, "int": _read_int, "float": _read_float, "bool": _read_bool, "null": _read_null,
}  # fmt: skip
