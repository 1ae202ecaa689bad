"""Writing json and jsonu: orjson does the work, and what it wrongly accepts is refused here."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from envelope.formats.common.budget import Budget
from envelope.formats.common.conform import Domain, Unwritable, write_conformed
from envelope.formats.json.php import php_json
from envelope.limits import Limits
from envelope.options import DEFAULT_WRITING, Default, WriteOptions
from envelope.values.php_rules import INT_MAX, INT_MIN

__all__ = ["dumps"]

# orjson's own limit.
_ORJSON_DEPTH: Final = 254

_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")


def dumps(
    value: object, options: WriteOptions = DEFAULT_WRITING, default: Default | None = None, *, ascii: bool = True
) -> bytes:
    """Return *value* as JSON, in ASCII or (jsonu) in UTF-8; `EncodeError` if it cannot be written."""
    limits = options.limits
    name = "json" if ascii else "jsonu"
    ascii = ascii and "JSON_UNESCAPED_UNICODE" not in options.flags

    def encode(value: Any) -> bytes:
        check_portable(value, limits)
        if options.dialect == "php":
            body = php_json(value, options, ascii=ascii)
        else:
            try:
                body = orjson.dumps(value)
            except orjson.JSONEncodeError:  # a lone surrogate
                raise Unwritable from None
        if len(body) > limits.max_bytes:  # before it grows any further
            raise Unwritable
        if ascii:
            body = escape_not_ascii(body)
        if len(body) > limits.max_bytes:
            raise Unwritable
        return body

    try:
        return encode(value)
    except Unwritable:
        domain = Domain(format=name, limits=limits)
    return write_conformed(encode, value, domain, default)


def escape_not_ascii(body: bytes) -> bytes:
    r"""Return a JSON document with every character beyond ASCII as `\uXXXX`, in pairs beyond U+FFFF."""
    if body.isascii():
        return body
    return _NOT_ASCII.sub(_escape_run, body.decode()).encode()


def _escape_run(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be").hex(" ", 2)
    return "\\u" + units.replace(" ", "\\u")


def check_portable(root: Any, limits: Limits) -> None:  # noqa: C901  # one loop, for speed
    """Raise `Unwritable` if *root* is not a portable value within the limits; lone surrogates aside."""
    # The budget is in locals: a small document is checked faster than a Budget is made.
    max_depth = min(limits.max_depth, _ORJSON_DEPTH)
    room, items, depth = limits.max_bytes, limits.max_items + 1, 0  # the root is not counted
    level: list[Any] = [[root]]  # the containers of this depth; the root is in one that does not count
    while level:
        if depth > max_depth:
            raise Unwritable(Budget(limits, "orjson", _ORJSON_DEPTH).enter(depth, 0))
        inner: list[Any] = []
        for container in level:
            if type(container) is dict:
                if not set(map(type, container)) <= _STR_ONLY:
                    raise Unwritable
                room -= sum(map(len, container))
                children = container.values()
            else:
                children = container
            items -= len(children)
            if items < 0:
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
