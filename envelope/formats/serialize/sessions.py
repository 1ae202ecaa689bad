r"""The dialects of PHP's sessions: a value for each name, one behind the other.

    session        = (name "|" value)*             session.serialize_handler = php; no `|` is in a name
    session_binary = (size name value)*            php_binary; the size of the name is one byte, at most 127

All values share their slots, so `r:` in one may refer to an object in another; the map around them takes no slot. PHP
leaves out variables whose names are integers, and, in binary, those with long names: writing them is an error here.
"""

from __future__ import annotations

from typing import Any, Final

from envelope.errors import EncodeError
from envelope.formats.common.conform import Unwritable
from envelope.formats.serialize.payloads import PayloadReader
from envelope.formats.serialize.reader import FORMAT, HEAD, Open, Reader
from envelope.formats.serialize.writer import Writer
from envelope.hints import Hint
from envelope.options import ReadOptions, WriteOptions
from envelope.path import short_path
from envelope.values.php_rules import array_key
from envelope.values.php_types import PhpEnum, PhpObject, PhpReference

__all__ = ["SessionWriter", "read_session"]

_MAX_NAME: Final = 127  # bytes; the eighth bit once marked a variable without a value
_UNSET: Final = ord("!")  # marked the same, without php_binary
_NO_MAPS: Final = (type(None), bool, int, float, str, bytes, list, PhpObject, PhpEnum, PhpReference)


def read_session(data: bytes, options: ReadOptions) -> dict[Any, Any]:
    """Return the variables in *data* by name; `DecodeError` if they are not what `session_encode` writes."""
    read_name = _read_binary_name if options.dialect == "session_binary" else _read_name
    refers = options.php and (b"r:" in data or b"R:" in data)
    reader = (PayloadReader if options.open_payloads else Reader)(data, options, refers=refers)
    session = Open(0, None)
    reader.opened = [Open(0, None), session]
    reader.enter(1, 0, 0)
    pos = 0
    while pos < len(data):
        start, (name, pos) = pos, read_name(reader, pos)
        reader.enter(1, 1, start)
        session.key, session.left = name, 1
        pos = reader.value(pos)
    if reader.slots is not None:
        reader.slots.finish()
    members: dict[Any, Any] = session.members
    return members


def _read_name(reader: Reader, pos: int) -> tuple[str | bytes, int]:
    """name `|`"""
    data = reader.data
    end = data.find(b"|", pos)
    if end < 0:
        raise reader.fail("expected a name and '|'", pos) if data[pos:].strip() else reader.trailing(pos)
    if data[pos] == _UNSET and not HEAD.match(data, end + 1):
        raise reader.fail("a variable that is not set", pos, hint=Hint("session-unset"))
    return _name(reader, pos, end), end + 1


def _read_binary_name(reader: Reader, pos: int) -> tuple[str | bytes, int]:
    """size name"""
    size, start = reader.data[pos], pos + 1
    if size > _MAX_NAME:
        raise reader.fail("a variable that is not set", pos, hint=Hint("session-unset"))
    if start + size >= len(reader.data):
        raise reader.fail(f"a name of {size} bytes, but only {len(reader.data) - start} bytes are left", pos)
    return _name(reader, start, start + size), start + size


def _name(reader: Reader, start: int, end: int) -> str | bytes:
    raw = reader.data[start:end]
    try:
        return reader.decode(raw)
    except UnicodeDecodeError as exc:
        bad = start + exc.start
    # After the handler, because an error's context would hold the name.
    return reader.not_text(raw, bad)


class SessionWriter(Writer):
    """Writes a map as a session."""

    def __init__(self, options: WriteOptions) -> None:
        super().__init__(options)
        self.is_binary = options.dialect == "session_binary"

    def parts(self, root: Any) -> list[str]:
        """The variables in pieces, and what begins each of them."""
        if type(root) is list and not root:
            root = {}  # PHP's empty array
        if type(root) in _NO_MAPS:
            raise EncodeError("a session is a map of names to values", format=FORMAT)
        if type(root) is not dict:
            raise Unwritable
        names = list(map(self.name, root))
        if len(set(names)) < len(names):
            raise Unwritable
        return self.pieces(zip(names, root.values(), strict=True), [root])

    def name(self, key: Any) -> str:
        """A name, as it stands before its value."""
        if type(key) not in (str, bytes, int) or (type(key) is not str and not self.php):
            raise Unwritable
        raw = key.encode() if type(key) is str else key
        text = raw.decode("utf-8", "surrogateescape") if type(raw) is bytes else ""
        if type(raw) is int or type(array_key(text)) is int:
            raise _refusal(key, "PHP leaves out a variable whose name is an integer")
        if not self.is_binary:
            if "|" in text:
                raise _refusal(key, "the name of a variable in a session has no |")
            return f"{text}|"
        if len(raw) > _MAX_NAME:
            raise _refusal(key, f"PHP leaves out a variable whose name is longer than {_MAX_NAME} bytes")
        return f"{chr(len(raw))}{text}"


def _refusal(key: Any, reason: str) -> EncodeError:
    return EncodeError(reason, format=FORMAT, path=short_path([key]))
