"""Writing XML in both dialects; the grammar is in `envelope.formats.xml`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from envelope.formats.common.conform import DEEP, Domain, Unwritable, is_cyclic, write_conformed
from envelope.formats.common.prepared import MAX_NAMES
from envelope.formats.common.writer import MANY_PARTS, TextWriter
from envelope.formats.xml.rules import FORMAT, budget_of
from envelope.limits import Limits
from envelope.options import DEFAULT_WRITING, Default, WriteOptions
from envelope.values.php_rules import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["dumps"]


def dumps(value: object, options: WriteOptions = DEFAULT_WRITING, default: Default | None = None) -> bytes:
    """Return the document for *value*, in UTF-8 and on one line; `EncodeError` if it cannot be written."""
    typed = options.dialect == "typed"
    writer = _Writer(options.limits, typed=typed)
    try:
        return writer.write(value)
    except Unwritable:
        domain = Domain(format=FORMAT, limits=options.limits)
        if not typed:
            domain = replace(domain, refuse=_refuse)
    return write_conformed(writer.write, value, domain, default)


_DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>'
_NAME: Final = re.compile(r"(?![Xx][Mm][Ll])[A-Za-z_][A-Za-z0-9_.-]{0,63}")
# Not even as character references. Lone surrogates need no check: they are outside the domain.
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

# A carriage return survives only as a reference; in an attribute, so do a tab and a line feed.
_IN_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE: Final = _IN_TEXT | str.maketrans({'"': "&quot;", "\t": "&#9;", "\n": "&#10;"})


def _refuse(value: object) -> str:
    """Why the plain dialect cannot hold *value*, which is one of the domain's."""
    if type(value) is str and _NOT_XML.search(value):
        return "XML cannot hold a control character, U+FFFE or U+FFFF; the typed dialect can"
    return ""


def _json_escaped(text: str) -> str:
    """*text* as the inside of a JSON string, with no character left that XML cannot hold."""
    inside = json.dumps(text, ensure_ascii=False)[1:-1]
    return inside.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


class _Tags(dict[str, tuple[str, str]]):
    """The opening tag (up to its type) and the closing tag of the element for a key, each made once."""

    def __init__(self, *, typed: bool) -> None:
        self.typed = typed

    def __missing__(self, key: str) -> tuple[str, str]:
        if _NAME.fullmatch(key):
            tags = f"<{key}", f"</{key}>"
        elif not _NOT_XML.search(key):
            tags = f'<item key="{key.translate(_IN_ATTRIBUTE)}"', "</item>"
        elif self.typed:
            tags = f'<item key="{_json_escaped(key).translate(_IN_ATTRIBUTE)}" escaped-key="true"', "</item>"
        else:
            raise Unwritable
        if len(self) < MAX_NAMES:
            self[key] = tags
        return tags


_ROOT: Final = ("<root", "</root>")
_MEMBER: Final = ("<item", "</item>")
_TYPES: Final = tuple(f' type="{kind}"' for kind in ("int", "float", "bool", "null", "list", "map"))
_NO_TYPES: Final = ("",) * len(_TYPES)


class _Writer(TextWriter):
    def __init__(self, limits: Limits, *, typed: bool) -> None:
        super().__init__(limits)
        self.typed = typed

    def parts(self, root: Any) -> list[str]:  # noqa: C901  # one loop
        """The document in pieces: one per value (a container's opens it), one per close."""
        as_int, as_float, as_bool, as_null, as_list, as_map = _TYPES if self.typed else _NO_TYPES
        budget = budget_of(self.limits)
        room = budget.room
        tags = _Tags(typed=self.typed)
        parts = [_DECLARATION]
        put = parts.append
        # The open containers, outermost first; what closes each, and what is left of the children around it.
        stack: list[Any] = []
        outer: list[tuple[str, Iterator[tuple[tuple[str, str], Any]]]] = []
        entries: Iterator[tuple[tuple[str, str], Any]] = iter(((_ROOT, root),))
        while True:
            for (head, tail), value in entries:
                kind = type(value)
                if kind is str:
                    if not value:
                        put(f"{head}/>")
                        continue
                    if not value.isprintable():
                        piece = self.unprintable(head, value, tail)
                    elif "&" in value or "<" in value or ">" in value:
                        piece = f"{head}>{value.translate(_IN_TEXT)}{tail}"
                    else:
                        piece = f"{head}>{value}{tail}"
                    put(piece)
                    room -= len(piece) - len(head) - len(tail)  # which its container has counted
                    if room < 0:
                        raise Unwritable
                elif kind is int:
                    if not INT_MIN <= value <= INT_MAX:
                        raise Unwritable
                    put(f"{head}{as_int}>{value}{tail}")
                elif kind is float:
                    if value - value != 0:  # NaN and the infinities
                        raise Unwritable
                    put(f"{head}{as_float}>{orjson.dumps(value).decode()}{tail}")
                elif kind is bool:
                    put(f"{head}{as_bool}>true{tail}" if value else f"{head}{as_bool}>false{tail}")
                elif value is None:
                    put(f"{head}{as_null}/>")
                elif kind is list:
                    put(f"{head}{as_list}>" if value else f"{head}{as_list}/>")
                    children: Iterator[tuple[tuple[str, str], Any]] = ((_MEMBER, child) for child in value)
                    room -= 7 * len(value)  # <item/>
                    break
                elif kind is dict:
                    if not set(map(type, value)) <= {str}:
                        raise Unwritable
                    put(f"{head}{as_map}>" if value else f"{head}{as_map}/>")
                    children = zip(map(tags.__getitem__, value), value.values(), strict=True)
                    room -= 3 * len(value) + sum(map(len, value))  # <key/>
                    break
                else:
                    raise Unwritable
            else:
                if not stack:
                    return parts
                stack.pop()
                close, entries = outer.pop()
                put(close)
                continue
            if len(parts) > MANY_PARTS:
                self.pack(parts)
            stack.append(value)
            outer.append((tail if value else "", entries))
            entries = children
            if len(value) > MANY_PARTS:
                entries = self.packing(children, parts)
            depth = len(stack)
            if (excess := budget.enter(depth, len(value))) or room < 0 or (depth >= DEEP and is_cyclic(stack)):
                raise Unwritable(excess)

    def unprintable(self, head: str, text: str, tail: str) -> str:
        """Return the element of a text that may hold anything."""
        if not _NOT_XML.search(text):
            return f"{head}>{text.translate(_IN_TEXT)}{tail}"
        if not self.typed:
            raise Unwritable
        return f'{head} escaped="true">{_json_escaped(text).translate(_IN_TEXT)}{tail}'
