"""Errors and losses as blocks on stderr, in which no character from the data can act on the terminal.

rich is imported only when there is something to show: importing it takes longer than a command without errors.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from envelope.cli.common.hints import HINT_WORDS
from envelope.hints import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from envelope.conversion.documents import Fault
    from envelope.errors import DecodeError, EncodeError, ValidationError
    from envelope.values.php_types import Loss

__all__ = [
    "escaped",
    "fault_block",
    "line_of",
    "loss_lines",
    "place",
    "printable",
    "show",
    "show_archive_losses",
    "show_bad_record",
    "show_decode_error",
    "show_encode_error",
    "show_error",
    "show_losses",
    "show_note",
    "show_refused_losses",
    "show_validation_error",
    "title_of",
    "window",
]

_REACH: Final = 40  # bytes of the window, on either side
_MAX_LOSSES: Final = 20
_MAX_TEXT: Final = 240


def printable(text: str) -> str:
    """*text* with control characters, bidirectional ones too, as Python escapes; the middle of a long one cut out."""
    if len(text) > _MAX_TEXT:
        text = f"{text[: _MAX_TEXT // 2]}…{text[-_MAX_TEXT // 2 :]}"
    return escaped(text)


def escaped(text: str) -> str:
    """The whole *text*, with unprintable characters as Python escapes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def show_decode_error(error: DecodeError, name: str, data: bytes) -> None:
    """Show what could not be read, where in *data* (from the file *name*), and the bytes there."""
    title = f"cannot read {error.format or 'this'} ({error.kind}): {error.reason}"
    at, excerpt = place(name, data, error.offset)
    show(fault_block(title, at=at, path=error.path, excerpt=excerpt, hint=in_words(error.hint, HINT_WORDS)))


def show_encode_error(error: DecodeError | EncodeError) -> None:
    """Show what could not be written, or could not be read back after writing."""
    title = f"cannot write {error.format} ({error.kind}): {error.reason}"
    show(fault_block(title, path=error.path, hint=in_words(error.hint, HINT_WORDS)))


def show_validation_error(error: ValidationError, name: str) -> None:
    """Show which part of the file *name* is well-formed but not valid."""
    show(fault_block(error.reason, at=title_of(name), path=error.path, hint=in_words(error.hint)))


def fault_block(
    title: str, *, at: str = "", path: str = "", excerpt: tuple[str, int] | None = None, hint: str = ""
) -> Text:
    """The block for one fault: what it is, its place and path, the `window` there, and a likely cause."""
    block = _block(title)
    if at:
        _add(block, "at", at)
    if path:
        _add(block, "path", printable(path))
    if excerpt is not None:
        text, column = excerpt
        _add(block, "", text)
        _add(block, "", " " * column)
        block.append("^", "bold red")
    if hint:
        _add(block, "hint", printable(hint))
    return block


def place(name: str, data: bytes, offset: int) -> tuple[str, tuple[str, int] | None]:
    """Where byte *offset* of the file *name* is, in words, and the `window` around it (None if *data* is empty)."""
    at = f"{title_of(name)}, byte {offset}"
    if b"\n" in data:
        at += f", line {line_of(data, offset)}"
    return at, window(data, offset) if data else None


def line_of(data: bytes, offset: int) -> int:
    """The line of the byte at *offset*, from 1."""
    return data.count(b"\n", 0, offset) + 1


def loss_lines(losses: Iterator[Loss]) -> list[str]:
    """A line for each of the first 20 losses, and one for how many more there are; none is kept."""
    lines = [printable(str(loss)) for loss in islice(losses, _MAX_LOSSES)]
    if more := sum(1 for _ in losses):
        lines.append(f"and {more} more")
    return lines


def show_refused_losses(lines: Sequence[str], format: str) -> None:
    """Show that nothing was written, and what would have been lost, as `loss_lines` says."""
    block = _block(f"{format} would lose (--strict):")
    for line in lines:
        block.append(f"\n  {line}")
    show(block)


def show_losses(lines: Sequence[str], format: str) -> None:
    """Show a warning for each line of `loss_lines`."""
    for line in lines:
        show(_labelled("warning: ", "bold yellow", f"{format}: {line}"))


def show_note(text: str) -> None:
    """Show what is no fault, but may not be what was meant."""
    show(_labelled("note: ", "bold", text))


def show_bad_record(line: int, offset: int | None, fault: Fault) -> None:
    """Show a record that was set aside, in one line: where it begins, and where in it the fault is."""
    at = f"line {line}" + (f", byte {offset}" if offset is not None else "")
    inside = f" at byte {fault.offset} of the record" if fault.offset is not None else ""
    hint = f" ({in_words(fault.hint, HINT_WORDS)})" if fault.hint else ""
    show(_block(f"{at}: {fault.kind}{inside}, {fault.path}: {fault.reason}{hint}"))


def show_archive_losses(losses: Mapping[str, int]) -> None:
    """Show what a whole archive lost, by kind."""
    for kind, count in sorted(losses.items()):
        places = "1 place" if count == 1 else f"{count} places"
        show(_labelled("warning: ", "bold yellow", printable(f"lost in {places}: {kind}")))


def show_error(text: str) -> None:
    """Show what went wrong, in one line."""
    show(_block(text))


def window(data: bytes, offset: int) -> tuple[str, int]:
    """The bytes around *offset* as one line, and the column of that byte (in terminal cells)."""
    from rich.cells import cell_len

    offset = min(offset, len(data))
    start = _character_start(data, max(offset - _REACH, 0))
    end = _character_start(data, min(offset + _REACH, len(data)))
    before = "…" * (start > 0) + _visible(data[start:offset])
    return before + _visible(data[offset:end]) + "…" * (end < len(data)), cell_len(before)


def title_of(name: str) -> str:
    """A file name as shown to users; `-` is standard input."""
    return "standard input" if name == "-" else printable(name)


def _character_start(data: bytes, pos: int) -> int:
    """Where the UTF-8 character at *pos* begins; *pos* itself if there is none."""
    for start in range(pos, max(pos - 4, -1), -1):
        if start == len(data) or data[start] & 0xC0 != 0x80:
            return start
    return pos


def _visible(part: bytes) -> str:
    # Bytes that are only part of a character are shown as escapes.
    return printable(part.decode("utf-8", "backslashreplace"))


def _block(title: str) -> Text:
    return _labelled("error: ", "bold red", printable(title))


def _labelled(label: str, style: str, text: str) -> Text:
    from rich.text import Text

    return Text().append(label, style).append(text)


def _add(block: Text, label: str, text: str) -> None:
    block.append(f"\n  {label:<6}", "dim").append(text)


def show(text: Text) -> None:
    """Show *text* on standard error."""
    from rich.console import Console

    # rich decides about colour; a Text is not parsed as markup, and the terminal wraps lines.
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)
