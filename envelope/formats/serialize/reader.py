"""The reader of serialize. The grammar is in `envelope.formats.serialize`, each production at its function."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import starmap
from typing import Any, Final

from envelope.errors import DecodeError
from envelope.formats.common.charsets import strings_charset
from envelope.formats.common.cursor import Cursor, column_hint
from envelope.formats.common.prepared import MAX_NAMES, PREPARED
from envelope.formats.php.arrays import array_value
from envelope.formats.php.numbers import read_float, read_int
from envelope.formats.serialize.lengths import length_hint, nearest_end
from envelope.hints import Hint
from envelope.options import ReadOptions
from envelope.path import Step, short_path
from envelope.values.php_rules import INT_STARTS, array_key, is_class_name
from envelope.values.php_types import PhpEnum, PhpObject, PhpProperty, PhpReference, referred

__all__ = ["FORMAT", "HEAD", "PENDING", "Open", "Reader"]

FORMAT: Final = "serialize"


_A, _B, _C, _D, _E, _I, _N, _O, _R_UPPER, _S_UPPER, _R, _S = b"abCdEiNORSrs"
_CLOSE: Final = ord("}")

# Heads of strings, and keys of lists, by their spelling; longer ones are read digit by digit.
_HEADS: Final = {b's:%d:"' % length: length for length in range(PREPARED)}
_INDEXES: Final = tuple(b"i:%d;" % index for index in range(PREPARED))
_LENGTH: Final = re.compile(rb"0|[1-9][0-9]*")
HEAD: Final = re.compile(rb"N;|[bidrR]:[-+.0-9IN]|[sSaOCE]:[0-9]")
_COUNT: Final = re.compile(rb":(0|[1-9][0-9]*):\{")
_SMALLEST_MEMBER: Final = 6  # i:0;N;
_HEX: Final = re.compile(rb"\\[0-9A-Fa-f]{2}")
_BOOLEANS: Final = {b"b:0;": False, b"b:1;": True}
# How names start that some containers change: canonical decimals, and names that PHP mangles.
_UNUSUAL: Final = frozenset(INT_STARTS) | {"", "\0"}

_MAP: Final = object()  # the shell of a stdClass in the portable domain, which is read as a map
PENDING: Final = object()  # holds the place of an array that is still open


class Open:
    """A container being read: what it has so far, how many members are to come, and the key of the next."""

    __slots__ = ("has_int", "is_list", "key", "left", "members", "shell")

    def __init__(self, left: int, shell: Any) -> None:
        self.left = left
        self.shell = shell  # the object that the members fill; None for an array
        self.members: Any = {}  # once it is complete, an array itself: a dict or a list
        self.key: Any = None  # None until it is read
        self.is_list = shell is None  # the keys are 0 … n-1 so far
        self.has_int = False  # one of the keys is an int; not tracked for a list

    def name_next(self, name: Any) -> None:
        """Set the key of the next value to *name*: an array makes canonical decimals int."""
        if self.shell is None:
            if type(name) is str and name[:1] in INT_STARTS:
                name = array_key(name)
            if type(name) is int:
                self.is_list = self.is_list and 0 <= name <= len(self.members)
                self.has_int = True
            elif self.is_list:
                self.stop_list()
        self.key = name

    def stop_list(self) -> None:
        """Make what was a list so far a map, because a key is not an int."""
        self.is_list = False
        self.has_int = bool(self.members)

    def step(self, *, php: bool) -> Step:
        """The key as the finished container has it: in the portable domain only a list has integers."""
        return str(self.key) if type(self.key) is int and not self.is_list and not php else self.key

    def finish(self, *, php: bool) -> Any:
        """The value, now that no member is left."""
        if self.shell is None or self.shell is _MAP:
            self.members = array_value(self.members, is_list=self.is_list, has_int=self.has_int, php=php)
            return self.members
        object.__setattr__(self.shell, "properties", tuple(starmap(PhpProperty.from_mangled, self.members.items())))
        return self.shell


class _Slots:
    """What `r:` and `R:` refer to: the places of the values so far, and how large the arrays in them are.

    *keeps* says whether `R:` becomes a `PhpReference`, which its own place and what it refers to then hold.
    """

    __slots__ = ("before", "heights", "keeps", "opaque", "places", "sizes", "stale")

    def __init__(self, *, keeps: bool) -> None:
        self.keeps = keeps
        self.places: list[tuple[Open, Any]] = []
        self.stale: dict[int, Open] = {}  # objects with members that may have changed since they were complete, by id
        self.opaque: int | None = None  # the slot of the first C: payload
        # For each open container: its levels so far, and the items that were left of the budget before it was opened.
        self.heights = [0]
        self.before: list[int] = []
        # For each complete one, by its id: the items in it, and its levels.
        self.sizes: dict[int, tuple[int, int]] = {}

    def take(self, container: Open) -> None:
        """Give the next slot to the place in *container* that has just been filled."""
        self.places.append((container, container.key))

    def open(self, items: int) -> None:
        """Note that a container opens, when the budget has *items* items left."""
        self.heights.append(1)
        self.before.append(items)

    def close(self, container: Open, value: Any, items: int) -> None:
        """Put *value*, which is complete now, into *container*; the budget has *items* items left."""
        held = container.members[container.key]
        if type(held) is PhpReference:  # something in it refers to it
            held.value = value
        else:
            container.members[container.key] = value
        height = self.heights.pop()
        self.sizes[id(value)] = (self.before.pop() - items, height)
        self.heights[-1] = max(self.heights[-1], height + 1)

    def reference(self, container: Open, key: Any) -> PhpReference:
        """The reference in a place, which is made if there is none yet."""
        held = container.members[key]
        if type(held) is not PhpReference:
            held = container.members[key] = PhpReference(held)
            if container.shell is not None:
                self.stale[id(container)] = container
        return held

    def finish(self) -> None:
        """Note that all is read."""
        for container in self.stale.values():
            container.finish(php=True)

    def repeat(self, value: object) -> tuple[int, int]:
        """The items and levels that *value* adds when repeated: an array all of its own, an object none."""
        items, height = self.sizes.get(id(value), (0, 0)) if type(value) in (list, dict) else (0, 0)
        self.heights[-1] = max(self.heights[-1], height + 1)
        return items, height


class Reader(Cursor):
    """One document. `value` is the layout in one loop; each kind of value has a method.

    *refers* says whether something may refer to a slot.
    """

    __slots__ = ("names", "opened", "php", "slots", "std_class")

    def __init__(self, data: bytes, options: ReadOptions, *, refers: bool) -> None:
        super().__init__(data, FORMAT, options.limits, strings_charset(options.encoding))
        self.php = options.php
        self.std_class = options.std_class
        self.slots = _Slots(keeps=options.references == "keep") if refers else None
        # Usual names by their spelling: those met before have been fully checked.
        self.names: dict[bytes, str] = {}
        self.opened: list[Open] = []

    def first(self, pos: int) -> tuple[Any, int]:
        """The value at *pos*, and the place after it."""
        # It is in an outer container that does not count, and whose one member has no key.
        outer = Open(1, None)
        self.opened = [outer]
        end = self.value(pos)
        if self.slots is not None:
            self.slots.finish()
        return outer.members[None], end

    def value(self, pos: int) -> int:  # noqa: C901  # one loop
        """value — put into the innermost open container, which has one member left; returns the place after it."""
        php, data, slots, names, opened = self.php, self.data, self.slots, self.names, self.opened
        outer = container = opened[-1]
        try:
            while True:
                # ---- value
                tag = data[pos]
                if tag == _S:  # the usual case
                    value, pos = self.string(pos)
                elif tag in _VALUES:
                    value, pos = _VALUES[tag](self, pos)
                else:
                    raise self.fail("expected a value", pos)
                container.members[container.key] = value
                container.left -= 1
                if slots is not None and tag != _R_UPPER and tag != _C:  # which takes its own
                    slots.take(container)

                # ---- out of the containers that are complete
                container = opened[-1]
                while not container.left:
                    if container is outer:
                        return pos
                    container.key = None
                    if data[pos] != _CLOSE:
                        raise self.fail("expected '}'", pos)
                    pos += 1
                    value = container.finish(php=php)
                    opened.pop()
                    container = opened[-1]
                    if slots is None:
                        container.members[container.key] = value
                    else:
                        slots.close(container, value, self.budget.items)

                # ---- key
                index = len(container.members)
                if container.is_list and index < len(_INDEXES) and data.startswith(_INDEXES[index], pos):
                    container.key = index
                    pos += len(_INDEXES[index])
                    continue
                end = data.find(b";", pos) + 1
                name = names.get(data[pos:end])
                if name is None:
                    pos = self.key(container, pos)
                else:
                    container.key, pos = name, end
                    if container.is_list:
                        container.stop_list()
        except IndexError:
            pass  # the error comes after the handler, so that this one is not its context
        except DecodeError as error:
            error.path = self.path(opened)
            raise
        raise self.fail("expected a value, a key or '}'", len(data), path=self.path(opened))

    def path(self, opened: list[Open]) -> str:
        """Where the reader is."""
        return short_path([container.step(php=self.php) for container in opened if container.key is not None])

    def key(self, container: Open, pos: int) -> int:
        """`i:int;` | string | escaped string"""
        container.key = None
        start, tag = pos, self.data[pos]
        name: Any
        if tag == _I:
            name, pos = self.integer(pos)
        elif tag == _S:
            name, pos = self.string(pos)
            if type(name) is str and name[:1] not in _UNUSUAL and len(self.names) < MAX_NAMES:
                self.names[self.data[start:pos]] = name
        elif tag == _S_UPPER:
            name, pos = self.escaped_string(pos)
        else:
            raise self.fail("expected a key", pos)
        container.name_next(name if container.shell is None else self.property_name(name, container.shell, start))
        return pos

    def property_name(self, name: Any, shell: Any, pos: int) -> Any:
        """A property's name as PHP mangles it: text, except for integers that a class's `__serialize()` writes."""
        if not self.php and (type(name) is not str or name[:1] == "\0"):
            if type(name) is int:
                return str(name)
            raise self.fail("a property that is not public", pos, kind="forbidden", hint=Hint("values-php"))
        return str(name) if type(name) is int and shell.class_name == "stdClass" else name

    def null(self, pos: int) -> tuple[None, int]:
        """`N;`"""
        if not self.data.startswith(b"N;", pos):
            raise self.fail("expected a value", pos)
        return None, pos + 2

    def boolean(self, pos: int) -> tuple[bool, int]:
        """`b:0;` | `b:1;`"""
        value = _BOOLEANS.get(self.data[pos : pos + 4])
        if value is None:
            raise self.fail("expected b:0; or b:1;", pos)
        return value, pos + 4

    def integer(self, pos: int) -> tuple[int, int]:
        """`i:int;`"""
        start, end = self.span(b"i:", pos)
        return read_int(self, start, end), end + 1

    def number(self, pos: int) -> tuple[float, int]:
        """`d:float;`"""
        start, end = self.span(b"d:", pos)
        return read_float(self, start, end, php=self.php), end + 1

    def span(self, head: bytes, pos: int) -> tuple[int, int]:
        """The beginning and end of what is between *head* and `;`."""
        end = self.data.find(b";", pos)
        if end < 0 or not self.data.startswith(head, pos):
            self.expect(head, pos)
            raise self.fail("expected ';'", len(self.data))
        return pos + len(head), end

    def string(self, pos: int) -> tuple[Any, int]:
        """`s:length:"bytes";` — text if the bytes fit the charset."""
        data = self.data
        start = data.find(b":", pos + 2) + 2
        size = _HEADS.get(data[pos:start])
        if size is None or not data.startswith(b'";', start + size):
            size, start = self.length(self.expect(b"s:", pos))
            start = self.expect(b'"', start)
            if not data.startswith(b'";', start + size):
                raise self.wrong_length(start, size)
        end = start + size
        try:
            return self.decode(data[start:end]), end + 2
        except UnicodeDecodeError as exc:
            bad = start + exc.start
        # After the handler, because an error's context would hold the string.
        return self.not_text(data[start:end], bad), end + 2

    def length(self, pos: int) -> tuple[int, int]:
        """length `:` — a canonical decimal that the rest of the input can hold; returns it and the place after it."""
        match = _LENGTH.match(self.data, pos)
        if match is None:
            raise self.fail("expected a length", pos)
        self.expect(b":", match.end())
        # More digits than a length can have are cut, so that int() has little to read.
        length = int(match.group()[:20])
        if length > len(self.data) - match.end():
            raise self.fail(
                f"a length of {length}, but only {len(self.data) - match.end()} bytes are left",
                pos,
                hint=column_hint(len(self.data))
                or Hint("cut-at-nul" if self.data[match.end() :] == b':"' else "cut-or-re-encoded"),
            )
        return length, match.end() + 1

    def not_text(self, raw: bytes, offset: int) -> bytes:
        """Bytes that do not fit the charset, which only PHP's domain holds."""
        if self.php:
            return raw
        raise self.not_in_charset("a string", offset, Hint("values-php-bytes"))

    def wrong_length(self, start: int, size: int) -> DecodeError:
        """The error for a string of declared *size* that does not end in `";` there; says how far off it is."""
        data = self.data
        close = nearest_end(data, start, size)
        hint = length_hint(data[start:close], size) if close >= 0 else None
        end = start + size
        return self.fail("expected '\";' where the string's length ends", end + data.startswith(b'"', end), hint=hint)

    def escaped_string(self, pos: int) -> tuple[Any, int]:
        r"""`S:length:"escaped";` — `\61` stands for a byte; the length counts bytes after that. PHP 6 wrote it."""
        size, start = self.length(self.expect(b"S:", pos))
        place = start = self.expect(b'"', start)
        data, raw = self.data, bytearray()
        while len(raw) < size:
            most = place + size - len(raw)
            slash = data.find(b"\\", place, most)
            plain_end = most if slash < 0 else slash
            raw += data[place:plain_end]
            place = plain_end
            if slash >= 0:
                if not _HEX.match(data, slash):
                    raise self.fail("expected two hexadecimal digits", slash + 1)
                raw.append(int(data[slash + 1 : slash + 3], 16))
                place = slash + 3
            elif place > len(data):
                raise self.fail("expected more of the string", len(data))
        end = self.expect(b'";', place)
        text = self.text_or_none(bytes(raw))
        return self.not_text(bytes(raw), start) if text is None else text, end

    def array(self, pos: int) -> tuple[Any, int]:
        """`a:count:{`"""
        return PENDING, self.open(pos + 1, None, pos)

    def object(self, pos: int) -> tuple[Any, int]:
        """`O:length:"class":count:{` — in PHP's domain the object is made at once: its members may refer to it."""
        name, end = self.class_name(self.expect(b"O:", pos))
        if name.lower() == "stdclass":
            name = "stdClass"
        else:
            self.php_only("an object other than stdClass", pos)
        if self.php or self.std_class:
            value = PhpObject(name)
            return value, self.open(end, value, pos)
        return PENDING, self.open(end, _MAP, pos)

    def open(self, pos: int, shell: Any, start: int) -> int:
        """`:count:{` of the container at *start* — no more members than the rest of the input can hold."""
        match = _COUNT.match(self.data, pos)
        if match is None:
            raise self.fail("expected ':count:{'", pos)
        count, end = int(match[1][:20]), match.end()
        if count > (len(self.data) - end) // _SMALLEST_MEMBER:
            raise self.fail(
                f"a count of {count}, but only {len(self.data) - end} bytes are left",
                match.start(1),
                hint=column_hint(len(self.data)) or Hint("cut-or-count"),
            )
        if self.slots is not None:
            self.slots.open(self.budget.items)
        self.enter(len(self.opened), count, start)
        self.opened.append(Open(count, shell))
        return end

    def class_name(self, pos: int) -> tuple[str, int]:
        """length `:"name"`"""
        size, start = self.length(pos)
        start = self.expect(b'"', start)
        name = self.text_or_none(self.data[start : start + size])
        if name is None:
            raise self.not_in_charset("a class name", start)
        if not is_class_name(name):
            raise self.fail("expected the name of a class", start)
        return name, self.expect(b'"', start + size)

    def php_only(self, what: str, pos: int) -> None:
        """Refuse *what* at *pos* in the portable domain."""
        if not self.php:
            raise self.fail(what, pos, kind="forbidden", hint=Hint("values-php-inert"))

    def custom_object(self, pos: int) -> tuple[Any, int]:
        """`C:length:"class":length:{payload}`"""
        self.php_only("an object with a payload of its own", pos)
        name, end = self.class_name(self.expect(b"C:", pos))
        size, start = self.length(self.expect(b":", end))
        start = self.expect(b"{", start)
        end = self.expect(b"}", start + size)
        if self.slots is not None:
            self.slots.take(self.opened[-1])
        return self.payload(name, start, end - 1), end

    def payload(self, name: str, start: int, end: int) -> Any:
        """The object of class *name* whose payload is from *start* to *end*; only the class knows what it holds."""
        if self.slots is not None and self.slots.opaque is None:
            self.slots.opaque = len(self.slots.places)
        return PhpObject(name, payload=self.data[start:end])

    def enum(self, pos: int) -> tuple[PhpEnum, int]:
        """`E:length:"Class:Case";`"""
        self.php_only("an enum", pos)
        size, start = self.length(self.expect(b"E:", pos))
        start = self.expect(b'"', start)
        class_name, _, case = (self.text_or_none(self.data[start : start + size]) or "").partition(":")
        if not (is_class_name(class_name) and is_class_name(case)):
            raise self.fail("expected Class:Case", start)
        return PhpEnum(class_name, case), self.expect(b'";', start + size)

    def reference(self, pos: int) -> tuple[Any, int]:
        """`r:slot;` (an object met before) or `R:slot;` (the value of a place met before)."""
        self.php_only("a reference", pos)
        is_object = self.data[pos] == _R
        start, end = self.span(b"r:" if is_object else b"R:", pos)
        slot = read_int(self, start, end)
        slots, container = self.slots, self.opened[-1]
        if slots is None or not 1 <= slot <= len(slots.places):
            raise self.fail("a reference to a slot that does not exist yet", start)
        if slots.opaque is not None and slot > slots.opaque:
            raise self.fail(
                "a reference past a C: payload",
                start,
                kind="forbidden",
                hint=Hint("payload-slots"),
            )
        holder, key = slots.places[slot - 1]
        if holder is container and key == container.key:
            raise self.fail("a reference to itself", start)
        if slots.keeps and not is_object:
            return slots.reference(holder, key), end + 1
        value = referred(holder.members[key])
        if is_object and type(value) not in (PhpObject, PhpEnum):
            raise self.fail("r: refers to a value that is not an object", start)
        if value is PENDING:
            raise self.fail("an array that contains itself", start, kind="forbidden", hint=Hint("keep-references"))
        # An array is repeated here in full, so it counts again: references must not multiply past the limits.
        items, height = slots.repeat(value)
        self.enter(0, items, start)
        self.enter(len(self.opened) - 1 + height, 0, start)
        return value, end + 1


_VALUES: Final[dict[int, Callable[[Reader, int], tuple[Any, int]]]] = {
    _N: Reader.null,
    _B: Reader.boolean,
    _I: Reader.integer,
    _D: Reader.number,
    _S: Reader.string,
    _S_UPPER: Reader.escaped_string,
    _A: Reader.array,
    _O: Reader.object,
    _C: Reader.custom_object,
    _E: Reader.enum,
    _R: Reader.reference,
    _R_UPPER: Reader.reference,
}
