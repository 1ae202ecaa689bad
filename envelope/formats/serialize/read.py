"""Reading serialize. The grammar stands in `envelope.formats.serialize`, each production beside its function."""

from __future__ import annotations

import re
from itertools import starmap
from typing import Any, Final

from envelope.errors import DecodeError
from envelope.formats.common.cursor import Cursor, as_bytes, column_hint, text_or_none
from envelope.formats.php.arrays import array_value
from envelope.formats.php.numbers import read_float, read_int
from envelope.hints import Hint, HintName
from envelope.options import DEFAULT_READING, ReadOptions
from envelope.path import Step, short_path
from envelope.values.php import PhpEnum, PhpObject, PhpProperty
from envelope.values.rules import INT_STARTS, array_key, is_class_name

__all__ = ["loads"]

FORMAT: Final = "serialize"


def loads(data: object, options: ReadOptions = DEFAULT_READING) -> Any:
    """The value that PHP's `unserialize` reads from *data*; `DecodeError` where it is not one value and no more."""
    limits = options.limits
    return _Reader(as_bytes(data, FORMAT, limits), FORMAT, limits).read(php=options.php)


_A, _B, _C, _D, _E, _I, _N, _O, _R_UPPER, _S_UPPER, _R, _S = b"abCdEiNORSrs"
_COLON, _QUOTE, _CLOSE = b':"}'
_REFERENCES: Final = (_R_UPPER, _R)
_CONTAINERS: Final = (_A, _O)

# Heads of strings, and the keys of a list, as they are spelled; what is longer is read digit by digit.
_HEADS: Final = {b"s:%d" % length: length for length in range(2048)}
_INDEXES: Final = tuple(b"i:%d;" % index for index in range(2048))
_LENGTH: Final = re.compile(rb"0|[1-9][0-9]*")
_COUNT: Final = re.compile(rb":(0|[1-9][0-9]*):\{")
_SMALLEST_MEMBER: Final = 6  # i:0;N;
_HEX: Final = re.compile(rb"\\[0-9A-Fa-f]{2}")

_MAP: Final = object()  # the shell of a stdClass in the portable domain
_PENDING: Final = object()  # stands in its container's place for an array that is still open


_BOOLEANS: Final = {b"b:0;": False, b"b:1;": True}
_UNUSUAL: Final = frozenset(INT_STARTS) | {"", "\0"}  # names that are not everywhere a key as they stand start so


def _step(key: Step, *, is_list: bool, php: bool) -> Step:
    """A key as its container has it once it is read: in the portable domain only a list has integers."""
    return str(key) if type(key) is int and not is_list and not php else key


class _Reader(Cursor):
    """One document. `read` is the whole grammar in one loop; the rarer productions have methods."""

    __slots__ = ("opaque", "php", "sizes", "slots")

    def read(self, *, php: bool) -> Any:  # noqa: C901  # one loop, for speed
        """value, then the end of the input."""
        self.php = php
        # Slots cost a place each, so they are kept only where something may refer to one (always behind a key's `;`).
        self.slots: list[tuple[dict[Any, Any], Any]] | None = (
            [] if php and (b";R:" in self.data or b";r:" in self.data) else None
        )
        self.sizes: dict[int, tuple[int, int]] = {}
        self.opaque: int | None = None
        stack: list[tuple[Any, ...]] = []
        key: Any = None
        data, slots = self.data, self.slots
        find, heads, indexes, string = data.find, _HEADS, _INDEXES, self.string
        # Names met before, by their quoted spelling: a hit has been checked in full.
        names: dict[bytes, str] = {}
        max_depth = self.limits.max_depth
        pos = 0
        # The open container: its members under their keys, how many are to come, whether the keys are 0 … n-1 so
        # far, whether one of them is an int, and the object that it fills (None: an array).
        members: dict[Any, Any] = {}
        left, is_list, has_int, shell = 1, False, False, None
        # The deepest level reached in it, and the items read before it: what a reference to it would repeat.
        deepest, before = 0, 0
        try:
            while True:
                # ---- value
                tag = data[pos]
                if tag == _S:
                    value, pos = string(pos)
                elif tag == _I:
                    end = find(b";", pos)
                    digits = data[pos + 2 : end]
                    if len(digits) < 19 and digits.isdigit() and end > 0 and data[pos + 1] == _COLON:
                        value, pos = int(digits), end + 1
                    else:
                        value, pos = self.integer(pos)
                elif tag == _A:
                    value, opening, start = _PENDING, None, pos
                    left_inside, pos = self.count(b"a", pos)
                elif tag == _D:
                    value, pos = self.number(pos)
                elif tag == _N and data.startswith(b"N;", pos):
                    value, pos = None, pos + 2
                elif tag == _B:
                    value, pos = self.boolean(pos)
                elif tag == _O:
                    start = pos
                    opening, pos = self.object_head(pos)
                    value = _PENDING if opening is _MAP else opening
                    left_inside, pos = self.count(b"", pos)
                elif tag in _REFERENCES:
                    value, height, pos = self.reference(pos, members, key, len(stack))
                    deepest = max(deepest, len(stack) + height)
                elif tag == _S_UPPER:
                    value, pos = self.escaped_string(pos)
                elif tag == _E:
                    value, pos = self.enum(pos)
                elif tag == _C:
                    value, pos = self.custom_object(pos)
                else:
                    raise self.fail("expected a value", pos)
                members[key] = value
                left -= 1
                if slots is not None and tag != _R_UPPER:
                    slots.append((members, key))

                # ---- into a container that opens
                if tag in _CONTAINERS:
                    if len(stack) >= max_depth:
                        self.check_depth(len(stack) + 1, start)
                    before_inside = self.items
                    self.count_items(left_inside, start)
                    stack.append((key, is_list, members, left, has_int, shell, deepest, before))
                    deepest, before = len(stack), before_inside
                    members, left, shell = {}, left_inside, opening
                    is_list, has_int = shell is None, False

                # ---- out of the containers that are complete
                while not left:
                    if not stack:
                        if pos < len(data):
                            raise self.trailing(pos)
                        return members[None]
                    key = None
                    if data[pos] != _CLOSE:
                        raise self.fail("expected '}'", pos)
                    pos += 1
                    if shell is None or shell is _MAP:
                        value = array_value(members, is_list=is_list, has_int=has_int, php=php)
                    else:
                        value = shell
                        properties = tuple(starmap(PhpProperty.from_mangled, members.items()))
                        object.__setattr__(shell, "properties", properties)
                    if slots is not None:
                        self.sizes[id(value)] = (self.items - before, deepest - len(stack) + 1)
                    reached = deepest
                    key, is_list, members, left, has_int, shell, deepest, before = stack.pop()
                    deepest = max(deepest, reached)
                    members[key] = value

                # ---- key
                key = None
                read = len(members)
                if is_list and read < 2048 and data.startswith(indexes[read], pos):
                    pos += len(indexes[read])
                    key = read
                    continue
                colon = find(b":", pos + 2)
                end = colon + 4 + heads.get(data[pos:colon], -4)
                key = names.get(data[colon + 1 : end])
                if key is not None:
                    if is_list:
                        is_list, has_int = False, read > 0
                    pos = end
                    continue
                tag = data[pos]
                start = pos
                if tag == _S:
                    name, pos = string(pos)
                    if type(name) is str and name[:1] not in _UNUSUAL and len(names) < 4096:
                        names[data[colon + 1 : pos]] = name
                elif tag == _I:
                    name, pos = self.integer(pos)
                elif tag == _S_UPPER:
                    name, pos = self.escaped_string(pos)
                else:
                    raise self.fail("expected a key", pos)
                if shell is not None:
                    key = self.property_name(name, shell, start)
                    continue
                if type(name) is str and name[:1] in INT_STARTS:
                    name = array_key(name)
                if type(name) is int:
                    is_list = is_list and 0 <= name <= read
                    has_int = True
                elif is_list:
                    is_list, has_int = False, read > 0
                key = name
        except IndexError:
            error = self.fail("expected a value, a key or '}'", len(data))
        except DecodeError as exc:
            error = exc
        places = [*(frame[:2] for frame in stack[1:]), (key, is_list)] if stack else []
        error.path = short_path([_step(key, is_list=is_list, php=php) for key, is_list in places if key is not None])
        raise error

    def length(self, pos: int) -> tuple[int, int]:
        """length `:` — a canonical decimal that the rest of the input can hold; answers it and what follows."""
        match = _LENGTH.match(self.data, pos)
        if match is None:
            raise self.fail("expected a length", pos)
        self.expect(b":", match.end())
        # More digits than a length can have are cut, so that int() has little to read.
        length = int(match.group()[:20])
        if length > len(self.data) - match.end():
            raise self.fail(
                f"a length of {length} where {len(self.data) - match.end()} bytes are left",
                pos,
                hint=column_hint(len(self.data)) or Hint("cut-or-re-encoded"),
            )
        return length, match.end() + 1

    def string(self, pos: int) -> tuple[Any, int]:
        """`s:length:"bytes";` — text where the bytes are UTF-8."""
        data = self.data
        colon = data.find(b":", pos + 2)
        start = colon + 2
        end = start + _HEADS.get(data[pos:colon], -start)
        if data[end : end + 2] != b'";' or data[start - 1] != _QUOTE:
            size, start = self.length(self.expect(b"s:", pos))
            start = self.expect(b'"', start)
            end = start + size
            if not data.startswith(b'";', end):
                raise self.wrong_length(start, size)
        try:
            return data[start:end].decode(), end + 2
        except UnicodeDecodeError as exc:
            bad = start + exc.start
        # Behind the handler, for an error's context would hold the string.
        return self.not_text(data[start:end], bad), end + 2

    def not_text(self, raw: bytes, offset: int) -> bytes:
        """Bytes that are not UTF-8: a value of PHP's domain only."""
        if self.php:
            return raw
        raise self.fail("a string that is not UTF-8", offset, kind="forbidden", hint=Hint("values-php-bytes"))

    def wrong_length(self, start: int, size: int) -> DecodeError:
        """The error for a string of declared *size* that does not end in `";` there; says how far off it is."""
        data = self.data
        close = data.find(b'";', start)
        hint = None
        if close >= 0:
            off = close - start - size
            characters = len(data[start:close].decode("utf-8", "replace"))
            cause: HintName = "length-in-characters" if characters == size else "re-encoded"
            hint = Hint(cause, abs(off), "short" if off < 0 else "long")
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
        text = text_or_none(bytes(raw))
        return self.not_text(bytes(raw), start) if text is None else text, end

    def integer(self, pos: int) -> tuple[int, int]:
        """`i:int;`"""
        start = self.expect(b"i:", pos)
        end = self.semicolon(start)
        return read_int(self, start, end), end + 1

    def number(self, pos: int) -> tuple[float, int]:
        """`d:float;`"""
        start = self.expect(b"d:", pos)
        end = self.semicolon(start)
        return read_float(self, start, end, php=self.php), end + 1

    def semicolon(self, pos: int) -> int:
        end = self.data.find(b";", pos)
        if end < 0:
            raise self.fail("expected ';'", len(self.data))
        return end

    def boolean(self, pos: int) -> tuple[bool, int]:
        """`b:0;` or `b:1;`"""
        value = _BOOLEANS.get(self.data[pos : pos + 4])
        if value is None:
            raise self.fail("expected b:0; or b:1;", pos)
        return value, pos + 4

    def count(self, tag: bytes, pos: int) -> tuple[int, int]:
        """`a:count:{` (or `:count:{` behind a class name) — no more members than the bytes left can hold."""
        start = self.expect(tag, pos)
        match = _COUNT.match(self.data, start)
        if match is None:
            raise self.fail("expected ':count:{'", start)
        count, start, end = int(match[1][:20]), match.start(1), match.end()
        if count > (len(self.data) - end) // _SMALLEST_MEMBER:
            raise self.fail(f"a count of {count} where {len(self.data) - end} bytes are left", start)
        return count, end

    def class_name(self, pos: int) -> tuple[str, int]:
        """length `:"name"`"""
        size, start = self.length(pos)
        start = self.expect(b'"', start)
        name = text_or_none(self.data[start : start + size])
        if name is None:
            raise self.fail("a class name that is not UTF-8", start, kind="forbidden")
        if not is_class_name(name):
            raise self.fail("expected the name of a class", start)
        return name, self.expect(b'"', start + size)

    def object_head(self, pos: int) -> tuple[Any, int]:
        """`O:length:"class"` — answers the object that is to be filled."""
        name, end = self.class_name(self.expect(b"O:", pos))
        if name.lower() == "stdclass":
            return (PhpObject("stdClass") if self.php else _MAP), end
        self.php_only("an object that is no stdClass", pos)
        return PhpObject(name), end

    def php_only(self, what: str, pos: int) -> None:
        if not self.php:
            raise self.fail(what, pos, kind="forbidden", hint=Hint("values-php-inert"))

    def property_name(self, name: Any, shell: Any, pos: int) -> Any:
        """A property's name as PHP mangles it: text, but for the integers that a class's `__serialize()` writes."""
        if shell is _MAP and (type(name) is not str or name[:1] == "\0"):
            if type(name) is int:
                return str(name)
            raise self.fail("a property that is not public", pos, kind="forbidden", hint=Hint("values-php"))
        return str(name) if type(name) is int and shell.class_name == "stdClass" else name

    def custom_object(self, pos: int) -> tuple[PhpObject, int]:
        """`C:length:"class":length:{payload}`"""
        self.php_only("an object with a payload of its own", pos)
        name, end = self.class_name(self.expect(b"C:", pos))
        size, start = self.length(self.expect(b":", end))
        start = self.expect(b"{", start)
        end = self.expect(b"}", start + size)
        if self.slots is not None and self.opaque is None:
            self.opaque = len(self.slots) + 1
        return PhpObject(name, payload=self.data[start : start + size]), end

    def enum(self, pos: int) -> tuple[PhpEnum, int]:
        """`E:length:"Class:Case";`"""
        self.php_only("an enum", pos)
        size, start = self.length(self.expect(b"E:", pos))
        start = self.expect(b'"', start)
        class_name, _, case = (text_or_none(self.data[start : start + size]) or "").partition(":")
        if not (is_class_name(class_name) and is_class_name(case)):
            raise self.fail("expected Class:Case", start)
        return PhpEnum(class_name, case), self.expect(b'";', start + size)

    def reference(self, pos: int, members: dict[Any, Any], key: Any, depth: int) -> tuple[Any, int, int]:
        """`r:slot;` (an object met before) or `R:slot;` (the value of a place met before)."""
        self.php_only("a reference", pos)
        start = self.expect(b"r:" if self.data[pos] == _R else b"R:", pos)
        end = self.semicolon(start)
        slot = read_int(self, start, end)
        slots = self.slots
        if slots is None or not 1 <= slot <= len(slots):
            raise self.fail("a reference to a slot that is not there yet", start)
        if self.opaque is not None and slot > self.opaque:
            raise self.fail(
                "a reference past a C: payload",
                start,
                kind="forbidden",
                hint=Hint("payload-slots"),
            )
        owner, name = slots[slot - 1]
        if owner is members and name == key:
            raise self.fail("a reference to itself", start)
        value = owner[name]
        if self.data[pos] == _R and type(value) not in (PhpObject, PhpEnum):
            raise self.fail("r: refers to a value that is no object", start)
        if value is _PENDING:
            raise self.fail("an array that contains itself", start, kind="forbidden")
        # An array stands here again in full, so it counts again: references must not multiply past the limits.
        items, height = self.sizes.get(id(value), (0, 0)) if type(value) in (list, dict) else (0, 0)
        self.count_items(items, start)
        self.check_depth(depth + height, start)
        return value, height, end + 1
