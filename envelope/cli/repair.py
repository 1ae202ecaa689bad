"""`envelope repair`: make a broken document readable again, and say what was changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from envelope.cli.common.files import check_size, read_input, write_output
from envelope.cli.common.report import printable, show, show_decode_error, show_note, title_of
from envelope.cli.common.source import LINE_END
from envelope.cli.common.source_options import limits_option
from envelope.errors import DecodeError
from envelope.formats import ResultType
from envelope.hints import Hint
from envelope.limits import Limits
from envelope.repairs.serialize import repair as mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from envelope.repairs.report import Edit, Repair

__all__ = ["repair"]

_EXAMPLES = """\b
Examples:
  printf 'a:1:{s:4:"site";s:10:"new.example.org";}' | envelope repair
  printf 'a:2:{s:1:"a";i:1;s:1:"b";s:9:"cut' | envelope repair -o mended.ser
  printf 'a:1:{s:4:"site";s:10:"new.example.org";}' | envelope repair --report
"""

_MAX_SHOWN = 24  # bytes of what an edit changes
_MAX_EDITS = 50


@click.command(epilog=_EXAMPLES)
@click.argument("file", default="-", metavar="[FILE|-]")
@click.option("-o", "--output", default="-", metavar="FILE", help="Replace FILE with the document, if it was repaired.")
@click.option("--guess", is_flag=True, help="Write the likeliest reading, even if there are others.")
@click.option("--report", is_flag=True, help="Write every edit as JSON instead of the document.")
@limits_option
def repair(*, file: str, output: str, guess: bool, report: bool, no_limits: bool) -> None:
    """Repair a serialized document, from FILE or standard input, whose lengths or counts are wrong or that was cut.

    Each edit is shown on standard error. If a document can be read in more than one way, these are shown, and nothing
    is written unless --guess asks for it. A valid document is written as it is. The exit status is 0 if there is a
    document to write, 1 if not, and 2 for a mistake in the command line.
    """
    limits = Limits.unlimited() if no_limits else Limits()
    data = read_input(file, limits.max_bytes, may_wait=True)
    try:
        check_size(data, ResultType.SERIALIZE, limits.max_bytes, hint=Hint("raise-limit", "max_bytes"))
        data = LINE_END.sub(b"", data)
        found = mend(data, ResultType.SERIALIZE, guess=guess, limits=limits)
    except DecodeError as exc:
        show_decode_error(exc, file, data)
        raise click.exceptions.Exit(1) from None
    if report:
        write_output(output, _as_json(found))
    elif found.data is not None:
        write_output(output, found.data)
    for line in _lines(found, title_of(file)):
        show(line)
    if found.data is None:
        if not report:
            show_note("nothing was written; --guess writes the likeliest reading")
        raise click.exceptions.Exit(1)


def _lines(found: Repair, title: str) -> Iterator[Text]:
    """What was changed, what is missing, and what can be read in more than one way."""
    from rich.text import Text

    for edit in found.edits[:_MAX_EDITS] if found.data is not None else ():
        yield Text(printable(f"{title}, byte {edit.offset}, {edit.path}: {_change(edit)}"))
    if found.data is not None and len(found.edits) > _MAX_EDITS:
        yield Text(f"and {len(found.edits) - _MAX_EDITS} more edits")
    for gap in found.missing:
        yield Text(printable(f"{gap.path}: {gap.count} member{'s' * (gap.count != 1)} missing"), "yellow")
    for choice in found.choices:
        yield Text(printable(f"{title}, byte {choice.offset}, {choice.path}: not certain: {choice.reason}"), "bold red")
        for reading in choice.readings:
            changes = "; ".join(f"byte {edit.offset}: {_change(edit)}" for edit in reading[:3])
            yield Text("  either " + printable(changes + "; …" * (len(reading) > 3) or "as declared"))


def _change(edit: Edit) -> str:
    change = f"{edit.cause} {_shown(edit.before)} becomes {_shown(edit.after)}"
    return f"{change} ({edit.hint})" if edit.hint else change


def _shown(part: bytes) -> str:
    if len(part) > _MAX_SHOWN:
        return f"{part[:_MAX_SHOWN].decode('utf-8', 'backslashreplace')}… ({len(part)} bytes)"
    return part.decode("utf-8", "backslashreplace")


def _as_json(found: Repair) -> bytes:
    """The report as one JSON document; bytes that are not UTF-8 are escaped as in Python."""
    records = {
        "repaired": found.data is not None,
        "edits": [_record(edit) for edit in found.edits],
        "choices": [
            {
                "offset": choice.offset,
                "path": choice.path,
                "reason": choice.reason,
                "readings": [[_record(edit) for edit in reading] for reading in choice.readings],
            }
            for choice in found.choices
        ],
        "missing": [{"path": gap.path, "count": gap.count} for gap in found.missing],
    }
    return json.dumps(records, indent=2).encode() + b"\n"


def _record(edit: Edit) -> dict[str, object]:
    return {
        "offset": edit.offset,
        "before": edit.before.decode("utf-8", "backslashreplace"),
        "after": edit.after.decode("utf-8", "backslashreplace"),
        "path": edit.path,
        "cause": edit.cause,
        "hint": edit.hint,
        "only_reading": edit.is_only,
    }
