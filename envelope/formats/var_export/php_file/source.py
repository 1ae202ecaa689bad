"""PHP source as input: what stands between its tokens, its names, and errors that say the line."""

from __future__ import annotations

import re
from typing import Final

from envelope.errors import DecodeError, DecodeErrorKind
from envelope.formats.common.cursor import Cursor
from envelope.hints import Hint
from envelope.path import MAX_NAME, ROOT

__all__ = ["FORMAT", "NAME", "Source", "shown"]

FORMAT: Final = "var_export"

_SPACE: Final = re.compile(rb"[ \t\r\n]*+")
_END_OF_COMMENT: Final = re.compile(rb"[\r\n]|\?>")
# Each round of a possessive group begins with single bytes, see `var_export.read`.
NAME: Final = re.compile(
    rb"\\?[A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*+(?:\\[A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*+)*+"
)


class Source(Cursor):
    """The bytes of a PHP file."""

    __slots__ = ()

    def fail(
        self,
        reason: str,
        offset: int,
        *,
        kind: DecodeErrorKind = "malformed",
        path: str = ROOT,
        hint: Hint | None = None,
    ) -> DecodeError:
        """Return the error at *offset*, to be raised, with its line."""
        line = self.data.count(b"\n", 0, offset) + 1
        return super().fail(f"{reason}, line {line}", offset, kind=kind, path=path, hint=hint)

    def skip(self, pos: int) -> int:
        """Return the place of the next token: after spaces and comments of the three kinds."""
        data = self.data
        while True:
            pos = _SPACE.match(data, pos).end()  # type: ignore[union-attr]  # it always matches
            if data.startswith(b"/*", pos):
                end = data.find(b"*/", pos + 2)
                if end < 0:
                    raise self.fail("expected the comment to end", len(data))
                pos = end + 2
            elif data.startswith(b"//", pos) or (data.startswith(b"#", pos) and not data.startswith(b"#[", pos)):
                match = _END_OF_COMMENT.search(data, pos)
                pos = match.start() if match else len(data)
            else:
                return pos

    def token(self, token: bytes, pos: int) -> int:
        """Return the place after *token*, which must be the next one at *pos*."""
        return self.expect(token, self.skip(pos))

    def name_at(self, pos: int) -> tuple[str, int]:
        """Return the name at *pos*, with its namespace as written, and the place after it; ``""`` if there is none."""
        match = NAME.match(self.data, pos)
        if match is None:
            return "", pos
        name = self.text_or_none(match[0])
        if name is None:
            raise self.not_in_charset("a name", pos)
        return name, match.end()


def shown(name: str) -> str:
    """*name* as an error repeats it."""
    return name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…"
