"""Many documents of one kind: each becomes bytes, or a `Fault` that says why not; none stops the others.

Archives and data frames are converted with it. A `Conversion` can be pickled, so that every process makes its own
converter of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from envelope.conversion.attempts import AUTO, Attempts, Report
from envelope.conversion.kernel import between_php, convert_and_compare, for_objects, is_lossless
from envelope.conversion.mixed import begins_serialized, is_serialized, trimmed
from envelope.errors import DecodeError, EncodeError, EnvelopeError, LossError
from envelope.formats import ResultType, Shortcut, get_format, get_shortcut
from envelope.options import (
    DEFAULT_READING,
    DEFAULT_WRITING,
    ON_LOSS,
    Objects,
    OnLoss,
    ReadOptions,
    WriteOptions,
    check_word,
)
from envelope.values.php_types import Loss

if TYPE_CHECKING:
    from envelope.hints import Hint

__all__ = ["KEEP_ROWS", "Conversion", "Converted", "Fault", "KeepRows"]

KeepRows = Literal["empty", "as-is"]
"""What the row of a document that cannot be converted holds in its place."""

KEEP_ROWS: tuple[KeepRows, ...] = ("empty", "as-is")


class Fault(NamedTuple):
    """Why a document was not converted: the fields of its error.

    ``kind`` is the error's, or ``"loss"``; ``offset`` counts bytes of the document, and is None if the fault is not
    in the input. ``hint`` is the error's, for whoever shows it to put into words (`envelope.hints.in_words`).
    """

    kind: str
    offset: int | None
    path: str
    reason: str
    hint: Hint | None = None


class Converted(NamedTuple):
    """The results for some documents: ``bodies`` and ``faults`` are as long as they, and one of each pair is None.

    Both are None for a document that is None. With ``keep_rows="as-is"``, the body of a document that has a fault is
    the document itself. ``losses`` counts the places that changed, by what became what.
    """

    bodies: list[bytes | None]
    faults: list[Fault | None]
    losses: Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """From which format to which, and how: the options are those of `envelope.convert`.

    ``reading`` and ``writing`` have the same domain (`envelope.formats.Format.reading` and ``writing`` make them).
    ``on_loss``: ``"error"`` makes a fault of a document that would lose something, ``"warn"`` counts the losses,
    ``"ignore"`` does not look for any. With *objects* other than ``"public"``, the domain is PHP's.

    ``mixed``: what is no serialized document by WordPress's rule (`envelope.conversion.mixed`) is a string, which is
    converted as such; the empty text, too. ``unwrap``: ``"auto"`` takes off the layers of documents that cannot be read
    with them, names of layers (``"base64,zlib"``, or an iterable) those of each document. ``repair``: a document that
    cannot be read is repaired if it can then be read in one way only; of a mixed column also what only begins as a
    document does. ``mixed`` and ``repair`` are for serialize in the typed dialect, else `TypeError`. ``keep_rows`` is
    for whoever writes rows: None if a document that cannot be converted has none, else what is in its place.
    """

    source: str
    target: str
    reading: ReadOptions = DEFAULT_READING
    writing: WriteOptions = DEFAULT_WRITING
    on_loss: OnLoss = "error"
    objects: Objects = "public"
    mixed: bool = False
    unwrap: str | Iterable[str] | None = None
    repair: bool = False
    keep_rows: KeepRows | None = None

    def __post_init__(self) -> None:
        for options, kind in ((self.reading, ReadOptions), (self.writing, WriteOptions)):
            if type(options) is not kind:
                raise TypeError(f"options must be {kind.__name__}, not {type(options).__name__}")
        check_word("dialect", self.reading.dialect, get_format(self.source).dialects)
        check_word("dialect", self.writing.dialect, get_format(self.target).dialects)
        check_word("values", self.writing.values, (self.reading.values,))
        check_word("on_loss", self.on_loss, ON_LOSS)
        source, target = get_format(self.source), get_format(self.target)
        reading, writing = for_objects(self.objects, source, self.reading, target, self.writing)
        object.__setattr__(self, "reading", reading)
        object.__setattr__(self, "writing", writing)
        if self.keep_rows is not None:
            check_word("keep_rows", self.keep_rows, KEEP_ROWS)
        for option in ("mixed", "repair"):
            if getattr(self, option) and not self._is_serialize:
                raise TypeError(f"{option} is for serialize in the typed dialect, not {self.source}")
        object.__setattr__(self, "unwrap", _layer_names(self.unwrap))

    def convert(self, documents: Iterable[bytes | None], report: Report | None = None) -> Converted:
        """Convert each of the *documents*; None stays None. *report* is told what else was done to them."""
        result = Converted([], [], Counter())
        bodies, faults, losses = result
        report = Report() if report is None else report
        convert = self._converter(losses)
        attempt = self._attempts(convert, report)
        for document in documents:
            body = fault = None
            if document is not None:
                try:
                    body = attempt(document, len(bodies)) if attempt else convert(document)
                except EnvelopeError as error:
                    fault = self._fault(error)
                    body = document if self.keep_rows == "as-is" else None
                    if self._is_serialize and not self.mixed and _looks_plain(trimmed(document)):
                        report.counts["looks-plain"] += 1
            bodies.append(body)
            faults.append(fault)
        return result

    @property
    def _is_serialize(self) -> bool:
        return get_format(self.source).name == ResultType.SERIALIZE and self.reading.dialect == "typed"

    def _attempts(self, convert: Callable[[bytes], bytes], report: Report) -> Attempts | None:
        """More ways to convert a document, if any were asked for."""
        if not (self.mixed or self.unwrap or self.repair):
            return None
        return Attempts(
            convert=convert,
            source=self.source,
            limits=self.reading.limits,
            php=self.reading.php,
            mixed=self.mixed,
            unwrap=tuple(self.unwrap or ()),
            repair=self.repair,
            report=report,
        )

    def convert_lines(self, data: bytes) -> tuple[bytes, int, int] | None:
        """Convert the documents of *data*, one per line; also return the number of lines and of documents.

        None if they must be converted one by one: some may be faulty, or mean something else than they read as, or
        there is no faster way. Empty lines are left out.
        """
        if self.mixed or self.keep_rows or self.unwrap not in ((), AUTO):
            return None
        shortcut = self._shortcut()
        return shortcut.convert_lines(data, self.reading.limits) if shortcut else None

    def _shortcut(self) -> Shortcut | None:
        return get_shortcut(self.source, self.reading, self.target, self.writing)

    def _converter(self, losses: Counter[str]) -> Callable[[bytes], bytes]:
        """The shortest way from document to document: the two codecs alone if nothing is projected or compared."""
        reader, writer = get_format(self.source), get_format(self.target)
        reading, writing = between_php(reader, self.reading, writer, self.writing)
        compares = self.on_loss != "ignore" and not is_lossless(reading, writer, writing)
        objects = self.objects
        if compares or objects == "tagged" or (writing.php and not writer.is_php):

            def convert_and_count(document: bytes) -> bytes:
                body, lost = convert_and_compare(
                    document, reader, reading, writer, writing, compare=compares, in_parts=True, objects=objects
                )
                if self.on_loss == "error" and (first := next(lost, None)):
                    raise LossError([first], self.target)
                losses.update(map(_loss_kind, lost))
                return body

            return convert_and_count
        read, write = reader.loads, writer.dumps
        if shortcut := self._shortcut():
            convert, limits = shortcut.convert, reading.limits
            return lambda document: convert(document, limits) or write(read(document, reading), writing)
        return lambda document: write(read(document, reading), writing)

    def _fault(self, error: EnvelopeError) -> Fault:
        if isinstance(error, DecodeError):
            # If the output was read, to see what it lost, the offset is not in the document.
            is_input = error.format == self.source
            return Fault(error.kind, error.offset if is_input else None, error.path, error.reason, error.hint)
        if isinstance(error, EncodeError):
            return Fault(error.kind, None, error.path, error.reason, error.hint)
        if isinstance(error, LossError):
            first = error.losses[0]
            return Fault("loss", None, first.short_path, first.change)
        raise error  # a wrong option is not a fault of a document


def _layer_names(unwrap: str | Iterable[str] | None) -> tuple[str, ...]:
    """The layers to take off, or `AUTO`; `TypeError` for a name that is none."""
    if unwrap is None:
        return ()
    names = tuple(unwrap.split(",") if isinstance(unwrap, str) else unwrap)
    if names != AUTO:
        from envelope.layers.report import LAYERS

        for name in names:
            check_word("layers", name, LAYERS)
    return names


def _looks_plain(cell: bytes) -> bool:
    return not is_serialized(cell) and not begins_serialized(cell)


def _loss_kind(loss: Loss) -> str:
    kind = f"{type(loss.was).__name__} → {type(loss.becomes).__name__}"
    return f"{kind} ({loss.note})" if loss.note else kind
