"""Writing serialize: one value, or a session."""

from __future__ import annotations

from envelope.formats.common.conform import Domain, Unwritable, write_conformed
from envelope.formats.serialize.reader import FORMAT
from envelope.formats.serialize.writer import Writer
from envelope.options import DEFAULT_WRITING, Default, WriteOptions

__all__ = ["dumps"]


def dumps(value: object, options: WriteOptions = DEFAULT_WRITING, default: Default | None = None) -> bytes:
    """Return the bytes that PHP's `serialize` writes for *value*; `EncodeError` if it cannot be written.

    In the dialects of sessions, they are those that PHP's `session_encode` writes.
    """
    writer = Writer(options)
    if options.dialect != "typed":
        from envelope.formats.serialize.sessions import SessionWriter

        writer = SessionWriter(options)
    try:
        return writer.write(value)
    except Unwritable:
        domain = Domain(format=FORMAT, limits=options.limits, php=options.php, shares_objects=True)
    return write_conformed(writer.write, value, domain, default)
