r"""json and jsonu: one codec over orjson, one flag.

json is ASCII (`\uXXXX` in lower-case hex), jsonu is UTF-8 as it is. The typed dialect is compact and spells floats
as orjson does. ``dialect="php"`` writes what PHP's `json_encode` writes, without and with JSON_UNESCAPED_UNICODE:
`\/`, `1.0` as `1`, `1.0e+25`, and in jsonu U+2028 and U+2029 escaped. Both are read the same way.

orjson does the work; what it lets pass, this module closes. Before writing it looks at every type, for orjson would
write tuples, enums and UUIDs, NaN as null and integers up to 2^64. After reading it looks for what orjson rounded.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from envelope.domain import Default, Domain, Unwritable, write_conformed
from envelope.formats._cursor import as_bytes
from envelope.formats._json_scan import JsonScanner
from envelope.formats._options import check_options
from envelope.formats._php_numbers import float_text
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.values import INT_MAX, INT_MIN, is_ambiguous

__all__ = ["dumps", "loads"]

# What orjson itself goes down to, writing and reading.
_ORJSON_WRITE_DEPTH: Final = 254
_ORJSON_READ_DEPTH: Final = 1024

_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_INT_BEYOND: Final = float(2**63)


def dumps(
    value: object,
    values: str = "portable",
    maps: str = "array",
    dialect: str = "typed",
    default: Default | None = None,
    limits: Limits = DEFAULT_LIMITS,
    *,
    ascii: bool = True,
) -> bytes:
    """*value* as JSON, in ASCII or (jsonu) in UTF-8; `EncodeError` where it cannot be written."""
    check_options(values, maps, dialect, limits, "typed", "php")

    def encode(value: Any) -> bytes:
        check_portable(value, limits)
        try:
            if dialect == "typed":
                body = orjson.dumps(value)
            else:
                # A slash stands only inside strings, and orjson escapes none.
                body = orjson.dumps(_php_tree(value, keep_maps=maps == "object")).replace(b"/", b"\\/")
        except orjson.JSONEncodeError:  # a lone surrogate
            raise Unwritable from None
        if len(body) > limits.max_bytes:  # before it grows any further
            raise Unwritable
        if ascii:
            body = escape_not_ascii(body)
        elif dialect == "php":
            body = body.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
        if len(body) > limits.max_bytes:
            raise Unwritable
        return body

    try:
        return encode(value)
    except Unwritable:
        domain = Domain(format="json" if ascii else "jsonu", limits=limits)
    return write_conformed(encode, value, domain, default)


def loads(
    data: object,
    values: str = "portable",
    dialect: str = "typed",
    limits: Limits = DEFAULT_LIMITS,
    *,
    format: str = "json",
) -> Any:
    """The value of a JSON document in UTF-8; `DecodeError` where it is none, or not exactly representable."""
    check_options(values, "array", dialect, limits, "typed", "php")
    data = as_bytes(data, format, limits)
    scanner = JsonScanner(data, format, limits, max_depth=min(limits.max_depth, _ORJSON_READ_DEPTH))
    # An item takes two bytes at least. Only a document that could hold too many is counted, and only one whose
    # commas and brackets (those inside strings too) are too many is scanned: before orjson makes them all.
    if len(data) // 2 > limits.max_items and sum(map(data.count, (b",", b"[", b"{"))) > limits.max_items:
        scanner.scan()
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        refusal, at = exc.msg, exc.pos
    else:
        if _needs_scan(value, limits.max_depth):
            scanner.scan()
        return value
    # Behind the handler, for orjson's error holds the whole document.
    scanner.scan()
    raise scanner.fail(f"orjson: {refusal}", at)


def escape_not_ascii(body: bytes) -> bytes:
    r"""A JSON document with every character beyond ASCII as `\uXXXX`, in pairs beyond U+FFFF."""
    if body.isascii():
        return body
    return _NOT_ASCII.sub(_escape_run, body.decode()).encode()


def _escape_run(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be").hex(" ", 2)
    return "\\u" + units.replace(" ", "\\u")


def check_portable(root: Any, limits: Limits) -> None:  # noqa: C901  # one loop, for speed
    """Raise `Unwritable` where *root* is not a portable value within the limits; lone surrogates aside."""
    max_depth = min(limits.max_depth, _ORJSON_WRITE_DEPTH)
    room, items, depth = limits.max_bytes, 0, 0
    level: list[Any] = [[root]]  # the containers of this depth; around the root is one that does not count
    while level:
        if depth > max_depth:
            # Where our own limit allows it, it is orjson's that does not.
            raise Unwritable(f"nested deeper than {max_depth}, which is all that orjson writes")
        inner: list[Any] = []
        for container in level:
            if type(container) is dict:
                if not set(map(type, container)) <= _STR_ONLY:
                    raise Unwritable
                room -= sum(map(len, container))
                children = container.values()
            else:
                children = container
            items += len(children)
            if items > limits.max_items + 1:
                raise Unwritable
            for child in children:
                kind = type(child)
                if kind is str:
                    room -= len(child)
                elif kind is int:
                    if not INT_MIN <= child <= INT_MAX:
                        raise Unwritable
                elif kind is float:
                    if child - child != 0:  # NaN and the infinities
                        raise Unwritable
                elif kind is dict or kind is list:
                    inner.append(child)
                elif child is not None and kind is not bool:
                    raise Unwritable
            if room < 0:
                raise Unwritable
        level = inner
        depth += 1


_STR_ONLY: Final = frozenset({str})


def _php_tree(root: Any, *, keep_maps: bool) -> Any:
    """A copy of *root* that orjson spells as PHP does: its floats, and maps that an array could not tell from lists."""
    result: list[Any] = []
    pending: list[tuple[Any, Any]] = [([root], result)]
    while pending:
        source, copy = pending.pop()
        for key, child in source.items() if type(copy) is dict else enumerate(_values(source)):
            kind = type(child)
            made = child
            if kind is float:
                made = orjson.Fragment(float_text(child, "").replace("E", "e"))
            elif kind is dict or kind is list:
                made = {} if kind is dict and (keep_maps or not is_ambiguous(child)) else []
                pending.append((child, made))
            if type(copy) is dict:
                copy[key] = made
            else:
                copy.append(made)
    return result[0]


def _values(container: Any) -> Any:
    return container.values() if type(container) is dict else container


def _needs_scan(root: Any, max_depth: int) -> bool:
    """Whether a value that orjson read is too deep, or has a number that was an integer beyond 64 bits."""
    depth = 0
    level: list[Any] = [[root]]
    while level:
        if depth > max_depth:
            return True
        inner: list[Any] = []
        for container in level:
            for child in container.values() if type(container) is dict else container:
                kind = type(child)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    inner.append(child)
                elif kind is int:
                    if child > INT_MAX:
                        return True
                elif kind is float and not -_INT_BEYOND < child < _INT_BEYOND:
                    return True
        level = inner
        depth += 1
    return False
