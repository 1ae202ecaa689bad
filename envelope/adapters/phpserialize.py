"""`phpserialize.phpobject`, and `PhpObject`: the way there and back, for code that has the one and wants the other.

The encoders of the PHP formats take a ``phpobject`` as it is, with ``values="php"``.
"""

from __future__ import annotations

from typing import Any

from envelope.errors import EncodeError
from envelope.formats.serialize import read, write
from envelope.options import ReadOptions, WriteOptions
from envelope.values.php import PhpObject

__all__ = ["from_phpserialize", "to_phpserialize"]

_READING = ReadOptions(values="php")
_WRITING = WriteOptions(values="php")


def from_phpserialize(value: Any) -> Any:
    """What `loads` would have made of the document that `phpserialize.loads` made *value* of.

    A ``phpobject`` becomes a `PhpObject`, bytes that are UTF-8 become text, dicts with keys 0 … n-1 lists.
    """
    return read.loads(write.dumps(value, _WRITING), _READING)


def to_phpserialize(value: PhpObject, *, decode_strings: bool = False) -> Any:
    """*value* as the package `phpserialize` reads it: a ``phpobject``, its texts bytes unless *decode_strings*.

    `EncodeError` where that package cannot: it knows no shared objects, enums or payloads.
    """
    import phpserialize

    body = write.dumps(value, _WRITING)
    try:
        return phpserialize.loads(body, decode_strings=decode_strings, object_hook=phpserialize.phpobject)
    except (ValueError, RecursionError) as exc:
        raise EncodeError(f"phpserialize cannot read it: {type(exc).__name__}", format=read.FORMAT) from exc
