"""The value domains as a check: what a value may hold, and the first place where it holds something else.

The encoders write at full speed and only notice *that* something is wrong. `conform` is the slow walk that then
finds out what and where, the same for every format, and that applies a caller's ``default``.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from envelope.errors import EncodeError, EncodeErrorKind
from envelope.formats.common.budget import Budget, Excess, long_output
from envelope.hints import Hint
from envelope.limits import Limits
from envelope.options import Default
from envelope.path import Step, short_path
from envelope.values.php_rules import INT_MAX, INT_MIN, array_key, text_or_bytes
from envelope.values.php_types import PhpEnum, PhpObject, PhpProperty, PhpReference

__all__ = ["DEEP", "Domain", "Unwritable", "check_unfolded", "conform", "is_cyclic", "write_conformed"]

# A default may return another value outside the domain; orjson stops at the same count.
_MAX_DEFAULT_CALLS = 254


class Unwritable(Exception):
    """Raised inside an encoder: the value has a fault, and `conform` will say which.

    If only the encoder can see it, *excess* says what is too much: a bound of its own, or (None) the output's size.
    """

    def __init__(self, excess: Excess | None = None) -> None:
        super().__init__(excess)
        self.excess = excess


def _holds_everything(_: object) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """What one call may write.

    ``php``: PHP's domain, not the portable one. ``shares_objects``: an object or `PhpReference` met again refers to
    the first place, so cycles are allowed. ``refuse``: why the format cannot hold a value (or a key) of the domain,
    ``""`` if it can.
    """

    format: str
    limits: Limits
    php: bool = False
    shares_objects: bool = False
    refuse: Callable[[object], str] = _holds_everything


def write_conformed(encode: Callable[[Any], bytes], value: object, domain: Domain, default: Default | None) -> bytes:
    """Return *encode*'s bytes for what `conform` makes of *value*; for *value* itself it raised `Unwritable`."""
    conformed = conform(value, domain, default)
    try:
        return encode(conformed)
    except Unwritable as exc:
        # Nothing in the value is at fault.
        reason, hint = exc.excess or long_output(domain.limits)
    raise EncodeError(reason, kind="limit", format=domain.format, hint=hint)


def check_unfolded(root: object, format: str, limits: Limits) -> None:
    """Raise if *root* has more than ``max_items`` values once each shared container is written out in full.

    Linear in what is there, not in what it unfolds to: a one-kilobyte document can share its way to 2^40 values.
    """
    sizes: dict[int, int] = {}
    # The open containers: what is left of their children, and the values in them so far.
    frames: list[tuple[object, Iterator[Any], list[int]]] = [(None, iter([root]), [-1])]
    while frames:
        container, children, size = frames[-1]
        for held in children:
            child = held.value if type(held) is PhpReference else held
            size[0] += 1
            if type(child) not in _CONTAINERS:
                continue
            if id(child) in sizes:
                size[0] += sizes[id(child)]
                continue
            sizes[id(child)] = 0  # while it is open: a cycle has no size
            frames.append((child, iter(_values(child)), [0]))
            break
        else:
            frames.pop()
            sizes[id(container)] = size[0]
            if frames:
                frames[-1][2][0] += size[0]
    if excess := Budget(limits).enter(0, sizes[id(None)]):
        reason = f"{excess.reason} once shared objects are written out"
        raise EncodeError(reason, kind="limit", format=format, hint=excess.hint)


_CONTAINERS = (list, dict, PhpObject)


def _values(container: Any) -> Iterable[Any]:
    if type(container) is PhpObject:
        return (entry.value for entry in container.properties)
    return container.values() if type(container) is dict else container


DEEP: Final = 256  # levels; a shallower value need not be checked for cycles


def is_cyclic(stack: list[Any]) -> bool:
    """Whether a list or map is twice in *stack*, which holds the open ones; ask at each depth from `DEEP` on.

    With unlimited depth, a value that contains itself would be walked for ever. Checking at each doubling of the
    depth finds it at a negligible cost.
    """
    depth = len(stack)
    return depth & (depth - 1) == 0 and len(set(map(id, stack))) < depth


def conform(root: object, domain: Domain, default: Default | None = None) -> Any:
    """Return *root* with ``default`` applied to what is outside the domain: a copy, if that may be needed.

    Raises `EncodeError` for the first fault in document order. Objects stay shared if the domain has sharing.
    """
    return _Conform(domain, default).walk(root)


_Put: TypeAlias = Callable[[Any, Any], None]


@dataclass(slots=True)
class _Frame:
    """An open container: what is left of its children, where their copies go, and what it is."""

    children: Iterator[tuple[Step | PhpProperty, Any]]
    put: _Put
    close: Callable[[], None]
    container: Any
    step: Any = None


class _Conform:
    def __init__(self, domain: Domain, default: Default | None) -> None:
        self.domain = domain
        self.default = default
        # With nothing to replace values by, the walk only looks.
        self.is_copying = default is not None or (domain.php and "phpserialize" in sys.modules)
        self.budget = Budget(domain.limits)
        self.frames: list[_Frame] = []
        self.open: set[int] = set()
        self.copies: dict[int, PhpObject | PhpReference] = {}
        self.translated: dict[int, PhpObject] = {}
        # Values that default made live only here; without this an id could be reused.
        self.made: list[Any] = []

    def walk(self, root: object) -> Any:
        result: list[Any] = []
        self.frames = [_Frame(iter([(0, root)]), lambda _, copy: result.append(copy), lambda: None, None)]
        while self.frames:
            frame = self.frames[-1]
            for step, child in frame.children:
                frame.step = step
                value, put = self.admit(child), frame.put
                if type(value) is PhpReference:
                    if self.domain.shares_objects and self.reuse(value, put, step):
                        continue
                    put = self.open_reference(value, put, step)
                    value = self.admit(value.value)
                if not isinstance(value, list | dict | PhpObject):
                    put(step, value)
                elif not self.reuse(value, put, step):
                    self.enter(value, put, step)
                    break
            else:
                frame.close()
                self.open.discard(id(frame.container))
                self.frames.pop()
        return result[0]

    def admit(self, value: Any) -> Any:
        """*value*, or what ``default`` makes of it, once the domain holds it."""
        for _ in range(_MAX_DEFAULT_CALLS):
            if self.holds_type(value):
                self.check(value)
                return value
            replacement = self.translate_phpobject(value) if self.domain.php else None
            value = self.call_default(value) if replacement is None else replacement
            self.made.append(value)
        raise self.fault(f"default still returns a {_type_name(value)} after {_MAX_DEFAULT_CALLS} calls")

    def call_default(self, value: Any) -> Any:
        if self.default is None:
            raise self.fault(f"a value of type {_type_name(value)} is outside the domain", hint=self.hint(value))
        try:
            return self.default(value)
        except Exception as exc:
            raise self.fault(f"default raised {type(exc).__name__} for a value of type {_type_name(value)}") from exc

    def translate_phpobject(self, value: Any) -> PhpObject | None:
        """The `PhpObject` for a `phpserialize.phpobject`, one for one; None for anything else."""
        package = sys.modules.get("phpserialize")
        if package is None or type(value) is not package.phpobject:
            return None
        if id(value) not in self.translated:
            # Its names are mangled, in bytes or text; the class name is either, too.
            members = value.__php_vars__.items() if type(value.__php_vars__) is dict else [(None, None)]
            try:
                properties = [PhpProperty.from_mangled(_text_if_utf8(key), item) for key, item in members]
                self.translated[id(value)] = PhpObject(_text_if_utf8(value.__name__), properties)
            except (TypeError, ValueError):
                raise self.fault("a phpobject with a name that no PHP object has") from None
        return self.translated[id(value)]

    def holds_type(self, value: Any) -> bool:
        kind = type(value)
        if kind in (str, int, float, bool, list, dict) or value is None:
            return True
        return self.domain.php and kind in (bytes, PhpObject, PhpEnum, PhpReference)

    def check(self, value: Any) -> None:
        """Raise if the domain holds a value's type but not the value."""
        if type(value) is int and not INT_MIN <= value <= INT_MAX:
            raise self.fault("an int beyond 64 bits", hint=Hint("as-str"))
        if type(value) is float and not self.domain.php and not math.isfinite(value):
            raise self.fault(f"{value} is not finite", hint=Hint("php-formats"))
        if type(value) is str:
            self.check_text(value, "text")
        if reason := self.domain.refuse(value):
            raise self.fault(reason)

    def check_text(self, text: str, what: str) -> None:
        # A character takes at least a byte, so the same long text, met often, is not scanned for ever.
        if excess := self.budget.spend(len(text)):
            raise self.beyond(excess)
        if text.isascii():
            return
        try:
            text.encode()
        except UnicodeEncodeError as exc:
            at = exc.start
        else:
            return
        raise self.fault(f"{what} with a lone surrogate at character {at}")

    def reuse(self, value: Any, put: _Put, step: Any) -> bool:
        """Put the copy of an object or reference that was met before, if the format can share; refuse a cycle."""
        if type(value) in (PhpObject, PhpReference) and self.domain.shares_objects:
            if id(value) in self.copies:
                put(step, self.copies[id(value)])
                return True
        elif id(value) in self.open:
            raise self.fault(f"the {_kind_name(value)} contains itself")
        return False

    def open_reference(self, reference: PhpReference, put: _Put, step: Any) -> _Put:
        """Return how the copy of a reference's value is put: into a copy of the reference, if the format has any."""
        if not self.domain.shares_objects:
            return put
        twin = self.copies[id(reference)] = PhpReference(None) if self.is_copying else reference
        put(step, twin)
        return (lambda _, copy: setattr(twin, "value", copy)) if self.is_copying else _ignore

    def enter(self, value: Any, put: _Put, step: Any) -> None:
        """Open a container: check its depth, count and keys, then have its children walked."""
        size = len(value.properties) if type(value) is PhpObject else len(value)
        if excess := self.budget.enter(len(self.frames), size):
            raise self.beyond(excess)
        children: Any
        if type(value) is list:
            children = enumerate(tuple(value))  # default may change the container
        elif type(value) is dict:
            children = iter(tuple(value.items()))
        else:
            children = ((entry, entry.value) for entry in value.properties)
        if type(value) is dict:
            self.check_keys(value)
        if type(value) is PhpObject and self.domain.shares_objects:
            names = [_surrogate_text(entry.mangled) for entry in value.properties]
            if len(set(names)) < len(names):
                raise self.fault("two properties with the same name")
        twin, put_child, close = self.copy_of(value)
        if type(value) is PhpObject:
            self.copies[id(value)] = twin
        put(step, twin)
        self.open.add(id(value))
        self.frames.append(_Frame(children, put_child, close, value))

    def copy_of(self, value: Any) -> tuple[Any, _Put, Callable[[], None]]:
        """An empty copy of a container, how a child is put into it, and what completes it."""
        if not self.is_copying:
            return value, _ignore, lambda: None
        if type(value) is list:
            items: list[Any] = []
            return items, lambda _, child: items.append(child), lambda: None
        if type(value) is dict:
            members: dict[Any, Any] = {}
            return members, members.__setitem__, lambda: None
        twin = copy(value)
        properties: list[PhpProperty] = []

        def put(entry: PhpProperty, child: Any) -> None:
            properties.append(PhpProperty(entry.name, child, entry.visibility, entry.declared_in))

        def close() -> None:
            object.__setattr__(twin, "properties", tuple(properties))

        return twin, put, close

    def check_keys(self, value: dict[Any, Any]) -> None:
        seen: set[int | str] = set()
        for key in value:
            if type(key) is str:
                self.check_text(key, "a key")
            elif not (self.domain.php and type(key) in (int, bytes)):
                raise self.fault(f"a key of type {_type_name(key)}", hint=Hint("key-is-str"))
            elif type(key) is int and not INT_MIN <= key <= INT_MAX:
                raise self.fault("a key is an int beyond 64 bits")
            if reason := self.domain.refuse(key):
                raise self.fault(f"a key: {reason}")
            if self.domain.php:
                real = key if type(key) is int else array_key(_surrogate_text(key))
                if real in seen:
                    raise self.fault("two keys that are one in PHP")
                seen.add(real)

    def fault(self, reason: str, *, kind: EncodeErrorKind = "unrepresentable", hint: Hint | None = None) -> EncodeError:
        steps = [frame.step.name if isinstance(frame.step, PhpProperty) else frame.step for frame in self.frames[1:]]
        return EncodeError(reason, kind=kind, format=self.domain.format, path=short_path(steps), hint=hint)

    def beyond(self, excess: Excess) -> EncodeError:
        return self.fault(excess.reason, kind="limit", hint=excess.hint)

    def hint(self, value: Any) -> Hint:
        if isinstance(value, PhpEnum):
            return Hint("enum-backing")
        if isinstance(value, PhpObject) and value.payload is not None:
            return Hint("own-payload")
        if isinstance(value, bytes | PhpObject | PhpReference):
            return Hint("php-formats")
        return Hint("to-value" if hasattr(value, "to_value") else "give-default")


def _ignore(_: object, __: object) -> None:
    pass


def _text_if_utf8(name: Any) -> Any:
    return text_or_bytes(name) if isinstance(name, bytes) else name


def _surrogate_text(key: str | bytes | int) -> str:
    return key.decode("utf-8", "surrogateescape") if isinstance(key, bytes) else str(key)


def _type_name(value: object) -> str:
    return type(value).__name__


def _kind_name(value: object) -> str:
    return "list" if type(value) is list else "map" if type(value) is dict else "object"
