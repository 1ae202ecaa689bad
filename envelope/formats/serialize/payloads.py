"""The payloads (`C:`) of PHP's own classes, which PHP wrote until 7.3, read as the objects that it writes since.

    ArrayObject, ArrayIterator   `x:` flags (storage `;`)? `m:` members     no storage if the object is its own
    SplObjectStorage             `x:` count (object (`,` data)? `;`)* `m:` members
    SplDoublyLinkedList          flags (`:` value)*

Flags and counts are values like the others, and all share the slots of the document. What any other class wrote stays
a payload.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from envelope.formats.serialize.reader import PENDING, Open, Reader
from envelope.hints import Hint
from envelope.options import ReadOptions
from envelope.values.php_types import PhpObject

__all__ = ["PayloadReader"]

_MAX_NESTED: Final = 64  # a payload in a payload takes frames of Python's stack
_OWN_STORAGE: Final = 0x01000000  # ArrayObject's flag: its properties are its storage


class PayloadReader(Reader):
    """One document, with the payloads of PHP's own classes opened."""

    __slots__ = ("nested",)

    def __init__(self, data: bytes, options: ReadOptions, *, refers: bool) -> None:
        super().__init__(data, options, refers=refers)
        self.nested = 0

    def payload(self, name: str, start: int, end: int) -> Any:
        """The object as its class writes it today, if it is one of PHP's own."""
        layout = _LAYOUTS.get(name.lower())
        if layout is None:
            return super().payload(name, start, end)
        if self.nested == _MAX_NESTED:
            hint = Hint("no-deeper", "the reader")
            raise self.fail(f"payloads nested deeper than {_MAX_NESTED}", start, kind="limit", hint=hint)
        self.nested += 1
        self.begin(PhpObject(name), start)
        pos = layout(self, start)
        if pos != end:
            raise self.fail("expected the end of the payload", pos)
        self.nested -= 1
        return self.end()

    def begin(self, shell: PhpObject | None, pos: int) -> None:
        """Open a container, of which nothing says how much it holds, in the place that is to be filled."""
        container = self.opened[-1]
        container.members[container.key] = PENDING if shell is None else shell
        if self.slots is not None:
            self.slots.open(self.budget.items)
        self.enter(len(self.opened), 0, pos)
        self.opened.append(Open(0, shell))

    def end(self) -> Any:
        """Close it; return what its place holds."""
        value = self.opened.pop().finish(php=True)
        container = self.opened[-1]
        if self.slots is None:
            container.members[container.key] = value
        else:
            self.slots.close(container, value, self.budget.items)
        return container.members[container.key]

    def member(self, key: int | None, pos: int) -> int:
        """Read one value into the container that was opened last; returns the place after it."""
        self.enter(0, 1, pos)
        container = self.opened[-1]
        container.key, container.left = key, 1
        return self.value(pos)


def _array_object(reader: PayloadReader, start: int) -> int:
    """flags, storage, members, and the class of the iterator, which had no place"""
    members = reader.opened[-1].members
    pos = reader.member(0, reader.expect(b"x:i:", start) - 2)
    if members[0] & _OWN_STORAGE:
        members[1] = None
    else:
        if reader.data[pos] not in b"aOCr":
            raise reader.fail("expected an array or an object", pos)
        pos = reader.expect(b";", reader.member(1, pos))
    pos = reader.member(2, reader.expect(b"m:a:", pos) - 2)
    members[3] = None
    return pos


def _object_storage(reader: PayloadReader, start: int) -> int:
    """each object and its data, in one list, and members"""
    counted = Open(0, None)  # the count has a slot, but no place in the value
    reader.opened.append(counted)
    pos = reader.member(None, reader.expect(b"x:i:", start) - 2)
    reader.opened.pop()
    reader.opened[-1].key = 0
    reader.begin(None, start)
    pairs = reader.opened[-1].members
    for index in range(0, 2 * counted.members[None], 2):
        if reader.data[pos] not in b"OCr":
            raise reader.fail("expected an object", pos)
        pos = reader.member(index, pos)
        if reader.data.startswith(b",", pos):
            pos = reader.member(index + 1, pos + 1)
        else:
            pairs[index + 1] = None
        pos = reader.expect(b";", pos)
    reader.end()
    return reader.member(1, reader.expect(b"m:a:", pos) - 2)


def _linked_list(reader: PayloadReader, start: int) -> int:
    """flags, the values in one list, and members, which had no place"""
    members = reader.opened[-1].members
    pos = reader.member(0, reader.expect(b"i:", start) - 2)
    reader.opened[-1].key = 1
    reader.begin(None, pos)
    index = 0
    while reader.data.startswith(b":", pos):
        pos = reader.member(index, pos + 1)
        index += 1
    reader.end()
    members[2] = []
    return pos


_LAYOUTS: Final[dict[str, Callable[[PayloadReader, int], int]]] = {
    "arrayobject": _array_object,
    "arrayiterator": _array_object,
    "recursivearrayiterator": _array_object,
    "splobjectstorage": _object_storage,
    "spldoublylinkedlist": _linked_list,
    "splqueue": _linked_list,
    "splstack": _linked_list,
}
