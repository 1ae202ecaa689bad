r"""PHP's strings: '…', "…", heredoc and nowdoc, as bytes. A variable inside a string is refused."""

from __future__ import annotations

import re
from typing import Final

from envelope.formats.var_export.php_file.source import NAME, Source, shown
from envelope.hints import Hint

__all__ = ["read_string"]

# Possessive, with rounds that begin with single bytes, for the reasons in `var_export.read`.
_SINGLE: Final = re.compile(rb"'([^'\\]*+(?:\\.[^'\\]*+)*+)'", re.DOTALL)
_DOUBLE: Final = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_HEREDOC: Final = re.compile(rb"<<<[ \t]*+(['\"]?)([A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*+)\1(?:\r\n|\n|\r)")
_LINE: Final = re.compile(rb"(?:\r\n|\n|\r)([ \t]*+)")
_INDENT: Final = re.compile(r"(\r\n|\n|\r)([ \t]*+)")
_LABEL_BYTE: Final = re.compile(rb"[0-9A-Za-z_\x80-\xff]")
_VARIABLE: Final = re.compile(rb"\\.|(\$(?=[A-Za-z_\x80-\xff{])|\{\$)", re.DOTALL)
# Text of latin-1, a character for each byte: joining bytes would take eighty more for each part.
_ESCAPE: Final = re.compile(r"\\(?:([nrtvef\\$\"])|([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|(u\{)(?:([0-9A-Fa-f]++)\})?)")
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "v": "\v", "e": "\x1b", "f": "\f"}
_LAST_POINT: Final = 0x10FFFF


def read_string(source: Source, pos: int) -> tuple[bytes, int] | None:
    """Return the string at *pos* and the place after it; None if none begins there."""
    data = source.data
    if data.startswith(b"'", pos):
        match = _SINGLE.match(data, pos)
        if match is None:
            raise source.fail("expected the string to end", len(data))
        return _unescape_single(match[1]), match.end()
    if data.startswith(b'"', pos):
        match = _DOUBLE.match(data, pos)
        body = match[1] if match else data[pos + 1 :]
        _refuse_variables(source, body, pos + 1)
        if match is None:
            raise source.fail("expected the string to end", len(data))
        return _unescape_double(source, body, pos, quote='"'), match.end()
    opening = _HEREDOC.match(data, pos)
    return None if opening is None else _read_heredoc(source, pos, opening)


def _unescape_single(raw: bytes) -> bytes:
    if b"\\" not in raw:
        return raw
    # Each backslash begins an escape, is the second half of one or stands alone; pairs are found from the left.
    parts = raw.decode("latin-1").split("\\\\")
    return "\\".join([part.replace("\\'", "'") for part in parts]).encode("latin-1")


def _refuse_variables(source: Source, body: bytes, start: int) -> None:
    if b"$" not in body:
        return
    for match in _VARIABLE.finditer(body):
        if match[1]:
            at = start + match.start()
            name = NAME.match(body, match.start() + len(match[1]))
            what = f"the variable ${shown(source.text_or_none(name[0]) or '')}" if name else "a variable"
            raise source.fail(f"{what} in a string", at, kind="forbidden", hint=Hint("escape-dollar"))


def _unescape_double(source: Source, raw: bytes, start: int, *, quote: str) -> bytes:
    """The bytes of a string with PHP's escapes, where ``\\"`` is one if *quote* is the quote."""
    if b"\\" not in raw:
        return raw

    def replace(match: re.Match[str]) -> str:
        letter, octal, hexadecimal, _, point = match.groups()
        if letter is not None:
            return match[0] if letter == '"' != quote else _LETTERS.get(letter, letter)
        if octal is not None:
            return chr(int(octal, 8) & 0xFF)
        if hexadecimal is not None:
            return chr(int(hexadecimal, 16))
        number = int(point or "ffffff", 16)
        if number > _LAST_POINT:
            raise source.fail("a \\u{…} that is no code point", start)
        return chr(number).encode("utf-8", "surrogatepass").decode("latin-1")

    return _ESCAPE.sub(replace, raw.decode("latin-1")).encode("latin-1")


def _read_heredoc(source: Source, pos: int, opening: re.Match[bytes]) -> tuple[bytes, int]:
    """The lines up to the one that begins with the label, less that line's indent."""
    data, label = source.data, opening[2]
    for line in _LINE.finditer(data, opening.end() - 1):  # from the line end of the opening itself
        end = line.end()
        if data.startswith(label, end) and not _LABEL_BYTE.match(data, end + len(label)):
            break
    else:
        raise source.fail("expected the heredoc to end", len(data))
    body = data[opening.end() : max(line.start(), opening.end())]
    if opening[1] != b"'":
        _refuse_variables(source, body, opening.end())
    if line[1]:
        body = _without_indent(source, body, line[1], opening.end())
    if opening[1] != b"'":
        body = _unescape_double(source, body, pos, quote="")
    return body, end + len(label)


def _without_indent(source: Source, body: bytes, indent: bytes, start: int) -> bytes:
    """*body* without *indent* in each line; a line of nothing else may have less of it."""
    less = indent.decode()
    text = f"\n{body.decode('latin-1')}"

    def replace(match: re.Match[str]) -> str:
        end, spaces = match.groups()
        is_blank = text[match.end() : match.end() + 1] in "\r\n"
        if is_mixed or not (spaces.startswith(less) or (is_blank and less.startswith(spaces))):
            raise source.fail("a heredoc's line indented otherwise than its last one", start + match.end() - 1)
        return f"{end}{spaces[len(less) :]}"

    is_mixed = " " in less and "\t" in less
    return _INDENT.sub(replace, text)[1:].encode("latin-1")
