"""Writing var_export, byte for byte as PHP 8.2 does; the grammar is in `envelope.formats.var_export`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any, Final

from envelope.formats.common.budget import Budget
from envelope.formats.common.conform import (
    DEEP,
    Domain,
    Unwritable,
    check_unfolded,
    is_cyclic,
    write_conformed,
)
from envelope.formats.common.prepared import MAX_NAMES
from envelope.formats.common.writer import MANY_PARTS
from envelope.formats.php.numbers import float_text
from envelope.formats.php.writer import PhpWriter
from envelope.formats.var_export.read import FORMAT
from envelope.options import DEFAULT_WRITING, Default, WriteOptions
from envelope.values.php_rules import INT_MAX, INT_MIN, array_key, is_ambiguous
from envelope.values.php_types import PhpEnum, PhpObject, PhpProperty, PhpReference

__all__ = ["dumps"]


def dumps(value: object, options: WriteOptions = DEFAULT_WRITING, default: Default | None = None) -> bytes:
    """Return the bytes that PHP's `var_export` prints for *value*; `EncodeError` if it cannot be written.

    The dialect ``"file"`` makes a PHP file of them; ``"short"`` has arrays in brackets, as people write them.
    """
    if options.php:
        check_unfolded(value, FORMAT, options.limits)
    writer = _WRITERS.get(options.dialect, _Writer)(options)
    try:
        return writer.write(value)
    except Unwritable:
        domain = Domain(format=FORMAT, limits=options.limits, php=options.php, refuse=_refuse_payload)
    return write_conformed(writer.write, value, domain, default)


def _refuse_payload(value: object) -> str:
    is_payload = type(value) is PhpObject and value.payload is not None
    return "an object with a payload of its own; only serialize holds one" if is_payload else ""


def _quoted(text: str) -> str:
    r"""`'…'`: backslash and quote escaped, NULs cut out as `' . "\0" . '`; all else as it is."""
    if "\\" in text or "'" in text:
        text = text.replace("\\", "\\\\").replace("'", "\\'")
    if "\0" in text:
        text = text.replace("\0", "' . \"\\0\" . '")
    return f"'{text}'"


class _Tokens(dict[str, str]):
    """Array keys as printed, each made once: canonical decimals of an int64 bare, all others quoted."""

    def __missing__(self, key: str) -> str:
        key.encode()  # a lone surrogate fails here
        token = f"{key} => " if type(array_key(key)) is int else f"{_quoted(key)} => "
        if len(self) < MAX_NAMES:
            self[key] = token
        return token


class _Writer(PhpWriter):
    step = "  "  # one level of indent
    null = "NULL"
    int_min = "-9223372036854775807-1"

    def parts(self, root: Any) -> list[str]:  # noqa: C901  # one loop, for speed
        """The document in pieces, each line's indent with its key."""
        budget = Budget(self.limits)
        room = budget.room
        step, line = self.step, self.line
        tokens = _Tokens()
        parts: list[str] = []
        put = parts.append
        # The open containers, outermost first; for each, what is left of its children, and how it ends.
        stack: list[Any] = []
        outer: list[tuple[Iterator[tuple[str, Any]], str]] = []
        entries: Iterator[tuple[str, Any]] = iter((("", root),))
        end, closing = "", ""
        paid = 0  # of each piece: its key's indent was counted when its container was opened
        while True:
            for key, held in entries:
                # PHP prints no references, but what they refer to.
                value = held.value if type(held) is PhpReference and self.php else held
                kind = type(value)
                if kind is str:
                    if not value.isascii():
                        room -= len(value.encode()) - len(value)
                    piece = f"{key}{_quoted(value)}{end}"
                elif kind is int:
                    if not INT_MIN <= value <= INT_MAX:
                        raise Unwritable
                    piece = f"{key}{value if value != INT_MIN else self.int_min}{end}"
                elif kind is float:
                    if not self.php and value - value != 0:  # NaN and the infinities
                        raise Unwritable
                    piece = f"{key}{float_text(value)}{end}"
                elif kind is bool:
                    piece = f"{key}true{end}" if value else f"{key}false{end}"
                elif value is None:
                    piece = f"{key}{self.null}{end}"
                elif kind is list or kind is dict or (self.php and kind is PhpObject):
                    break
                elif self.php and kind is bytes:
                    piece = f"{key}{_quoted(value.decode('utf-8', 'surrogateescape'))}{end}"
                elif self.php and kind is PhpEnum:
                    piece = f"{key}{line(stack)}\\{value.class_name}::{value.case}{end}"
                else:
                    raise Unwritable
                # Counted as it grows: a small value can name the same long text, or key, many times.
                room -= len(piece) - paid
                if room < 0:
                    raise Unwritable
                put(piece)
            else:
                put(closing)
                if not stack:
                    return parts
                stack.pop()
                entries, closing = outer.pop()
                end = ",\n" if stack else ""
                paid = max(0, len(step) * (len(stack) - 1))
                continue
            if len(parts) > MANY_PARTS:
                self.pack(parts)
            outer.append((entries, closing))
            indent = step * len(stack)
            head, entries, tail = self.container(value, indent, tokens)
            piece = f"{key}{line(stack)}{head}"
            put(piece)
            stack.append(value)
            closing = f"{tail}{end}"
            end = ",\n"
            size = len(value.properties) if kind is PhpObject else len(value)
            if size > MANY_PARTS:
                entries = self.packing(entries, parts)
            # Indents alone can outgrow the bound, so they are counted before they are made.
            room -= size * len(indent) + len(piece) - paid
            paid = len(indent)
            depth = len(stack)
            if budget.enter(depth, size) or room < 0 or (depth >= DEEP and is_cyclic(stack)):
                raise Unwritable

    def line(self, stack: list[Any]) -> str:
        """What precedes a container after its key: a new line with the indent of the containers around it."""
        return "\n" + "  " * len(stack) if stack else ""

    def container(self, value: Any, indent: str, tokens: _Tokens) -> tuple[str, Any, str]:
        """The head of a container, its children with their keys, and its tail."""
        if type(value) is list:
            entries = zip(map(f"{indent}  {{}} => ".format, range(len(value))), value, strict=True)
            return "array (\n", entries, f"{indent})"
        if type(value) is PhpObject:
            return self.object(value, indent)
        keys = self.keys(value, tokens)
        if self.map_objects and is_ambiguous(value):
            names = map(_quoted, map(str, value))
            entries = zip(map(f"{indent}   {{}} => ".format, names), value.values(), strict=True)
            return "(object) array(\n", entries, f"{indent})"
        return "array (\n", zip(map(f"{indent}  ".__add__, keys), value.values(), strict=True), f"{indent})"

    def keys(self, value: dict[Any, Any], tokens: _Tokens) -> list[str]:
        """A map's keys as an array has them, each with its arrow."""
        kinds = set(map(type, value))
        if kinds - {str} and not (self.php and kinds <= {str, int, bytes}):
            raise Unwritable
        keys = [tokens[key] if type(key) is str else _key(key) for key in value]
        if len(kinds) > 1 and len(set(keys)) < len(keys):
            raise Unwritable
        return keys

    def object(self, value: PhpObject, indent: str) -> tuple[str, Any, str]:
        """`\\Class::__set_state(array(` or `(object) array(`; visibility is not printed."""
        if value.payload is not None:
            raise Unwritable
        names = [f"{indent}   {_property_name(entry)} => " for entry in value.properties]
        children = zip(names, [entry.value for entry in value.properties], strict=True)
        if value.class_name == "stdClass":
            return "(object) array(\n", children, f"{indent})"
        return f"\\{value.class_name}::__set_state(array(\n", children, f"{indent}))"


class _FileWriter(_Writer):
    """A file that `include` gives back: PHP prints what does not begin with ``<?php``."""

    def write(self, root: Any) -> bytes:
        body = b"<?php\n\nreturn %b;\n" % super().write(root)
        if len(body) > self.limits.max_bytes:
            raise Unwritable
        return body


class _ShortWriter(_Writer):
    """Arrays in brackets, lists without keys, four spaces a level; a container begins on its key's line."""

    step = "    "
    null = "null"
    int_min = "PHP_INT_MIN"

    def line(self, stack: list[Any]) -> str:  # noqa: ARG002
        return ""

    def container(self, value: Any, indent: str, tokens: _Tokens) -> tuple[str, Any, str]:
        inner = f"{indent}{self.step}"
        if type(value) is list:
            return _bracketed(zip(repeat(inner), value, strict=False), indent, has_any=bool(value))
        if type(value) is PhpObject:
            return self.object(value, indent)
        keys: Iterable[str] = self.keys(value, tokens)
        head = ""
        if self.map_objects and is_ambiguous(value):
            head, keys = "(object) ", [f"{_quoted(str(key))} => " for key in value]
        return _bracketed(zip(map(inner.__add__, keys), value.values(), strict=True), indent, head, has_any=bool(value))

    def object(self, value: PhpObject, indent: str) -> tuple[str, Any, str]:
        if value.payload is not None:
            raise Unwritable
        names = [f"{indent}{self.step}{_property_name(entry)} => " for entry in value.properties]
        children = zip(names, [entry.value for entry in value.properties], strict=True)
        if value.class_name == "stdClass":
            return _bracketed(children, indent, "(object) ", has_any=bool(names))
        return _bracketed(children, indent, f"\\{value.class_name}::__set_state(", ")", has_any=bool(names))


_WRITERS: Final[dict[str, type[_Writer]]] = {"file": _FileWriter, "short": _ShortWriter}


def _bracketed(
    entries: Iterator[tuple[str, Any]], indent: str, head: str = "", tail: str = "", *, has_any: bool
) -> tuple[str, Any, str]:
    return (f"{head}[\n", entries, f"{indent}]{tail}") if has_any else (f"{head}[", entries, f"]{tail}")


def _key(key: int | bytes) -> str:
    if isinstance(key, bytes):
        text = key.decode("utf-8", "surrogateescape")
        return f"{text} => " if type(array_key(text)) is int else f"{_quoted(text)} => "
    if not INT_MIN <= key <= INT_MAX:
        raise Unwritable
    return f"{key} => "


def _property_name(entry: PhpProperty) -> str:
    """A property's name: `'…'` with NULs left as they are, unlike in strings; an int bare."""
    name = entry.name
    if isinstance(name, int):
        return str(name)
    text = name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
