"""What an object shows on the way to a format without classes: PHP's own classes, and all others.

``"public"`` is what PHP 8.2's `json_encode` shows of the object once it is unserialized; ``"all"`` is every property,
and what an object of PHP's own classes holds. The classes write themselves with ``__serialize()``, as an array of
their parts:

    ArrayObject, ArrayIterator …       flags, storage, properties, the class of the iterator
    SplObjectStorage                   objects and their data in turn, properties
    SplDoublyLinkedList, its children  flags, values, properties
    SplFixedArray                      its values, and properties by their names
    DateTime and its kin               parts by their names, and properties

A document may say otherwise (var_export writes what they show), and is then read like that of any class. So are
children of these classes, of which only the name is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from envelope.errors import EncodeError
from envelope.options import Objects
from envelope.values.php_rules import array_key
from envelope.values.php_types import Members, PhpObject, PhpProperty, public_members, referred

__all__ = ["members"]


_ARRAYS: Final = frozenset({"arrayobject", "arrayiterator", "recursivearrayiterator"})
_PROPERTIES_SHOWN: Final = 1  # ArrayObject's flag: json_encode shows its properties, not its storage
_OWN_STORAGE: Final = 0x01000000  # another: its properties are its storage

# Where the content and the properties are in the parts of other classes.
_PARTS: Final = {
    "splobjectstorage": (0, 1),
    "spldoublylinkedlist": (1, 2),
    "splqueue": (1, 2),
    "splstack": (1, 2),
}
_TIME: Final = ("date", "timezone_type", "timezone")
_INTERVAL: Final = ("y", "m", "d", "h", "i", "s", "f", "invert", "days", "from_string", "date_string")
# The names of the parts that json_encode shows last, and in this order.
_NAMED: Final = {
    "datetime": _TIME,
    "datetimeimmutable": _TIME,
    "datetimezone": _TIME[1:],
    "dateinterval": _INTERVAL,
}
_OWN: Final = _ARRAYS | _PARTS.keys() | _NAMED.keys() | {"splfixedarray"}


def members(value: PhpObject, objects: Objects = "public") -> Members:
    """Return what *value* shows, by name or as a list; names are those in the value, integers among them.

    `EncodeError`, without a format and a path, if two properties would have one name.
    """
    name = value.class_name.lower()
    shown = _own(name, value, objects) if name in _OWN else None
    if shown is not None:
        return shown
    return _all(value.class_name, value.properties) if objects == "all" else public_members(value)


def _own(name: str, value: PhpObject, objects: Objects) -> Members | None:
    """What an object of PHP's own class *name* shows; None if that is what it would show of any class."""
    if name in _NAMED:
        return _named_last(_NAMED[name], value) if objects == "public" else None
    if name == "splfixedarray":
        items = [entry.value for entry in value.properties if _is_index(entry.name)]
        others = [entry for entry in value.properties if not _is_index(entry.name)]
        return _with_properties(value, items, others) if objects == "all" else items
    if name in _ARRAYS:
        return _array_all(value) if objects == "all" else _array_public(value)
    parts = _parts(value)
    content, properties = map(parts.get, _PARTS[name])
    if not (_is_array(content) and _is_array(properties)):
        return None
    if objects == "public":
        return _public(properties)
    items = _items(content)
    if name == "splobjectstorage":
        if len(items) % 2:
            return None
        items = [{"obj": one, "inf": data} for one, data in zip(items[::2], items[1::2], strict=True)]
    return _with_properties(value, items, _properties(properties))


def _named_last(names: tuple[str, ...], value: PhpObject) -> Members:
    """The properties that the class does not name, then those that it does."""
    own = {entry.name: entry.value for entry in value.properties if entry.name in names}
    if "y" in own:
        own.setdefault("from_string", False)  # PHP 8.1 had none
    if type(own.get("f")) is float and abs(own["f"]) < 1e9:
        own["f"] = int(own["f"] * 1_000_000) / 1_000_000  # PHP reads whole microseconds, and may lose one
    shown = _unnamed(names, value)
    shown.update((name, own[name]) for name in names if name in own)
    return shown


def _unnamed(names: tuple[str, ...], value: PhpObject) -> dict[Any, Any]:
    """The properties that the class does not name; PHP drops those whose names are integers."""
    return {entry.name: entry.value for entry in value.shown if not (entry.name in names or _is_index(entry.name))}


def _array_parts(value: Any) -> dict[Any, Any] | None:
    """The parts of an ArrayObject or an iterator; None for anything else."""
    if type(value) is not PhpObject or value.class_name.lower() not in _ARRAYS:
        return None
    parts = _parts(value)
    storage = parts.get(1)
    if type(parts.get(0)) is not int or not _is_array(parts.get(2)):
        return None
    if not (_is_array(storage) or type(storage) is PhpObject or parts[0] & _OWN_STORAGE):
        return None
    return parts


def _array_public(value: PhpObject) -> Members | None:
    """The storage; that of another ArrayObject, or the properties of an object, if it is one."""
    outermost = parts = _array_parts(value)
    storage: Any = value
    shows_properties = 0
    met = set()
    while parts is not None and outermost is not None:
        if id(storage) in met:  # what contains itself is an error where its parts are
            return None
        met.add(id(storage))
        shows_properties |= parts[0] & _PROPERTIES_SHOWN
        storage = parts[2] if parts[0] & _OWN_STORAGE else parts[1]
        parts = _array_parts(storage)
    if outermost is None or (type(storage) is PhpObject and storage.payload is not None):
        return None
    if shows_properties:
        return _public(outermost[2])
    if type(storage) is not PhpObject:
        return _public(storage)
    name = storage.class_name.lower()
    if name in _NAMED:
        return _unnamed(_NAMED[name], storage)
    if name in _PARTS and _is_array(properties := _parts(storage).get(_PARTS[name][1])):
        return _public(properties)
    return public_members(storage)


def _array_all(value: PhpObject) -> Members | None:
    parts = _array_parts(value)
    if parts is None:
        return None
    storage: Any = [] if parts[0] & _OWN_STORAGE else parts[1]
    content = storage if _is_array(storage) else {"storage": storage}
    return _with_properties(value, content, _properties(parts[2]))


def _with_properties(value: PhpObject, content: Members, properties: list[PhpProperty]) -> Members:
    """*content*, which is a list only if there are no properties besides."""
    if not properties:
        return content
    return _all(value.class_name, properties, dict(enumerate(content)) if type(content) is list else dict(content))


def _all(class_name: str, properties: Iterable[PhpProperty], content: dict[Any, Any] | None = None) -> dict[Any, Any]:
    """*content* and all *properties*, by their plain names.

    A name stands for what a method of *class_name* finds by it. What else has that name has its class before it.
    """
    properties = tuple(properties)
    shown = {} if content is None else content
    names = {_text(entry.name) for entry in properties}
    if not content and len(names) == len(properties):  # no name twice, which is usual
        shown.update((entry.name, entry.value) for entry in properties)
        return shown
    own = {_text(entry.name) for entry in properties if entry.declared_in in ("", class_name)}
    taken = set(map(_text, shown))
    for entry in properties:
        name: Any = entry.name
        owner = entry.declared_in or class_name
        if _text(name) in taken or (owner != class_name and _text(name) in own):
            name = f"{owner}::{_text(name)!s}"
        if _text(name) in taken:
            raise EncodeError("two properties with the same name")
        taken.add(_text(name))
        shown[name] = entry.value
    return shown


def _text(name: str | bytes | int) -> str | bytes:
    return str(name) if isinstance(name, int) else name


def _public(table: Any) -> dict[Any, Any]:
    """What `json_encode` shows of an object whose properties, or what it has in their place, are *table*."""
    items = enumerate(table) if type(table) is list else table.items()
    return {name: child for name, child in items if not _is_hidden(name)}


def _is_hidden(name: str | bytes | int) -> bool:
    return name[:1] in ("\0", b"\0") if not isinstance(name, int) else False


def _is_index(name: str | bytes | int) -> bool:
    return type(array_key(name) if type(name) is str else name) is int


def _parts(value: PhpObject) -> dict[Any, Any]:
    return {entry.name: referred(entry.value) for entry in value.properties if type(entry.name) is int}


def _properties(table: Any) -> list[PhpProperty]:
    return [PhpProperty.from_mangled(*item) for item in (enumerate(table) if type(table) is list else table.items())]


def _items(array: Any) -> list[Any]:
    return array if type(array) is list else list(array.values())


def _is_array(value: Any) -> bool:
    return type(value) is list or type(value) is dict
