r"""PHP's own spelling of JSON: what `json_encode` writes of a portable value, without and with its flags.

orjson writes here, too. What it spells otherwise is put into what it is given (numbers, containers), or replaced in
what it gave: in its output, every `/`, `<`, `>`, `&` and `'` is inside a string.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from envelope.formats.common.conform import Unwritable
from envelope.formats.php.numbers import float_text
from envelope.options import WriteOptions
from envelope.values.php_rules import is_ambiguous

__all__ = ["php_json"]

_INDENT: Final = 4
_TWO_SPACES: Final = re.compile(rb"\n( +)")

_HEX: Final = (
    ("JSON_HEX_TAG", b"<", b"\\u003C"),
    ("JSON_HEX_TAG", b">", b"\\u003E"),
    ("JSON_HEX_AMP", b"&", b"\\u0026"),
    ("JSON_HEX_APOS", b"'", b"\\u0027"),
)


def php_json(value: Any, options: WriteOptions, *, ascii: bool) -> bytes:
    """Return the bytes of a portable *value*, in UTF-8; *ascii* says that they will be escaped.

    `Unwritable` for a lone surrogate, or if the output exceeds the limits before anything is escaped.
    """
    flags = options.flags
    is_pretty = "JSON_PRETTY_PRINT" in flags
    tree = _tree(value, options, indent=_INDENT if is_pretty else 0)
    try:
        body = orjson.dumps(tree, option=orjson.OPT_INDENT_2 if is_pretty else None)
    except orjson.JSONEncodeError:  # a lone surrogate
        raise Unwritable from None
    if is_pretty:
        body = _TWO_SPACES.sub(rb"\n\1\1", body)
    if len(body) > options.limits.max_bytes:  # before escapes make more of it
        raise Unwritable
    if "JSON_HEX_QUOT" in flags:  # an escaped backslash may precede a quotation mark; NUL is never there as it is
        body = body.replace(b"\\\\", b"\0").replace(b'\\"', b"\\u0022").replace(b"\0", b"\\\\")
    for flag, plain, escaped in _HEX:
        if flag in flags:
            body = body.replace(plain, escaped)
    if "JSON_UNESCAPED_SLASHES" not in flags:
        body = body.replace(b"/", b"\\/")
    if not ascii and "JSON_UNESCAPED_LINE_TERMINATORS" not in flags:
        body = body.replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    return body


def _tree(root: Any, options: WriteOptions, *, indent: int) -> Any:
    """A copy of *root* that orjson spells as PHP does: floats, and what is a list and what a map.

    *indent* is the number of spaces for each level.
    """
    point = ".0" if "JSON_PRESERVE_ZERO_FRACTION" in options.flags else ""
    all_maps = "JSON_FORCE_OBJECT" in options.flags
    room = options.limits.max_bytes
    result: list[Any] = []
    pending: list[tuple[Any, Any, int]] = [([root], result, 0)]
    while pending:
        source, copy, depth = pending.pop()
        # All of them together may be far longer than the value, so they are counted before they are made.
        room -= depth * indent * len(source)
        if room < 0:
            raise Unwritable
        for key, child in source.items() if type(source) is dict else enumerate(source):
            kind = type(child)
            made = child
            if kind is float:
                made = orjson.Fragment(float_text(child, point).replace("E", "e"))
            elif kind is dict or kind is list:
                is_map = all_maps or (kind is dict and (options.map_objects or not is_ambiguous(child)))
                made = {} if is_map else []
                pending.append((child, made, depth + 1))
            if type(copy) is dict:
                copy[str(key)] = made
            else:
                copy.append(made)
    return result[0]
