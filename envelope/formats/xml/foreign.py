"""XML of other hands: what becomes of namespaces and attributes, and which elements are lists, as the options say."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from envelope.formats.xml.exact import PlainBuilder
from envelope.formats.xml.rules import beyond, check_namespace, plain_key
from envelope.path import parse_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from envelope.options import ReadOptions

__all__ = ["ForeignBuilder", "is_foreign"]


def is_foreign(options: ReadOptions) -> bool:
    """Whether any of the options is set that are for XML of other hands."""
    return options.attributes != "refuse" or options.namespaces != "refuse" or options.lists != ()


# As PHP's `(array)` of such an element has them.
_ATTRIBUTES: Final = "@attributes"
_TEXT: Final = "0"


class ForeignBuilder(PlainBuilder):
    """Builds the value of a document in the plain dialect with these options."""

    def __init__(self, options: ReadOptions) -> None:
        super().__init__(options.limits)
        self.options = options
        # Of each open element: the attributes that its value has, and where it is for `lists` (first, the root is).
        self.attributes: list[dict[str, Any]] = []
        self.places = [_root_places(options.lists)]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A start tag."""
        self.drop_white()
        tag, attributes = _without_namespaces(tag, attributes, self.options)
        if self.children is None:
            self.children = ([], [])
        depth = len(self.stack)
        self.stack.append(self.children)
        names, self.children = self.children[0], None
        names.append(tag)  # for the path of an error
        names[-1], kept = _key_and_attributes(tag, attributes, self.options, root=not depth)
        self.attributes.append(kept)
        self.places.append(_below(self.places[-1], names[-1]) if depth else self.places[0])
        # Attributes make a map of the element, with another in it.
        excess = self.budget.enter(depth + 2, 2 + len(kept)) if kept else self.budget.enter(depth, 1)
        if excess:
            raise beyond(excess)

    def end(self) -> None:
        """An end tag."""
        attributes, places = self.attributes.pop(), self.places.pop()
        if self.children is None:
            value: Any = "".join(self.text)
            if attributes:
                if value and (excess := self.budget.enter(0, 1)):
                    raise beyond(excess)
                value = {_ATTRIBUTES: attributes, _TEXT: value} if value else {_ATTRIBUTES: attributes}
            self.text.clear()
        else:
            self.drop_white()
            value = _container(*self.children, attributes, set().union(*(place.names for place in places)))
        self.children = self.stack.pop()
        self.children[1].append(value)


def _without_namespaces(tag: str, attributes: dict[str, str], options: ReadOptions) -> tuple[str, dict[str, str]]:
    """The tag and the attributes without declarations; fails at what is in a namespace if that is refused.

    Prefixes of attributes stay: which attribute is an item's key is known by its whole name.
    """
    if options.namespaces == "refuse":
        # What is dropped has no name that could be wrong; a declaration speaks of all that is in the element.
        is_dropped = options.attributes == "drop"
        check_namespace(tag, filter(_is_declaration, attributes) if is_dropped else attributes, "namespaces")
        return tag, attributes
    if attributes:
        attributes = {name: text for name, text in attributes.items() if not _is_declaration(name)}
    return (_local(tag) if options.namespaces == "drop" else tag), attributes


def _key_and_attributes(
    tag: str, attributes: dict[str, str], options: ReadOptions, *, root: bool
) -> tuple[str | None, dict[str, Any]]:
    """The key of an element (None: an `item` without one), and the attributes that its value has."""
    is_item = tag == "item" and not root and options.lists != "repeated"
    if options.attributes == "refuse":
        key = plain_key(tag, attributes, root=not is_item)
        return (key if is_item else tag), {}
    key = attributes.pop("key", None) if is_item else tag
    if options.attributes == "drop":
        return key, {}
    if options.namespaces == "drop":
        attributes = _repeated((_local(name), text) for name, text in attributes.items())
    return key, attributes


def _is_declaration(name: str) -> bool:
    return name == "xmlns" or name.startswith("xmlns:")


def _local(name: str) -> str:
    """*name* without its prefix, if there is a name behind it."""
    return name.partition(":")[2] or name


def _container(
    names: list[str | None], values: list[Any], attributes: dict[str, Any], lists: Collection[str]
) -> list[Any] | dict[str, Any]:
    """What `plain_container` returns, but a map that begins with *attributes* if there are any.

    *lists* are names of children that are always lists; a lone `item` of a list stays one beside attributes.
    """
    if names.count(None) == len(names):
        if not attributes and "item" not in lists:
            return values
        lists = {"item"}
    pairs = zip(("item" if name is None else name for name in names), values, strict=True)
    return _repeated(chain([(_ATTRIBUTES, attributes)], pairs) if attributes else pairs, lists)


def _repeated(pairs: Iterable[tuple[str, Any]], lists: Collection[str] = ()) -> dict[str, Any]:
    """The map of *pairs*, with a list of values for a name that is repeated, or in *lists*."""
    members: dict[str, list[Any]] = {}
    for name, value in pairs:
        members.setdefault(name, []).append(value)
    return {name: found if len(found) > 1 or name in lists else found[0] for name, found in members.items()}


class _Place:
    """A place that paths lead through: the places below it, and the names in it that are always lists.

    The step None is to a member of a list.
    """

    __slots__ = ("names", "steps")

    def __init__(self) -> None:
        self.steps: dict[str | None, _Place] = {}
        self.names: set[str] = set()


def _root_places(paths: Collection[str]) -> set[_Place]:
    """Return the place of the root for these *paths*, which `ReadOptions` has checked."""
    if not paths or paths == "repeated":
        return set()
    root = _Place()
    for path in paths:
        place = root
        *steps, name = parse_path(path)
        for step in steps:
            place = place.steps.setdefault(step, _Place())  # type: ignore[arg-type]  # none is an int
        place.names.add(name)  # type: ignore[arg-type]  # the last is a name
    return {root}


def _below(places: set[_Place], name: str | None) -> set[_Place]:
    """Return where the element *name* (None: an `item` without a key) in an element at *places* may be.

    Only after the last sibling is it known whether the element is a member of a list, so all that is possible counts.
    """
    found: set[_Place] = set()
    for place in places:
        if name is None and (member := place.steps.get(None)):
            found.add(member)
        if named := place.steps.get("item" if name is None else name):
            found.add(named)
            if member := named.steps.get(None):
                found.add(member)
    return found
