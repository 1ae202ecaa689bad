"""Reading var_export. The grammar is in `envelope.formats.var_export`, each production at its function."""

from __future__ import annotations

import re
from typing import Any, Final

from envelope.errors import DecodeError
from envelope.formats.common.charsets import strings_charset
from envelope.formats.common.cursor import Cursor
from envelope.formats.common.input import as_bytes
from envelope.formats.php.arrays import array_value
from envelope.formats.php.numbers import read_float, read_int
from envelope.hints import Hint
from envelope.options import DEFAULT_READING, ReadOptions, Unknown
from envelope.path import Step, short_path
from envelope.values.php_rules import INT_MIN, array_key
from envelope.values.php_types import PhpEnum, PhpObject, PhpProperty

__all__ = ["loads"]

FORMAT: Final = "var_export"


def loads(data: object, options: ReadOptions = DEFAULT_READING, unknown: Unknown | None = None) -> Any:
    """Return the value that *data* prints; `DecodeError` if PHP's `var_export` did not write it.

    The other dialects are read, and *unknown* is asked, as `envelope.formats.var_export.php_file` says.
    """
    if options.dialect in ("file", "short"):
        from envelope.formats.var_export.php_file.statements import loads as loads_file

        return loads_file(data, options, unknown)
    limits = options.limits
    reader = _Reader(
        as_bytes(data, FORMAT, limits, options.encoding), FORMAT, limits, strings_charset(options.encoding)
    )
    return reader.read(php=options.php, std_class=options.std_class)


_QUOTE, _NEWLINE = b"'\n"
# Possessive, or each round of a group would take a hundred bytes of memory. Before Python 3.11.5 a possessive group
# that fails inside a repetition of its own leaves the match there, so each round begins with single bytes.
_TEXT: Final = re.compile(rb"'([^'\\\0]*+(?:\\['\\][^'\\\0]*+)*+)'")
_PROPERTY_NAME: Final = re.compile(rb"'([^'\\]*+(?:\\['\\][^'\\]*+)*+)'")
# What ends the plain part of a string: an escape, or a byte that is not in it (its end, or a fault).
_MARK: Final = re.compile(rb"(\\['\\])|['\\\0]")
_NUL_BETWEEN_TEXTS: Final = b' . "\\0" . '
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+(?:E[+-][0-9]+)?)?")
_INT_KEY: Final = re.compile(rb"(0|-?[1-9][0-9]*) => ")
_WORD: Final = re.compile(rb"-?[A-Za-z]+")
_WORDS: Final = {b"NULL": None, b"true": True, b"false": False}
_NOT_FINITE: Final = (b"NAN", b"INF", b"-INF")
# How people begin a PHP file, or an array.
_WRITTEN: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*+(?:<\?php|return\b|\$|\[|array ?\((?!\n))", re.IGNORECASE)
_CLASS: Final = re.compile(
    rb"\\?(%(byte)b++(?:\\%(byte)b%(byte)b*+)*+)::(?:(__set_state\(array\(\n)|(%(byte)b++))"
    % {b"byte": rb"[A-Za-z0-9_\x80-\xff]"}
)


class _Open:
    """A container being read: what it has so far, and how its lines begin and end."""

    __slots__ = ("class_name", "closing", "has_int", "indent", "is_list", "key", "members", "properties")

    def __init__(self, depth: int, closing: bytes, class_name: str = "", *, php: bool = False) -> None:
        self.closing = b"  " * depth + closing
        self.indent = b"  " * (depth + 1) + (b" " if class_name else b"")
        self.class_name = class_name
        self.key: Any = None
        self.is_list = not class_name
        self.has_int = False
        # An array, and stdClass in the portable domain, fills a dict; an object fills a list of properties, because
        # private ones of a parent and of its child may be printed under one name.
        self.members: dict[Any, Any] = {}
        self.properties: list[PhpProperty] | None = [] if class_name and php else None

    def name_next(self, name: Any) -> None:
        """Set the key of the next value to *name*: an array makes canonical decimals int, stdClass makes ints text."""
        if self.class_name == "stdClass" and type(name) is int:
            name = str(name)
        elif not self.class_name:
            if type(name) is str:
                name = array_key(name)
            if type(name) is int:
                self.has_int = True
                self.is_list = self.is_list and 0 <= name <= len(self.members)
            else:
                self.is_list = False
        self.key = name

    def step(self, *, php: bool) -> Step:
        """The key as the finished container has it: in the portable domain only a list has integers."""
        return self.key if php or self.is_list else str(self.key)

    def put(self, value: Any) -> None:
        if self.properties is None:
            self.members[self.key] = value
        else:
            self.properties.append(PhpProperty(self.key, value))

    def finish(self, *, php: bool, std_class: bool) -> Any:
        if self.properties is not None:
            return PhpObject(self.class_name, self.properties)
        if self.class_name and std_class:
            return PhpObject(self.class_name, self.members)
        return array_value(self.members, is_list=self.is_list, has_int=self.has_int, php=php)


class _Reader(Cursor):
    """One document. `read` is the layout in one loop; each kind of value has a method."""

    __slots__ = ("php",)

    def read(self, *, php: bool, std_class: bool) -> Any:  # noqa: C901  # one loop
        """value, then the end of the input."""
        self.php = php
        data = self.data
        opened: list[_Open] = []
        pos = 0
        try:
            while True:
                # ---- value
                own_line = bool(opened) and data[pos] == _NEWLINE
                if own_line:
                    pos = self.expect(b"\n" + b"  " * len(opened), pos)
                head, value = None, None
                if own_line or not opened:
                    head, value, pos = self.head(pos, len(opened), needed=own_line)
                if head is not None:
                    opened.append(head)
                elif value is None:
                    value, pos = self.scalar(pos)
                if head is None and opened:
                    pos = self.expect(b",\n", pos)
                    opened[-1].put(value)

                # ---- out of the containers that are complete
                while opened and data.startswith(opened[-1].closing, pos):
                    done = opened.pop()
                    pos += len(done.closing)
                    value = done.finish(php=php, std_class=std_class)
                    if opened:
                        pos = self.expect(b",\n", pos)
                        opened[-1].put(value)
                if not opened:
                    if pos < len(data):
                        raise self.trailing(pos)
                    return value

                # ---- key
                pos = self.key(opened[-1], pos)
        except IndexError:
            pass  # the error comes after the handler, so that this one is not its context
        except DecodeError as error:
            error.path = self.path(opened)
            if error.kind == "malformed" and error.hint is None and _WRITTEN.match(data):
                error.hint = Hint("file-dialect")
            raise
        raise self.fail("expected a value", len(data), path=self.path(opened))

    def path(self, opened: list[_Open]) -> str:
        """Where the reader is."""
        return short_path([container.step(php=self.php) for container in opened if container.key is not None])

    def head(self, pos: int, depth: int, *, needed: bool) -> tuple[_Open | None, PhpEnum | None, int]:
        """What opens a container, or an enum's case; neither where a scalar is allowed instead."""
        data, head, enum = self.data, None, None
        end = pos
        if data.startswith(b"array (\n", pos):
            head, end = _Open(depth, b")"), pos + 8
        elif data.startswith(b"(object) array(\n", pos):
            head, end = _Open(depth, b")", "stdClass", php=self.php), pos + 16
        elif match := _CLASS.match(data, pos):
            name, case, end = self.text_or_none(match[1]), self.text_or_none(match[3] or b""), match.end()
            if name is None or case is None:
                raise self.not_in_charset("a class name", pos)
            if not self.php and (name != "stdClass" or match[3]):
                what = "an object other than stdClass" if match[2] else "an enum's case"
                raise self.fail(what, pos, kind="forbidden", hint=Hint("values-php-inert"))
            if match[2]:
                head = _Open(depth, b"))", name, php=self.php)
            else:
                enum = PhpEnum(name, case)
        elif needed:
            raise self.fail("expected a container", pos)
        if head is not None:
            self.enter(depth + 1, 0, pos)
        return head, enum, end

    def key(self, container: _Open, pos: int) -> int:
        """indent key ` => `"""
        container.key = None
        start = pos = self.expect(container.indent, pos, "a key or ')'")
        name: Any
        if self.data[pos] == _QUOTE:
            name, pos = self.string(pos, _PROPERTY_NAME) if container.class_name else self.string(pos)
            pos = self.expect(b" => ", pos)
        elif match := _INT_KEY.match(self.data, pos):
            name, pos = read_int(self, pos, match.end(1)), match.end()
        else:
            raise self.fail("expected a key", pos)
        self.enter(0, 1, start)
        container.name_next(name)
        return pos

    def scalar(self, pos: int) -> tuple[Any, int]:
        """string | number | NULL | true | false | NAN | INF | -INF"""
        if self.data[pos] == _QUOTE:
            return self.string(pos)
        if match := _NUMBER.match(self.data, pos):
            return self.number(match)
        match = _WORD.match(self.data, pos)
        word = match.group() if match else b""
        if word in _WORDS:
            return _WORDS[word], pos + len(word)
        if word in _NOT_FINITE:
            return read_float(self, pos, pos + len(word), php=self.php), pos + len(word)
        raise self.fail("expected a value", pos)

    def number(self, match: re.Match[bytes]) -> tuple[int | float, int]:
        """int | float; PHP_INT_MIN is `-9223372036854775807-1`, because its plain literal is a float in PHP."""
        start, end = match.span()
        if match[1]:
            return read_float(self, start, end, php=self.php), end
        if match.group() == b"-9223372036854775807" and self.data.startswith(b"-1", end):
            return INT_MIN, end + 2
        if match.group() == b"-0":
            raise self.fail("expected a number", start)
        number = read_int(self, start, end)
        if number == INT_MIN:
            raise self.fail("a literal that is a float in PHP", start, kind="limit", hint=Hint("int-min"))
        return number, end

    def string(self, pos: int, pattern: re.Pattern[bytes] = _TEXT) -> tuple[str | bytes, int]:
        """quoted (` . "\\0" . ` quoted)*"""
        start = pos
        raw, pos = self.quoted(pos, pattern)
        if self.data.startswith(b" .", pos):
            parts = [raw]
            while self.data.startswith(b" .", pos):
                part, pos = self.quoted(self.expect(_NUL_BETWEEN_TEXTS, pos))
                parts.append(part)
            raw = b"\0".join(parts)
        text = self.text_or_none(raw)
        if text is not None:
            return text, pos
        if self.php:
            return raw, pos
        raise self.not_in_charset("a string", start + 1, Hint("values-php-bytes"))

    def quoted(self, pos: int, pattern: re.Pattern[bytes] = _TEXT) -> tuple[bytes, int]:
        r"""`'…'` — `\\` and `\'` are the only escapes; only the names of properties may have a NUL."""
        match = pattern.match(self.data, pos)
        if match is None:
            self.expect(b"'", pos)
            raise self.bad_text(pos + 1)
        raw = match[1]
        if b"\\" in raw:
            # Each backslash begins an escape or is the second half of one, so pairs of them are found from the left. As
            # text, because joining bytes takes eighty more for each part.
            parts = raw.decode("latin-1").split("\\\\")
            raw = "\\".join([part.replace("\\'", "'") for part in parts]).encode("latin-1")
        return raw, match.end()

    def bad_text(self, start: int) -> DecodeError:
        """The error for a string that does not end: at a NUL, at a backslash that escapes nothing, or at the end."""
        data = self.data
        end = next((mark.start() for mark in _MARK.finditer(data, start) if not mark[1]), len(data))
        if data.startswith(b"\0", end):
            return self.fail("a NUL in a string", end, hint=Hint("nul-in-text"))
        if data.startswith(b"\\", end) and end + 1 < len(data):
            return self.fail("a backslash that escapes neither ' nor \\", end)
        return self.fail("expected the string to end", len(data))
