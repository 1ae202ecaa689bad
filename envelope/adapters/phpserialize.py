"""Conversion between `phpserialize.phpobject` and `PhpObject`, for code that has one and wants the other.

The encoders of the PHP formats take a ``phpobject`` as it is, with ``values="php"``.
"""

from __future__ import annotations

from typing import Any

from envelope.errors import EncodeError
from envelope.formats.serialize import read, reader, write
from envelope.options import ReadOptions, WriteOptions
from envelope.values.php_types import PhpObject

__all__ = ["from_phpserialize", "to_phpserialize"]

_READING = ReadOptions(values="php")
_WRITING = WriteOptions(values="php")


def from_phpserialize(value: Any) -> Any:
    """What `loads` would have returned for the document from which `phpserialize.loads` made *value*.

    A ``phpobject`` becomes a `PhpObject`, bytes that are UTF-8 become text, dicts with keys 0 … n-1 lists.
    """
    return read.loads(write.dumps(value, _WRITING), _READING)


def to_phpserialize(value: PhpObject, *, decode_strings: bool = False) -> Any:
    """*value* as the package `phpserialize` reads it: a ``phpobject``, with texts as bytes unless *decode_strings*.

    `EncodeError` if that package cannot read it: it does not support shared objects, enums or payloads.
    """
    import phpserialize

    body = write.dumps(value, _WRITING)
    try:
        return phpserialize.loads(body, decode_strings=decode_strings, object_hook=phpserialize.phpobject)
    except (ValueError, RecursionError) as exc:
        raise EncodeError(f"phpserialize cannot read it: {type(exc).__name__}", format=reader.FORMAT) from exc
