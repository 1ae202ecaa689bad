"""Reading json and jsonu: orjson does the work, and what it rounds or wrongly accepts is found here."""

from __future__ import annotations

from typing import Any, Final

import orjson

from envelope.errors import DecodeError
from envelope.formats.common.charsets import UTF_8, Charset, checked_charset
from envelope.formats.common.decoded import Decoded, decoded
from envelope.formats.common.input import as_bytes
from envelope.formats.common.memory import is_out_of_memory
from envelope.formats.json.scan import JsonScanner
from envelope.limits import Limits
from envelope.options import DEFAULT_READING, ReadOptions
from envelope.values.php_rules import INT_MAX

__all__ = ["loads"]

_INT_BEYOND: Final = float(2**63)


def loads(data: object, options: ReadOptions = DEFAULT_READING, *, format: str = "json") -> Any:
    """Return the value of a JSON document; `DecodeError` if it is not one, or not exactly representable.

    With JSON_BIGINT_AS_STRING, an integer beyond 64 bits is its text. One that is not UTF-8 is decoded first, as a
    whole: no byte of another character is then taken for a quote. `MemoryError` if there is not enough memory.
    """
    limits = options.limits
    data = as_bytes(data, format, limits, options.encoding)
    big_as_text = "JSON_BIGINT_AS_STRING" in options.flags
    charset = checked_charset(options.encoding)
    if charset is UTF_8:
        return _read(data, format, limits, big_as_text=big_as_text)
    source = _decoded(data, charset, format, limits, big_as_text=big_as_text)
    return _read(source.utf8, format, limits, source, big_as_text=big_as_text)


def _decoded(data: bytes, charset: Charset, format: str, limits: Limits, *, big_as_text: bool) -> Decoded:
    try:
        return decoded(data, charset, format)
    except DecodeError as exc:
        error = exc
    if error.kind == "malformed":
        # What comes before may be at fault, too; else it says where the reader was.
        before = Decoded(data[: error.offset], charset)
        try:
            JsonScanner(before.utf8, format, limits, before, big_as_text=big_as_text).scan()
        except DecodeError as earlier:
            if earlier.offset < error.offset:
                raise
            error.path = earlier.path
    raise error


def _read(data: bytes, format: str, limits: Limits, source: Decoded | None = None, *, big_as_text: bool) -> Any:
    # An item takes at least two bytes. Only a document that could hold too many is counted, and only one with too many
    # commas and brackets (also those inside strings) is scanned: before orjson makes them all.
    if len(data) // 2 > limits.max_items and sum(map(data.count, (b",", b"[", b"{"))) > limits.max_items:
        JsonScanner(data, format, limits, source, big_as_text=big_as_text).scan()
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        refusal, at, no_memory = exc.msg, exc.pos, is_out_of_memory(exc)
    else:
        if not _needs_scan(value, limits.max_depth):
            return value
        rewritten = JsonScanner(data, format, limits, source, big_as_text=big_as_text).scan()
        if rewritten is None:
            return value
        del value  # before there is another one
        return _read(rewritten, format, limits, big_as_text=False)
    # After the handler, because orjson's error holds the whole document.
    scanner = JsonScanner(data, format, limits, source, big_as_text=big_as_text)
    if (rewritten := scanner.scan()) is not None:  # numbers of hundreds of digits, which orjson refuses
        return _read(rewritten, format, limits, big_as_text=False)
    if no_memory:
        raise MemoryError
    raise scanner.fail(f"orjson: {refusal}", at)


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
