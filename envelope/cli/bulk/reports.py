"""What is told about a run: bad and repaired records as JSON lines, and the counts at its end."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from envelope.cli.common.hints import HINT_WORDS
from envelope.cli.common.report import printable, show_archive_losses, show_error, show_note
from envelope.hints import in_words

if TYPE_CHECKING:
    from envelope.cli.bulk.checkpoint import Progress
    from envelope.cli.bulk.chunks import BadRecord, RepairedRecord
    from envelope.conversion.documents import KeepRows

__all__ = ["Ending", "error_line", "repair_line", "show_bulk_end"]


def error_line(bad: BadRecord) -> bytes:
    """A line of the errors file."""
    row: dict[str, Any] = {
        "line": bad.line,
        "offset": bad.offset,
        "length": bad.length,
        "kind": bad.fault.kind,
        "record_offset": bad.fault.offset,
        "path": bad.fault.path,
        "reason": bad.fault.reason,
        "hint": in_words(bad.fault.hint, HINT_WORDS) or None,
    }
    if bad.raw is not None:
        row |= _text("raw", bad.raw)
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def repair_line(record: RepairedRecord) -> bytes:
    """A line of the repairs file; offsets of edits count bytes of the document, without the layers around it."""
    row = {
        "line": record.line,
        "offset": record.offset,
        "length": record.length,
        "edits": [
            {
                "offset": edit.offset,
                **_text("before", edit.before),
                **_text("after", edit.after),
                "path": edit.path,
                "cause": edit.cause,
                "hint": edit.hint or None,
            }
            for edit in record.repair.edits
        ],
        "missing": [{"path": gap.path, "count": gap.count} for gap in record.repair.missing],
    }
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _text(name: str, raw: bytes) -> dict[str, str]:
    try:
        return {name: raw.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(raw).decode()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A run that has come to its end, and where it told about records."""

    progress: Progress
    errors: str | None
    repairs: str | None
    keep_rows: KeepRows | None


def show_bulk_end(run: Ending) -> None:
    """Show what a whole archive lost, what was done so that records could be read, and how many could not."""
    records, bad, counts = run.progress.records, run.progress.bad, run.progress.counts
    show_archive_losses(run.progress.losses)
    for layer, count in sorted(run.progress.layers.items()):
        show_note(f"{layer} taken off {_records(count)}")
    if plain := counts["plain"]:
        show_note(f"{plain} of {_records(records)} {'is' if plain == 1 else 'are'} not serialized: plain text")
    if begun := counts["begun"]:
        begins = "begins as a document does and was" if begun == 1 else "begin as documents do and were"
        show_note(f"{begun} of these texts {begins} probably cut; --repair mends such a record or sets it aside")
    if repaired := counts["repaired"]:
        where = f"the edits are in {printable(run.repairs)}" if run.repairs else "--repairs FILE keeps the edits"
        show_note(f"{_records(repaired)} repaired; {where}")
    if bad:
        where = f"they are in {printable(run.errors)}" if run.errors else "--errors FILE keeps them"
        rows = {"empty": "; their rows are kept, empty", "as-is": "; their rows are kept as they were", None: ""}
        plain = counts["looks-plain"]
        hint = f"; {plain} look{'s' * (plain == 1)} like plain text, which --mixed converts as such" if plain else ""
        show_error(f"{bad} of {records} records could not be converted{rows[run.keep_rows]}; {where}{hint}")


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"
