"""The value model: what all formats share, PHP's extra values, PHP's key rule, and sameness.

Portable values are `None`, `bool`, `int` (64-bit), finite `float`, `str` without lone surrogates, `list`, and
`dict` with `str` keys; exact types only. ``values="php"`` adds `bytes` (strings that are not UTF-8), `int` keys,
NAN and INF, `PhpObject` and `PhpEnum`, and, if asked for, `PhpReference`. Everything here is inert: no class is ever
looked up or called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from envelope.path import MAX_NAME, Link, Step, format_link, link_steps, short_path
from envelope.values.php_rules import INT_MAX, INT_MIN, is_class_name, text_or_bytes

__all__ = [
    "NO_REFERENCE",
    "Loss",
    "Members",
    "PhpEnum",
    "PhpObject",
    "PhpProperty",
    "PhpReference",
    "PortableValue",
    "Value",
    "Visibility",
    "compare",
    "differences",
    "public_members",
    "referred",
    "same",
]


def _check_class_name(name: object) -> None:
    if not is_class_name(name):
        raise ValueError("not the name of a PHP class or case")


Visibility = Literal["public", "protected", "private"]
"""Who may see a property, as PHP has it."""
_VISIBILITIES = get_args(Visibility)
_NUL = ("\0", b"\0")


@dataclass(frozen=True, slots=True)
class PhpProperty:
    """One property of a `PhpObject`.

    ``name`` is `bytes` if it is not UTF-8, and `int` if a class wrote its state with ``__serialize()``.
    ``declared_in`` is the class that a private property belongs to, else ``""``.
    """

    name: str | bytes | int
    value: Any
    visibility: Visibility = "public"
    declared_in: str = ""

    def __post_init__(self) -> None:
        if type(self.name) is str:
            self.name.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
        elif type(self.name) is int:
            if self.visibility != "public":
                raise ValueError("a property with an int name is public")
            if not INT_MIN <= self.name <= INT_MAX:
                raise ValueError("a property's name is beyond 64 bits")
        elif type(self.name) is not bytes:
            raise TypeError(f"a property's name must be str, bytes or int, not {type(self.name).__name__}")
        if self.visibility not in _VISIBILITIES:
            raise ValueError(f"visibility must be public, protected or private, not {self.visibility!r}")
        if (self.visibility == "private") != bool(self.declared_in):
            raise ValueError("declared_in is required for a private property, and only for one")
        if self.declared_in:
            _check_class_name(self.declared_in)

    @classmethod
    def from_mangled(cls, mangled: str | bytes | int, value: Any) -> PhpProperty:
        r"""Read PHP's own spelling: ``name``, ``\0*\0name`` (protected) or ``\0Class\0name`` (private)."""
        if not isinstance(mangled, str | bytes):
            return cls(mangled, value)
        # Both spellings are split as text; a name that is not UTF-8 goes through its surrogate form and back.
        text = mangled if isinstance(mangled, str) else mangled.decode("utf-8", "surrogateescape")
        owner, found, name = text[1:].partition("\0")
        if not (text.startswith("\0") and found and name and (owner == "*" or is_class_name(owner))):
            return cls(mangled, value)
        plain = name if name.isascii() else text_or_bytes(name.encode("utf-8", "surrogateescape"))
        return cls(plain, value, "protected") if owner == "*" else cls(plain, value, "private", owner)

    @property
    def mangled(self) -> str | bytes | int:
        """PHP's own spelling of the name, as `serialize` writes it."""
        if self.visibility == "public" or isinstance(self.name, int):
            return self.name
        prefix = "\0*\0" if self.visibility == "protected" else f"\0{self.declared_in}\0"
        if isinstance(self.name, bytes):
            return prefix.encode("utf-8", "surrogateescape") + self.name
        return prefix + self.name


@dataclass(frozen=True, slots=True, eq=False)
class PhpObject:
    """A PHP object as data: its class's name, and its properties in order. No class is looked up or called.

    ``properties`` may be given as a mapping of public properties. ``payload`` holds the bytes of an object that
    its class wrote itself (``C:``), which then has no properties. Two objects are equal when they are the same
    value (`same`); whether they are one object in a document is Python's ``is``.
    """

    class_name: str
    properties: tuple[PhpProperty, ...] = ()
    payload: bytes | None = field(default=None, kw_only=True)

    def __init__(
        self,
        class_name: str,
        properties: Iterable[PhpProperty] | Mapping[str, Any] = (),
        *,
        payload: bytes | None = None,
    ) -> None:
        if isinstance(properties, Mapping):
            properties = [PhpProperty(name, value) for name, value in properties.items()]
        members = tuple(properties)
        if not all(type(entry) is PhpProperty for entry in members):
            raise TypeError("properties must be PhpProperty, or a mapping of names to values")
        if payload is not None and (members or type(payload) is not bytes):
            raise TypeError("a payload must be bytes, in place of properties")
        _check_class_name(class_name)
        object.__setattr__(self, "class_name", class_name)
        object.__setattr__(self, "properties", members)
        object.__setattr__(self, "payload", payload)

    def __getitem__(self, name: str | bytes | int) -> Any:
        """The value of the first property of this name, whatever its visibility; `KeyError` if there is none."""
        for entry in self.properties:
            if entry.name == name:
                return entry.value
        raise KeyError(name)

    def get(self, name: str | bytes | int, default: Any = None) -> Any:
        """Like ``self[name]``, but *default* if there is no such property."""
        return next((entry.value for entry in self.properties if entry.name == name), default)

    def __iter__(self) -> Iterator[str | bytes | int]:
        """The properties' names, in order."""
        return (entry.name for entry in self.properties)

    def __contains__(self, name: object) -> bool:
        return any(entry.name == name for entry in self.properties)

    @property
    def shown(self) -> tuple[PhpProperty, ...]:
        """The properties that `json_encode` shows: the public ones, except names that begin with NUL."""
        return tuple(
            entry
            for entry in self.properties
            if entry.visibility == "public" and (type(entry.name) is int or entry.name[:1] not in _NUL)  # type: ignore[index]
        )

    def __eq__(self, other: object) -> bool:
        return same(self, other) if isinstance(other, PhpObject) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # its properties may hold lists, like a tuple of lists

    def __repr__(self) -> str:
        # Names only: the graph may be cyclic, and as large as its document.
        names = ", ".join(f"{entry.visibility} {entry.name!r}" for entry in self.properties)
        payload = "" if self.payload is None else f", payload of {len(self.payload)} bytes"
        return f"<PhpObject {self.class_name} ({names}){payload}>"


@dataclass(frozen=True, slots=True)
class PhpEnum:
    """A case of a PHP enum. ``value`` is its backing value if it is known; PHP's formats do not write it."""

    class_name: str
    case: str
    value: str | int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _check_class_name(self.class_name)
        _check_class_name(self.case)


class PhpReference:
    """A PHP reference: the places that hold one `PhpReference` are one variable in PHP, whose value is ``value``.

    ``value`` can be set, for all of them; a reference to a reference is a `TypeError`, for PHP has none. Held in one
    place only, it is written as its value. Two are equal when their values are the same (`same`); whether they are one
    reference is Python's ``is``.
    """

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    @property
    def value(self) -> Any:
        """What the places hold."""
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        if isinstance(value, PhpReference):
            raise TypeError("a reference cannot hold a reference")
        self._value = value

    def __eq__(self, other: object) -> bool:
        return same(self, other) if isinstance(other, PhpReference) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # its value can be set

    def __repr__(self) -> str:
        # Kind and size only: an array may contain itself by reference.
        return f"<PhpReference to {_describe(self.value)}>"


PortableValue: TypeAlias = None | bool | int | float | str | list["PortableValue"] | dict[str, "PortableValue"]
"""A value that every format holds."""
Value: TypeAlias = (
    None
    | bool
    | int
    | float
    | str
    | bytes
    | list["Value"]
    | dict[str | int | bytes, "Value"]
    | PhpObject
    | PhpEnum
    | PhpReference
)
"""A value of PHP's domain (``values="php"``)."""


def referred(value: Any) -> Any:
    """Return what *value* refers to if it is a `PhpReference`, else *value*."""
    return value.value if type(value) is PhpReference else value


NO_REFERENCE = "value reference"
"""The note of a `Loss` where only one of the two values is a `PhpReference`."""


class Loss:
    """One place where a value changes: at ``path``, ``was`` becomes ``becomes`` (both the values themselves).

    ``note`` says what changes if both are of one kind (keys, properties, sharing), that it is only a reference, or that
    a text is the name of an enum's case.
    """

    __slots__ = ("_place", "becomes", "note", "was")

    def __init__(self, path: str | Link, was: Any, becomes: Any, note: str = "") -> None:
        # The path is spelled on demand: there may be one for each value, all below the same long key.
        self._place = path
        self.was = was
        self.becomes = becomes
        self.note = note

    @property
    def path(self) -> str:
        """The whole path of the place, in the value that was."""
        return self._place if isinstance(self._place, str) else format_link(self._place)

    @property
    def short_path(self) -> str:
        """The path as errors carry it, which stays small."""
        return self._place if isinstance(self._place, str) else short_path(link_steps(self._place))

    @property
    def change(self) -> str:
        """What becomes what: their kinds and sizes, never their contents."""
        note = f" ({self.note})" if self.note else ""
        return f"{_describe(self.was)} → {_describe(self.becomes)}{note}"

    @property
    def is_reference(self) -> bool:
        """Whether a value reference (``R:``) is lost, and its value is not."""
        return self.note == NO_REFERENCE

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Loss):
            return NotImplemented
        return self.path == other.path and same([self.was, self.becomes], [other.was, other.becomes])

    __hash__ = None  # type: ignore[assignment]  # values have none

    def __repr__(self) -> str:
        return f"<Loss {self}>"

    def __str__(self) -> str:
        return f"{self.short_path}: {self.change}"


def _describe(value: Any) -> str:
    """Kind and size of *value*, never its contents."""
    match value:
        case None:
            return "null"
        case str() | bytes():
            return f"{type(value).__name__} of {len(value)}"
        case dict():
            return f"map of {len(value)}" if value else "{}"
        case list():
            return f"list of {len(value)}" if value else "[]"
        case PhpObject() | PhpEnum():
            return f"{type(value).__name__} {value.class_name[:MAX_NAME]}"
    return type(value).__name__


def same(a: object, b: object) -> bool:
    """Whether two values are the same: types all the way down, key order, sign of zero; NaN equals NaN.

    Also which objects and references are shared: `[o, o]` is not the same as two equal objects.
    """
    return next(differences(a, b), None) is None


Members: TypeAlias = "list[Any] | dict[Any, Any]"
"""What an object shows where there are no objects, by name or as a list."""


def public_members(value: PhpObject) -> Members:
    """The public properties of *value* by name, as `json_encode` shows them."""
    return {entry.name: entry.value for entry in value.shown}


def differences(
    before: object, after: object, *, is_tree: bool = False, members: Callable[[PhpObject], Members] = public_members
) -> Iterator[Loss]:
    """Yield each place where *after* is not the same as *before*, once, in the order and with the paths of *before*.

    A container that changes its kind or its keys is one place; its children are compared in order if the counts
    agree. Where only one of the two is a reference, that is a `Loss` of its own, before what it refers to. Iterative,
    and containers already found to correspond are not compared again (`Correspondence`), so depth, cycles and sharing
    are safe. *is_tree* promises that one of the values holds no container in two places, as nothing read in the
    portable domain does; then nothing need be remembered of those that were compared. An object that became a map or
    a list is paired with it by its *members*, which are its public properties if nothing else is said.
    """
    return compare(iter([(None, before, after)]), is_tree=is_tree, members=members)


def compare(  # noqa: C901  # one loop
    pairs: Iterator[tuple[Link, Any, Any]], *, is_tree: bool, members: Callable[[PhpObject], Members] = public_members
) -> Iterator[Loss]:
    """Yield what `differences` does, for several pairs of values, each at a place of its own."""
    opened = [pairs]
    forward: dict[int, int] = {}
    backward: dict[int, int] = {}
    lone: set[int] = set()  # references without a counterpart
    known = None if is_tree else Correspondence()
    while opened:
        for link, was, becomes in opened[-1]:
            if type(was) is PhpReference or type(becomes) is PhpReference:
                if type(was) is not type(becomes):
                    yield Loss(link, was, becomes, NO_REFERENCE)
                    reference = id(was if type(was) is PhpReference else becomes)
                    if reference in lone and not is_tree:
                        continue
                    lone.add(reference)
                elif (are_one := _met(forward, backward, was, becomes)) is not None:
                    if not are_one:
                        yield Loss(link, was, becomes, "shared, then a copy")
                    continue
                was, becomes = referred(was), referred(becomes)
            has_members = type(was) in _CONTAINERS and type(becomes) in _CONTAINERS
            if type(was) is PhpObject and type(becomes) is PhpObject:
                if (are_one := _met(forward, backward, was, becomes)) is not None:
                    if not are_one:
                        yield Loss(link, was, becomes, "shared, then a copy")
                    continue
            elif has_members and known is not None and not known.add(was, becomes):
                continue
            if not _same_shell(was, becomes):
                yield Loss(link, was, becomes, _note(was, becomes))
            if has_members:
                opened.append(_pairs(link, was, becomes, members))
                break
        else:
            opened.pop()


def _met(forward: dict[int, int], backward: dict[int, int], was: object, becomes: object) -> bool | None:
    """Whether two objects, one of which was met before, correspond; None if both are new, and do from now on."""
    if id(was) in forward or id(becomes) in backward:
        return forward.get(id(was)) == id(becomes) and backward.get(id(becomes)) == id(was)
    forward[id(was)], backward[id(becomes)] = id(becomes), id(was)
    return None


class Correspondence:
    """Which containers of one value correspond to which of another, found pair by pair.

    If a corresponds to b, b to c and c to d, then so does a to d, without a look at their members (Hopcroft and Karp's
    equivalence of automata). So there are at most as many pairs to look at as there are containers, where cycles of p
    and of q containers have p·q pairs.
    """

    __slots__ = ("_above",)

    def __init__(self) -> None:
        self._above: dict[int, int] = {}

    def add(self, one: object, other: object) -> bool:
        """Note that *one*, of the first value, corresponds to *other*, of the second; False if that was known.

        Both must outlive this.
        """
        # A container may be in both values: there, it corresponds to itself only if it is compared with itself.
        top, lower = self._top(id(one)), self._top(~id(other))
        if top == lower:
            return False
        self._above[lower] = top
        return True

    def _top(self, node: int) -> int:
        """What stands for all that *node* corresponds to."""
        above = self._above
        while (up := above.get(node, node)) != node:
            above[node] = above.get(up, up)  # halves the way for the next
            node = above[node]
        return node


def _note(was: object, becomes: object) -> str:
    """What changes in a container that keeps its kind; what an enum's case became."""
    if type(was) is PhpEnum and type(becomes) is str:
        return "the name of the case" if was.value is None and becomes == was.case else ""
    if type(was) is not type(becomes):
        return ""
    return "other keys" if type(was) is dict else "other properties" if type(was) is PhpObject else ""


def _same_shell(a: Any, b: Any) -> bool:
    """Whether two values are the same, ignoring their children."""
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is float:
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    if kind is list:
        return len(a) == len(b)
    if kind is dict:
        return len(a) == len(b) and all(
            key == other and type(key) is type(other) for key, other in zip(a, b, strict=True)
        )
    if kind is PhpObject:
        return (
            a.class_name == b.class_name
            and a.payload == b.payload
            and list(map(_property_head, a.properties)) == list(map(_property_head, b.properties))
        )
    return bool(a == b)


_CONTAINERS = (list, dict, PhpObject)
_COMPARED = (*_CONTAINERS, PhpReference)


def _property_head(entry: PhpProperty) -> tuple[type, str | bytes | int, str, str]:
    return type(entry.name), entry.name, entry.visibility, entry.declared_in


def _pairs(link: Link, a: Any, b: Any, members: Callable[[PhpObject], Members]) -> Iterator[tuple[Link, Any, Any]]:
    """The children of two containers that may differ, in pairs; none if the counts differ."""
    if type(a) is PhpObject and type(b) is not PhpObject:
        a = members(a)
    elif type(b) is PhpObject and type(a) is not PhpObject:
        b = members(b)
    if _size(a) == _size(b):
        for (step, child), (_, other) in zip(_children(a), _children(b), strict=True):
            if type(child) in _COMPARED or not _same_shell(child, other):
                yield (link, step), child, other


def _size(container: Any) -> int:
    return len(container.properties if type(container) is PhpObject else container)


def _children(value: Any) -> Iterable[tuple[Step, Any]]:
    """Each child with its step."""
    if type(value) is dict:
        return value.items()
    if type(value) is list:
        return enumerate(value)
    return ((entry.name, entry.value) for entry in value.properties)
