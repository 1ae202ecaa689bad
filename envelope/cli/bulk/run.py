"""One run over an archive: from the input to an output that is complete or absent, and the messages about it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from envelope.cli.bulk.checkpoint import Progress, input_identity, read_checkpoint
from envelope.cli.bulk.chunks import BadRecord, Position, RepairedRecord
from envelope.cli.bulk.compression import BadInput
from envelope.cli.bulk.files import Files
from envelope.cli.bulk.output import GrowingFile, Sink, StandardOutput, partial_of, replaces_file
from envelope.cli.bulk.progress import progress_bar
from envelope.cli.bulk.reports import Ending, error_line, repair_line, show_bulk_end
from envelope.cli.bulk.workers import WorkerDied, Workers
from envelope.cli.common.files import mode_of, open_own, replacing
from envelope.cli.common.report import printable, show_bad_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from envelope.cli.bulk.chunks import Outcome, Record
    from envelope.cli.bulk.plan import Plan

__all__ = ["Run"]

_Record = TypeVar("_Record", "BadRecord", "RepairedRecord")

_INTERVAL: Final = 0.5  # seconds between checkpoints: the work that a kill can cost
_MAX_SHOWN: Final = 20  # bad records on standard error, if there is no file for them


class _Terminated(BaseException):
    """SIGTERM came."""


class _TooManyErrors(Exception):
    """More records are bad than `--max-errors` allows."""


@dataclass(kw_only=True)
class Run:
    """A run with its file names and bounds; ``options`` has everything else that the output bytes depend on."""

    source: str
    size: int | None
    output: str
    errors: str | None
    repairs: str | None
    max_errors: int | None
    workers: Workers
    resume: bool
    options: dict[str, Any]
    progress: Progress = field(init=False)
    # What the current chunk adds to the progress, once all of it is converted: bad records, and bytes about them.
    _bad: int = field(default=0, init=False)
    _errors: int = field(default=0, init=False)
    _repairs: int = field(default=0, init=False)

    def run(self, plan: Plan) -> int:
        """Convert the archive and return the exit status."""
        with _terminable():
            try:
                self._run(plan)
            except BadInput as exc:
                self._discard()
                raise click.ClickException(f"cannot read {self._title}: {exc}") from None
            except WorkerDied:
                raise click.ClickException(f"a worker process was killed, or ran out of memory{self._hint}") from None
            except OSError as exc:
                if isinstance(exc, BrokenPipeError):
                    raise
                name = printable(str(exc.filename)) if exc.filename else "the output"
                raise click.ClickException(f"cannot write {name}: {exc.strerror}{self._hint}") from None
            except _TooManyErrors:
                click.echo(f"Error: stopped: more than {self.max_errors} bad records{self._hint}", err=True)
                return 1
            except (KeyboardInterrupt, _Terminated) as exc:
                click.echo(f"stopped after {self.progress.records} records{self._hint}", err=True)
                return 130 if isinstance(exc, KeyboardInterrupt) else 143
        with contextlib.suppress(OSError):  # the output is written, even if this cannot be shown
            show_bulk_end(self._ending)
        return 1 if self.progress.bad else 0

    def _run(self, plan: Plan) -> None:
        self.progress = Progress(plan.start)
        is_file = replaces_file(self.output)
        # Bytes read from a pipe to identify it would be missing from the conversion.
        can_resume = is_file and self.source != "-" and os.path.isfile(self.source)
        identity = {"input": input_identity(self.source), **self.options} if can_resume else {}
        if self.resume:
            self._restore(identity)
        fresh = self.progress.position == plan.start
        if fresh:
            self.progress = Progress(plan.start)  # a run that stopped before its first chunk had counted its head
        with contextlib.ExitStack() as stack:
            sink = self._sink(is_file=is_file)
            stack.callback(sink.close)
            if is_file and not can_resume:
                stack.push(self._discard_unfinished)
            errors, repairs = (
                stack.enter_context(GrowingFile(Path(name), length)) if name else None
                for name, length in ((self.errors, self.progress.errors), (self.repairs, self.progress.repairs))
            )
            files = Files(sink, errors, repairs, self._checkpoint if can_resume else None, identity)
            stack.callback(files.close)
            if fresh:
                if is_file:
                    self._checkpoint.unlink(missing_ok=True)  # of a run that is not being resumed
                sink.write(plan.head)
                self.progress.output = len(plan.head)
            try:
                self._convert(plan, files)
            except BaseException:
                with contextlib.suppress(OSError):
                    files.save(self.progress)
                raise
            if not self.progress.output:
                sink.write(plan.nothing)
            files.sync()
        if is_file:
            self._replace(plan)

    def _sink(self, *, is_file: bool) -> Sink:
        if self.output == "-":
            return StandardOutput()
        length = self.progress.output
        if not is_file:
            return GrowingFile(Path(self.output), length)
        mode = mode_of(os.path.realpath(self.output))
        # Nobody else may read more of it than of the output; its owner must be able to resume it.
        return GrowingFile(self._partial, length, is_own=True, mode=None if mode is None else mode | 0o600)

    def _convert(self, plan: Plan, files: Files) -> None:
        saved = time.monotonic()
        done = plan.done(self.progress.position)
        chunks = plan.chunks(self.progress.position)
        outcomes = self.workers.in_order(plan.task, chunks, partial(self._set_aside, files))
        with closing(outcomes), progress_bar(self.size, done) as show:
            for outcome in outcomes:
                self._take(outcome, files)
                show(plan.done(self.progress.position), self.progress.records)
                if time.monotonic() - saved > _INTERVAL:
                    files.begin_save(self.progress)
                    saved = time.monotonic()

    def _set_aside(self, files: Files, told: Sequence[Record]) -> None:
        """Write or show bad and repaired records of the chunk that begins at the current position."""
        if files.repairs:
            lines = b"".join(
                repair_line(_placed(each, self.progress.position)) for each in told if isinstance(each, RepairedRecord)
            )
            files.repairs.write(lines)
            self._repairs += len(lines)
        records = [each for each in told if isinstance(each, BadRecord)]
        bad = self.progress.bad + self._bad
        room = len(records) if self.max_errors is None else self.max_errors - bad
        counted = records[: room + 1]
        if files.errors:
            lines = b"".join(error_line(_placed(each, self.progress.position)) for each in counted)
            files.errors.write(lines)
            self._errors += len(lines)
        else:
            for each in counted[: max(_MAX_SHOWN - bad, 0)]:
                shown = _placed(each, self.progress.position)
                show_bad_record(shown.line, shown.offset, shown.fault)
        if len(records) > room:
            raise _TooManyErrors
        self._bad += len(records)

    def _take(self, outcome: Outcome, files: Files) -> None:
        progress = self.progress
        offset, line = progress.position
        files.sink.write(outcome.output)
        # In one assignment, so that a signal finds the whole chunk counted, or none of it.
        self.progress = Progress(
            Position(offset + outcome.length, line + outcome.lines),
            progress.output + len(outcome.output),
            progress.errors + self._errors,
            progress.records + outcome.records,
            progress.bad + self._bad,
            progress.losses + outcome.losses,
            progress.repairs + self._repairs,
            progress.counts + Counter(outcome.counts),
            progress.layers + Counter(outcome.layers),
        )
        self._bad = self._errors = self._repairs = 0

    def _restore(self, identity: dict[str, Any]) -> None:
        if not identity:
            raise click.UsageError("--resume: a stream cannot be resumed; give FILE and -o FILE")
        if not self._checkpoint.exists() or not self._partial.exists():
            return  # nothing was begun, or everything was done
        saved = read_checkpoint(self._checkpoint, identity)
        if isinstance(saved, str):
            raise click.UsageError(f"--resume: {printable(str(self._checkpoint))} does not match: {saved}")
        named = ((self.errors, saved.errors), (self.repairs, saved.repairs))
        for path, length in [(self._partial, saved.output), *((Path(name), size) for name, size in named if name)]:
            if not path.exists() or path.stat().st_size < length:
                raise click.UsageError(f"--resume: {printable(str(path))} is shorter than the checkpoint says")
        self.progress = saved

    def _replace(self, plan: Plan) -> None:
        target = os.path.realpath(self.output)
        if plan.finish:
            with replacing(target) as file:
                plan.finish(self._partial, file)
        else:
            # Opened again, and not by its name alone, because in a shared folder that may have become another file's.
            os.close(open_own(str(self._partial), os.O_RDONLY, mode=mode_of(target)))
            os.replace(self._partial, target)
        self._discard()

    def _discard_unfinished(self, kind: type[BaseException] | None, *_: object) -> None:
        """Delete what nothing can resume, if the run failed."""
        if kind is not None:
            self._partial.unlink(missing_ok=True)

    def _discard(self) -> None:
        """Delete the working files."""
        if replaces_file(self.output):
            self._checkpoint.unlink(missing_ok=True)
            self._partial.unlink(missing_ok=True)

    @property
    def _checkpoint(self) -> Path:
        return partial_of(self.output, "checkpoint")

    @property
    def _partial(self) -> Path:
        return partial_of(self.output, "partial")

    @property
    def _ending(self) -> Ending:
        conversion = self.options["conversion"]
        return Ending(
            progress=self.progress,
            errors=self.errors,
            repairs=self.repairs,
            keep_rows=conversion["keep_rows"],
        )

    @property
    def _title(self) -> str:
        return "standard input" if self.source == "-" else printable(self.source)

    @property
    def _hint(self) -> str:
        return "; --resume continues from here" if self._checkpoint.exists() else ""


def _placed(record: _Record, start: Position) -> _Record:
    """*record* with its place in the input, given that its chunk begins at *start*."""
    offset = None if record.offset is None else start.offset + record.offset
    return record._replace(line=start.line + record.line, offset=offset)


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Make SIGTERM end the run as Ctrl-C does. Only the main thread can set signal handlers."""

    def stop(_: int, __: FrameType | None) -> None:
        raise _Terminated

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
