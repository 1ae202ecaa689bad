"""Reading XML: from the raw prolog to the value, by the rules of both dialects.

A small document is parsed by lxml, and its tree walked: the fast way. All else is read by expat, whose events are
exact: it knows the byte that it is at, reports every comment, processing instruction and prefix, and keeps no tree.
All else is: a large document (a tree takes thirty times the room), whatever may hold what a tree hides, and a
document that the fast way refused, which is read again to say where and why. Both parsers see a document only when
its raw bytes show that it is UTF-8 and has no DOCTYPE; so there are no entities, and nothing is fetched or expanded.

The rules are the functions between the two and exist once. A rule's error has no place yet; the exact reading adds
it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

import orjson

from envelope.errors import DecodeError, DecodeErrorKind
from envelope.formats._cursor import Cursor, column_hint
from envelope.path import Step, short_path
from envelope.values import INT_MAX, INT_MIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from envelope.limits import Limits

__all__ = ["FORMAT", "read"]

FORMAT: Final = "xml"

_LARGE: Final = 1 << 20
_LIBXML2_DEPTH: Final = 2047  # containers; libxml2 goes no deeper than 2048 elements
_WHITE: Final = " \t\r\n"
# Where a comment, a processing instruction or a namespace may be.
_HIDDEN: Final = (b"<!--", b"<?", b"xmlns", b"xml:")


def read(data: bytes, limits: Limits, *, typed: bool) -> Any:
    """The value of the document *data*, or a `DecodeError`."""
    cursor = Cursor(data, FORMAT, limits)
    root = _root_offset(cursor)
    _check_utf8(cursor)
    builder = _TypedBuilder(limits) if typed else _PlainBuilder(limits)
    if len(data) > _LARGE or any(data.find(mark, root) >= 0 for mark in _HIDDEN):
        return _read_exactly(cursor, builder)
    tree = _parse(data)
    if tree is None:
        _read_exactly(cursor, builder)
        raise cursor.fail("well-formed to expat, but not to libxml2", root)
    try:
        return _walk_typed(tree, limits) if typed else _walk_plain(tree, limits)
    except DecodeError:
        pass  # behind the handler, so that no error without a place is the context of one with it
    return _read_exactly(cursor, builder)


def _parse(data: bytes) -> Any:
    """The root element of the tree, None where there is none; by a parser of its own, for threads must not share."""
    from lxml import etree  # only who reads XML pays for it

    # huge_tree lifts libxml2's caps on sizes; ours hold.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        return etree.fromstring(data, parser)
    except etree.LxmlError:
        return None


# ------------------------------------------------------------------------------------------------- raw bytes

# With all that a cut leaves of it; any other `<?` is a processing instruction.
_DECLARATION: Final = re.compile(rb"<\?(?:xml[ \t\r\n?]|x?|xm|xml)")
_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_DECLARED: Final = {
    name: re.compile(rb"[ \t\r\n]+" + name + rb"[ \t\r\n]*=[ \t\r\n]*(?:\"([A-Za-z0-9._-]*)\"|'([A-Za-z0-9._-]*)')")
    for name in (b"version", b"encoding", b"standalone")
}
_UTF8_ONLY: Final = "XML is read as UTF-8 only"


def _root_offset(cursor: Cursor) -> int:
    """Where the root element begins: behind a BOM, a declaration of UTF-8 and white space, and nothing else."""
    data = cursor.data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        raise cursor.fail("UTF-16 or UTF-32", 0, kind="forbidden", hint=_UTF8_ONLY)
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    pos = _declaration_end(cursor, start) if _DECLARATION.fullmatch(data, start, start + 6) else start
    pos = _SPACE.match(data, pos).end()  # type: ignore[union-attr]  # it matches anything
    for token, what in ((b"<!DOCTYPE", "a DOCTYPE"), (b"<!--", "a comment"), (b"<?", "a processing instruction")):
        if data.startswith(token, pos):
            hint = "an XML declaration stands at the very start" if data.startswith(b"<?xml ", pos) else ""
            raise cursor.fail(what, pos, kind="forbidden", hint=hint)
    if data.startswith(b"\x1f\x8b", pos):
        raise cursor.fail("expected '<'", pos, hint="this is gzip: decompress it first")
    cursor.expect(b"<", pos)
    return pos


def _declaration_end(cursor: Cursor, pos: int) -> int:
    """Behind `<?xml version="1.0" encoding="utf-8" standalone="yes"?>`, the last two of which may be missing."""
    pos = cursor.expect(b"<?xml", pos)
    for name, pattern in _DECLARED.items():
        match = pattern.match(cursor.data, pos)
        if match is None:
            if name == b"version":
                raise cursor.fail('expected version="1.0"', pos)
            continue
        text = (match[1] or match[2] or b"").lower()
        at = match.end() - len(text) - 1
        if name == b"version" and text != b"1.0":
            raise cursor.fail("a version of XML other than 1.0", at)
        if name == b"encoding" and text != b"utf-8":
            raise cursor.fail("a declared encoding other than UTF-8", at, kind="forbidden", hint=_UTF8_ONLY)
        if name == b"standalone" and text not in (b"yes", b"no"):
            raise cursor.fail("expected yes or no", at)
        pos = match.end()
    return cursor.expect(b"?>", _SPACE.match(cursor.data, pos).end())  # type: ignore[union-attr]


def _check_utf8(cursor: Cursor) -> None:
    if not cursor.data.isascii():
        try:
            cursor.data.decode()
        except UnicodeDecodeError as exc:
            error = cursor.fail("not UTF-8", exc.start)
        else:
            return
        raise error


# ----------------------------------------------------------------------------------------- rules of one element


def _fault(reason: str, *, kind: DecodeErrorKind = "malformed", hint: str = "") -> DecodeError:
    return DecodeError(reason, kind=kind, format=FORMAT, hint=hint)


def _beside() -> DecodeError:
    return _fault("text beside elements", hint="a value is text or elements, never both")


def _check_namespace(tag: str, attributes: Mapping[str, str]) -> None:
    if ":" in tag or any(name == "xmlns" or ":" in name for name in attributes):
        raise _fault("a namespace", kind="forbidden", hint="names without prefixes are read")


def _exotic() -> DecodeError:
    # libxml2 knows the names of XML 1.0's fifth edition, expat those of the fourth: it alone has to decide.
    return _fault("a name that is not ASCII is read exactly")


def _inside() -> DecodeError:
    return _fault("an element inside a value that is no container", hint=_PLAIN_HINT)


def _check_bounds(depth: int, items: int, limits: Limits) -> None:
    if depth > min(limits.max_depth, _LIBXML2_DEPTH):
        hint = "raise Limits.max_depth" if depth <= _LIBXML2_DEPTH else "libxml2 goes no deeper"
        raise _fault(f"nested deeper than {depth - 1}", kind="limit", hint=hint)
    if items > limits.max_items:
        raise _fault(f"more than {limits.max_items} items", kind="limit", hint="raise Limits.max_items")


_PLAIN_HINT: Final = 'without types it may be a document for dialect="plain"'
_CONTAINERS: Final = frozenset({"map", "list"})
_KINDS: Final = _CONTAINERS | {"int", "float", "bool", "null"}


_TYPED_ATTRIBUTES: Final = frozenset({"type", "key", "escaped", "escaped-key"})


def _typed_head(tag: str, attributes: Mapping[str, str], parent: str) -> tuple[str, str, bool]:
    """Key, type (`""` for text) and whether the text is escaped, of an element in a *parent* (`""`: the document)."""
    if not parent and tag != "root":
        raise _fault("the root element is not named root", hint=_PLAIN_HINT)
    if parent == "list" and tag != "item":
        raise _fault("a member of a list is not named item")
    if not attributes:
        return tag, "", False
    if not attributes.keys() <= _TYPED_ATTRIBUTES:
        raise _fault("an attribute other than type, key, escaped and escaped-key")
    for name in ("escaped", "escaped-key"):
        if attributes.get(name, "true") != "true":
            raise _fault(f'{name} is "true", or not there')
    kind = attributes.get("type", "")
    if "type" in attributes and kind not in _KINDS:
        raise _fault("a type other than map, list, int, float, bool and null", hint="text has no type")
    if kind and "escaped" in attributes:
        raise _fault("escaped on what is not text")
    return _typed_key(tag, attributes, parent), kind, "escaped" in attributes


def _typed_key(tag: str, attributes: Mapping[str, str], parent: str) -> str:
    if "key" in attributes:
        if parent != "map" or tag != "item":
            raise _fault("a key on what is not an item of a map")
        return _unescape(attributes["key"]) if "escaped-key" in attributes else attributes["key"]
    if "escaped-key" in attributes:
        raise _fault("escaped-key without a key")
    return tag


def _plain_key(tag: str, attributes: Mapping[str, str], *, root: bool) -> str | None:
    """The key of an element; None for an `item` without one."""
    for name in attributes:
        if name != "key":
            hint = 'dialect="typed" reads types' if name == "type" else ""
            raise _fault("an attribute other than key", hint=hint)
        if root or tag != "item":
            raise _fault("a key on what is not an item")
    return attributes.get("key") if tag == "item" else tag


def _plain_container(names: list[str | None], values: list[Any]) -> Any:
    """A list of children that are all items without a key; else a map, where a repeated name has a list of values."""
    if names.count(None) == len(names):
        return values
    members: dict[str, list[Any]] = {}
    for name, value in zip(names, values, strict=True):
        members.setdefault("item" if name is None else name, []).append(value)
    return {name: found if len(found) > 1 else found[0] for name, found in members.items()}


def _unescape(text: str) -> str:
    """The text whose inside of a JSON string this is."""
    try:
        return str(orjson.loads(f'"{text}"'))
    except orjson.JSONDecodeError:
        error = _fault("escaped text is not the inside of a JSON string")
    raise error


_INT: Final = re.compile(r"0|-?[1-9][0-9]*")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def _read_int(text: str) -> int:
    if not _INT.fullmatch(text):
        raise _fault("expected a decimal integer")
    if len(text) > 20 or not INT_MIN <= (number := int(text)) <= INT_MAX:
        raise _fault("an int beyond 64 bits", kind="limit")
    return number


def _read_float(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise _fault("expected a JSON number")
    number = float(text)
    if number - number != 0:
        raise _fault("a float beyond 64 bits", kind="limit")
    return number


def _read_bool(text: str) -> bool:
    if text not in ("true", "false"):
        raise _fault("expected true or false")
    return text == "true"


def _read_null(text: str) -> None:
    if text:
        raise _fault("expected nothing in a null")


_SCALARS: Final[dict[str, Callable[[str], Any]]] = {
    "": str, "int": _read_int, "float": _read_float, "bool": _read_bool, "null": _read_null,
}  # fmt: skip


# -------------------------------------------------------------------------------------------- small documents


_ONE_TYPE: Final = {("type", kind): kind for kind in _KINDS}


def _walk_typed(root: Any, limits: Limits) -> Any:  # noqa: C901  # one loop
    """The value of a tree: what `_TypedBuilder` makes of its events."""
    result: list[Any] = []
    items = 0
    # The open container and its type, what is left of its children, and the same of those around it.
    container: Any = result
    parent = ""
    elements: Iterator[Any] = iter((root,))
    stack: list[tuple[Any, str, Iterator[Any]]] = []
    while True:
        for element in elements:
            key, attributes, text, tail = element.tag, element.items(), element.text, element.tail
            if tail is not None and tail.strip(_WHITE):
                raise _beside()
            # Nearly all elements have no attribute, or a type and no more.
            kind = "" if not attributes else _ONE_TYPE.get(attributes[0]) if len(attributes) == 1 else None
            escaped = False
            if not key.isascii():
                raise _exotic()
            if kind is None or not (parent == "map" or (parent and key == "item")):
                key, kind, escaped = _typed_head(key, dict(attributes), parent)
            if kind in _CONTAINERS:
                if text is not None and text.strip(_WHITE):
                    raise _beside()
                value: Any = {} if kind == "map" else []
            elif len(element):
                raise _inside()
            elif kind:
                value = _SCALARS[kind](text or "")
            else:
                value = _unescape(text or "") if escaped else text or ""
            if parent == "map":
                container[key] = value
            else:
                container.append(value)
            if kind in _CONTAINERS:
                break
        else:
            if not stack:
                return result[0]
            container, parent, elements = stack.pop()
            continue
        stack.append((container, parent, elements))
        container, parent, elements = value, kind, iter(element)
        items += len(element)
        _check_bounds(len(stack), items, limits)


def _walk_plain(root: Any, limits: Limits) -> Any:
    """The value of a tree: what `_PlainBuilder` makes of its events."""
    items = 0
    # Keys and values of the children of the open element, what is left of them, and the same of those around it.
    names: list[str | None] = []
    values: list[Any] = []
    elements: Iterator[Any] = iter((root,))
    stack: list[tuple[list[str | None], list[Any], Iterator[Any]]] = []
    while True:
        for element in elements:
            name, attributes, text, tail = element.tag, element.items(), element.text, element.tail
            if tail is not None and tail.strip(_WHITE):
                raise _beside()
            if not name.isascii():
                raise _exotic()
            if attributes:
                name = _plain_key(name, dict(attributes), root=not stack)
            elif name == "item":
                name = None
            names.append(name)
            if len(element):
                if text is not None and text.strip(_WHITE):
                    raise _beside()
                break
            values.append(text or "")
        else:
            if not stack:
                return values[0]
            value = _plain_container(names, values)
            names, values, elements = stack.pop()
            values.append(value)
            continue
        stack.append((names, values, elements))
        names, values, elements = [], [], iter(element)
        items += len(element)
        _check_bounds(len(stack), items, limits)


# --------------------------------------------------------------------------------------------- exact reading


class _Builder:
    """The value that grows from a parser's events."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.items = -1  # the root is not counted
        self.result: list[Any] = []
        self.text: list[str] = []  # since the last tag

    def drop_white(self) -> None:
        """Pass over the text that stood beside elements."""
        if self.text:
            if "".join(self.text).strip(_WHITE):
                raise _beside()
            self.text.clear()


class _TypedBuilder(_Builder):
    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        # The open container and its type; the same of those around it, each with the key of the next.
        self.container: Any = self.result
        self.parent = ""
        self.stack: list[tuple[Any, str, Step | None]] = []
        # The open element that is no container: its type (None where there is none) and its key.
        self.leaf: str | None = None
        self.key: Step | None = None
        self.escaped = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self.leaf is not None:
            self.text.clear()
            raise _inside()
        self.drop_white()
        _check_namespace(tag, attributes)
        if self.parent:
            self.key = len(self.container) if self.parent == "list" else attributes.get("key", tag)
        key, kind, self.escaped = _typed_head(tag, attributes, self.parent)
        if self.parent == "map":
            self.key = key
        self.items += 1
        _check_bounds(len(self.stack) + (kind in _CONTAINERS), self.items, self.limits)
        if kind in _CONTAINERS:
            value: Any = {} if kind == "map" else []
            self.put(value)
            self.stack.append((self.container, self.parent, self.key))
            self.container, self.parent, self.key = value, kind, None
        else:
            self.leaf = kind

    def end(self) -> None:
        if self.leaf is None:
            self.drop_white()
            self.container, self.parent, _ = self.stack.pop()
        else:
            value = _SCALARS[self.leaf]("".join(self.text))
            self.put(_unescape(value) if self.escaped else value)
            self.text.clear()
            self.leaf = None
        self.key = None

    def put(self, value: Any) -> None:
        if self.parent == "map":
            self.container[self.key] = value
        else:
            self.container.append(value)

    def steps(self) -> list[Step]:
        """Where reading is."""
        keys = [key for _, _, key in self.stack]
        return [key for key in (*keys, self.key) if key is not None]


class _PlainBuilder(_Builder):
    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        # Keys and values of the children of the open element, None while it has none; the same of those around it.
        self.children: tuple[list[str | None], list[Any]] | None = ([], self.result)
        self.stack: list[tuple[list[str | None], list[Any]]] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.drop_white()
        _check_namespace(tag, attributes)
        if self.children is None:
            self.children = ([], [])
        depth = len(self.stack)
        self.stack.append(self.children)
        names, self.children = self.children[0], None
        names.append(attributes.get("key", None if tag == "item" else tag))
        names[-1] = _plain_key(tag, attributes, root=not depth)
        self.items += 1
        _check_bounds(depth, self.items, self.limits)

    def end(self) -> None:
        if self.children is None:
            value: Any = "".join(self.text)
            self.text.clear()
        else:
            self.drop_white()
            value = _plain_container(*self.children)
        self.children = self.stack.pop()
        self.children[1].append(value)

    def steps(self) -> list[Step]:
        """Where reading is; where a name repeats, its number follows."""
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


_UNFINISHED: Final = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


# A start tag with its quoted values, or an end tag.
_TAG: Final = re.compile(rb"""<(?!!)(?:[^>"']|"[^"]*"|'[^']*')*>""")


def _read_exactly(cursor: Cursor, builder: _TypedBuilder | _PlainBuilder) -> Any:
    """The value, or the error with its place: by expat, which knows at each event where it is."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    # What a fault is at, and the tag that was read last (of an empty element: the byte behind it).
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
        raise _fault(what, kind="forbidden")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.text.append
    parser.CommentHandler = lambda _: refuse("a comment")
    parser.ProcessingInstructionHandler = lambda *_: refuse("a processing instruction")
    try:
        parser.Parse(cursor.data, True)  # noqa: FBT003
    except expat.ExpatError as exc:
        error = _expat_error(cursor, exc.code, parser.ErrorByteIndex)
    except DecodeError as exc:
        error = exc
        error.offset = at
        if builder.text:  # then it is at fault: the rules of a tag are asked when there is none left
            tag = _TAG.match(cursor.data, last)
            error.offset = tag.end() if tag else last
    else:
        return builder.result[0]
    error.path = short_path(builder.steps())
    raise error


def _expat_error(cursor: Cursor, code: int, offset: int) -> DecodeError:
    data = cursor.data
    reason = expat.ErrorString(code)
    if code in _UNFINISHED:
        return cursor.fail(f"the input ends: {reason}", offset, hint=column_hint(len(data)))
    hint = ""
    if b"&" in data[max(offset - 1, 0) : offset + 1]:
        hint = "& is written &amp;, and XML knows no names of characters but amp, lt, gt, quot and apos"
    elif data[offset : offset + 1] < b" ":
        hint = "XML holds no control characters; the typed dialect escapes them"
    return cursor.fail(reason, offset, hint=hint)
