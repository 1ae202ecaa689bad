"""Reading XML exactly: with expat, whose events know their byte offset, and which keeps no tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

from envelope.errors import DecodeError
from envelope.formats.common.cursor import Cursor, column_hint
from envelope.formats.common.wrapped import wrapping_hint
from envelope.formats.xml.rules import (
    CONTAINERS,
    PASSED_OVER,
    SCALARS,
    WHITE,
    beside,
    beyond,
    budget_of,
    check_namespace,
    fault,
    inside,
    plain_container,
    plain_key,
    typed_head,
    unescape,
)
from envelope.hints import Hint
from envelope.path import MAX_NAME, Step, short_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envelope.limits import Limits

__all__ = ["PlainBuilder", "TypedBuilder", "read_exactly"]


class _Builder:
    """The value that grows from a parser's events."""

    def __init__(self, limits: Limits) -> None:
        self.budget = budget_of(limits)
        self.budget.items += 1  # the root is not counted
        self.result: list[Any] = []
        self.text: list[str] = []  # since the last tag

    def drop_white(self) -> None:
        """Drop white space beside elements; fail if it is other text."""
        if self.text:
            if "".join(self.text).strip(WHITE):
                raise beside()
            self.text.clear()


class TypedBuilder(_Builder):
    """Builds the value of a document in the typed dialect."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        # The open container and its type; the same of those around it, each with the key of the next.
        self.container: Any = self.result
        self.parent = ""
        self.stack: list[tuple[Any, str, Step | None]] = []
        # The open element that is not a container: its type (None if there is none) and its key.
        self.leaf: str | None = None
        self.key: Step | None = None
        self.escaped = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """A start tag."""
        if self.leaf is not None:
            self.text.clear()
            raise inside()
        self.drop_white()
        check_namespace(tag, attributes, "no-prefixes")
        if self.parent:
            self.key = len(self.container) if self.parent == "list" else attributes.get("key", tag)
        key, kind, self.escaped = typed_head(tag, attributes, self.parent)
        if self.parent == "map":
            self.key = key
        if excess := self.budget.enter(len(self.stack) + (kind in CONTAINERS), 1):
            raise beyond(excess)
        if kind in CONTAINERS:
            value: Any = {} if kind == "map" else []
            self.put(value)
            self.stack.append((self.container, self.parent, self.key))
            self.container, self.parent, self.key = value, kind, None
        else:
            self.leaf = kind

    def end(self) -> None:
        """An end tag."""
        if self.leaf is None:
            self.drop_white()
            self.container, self.parent, _ = self.stack.pop()
        else:
            value = SCALARS[self.leaf]("".join(self.text))
            self.put(unescape(value) if self.escaped else value)
            self.text.clear()
            self.leaf = None
        self.key = None

    def put(self, value: Any) -> None:
        """Add a complete value to the open container."""
        if self.parent == "map":
            self.container[self.key] = value
        else:
            self.container.append(value)

    def steps(self) -> list[Step]:
        """Return where the reader is."""
        keys = [key for _, _, key in self.stack]
        return [key for key in (*keys, self.key) if key is not None]


class PlainBuilder(_Builder):
    """Builds the value of a document in the plain dialect."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        # Keys and values of the children of the open element, None while it has none; the same of those around it.
        self.children: tuple[list[str | None], list[Any]] | None = ([], self.result)
        self.stack: list[tuple[list[str | None], list[Any]]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A start tag."""
        self.drop_white()
        check_namespace(tag, attributes, "namespaces")
        if self.children is None:
            self.children = ([], [])
        depth = len(self.stack)
        self.stack.append(self.children)
        names, self.children = self.children[0], None
        names.append(attributes.get("key", None if tag == "item" else tag))
        names[-1] = plain_key(tag, attributes, root=not depth)
        if excess := self.budget.enter(depth, 1):
            raise beyond(excess)

    def end(self) -> None:
        """An end tag."""
        if self.children is None:
            value: Any = "".join(self.text)
            self.text.clear()
        else:
            self.drop_white()
            value = plain_container(*self.children)
        self.children = self.stack.pop()
        self.children[1].append(value)

    def steps(self) -> list[Step]:
        """Return where the reader is; if a name repeats, its number follows."""
        steps: list[Step] = []
        for names, _ in self.stack[1:]:
            *before, name = names
            if name is None and not any(before):
                steps.append(len(before))
            else:
                steps.append("item" if name is None else name)
                if name in before:
                    steps.append(before.count(name))
        return steps


_NO_MEMORY: Final = expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]

_UNFINISHED: Final = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


# A start tag with its quoted values, or an end tag. Possessive, or each round would take a hundred bytes of memory.
_TAG: Final = re.compile(rb"""<(?![!?])(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")

_PASSED: Final = re.compile(rb"(?:[ \t\r\n]*+(?:%b))*+" % PASSED_OVER, re.DOTALL)

# At the end of what is searched: a name behind an ampersand, and what cannot follow it.
_REFERENCE: Final = re.compile(rb"&#?[\w.:-]*+[^;]?\Z", re.DOTALL)


def read_exactly(cursor: Cursor, builder: TypedBuilder | PlainBuilder) -> Any:
    """Return the value, or raise the error with its place, which expat knows at each event."""
    parser = expat.ParserCreate("utf-8")  # whatever is declared
    parser.buffer_text = True
    # Where a fault would be, and the tag that was read last (of an empty element: the byte after it).
    at = last = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal at, last
        at = parser.CurrentByteIndex
        builder.start(tag, attributes)
        last = at

    def end(_: str) -> None:
        nonlocal at, last
        at = last
        builder.end()
        last = parser.CurrentByteIndex

    def refuse(what: str) -> None:
        nonlocal at
        at = parser.CurrentByteIndex
        builder.text.clear()
        raise fault(what, kind="forbidden")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.text.append
    if isinstance(builder, TypedBuilder):  # in the plain dialect they are as if they were not there
        parser.CommentHandler = lambda _: refuse("a comment")
        parser.ProcessingInstructionHandler = lambda *_: refuse("a processing instruction")
    try:
        parser.Parse(cursor.data, True)  # noqa: FBT003  # expat's signature
    except expat.ExpatError as exc:
        code, offset = exc.code, parser.ErrorByteIndex
    except DecodeError as error:
        error.offset = cursor.place(at)
        if builder.text:  # then the text is at fault: a tag's rules are checked once no text is left
            tag = _TAG.match(cursor.data, last)
            passed = _PASSED.match(cursor.data, tag.end() if tag else last)
            error.offset = cursor.place(passed.end())  # type: ignore[union-attr]  # it matches anything
        error.path = short_path(builder.steps())
        if error.kind == "malformed":
            error.hint = wrapping_hint(cursor.data, error.offset, cursor.format) or error.hint
        raise
    else:
        return builder.result[0]
    finally:  # the parser holds the handlers, and these the parser, until they are parted
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
        parser.CommentHandler = parser.ProcessingInstructionHandler = None
    if code == _NO_MEMORY:
        raise MemoryError
    raise _expat_error(cursor, code, offset, short_path(builder.steps()))


def _expat_error(cursor: Cursor, code: int, offset: int, path: str) -> DecodeError:
    data = cursor.data
    reason = expat.ErrorString(code)
    hint = None
    if code in _UNFINISHED:
        reason = f"the input ends: {reason}"
        hint = column_hint(cursor.place(len(data)))
    elif _REFERENCE.search(data, max(offset - MAX_NAME, 0), offset + 1):
        hint = Hint("ampersand")
    elif data[offset : offset + 1] < b" ":
        hint = Hint("control-characters")
    return cursor.fail(reason, offset, path=path, hint=hint)
