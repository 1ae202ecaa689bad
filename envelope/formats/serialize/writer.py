"""The writer of serialize, byte for byte as PHP 8.2 does; the grammar is in `envelope.formats.serialize`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from envelope.errors import EncodeError
from envelope.formats.common.budget import Budget
from envelope.formats.common.conform import DEEP, Unwritable, is_cyclic
from envelope.formats.common.prepared import MAX_NAMES, PREPARED
from envelope.formats.common.writer import MANY_PARTS
from envelope.formats.php.numbers import float_text
from envelope.formats.php.writer import PhpWriter
from envelope.formats.serialize.reader import FORMAT
from envelope.values.php_rules import INT_MAX, INT_MIN, array_key, is_ambiguous
from envelope.values.php_types import PhpEnum, PhpObject, PhpProperty, PhpReference

__all__ = ["Writer"]


_INDEXES: Final = tuple(f"i:{index};" for index in range(PREPARED))


class _Tokens(dict[str, str]):
    """Array keys as serialized, each made once: canonical decimals of an int64 as `i:`, all others as `s:`."""

    def __missing__(self, key: str) -> str:
        token = f"i:{key};" if type(array_key(key)) is int else _string(key)
        if len(self) < MAX_NAMES:
            self[key] = token
        return token


def _string(text: str) -> str:
    """`s:length:"bytes";`"""
    return f's:{len(text) if text.isascii() else len(text.encode())}:"{text}";'


def _bytes(raw: bytes) -> str:
    """`s:length:"bytes";` as text that encodes back to these bytes."""
    return f's:{len(raw)}:"{raw.decode("utf-8", "surrogateescape")}";'


class Writer(PhpWriter):
    """One document; `pieces` is the layout in one loop."""

    def parts(self, root: Any) -> list[str]:
        """The document in pieces: one per value (a container's opens it), one per close."""
        return self.pieces(iter((("", root),)), [])

    def pieces(self, entries: Iterator[tuple[str, Any]], stack: list[Any]) -> list[str]:  # noqa: C901  # one loop
        """The pieces of *entries*, each a key as it is written and a value.

        *stack* has the open containers, outermost first.
        """
        budget = Budget(self.limits)
        room = budget.room
        tokens = _Tokens()
        parts: list[str] = []
        put = parts.append
        # What is left of the children of each container that was opened here.
        iterators: list[Iterator[tuple[str, Any]]] = []
        if budget.enter(len(stack), sum(map(len, stack))):
            raise Unwritable
        slotless = 0  # closing pieces, and value references
        slots: dict[Any, int] = {}
        while True:
            for key, value in entries:
                kind = type(value)
                if kind is PhpReference and self.php:
                    known = self.reference(value, self.packed_count + len(parts) - slotless + 1, slots)
                    if known:
                        put(f"{key}R:{known};")
                        room -= len(parts[-1])
                        slotless += 1
                        continue
                    value = value.value
                    kind = type(value)
                children: Any = None
                if kind is str:
                    size = len(value) if value.isascii() else len(value.encode())
                    room -= size - len(value)
                    piece = f'{key}s:{size}:"{value}";'
                elif kind is int:
                    if not INT_MIN <= value <= INT_MAX:
                        raise Unwritable
                    piece = f"{key}i:{value};"
                elif kind is float:
                    if not self.php and value - value != 0:  # NaN and the infinities
                        raise Unwritable
                    piece = f"{key}d:{float_text(value, '')};"
                elif kind is bool:
                    piece = f"{key}b:1;" if value else f"{key}b:0;"
                elif value is None:
                    piece = f"{key}N;"
                elif kind is list:
                    piece = f"{key}a:{len(value)}:{{"
                    indexes = _INDEXES if len(value) <= len(_INDEXES) else map("i:{};".format, count())
                    children = zip(indexes, value, strict=False)
                elif kind is dict:
                    head, children = self.map(value, tokens)
                    piece = f"{key}{head}"
                elif self.php and kind in _PHP_TYPES:
                    # The slot of this value: all other pieces so far have one.
                    slot = self.packed_count + len(parts) - slotless + 1
                    head, children = self.php_value(value, slot, slots)
                    piece = f"{key}{head}"
                else:
                    raise Unwritable
                # Counted as it grows: a small value can name the same long text, or key, many times.
                room -= len(piece)
                if room < 0:
                    raise Unwritable
                put(piece)
                if children is not None:
                    break
            else:
                if not iterators:
                    return parts
                put("}")
                slotless += 1
                stack.pop()
                entries = iterators.pop()
                continue
            if len(parts) > MANY_PARTS:
                self.pack(parts)
            stack.append(value)
            iterators.append(entries)
            depth, size = len(stack), len(value.properties) if kind is PhpObject else len(value)
            entries = children
            if size > MANY_PARTS:
                entries = self.packing(children, parts)
            if budget.enter(depth, size) or (depth >= DEEP and is_cyclic(stack)):
                raise Unwritable

    def map(self, value: dict[Any, Any], tokens: _Tokens) -> tuple[str, Any]:
        """`a:count:{`, or `O:8:"stdClass":count:{` for a map that an array could not tell from a list."""
        kinds = set(map(type, value))
        if kinds <= {str}:
            if self.map_objects and is_ambiguous(value):
                return f'O:8:"stdClass":{len(value)}:{{', zip(map(_string, value), value.values(), strict=True)
            return f"a:{len(value)}:{{", zip(map(tokens.__getitem__, value), value.values(), strict=True)
        if not self.php or not kinds <= {str, int, bytes}:
            raise Unwritable
        if self.map_objects and is_ambiguous(value):
            return f'O:8:"stdClass":{len(value)}:{{', zip(map(_string, map(str, value)), value.values(), strict=True)
        keys = [tokens[key] if type(key) is str else _key(key) for key in value]
        if len(set(keys)) < len(keys):
            raise Unwritable
        return f"a:{len(value)}:{{", zip(keys, value.values(), strict=True)

    def reference(self, reference: PhpReference, slot: int, slots: dict[Any, int]) -> int:
        """The slot of a reference that was met before; 0 if it is new, and is written in *slot* as its value.

        What refers to an object is that object to PHP, wherever it was met.
        """
        value = reference.value
        known = slots.setdefault(_identity(value) if type(value) in (PhpObject, PhpEnum) else id(reference), slot)
        if known == slot:
            return 0
        _check_sharing(known, slots)
        return known

    def php_value(self, value: Any, slot: int, slots: dict[Any, int]) -> tuple[str, Any]:
        """The head of a value of PHP's domain, and its members if it has any.

        An object met again, or an enum case (PHP has one object for each), is `r:` with its slot.
        """
        if type(value) is bytes:
            return _bytes(value), None
        known = slots.setdefault(_identity(value), slot)
        if known != slot:
            _check_sharing(known, slots)
            return f"r:{known};", None
        if type(value) is PhpEnum:
            name = f"{value.class_name}:{value.case}"
            return f'E:{len(name.encode())}:"{name}";', None
        name = f'{len(value.class_name.encode())}:"{value.class_name}"'
        if value.payload is not None:
            slots.setdefault(_OPAQUE, slot)
            payload = value.payload.decode("utf-8", "surrogateescape")
            return f"C:{name}:{len(value.payload)}:{{{payload}}}", None
        names = [_property_name(entry.mangled) for entry in value.properties]
        if len(set(map(_property_identity, value.properties))) < len(names):
            raise Unwritable
        members = zip(names, (entry.value for entry in value.properties), strict=True)
        return f"O:{name}:{len(names)}:{{", members


_PHP_TYPES: Final = frozenset({bytes, PhpObject, PhpEnum})
_OPAQUE: Final = "first C: payload"


def _identity(value: Any) -> Any:
    return value if type(value) is PhpEnum else id(value)


def _check_sharing(slot: int, slots: dict[Any, int]) -> None:
    """Refuse a reference to *slot* after a payload: only its class knows how many slots that takes."""
    if slot > slots.get(_OPAQUE, slot):
        raise EncodeError("an object shared after a C: payload", format=FORMAT)  # the reader refuses this too


def _key(key: int | bytes) -> str:
    """The token of an array key that is not text: `i:` also for bytes that are a canonical decimal."""
    if type(key) is bytes:
        number = array_key(key.decode("utf-8", "surrogateescape"))
        return _bytes(key) if isinstance(number, str) else f"i:{number};"
    if not INT_MIN <= int(key) <= INT_MAX:
        raise Unwritable
    return f"i:{int(key)};"


def _property_name(name: str | bytes | int) -> str:
    if isinstance(name, bytes):
        return _bytes(name)
    return f"i:{name};" if isinstance(name, int) else _string(name)


def _property_identity(entry: PhpProperty) -> str:
    """What distinguishes properties in PHP: their mangled names, whether spelled as int, text or bytes."""
    name = entry.mangled
    return _property_name(str(name) if isinstance(name, int) else name)
