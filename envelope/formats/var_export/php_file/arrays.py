"""A PHP array that grows element by element, as an array literal or assignments make it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from envelope.values.php_rules import INT_MIN, array_key
from envelope.values.php_types import PhpObject

__all__ = ["MISSING", "PhpArray", "Place", "elements", "member", "unfolded"]

MISSING: Final = object()
"""Stands for an element that is not there."""


class Place:
    """What a variable or an element holds, before it is known what that is needed for; `MISSING` if it is not there."""

    __slots__ = ("key", "value")

    def __init__(self, value: Any, key: int | str | bytes = "") -> None:
        self.value = value
        self.key = key  # the first element that is not there


class PhpArray:
    """Elements in order; a list as long as the keys are 0 … n-1, which takes a tenth of a dict's memory.

    In the portable domain integer keys are decimal strings, as in what `finish` returns.
    """

    __slots__ = ("items", "members", "php", "top")

    def __init__(self, *, php: bool) -> None:
        self.php = php
        self.items: list[Any] | None = []
        self.members: dict[Any, Any] = {}
        self.top = INT_MIN  # no key is above it or, if there are any, at it

    @classmethod
    def of(cls, value: list[Any] | dict[Any, Any], *, php: bool) -> PhpArray:
        """Return the array that *value*, made by `finish`, was."""
        array = cls(php=php)
        if isinstance(value, list):
            # Behind a negative key, PHP goes on at 0 if the array was empty once, else with the key above.
            array.items, array.top = value.copy(), len(value)
            return array
        for key, child in elements(value):
            array.put(key, child)
        return array

    @property
    def index(self) -> int:
        """The key of the next element without one; beyond 64 bits if there is none left."""
        return 0 if self.top == INT_MIN else self.top

    def put(self, key: int | str | bytes, value: Any) -> None:
        """Set the element of *key*, which is as PHP has it: no decimal in a string."""
        if self.items is not None:
            if type(key) is int and 0 <= key <= len(self.items):
                self.items[key : key + 1] = [value]
                self.top = len(self.items)
                return
            self.members = {self._name(index): item for index, item in enumerate(self.items)}
            self.items = None
        self.members[self._name(key)] = value
        if type(key) is int and key >= self.top:
            self.top = key + 1

    def get(self, key: int | str | bytes) -> Any:
        """Return the element of *key*, or `MISSING`."""
        if self.items is None:
            return self.members.get(self._name(key), MISSING)
        return self.items[key] if type(key) is int and 0 <= key < len(self.items) else MISSING

    def step(self, key: int | str | bytes) -> int | str | bytes:
        """Return *key* as a step of a path into what `finish` returns."""
        return key if self.items is not None and type(key) is int and 0 <= key <= len(self.items) else self._name(key)

    def finish(self) -> Any:
        """Return the array as a value; it must not grow any more."""
        return self.members if self.items is None else self.items

    def _name(self, key: int | str | bytes) -> int | str | bytes:
        return str(key) if type(key) is int and not self.php else key


def elements(value: list[Any] | dict[Any, Any]) -> Iterable[tuple[int | str | bytes, Any]]:
    """Return the keys as PHP has them and the values of an array that is finished."""
    if type(value) is list:
        return enumerate(value)
    return [(array_key(name) if type(name) is str else name, child) for name, child in value.items()]  # type: ignore[union-attr]


def member(array: PhpArray | list[Any] | dict[Any, Any], key: int | str | bytes) -> Any:
    """Return the element of *key*, or `MISSING`."""
    if type(array) is PhpArray:
        return array.get(key)
    if type(array) is list:
        return array[key] if type(key) is int and 0 <= key < len(array) else MISSING
    names = array if type(array) is dict else {}
    return names.get(key, names.get(str(key), MISSING) if type(key) is int else MISSING)


def unfolded(value: Any) -> tuple[Any, int, int, int]:
    """Return *value* as nothing will change it, and how many values, bytes and levels a copy of it has, at least."""
    root = [value]
    items = size = depth = 0
    level: list[Any] = [root]
    while level:
        below: list[Any] = []
        for container in level:
            if type(container) is PhpObject:
                pairs: Any = [(entry.name, entry.value) for entry in container.properties]
            else:
                pairs = list(enumerate(container) if type(container) is list else container.items())
            for key, child in pairs:
                items += 1
                size += len(key) if type(key) in (str, bytes) else 0
                if type(child) in (str, bytes):
                    size += len(child)
                elif type(child) is PhpArray:
                    # Only what can grow holds what can grow.
                    container[key] = child = child.finish().copy()
                if type(child) in (list, dict, PhpObject):
                    below.append(child)
        depth += bool(below)
        level = below
    return root[0], items - 1, size, depth
