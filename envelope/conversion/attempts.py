"""One document of many, converted as it is, or else as it was meant: without its layers, repaired, or a plain text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from envelope.conversion.mixed import as_document, begins_serialized, is_serialized, trimmed
from envelope.errors import DecodeError
from envelope.formats import get_format

if TYPE_CHECKING:
    from envelope.layers.report import Layer
    from envelope.limits import Limits
    from envelope.repairs.report import Repair

__all__ = ["AUTO", "Attempts", "Report"]

AUTO: Final = ("auto",)


@dataclass(slots=True)
class Report:
    """What was done to documents so that they could be converted.

    ``counts`` has how many cells were plain texts (``"plain"``), how many of these begin as a document does
    (``"begun"``), and how many documents were ``"repaired"``; without ``mixed``, how many of those that could not be
    converted look like plain texts (``"looks-plain"``). ``layers`` has how often each layer was taken off, ``repairs``
    what was repaired, by the document's place among all.
    """

    counts: Counter[str] = field(default_factory=Counter)
    layers: Counter[str] = field(default_factory=Counter)
    repairs: dict[int, Repair] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Calls ``convert`` with what may be the document, until one is."""

    convert: Callable[[bytes], bytes]
    source: str
    limits: Limits
    php: bool
    mixed: bool
    unwrap: tuple[str, ...]
    repair: bool
    report: Report

    def __call__(self, document: bytes, place: int) -> bytes:
        """Return *document* converted, which is at *place* among all; raise its error if nothing else reads, either."""
        data: bytes = document
        layers: tuple[Layer, ...] = ()
        if self.unwrap and self.unwrap != AUTO:
            data, layers = self._without_named(document)
        if self.mixed:
            data = trimmed(data)
            if not self._is_document(data):
                data, layers = self._without_layers(data) if self.unwrap == AUTO else (data, layers)
                data = trimmed(data)
                if not self._is_document(data):
                    return self._plain(document)
        try:
            body = self.convert(data)
        except DecodeError as error:
            if error.format != self.source or error.kind == "limit":
                raise
            other = self._otherwise(data, layers, place)
            if other is None:
                raise
            return other
        self._count(layers)
        return body

    def _is_document(self, cell: bytes) -> bool:
        """Whether a cell of a mixed column is a document; to WordPress, one that was cut is a text."""
        return is_serialized(cell) or (self.repair and begins_serialized(cell))

    def _plain(self, text: bytes) -> bytes:
        document = as_document(text)
        try:
            body = self.convert(document)
        except DecodeError as error:
            error.offset = max(error.offset - (len(document) - len(text) - 2), 0)
            raise
        self.report.counts["plain"] += 1
        if begins_serialized(trimmed(text)):
            self.report.counts["begun"] += 1
        return body

    def _otherwise(self, data: bytes, layers: tuple[Layer, ...], place: int) -> bytes | None:
        """What cannot be read, without its layers and repaired, as far as that was asked for; None if nothing reads."""
        if self.unwrap == AUTO and not layers:
            data, layers = self._without_layers(data)
            if layers:
                with suppress(DecodeError):
                    body = self.convert(data)
                    self._count(layers)
                    return body
        if not self.repair:
            return None
        from envelope.repairs.serialize import mend

        with suppress(DecodeError):
            mended = mend(data, self.limits, php=self.php)
            if mended.data is not None and all(edit.is_only for edit in mended.edits):
                body = self.convert(mended.data)
                self._count(layers)
                self.report.counts["repaired"] += 1
                self.report.repairs[place] = mended
                return body
        return None

    def _without_named(self, document: bytes) -> tuple[bytes, tuple[Layer, ...]]:
        from envelope.layers.search import unwrap

        try:
            found = unwrap(document, self.unwrap, limits=self.limits)
        except DecodeError as error:
            if self.mixed and error.kind != "limit":
                return document, ()
            error.format = self.source
            raise
        return found.data, found.layers

    def _without_layers(self, data: bytes) -> tuple[bytes, tuple[Layer, ...]]:
        """The document of the source's format in *data*; *data* itself if there is none."""
        from envelope.layers.search import unwrap

        with suppress(DecodeError):
            found = unwrap(data, limits=self.limits)
            if found.layers and found.format is not None and _is_same(found.format, self.source):
                return found.data, found.layers
        return data, ()

    def _count(self, layers: tuple[Layer, ...]) -> None:
        self.report.layers.update(layer.name for layer in layers)


def _is_same(format: str, other: str) -> bool:
    """Whether documents in both formats are read alike, as json and jsonu are."""
    return format == other or (get_format(format).is_json and get_format(other).is_json)
