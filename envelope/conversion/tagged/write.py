"""Writing tagged JSON: PHP's values as portable ones, with tags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from envelope.conversion.tagged.names import full_name, key_name, short_name, visibility_of, write_base64
from envelope.errors import EncodeError
from envelope.formats.common.budget import Budget
from envelope.limits import Limits
from envelope.path import Link, Step, link_steps, short_path
from envelope.values.php_rules import INT_MAX, INT_MIN, is_ambiguous, text_or_bytes
from envelope.values.php_types import PhpEnum, PhpObject, PhpReference

__all__ = ["tag"]

_DOUBLES: Final = 2**53  # from here on, a double does not hold every integer
_DEPTH: Final = 254  # no writer of JSON goes deeper


def tag(root: object, format: str, limits: Limits) -> Any:
    """Return *root* as a portable value that `untag` reads back as the same; `EncodeError` if it is beyond *limits*.

    What is outside PHP's domain is left as it is, for the encoder to refuse or to hand to its ``default``.
    """
    return _Tagging(format, limits).walk(root)


@dataclass(slots=True)
class _Frame:
    """An open container: what is left of its children (step, key in the copy, value), and where their copies go."""

    link: Link
    children: Iterator[tuple[Step, Any, Any]]
    put: Callable[[Any, Any], None]


class _Tagging:
    def __init__(self, format: str, limits: Limits) -> None:
        self.format = format
        self.budget = Budget(limits, "orjson", _DEPTH)
        self.frames: list[_Frame] = []
        # By the id of each object: its copy, and the places where it comes again.
        self.objects: dict[int, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
        self.references: dict[int, int] = {}

    def walk(self, root: object) -> Any:
        result: list[Any] = []
        self.enter(root, None, lambda _, copy: result.append(copy), None)
        while self.frames:
            frame = self.frames[-1]
            for step, key, child in frame.children:
                kind = type(child)
                if kind is str or kind is bool or child is None:
                    frame.put(key, child)
                elif self.enter(child, (frame.link, step), frame.put, key):
                    break
            else:
                self.frames.pop()
        self.number()
        return result[0]

    def enter(self, value: Any, link: Link, put: Callable[[Any, Any], None], key: Any) -> bool:
        """Put the copy of a value; a container's is empty, and the walk then fills it: whether there is one."""
        if type(value) is PhpReference:
            is_new = id(value) not in self.references
            copy: dict[str, Any] = {"@reference": self.references.setdefault(id(value), len(self.references) + 1)}
            put(key, copy)
            if not is_new:
                return False
            put, key, value = copy.__setitem__, "@value", value.value
        kind = type(value)
        if kind is list:
            return self.open_list(value, link, put, key)
        if kind is dict and is_ambiguous(value):  # a list to PHP
            return self.open_list(list(value.values()), link, put, key)
        if kind is dict:
            names = [key_name(name) if type(name) in (str, bytes, int) else name for name in value]
            members = dict.fromkeys(names)
            if len(members) < len(value):
                raise self.fail("two keys that are one in PHP", link)
            put(key, members)
            self.open(link, zip(value, names, value.values(), strict=True), members.__setitem__, len(value))
        elif kind is PhpObject:
            return self.enter_object(value, link, put, key)
        else:
            put(key, _scalar(value))
            return False
        return True

    def open_list(self, value: list[Any], link: Link, put: Callable[[Any, Any], None], key: Any) -> bool:
        items: list[Any] = []
        put(key, items)
        self.open(link, zip(count(), count(), value), lambda _, copy: items.append(copy), len(value))
        return True

    def open(
        self, link: Link, children: Iterable[tuple[Step, Any, Any]], put: Callable[[Any, Any], None], size: int
    ) -> None:
        if excess := self.budget.enter(len(self.frames) + 1, size):
            steps = short_path(link_steps(link))
            raise EncodeError(excess.reason, kind="limit", format=self.format, path=steps, hint=excess.hint)
        self.frames.append(_Frame(link, iter(children), put))

    def enter_object(self, value: PhpObject, link: Link, put: Callable[[Any, Any], None], key: Any) -> bool:
        if id(value) in self.objects:
            again: dict[str, Any] = {"@object": None}
            self.objects[id(value)][1].append(again)
            put(key, again)
            return False
        members: dict[str, Any] = {"@class": value.class_name, "@id": None}
        self.objects[id(value)] = members, []
        put(key, members)
        if value.payload is not None:
            members["@payload"] = _scalar(text_or_bytes(value.payload))
            return False
        names, visibility = self.names(value, link)
        if visibility:
            members["@visibility"] = visibility
        members.update(dict.fromkeys(names))
        children = ((entry.name, name, entry.value) for name, entry in zip(names, value.properties, strict=True))
        self.open(link, children, members.__setitem__, len(names))
        return True

    def names(self, value: PhpObject, link: Link) -> tuple[list[str], dict[str, str]]:
        """How the properties of an object are spelled, and the visibility of those whose spelling does not say it."""
        names: dict[str, None] = {}
        visibility: dict[str, str] = {}
        for entry in value.properties:
            name = short_name(entry)
            if name in names:
                name = full_name(entry)
            elif entry.visibility != "public":
                visibility[name] = visibility_of(entry, value.class_name)
            names[name] = None
        if len(set(map(full_name, value.properties))) < len(value.properties):
            raise self.fail("two properties with the same name", link)
        return list(names), visibility

    def number(self) -> None:
        """Number the objects that come again, in document order; the others need no number."""
        numbers = count(1)
        for members, places in self.objects.values():
            if not places:
                del members["@id"]
                continue
            members["@id"] = number = next(numbers)
            for again in places:
                again["@object"] = number

    def fail(self, reason: str, link: Link) -> EncodeError:
        return EncodeError(reason, format=self.format, path=short_path(link_steps(link)))


def _scalar(value: Any) -> Any:
    """The copy of a value without children."""
    kind = type(value)
    if kind is float:
        # A double that is a whole number would read back as an integer.
        if value != value or value in (_INFINITY, -_INFINITY):
            return {"@float": "NAN" if value != value else "INF" if value > 0 else "-INF"}
        return {"@float": repr(value)} if value.is_integer() else value
    if kind is int:
        return value if -_DOUBLES < value < _DOUBLES or not INT_MIN <= value <= INT_MAX else {"@int": str(value)}
    if kind is bytes:
        return {"@base64": write_base64(value)}
    return {"@enum": f"{value.class_name}::{value.case}"} if kind is PhpEnum else value


_INFINITY: Final = float("inf")
