"""Reading tagged JSON: portable values with tags as PHP's values, which are inert whatever is read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from envelope.conversion.tagged.names import INTEGER, is_tag, read_base64, read_key, read_property, read_visibility
from envelope.hints import Hint
from envelope.path import Link, Step, link_steps
from envelope.values.php_rules import INT_MAX, INT_MIN, is_class_name
from envelope.values.php_types import PhpEnum, PhpObject, PhpProperty, PhpReference, Visibility

if TYPE_CHECKING:
    from envelope.options import ReadOptions

__all__ = ["untag"]

_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NO_NUMBERS: Final = {"NAN": math.nan, "INF": math.inf, "-INF": -math.inf}
_OF_OBJECTS: Final = frozenset({"@class", "@id", "@visibility"})
_UNTOLD: Final = {
    "@id": 'no object has this "@id"',
    "@reference": 'no reference of this number has an "@value"',
}


def untag(root: object, data: object, reading: ReadOptions, format: str) -> Any:
    """Return the value in PHP's domain that *root* is, which was read from *data* with *reading*, and is used up.

    Raises `DecodeError`, with the offset and the path of a tag that is not as `tag` writes it. An object or a reference
    may be told after the places that name it: documents are edited.
    """
    try:
        return _Untagging().walk(root)
    except _Malformed as exc:
        link, reason, hint = exc.args
    from envelope.conversion.tagged.places import fault_at

    raise fault_at(link_steps(link), reason, hint, data, reading, format)


class _Malformed(Exception):
    """A tag is malformed: where, why, and a hint."""

    def __init__(self, link: Link, reason: str, hint: Hint | None = None) -> None:
        super().__init__(link, reason, hint)


_Put = Callable[[Any, Any], object]
_Number = tuple[str, int]  # "@id" or "@reference", and its number
_Head = tuple[str | bytes | int, Visibility, str]  # a property's name, its visibility, and its class if it is private


@dataclass(slots=True)
class _Frame:
    """An open container: what is left of its children (step, key in what is made of it, value), and where those go."""

    link: Link
    children: Iterator[tuple[Step, Any, Any]]
    put: Callable[[Any, Any], object]
    close: Callable[[], object] = lambda: None


class _Untagging:
    def __init__(self) -> None:
        self.frames: list[_Frame] = []
        # By their tag and number: what was told so far, and where the others were named first.
        self.shared: dict[_Number, PhpObject | PhpReference] = {}
        self.told: set[_Number] = set()
        self.wanted: dict[_Number, Link] = {}

    def walk(self, root: object) -> Any:
        result: list[Any] = []
        self.enter(root, None, lambda _, value: result.append(value), None)
        while self.frames:
            frame = self.frames[-1]
            for step, key, child in frame.children:
                if type(child) not in (list, dict):
                    frame.put(key, child)
                elif self.enter(child, (frame.link, step), frame.put, key):
                    break
            else:
                frame.close()
                self.frames.pop()
        for (tag, _), link in self.wanted.items():
            raise _Malformed(link, _UNTOLD[tag])
        return result[0]

    def enter(self, value: Any, link: Link, put: _Put, key: Any) -> bool:
        """Put what is made of a value; a container is empty, and the walk then fills it: whether there is one."""
        if type(value) is list:
            return self.enter_list(_taken_items(value), link, put, key)
        if type(value) is not dict:
            put(key, value)
            return False
        tag = next(filter(is_tag, value), None)
        if tag is None:
            return self.enter_array(value, link, put, key)
        if "@class" in value:
            return self.enter_object(value, link, put, key)
        if "@reference" in value:
            return self.enter_reference(value, link, put, key)
        if tag == "@object":
            _check_alone(value, tag, link)
            put(key, self.known("@id", value[tag], (link, tag)))
        elif tag in _SCALARS:
            _check_alone(value, tag, link)
            what, read = _SCALARS[tag]
            scalar = read(value[tag])
            if scalar is None:
                raise _Malformed((link, tag), f"expected {what}")
            put(key, scalar)
        else:
            raise _Malformed((link, tag), "no tag that stands here", Hint("at-sign"))
        return False

    def enter_list(self, children: Iterator[tuple[Step, Any, Any]], link: Link, put: _Put, key: Any) -> bool:
        items: list[Any] = []
        put(key, items)
        self.frames.append(_Frame(link, children, lambda _, item: items.append(item)))
        return True

    def enter_array(self, value: dict[str, Any], link: Link, put: _Put, key: Any) -> bool:
        """A PHP array: a list if its keys are 0 … n-1, in order."""
        keys = list(map(read_key, value))
        if None in keys:
            raise _Malformed((link, list(value)[keys.index(None)]), "a key that is not base64")
        if all(name == index for name, index in zip(keys, count(), strict=False)):
            return self.enter_list(_taken(value, keys), link, put, key)
        members: dict[Any, Any] = dict.fromkeys(keys)
        if len(members) < len(keys):
            raise _Malformed(link, "two keys that are one in PHP")
        put(key, members)
        self.frames.append(_Frame(link, _taken(value, keys), members.__setitem__))
        return True

    def enter_object(self, value: dict[str, Any], link: Link, put: _Put, key: Any) -> bool:
        name = value["@class"]
        if not is_class_name(name):
            raise _Malformed((link, "@class"), "expected the name of a class")
        made = self.tell("@id", value["@id"], (link, "@id")) if "@id" in value else _new_object()
        payload = _payload(value, link) if "@payload" in value else None
        for field, content in (("class_name", name), ("properties", ()), ("payload", payload)):
            object.__setattr__(made, field, content)
        put(key, made)
        if payload is not None:
            return False
        heads = _heads(value, name, link)
        properties: list[PhpProperty] = []
        self.frames.append(
            _Frame(
                link,
                ((member, head, value.pop(member)) for member, head in heads.items()),
                lambda head, child: properties.append(PhpProperty(head[0], child, head[1], head[2])),
                lambda: object.__setattr__(made, "properties", tuple(properties)),
            )
        )
        return True

    def enter_reference(self, value: dict[str, Any], link: Link, put: _Put, key: Any) -> bool:
        number, place = value["@reference"], (link, "@reference")
        for name in value:
            if name not in ("@reference", "@value"):
                raise _Malformed((link, name), 'a member beside "@reference"', Hint("at-sign"))
        if "@value" not in value:
            put(key, self.known("@reference", number, place))
            return False
        inner = value["@value"]
        if type(inner) is dict and "@reference" in inner:
            raise _Malformed((link, "@value"), "a reference to a reference")
        made = self.tell("@reference", number, place)
        put(key, made)
        self.frames.append(
            _Frame(link, iter([("@value", None, inner)]), lambda _, child: setattr(made, "value", child))
        )
        return True

    def tell(self, tag: str, number: object, link: Link) -> Any:
        """What is told here, and nowhere else."""
        place = _number(tag, number, link)
        if place in self.told:
            raise _Malformed(link, "a number that was given before", Hint("told-once"))
        self.told.add(place)
        self.wanted.pop(place, None)
        return self.one(place)

    def known(self, tag: str, number: object, link: Link) -> Any:
        """What is told elsewhere."""
        place = _number(tag, number, link)
        if place not in self.told:
            self.wanted.setdefault(place, link)
        return self.one(place)

    def one(self, place: _Number) -> Any:
        made = self.shared.get(place)
        if made is None:
            made = self.shared[place] = _new_object() if place[0] == "@id" else PhpReference(None)
        return made


# What was read is let go as soon as there is a copy: both would take twice the memory.


def _taken_items(items: list[Any]) -> Iterator[tuple[int, None, Any]]:
    for at, item in enumerate(items):
        items[at] = None
        yield at, None, item


def _taken(members: dict[str, Any], keys: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    for name, key in zip(list(members), keys, strict=True):
        yield name, key, members.pop(name)


def _number(tag: str, number: object, link: Link) -> _Number:
    if type(number) is not int:
        raise _Malformed(link, "expected a whole number")
    return tag, number


def _new_object() -> PhpObject:
    """An object that has nothing yet."""
    return PhpObject.__new__(PhpObject)


def _check_alone(members: dict[str, Any], tag: str, link: Link) -> None:
    for name in members:
        if name != tag:
            raise _Malformed((link, name), f'a member beside "{tag}"', Hint("at-sign"))


def _payload(members: dict[str, Any], link: Link) -> bytes:
    """The bytes of a payload, which has no properties beside it."""
    for name in members:
        if name not in ("@class", "@id", "@payload"):
            raise _Malformed((link, name), 'a member beside "@payload"')
    payload = members["@payload"]
    if type(payload) is dict and payload.keys() == {"@base64"}:
        payload = read_base64(payload["@base64"])
    if type(payload) is str:
        return payload.encode()
    if type(payload) is not bytes:
        raise _Malformed((link, "@payload"), 'expected a string, or "@base64"')
    return payload


def _heads(members: dict[str, Any], class_name: str, link: Link) -> dict[str, _Head]:
    """The properties of an object by the names of their members."""
    visibility = members.get("@visibility", {})
    if type(visibility) is not dict:
        raise _Malformed((link, "@visibility"), "expected an object")
    heads: dict[str, _Head] = {}
    for name in members:
        if name in _OF_OBJECTS:
            continue
        head = read_property(name)
        if head is None:
            raise _Malformed((link, name), "no property", Hint("at-sign"))
        heads[name] = (head.name, head.visibility or "public", head.declared_in)
        if name in visibility:
            word = read_visibility(visibility[name], class_name)
            if word is None or head.visibility is not None or type(head.name) is int:
                raise _Malformed(((link, "@visibility"), name), "expected protected, private or private:Class")
            heads[name] = (head.name, *word)
    for name in visibility:
        if name not in heads:
            raise _Malformed(((link, "@visibility"), name), "no such property", Hint("visibility"))
    if len(set(heads.values())) < len(heads):
        raise _Malformed(link, "two properties with the same name")
    return heads


def _integer(text: object) -> int | None:
    if type(text) is not str or not INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if INT_MIN <= number <= INT_MAX else None


def _float(text: object) -> float | None:
    if type(text) is not str or not (text in _NO_NUMBERS or _FLOAT.fullmatch(text)):
        return None
    number = _NO_NUMBERS.get(text) or float(text)
    return None if math.isinf(number) and text not in _NO_NUMBERS else number


def _enum(text: object) -> PhpEnum | None:
    class_name, found, case = text.partition("::") if type(text) is str else ("", "", "")
    return PhpEnum(class_name, case) if found and is_class_name(class_name) and is_class_name(case) else None


_SCALARS: Final[dict[str, tuple[str, Callable[[object], Any]]]] = {
    "@int": ("an integer of 64 bits in a string", _integer),
    "@float": ("a decimal, NAN, INF or -INF in a string", _float),
    "@base64": ("base64 in a string", read_base64),
    "@enum": ("Class::Case", _enum),
}
