"""Taking layers off: those that somebody names, or whatever leads to a document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from envelope.errors import DecodeError
from envelope.formats.common.budget import long_output
from envelope.formats.common.input import as_bytes
from envelope.formats.detection import detect
from envelope.layers.compression import deflate, gzip, zlib_stream
from envelope.layers.digits import base64, hexadecimal
from envelope.layers.ends import bom, line_end, space
from envelope.layers.escapes import doubled_quotes, slashes
from envelope.layers.layer import Undone, Ways
from envelope.layers.reading import reading_of
from envelope.layers.report import LAYERS, SHOWN, Layer, LayerName, Unwrapped
from envelope.layers.texts import expiry, guard, jsonp, lines, notice
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import check_word

if TYPE_CHECKING:
    from envelope.formats import ResultType
    from envelope.options import Dialect

__all__ = ["unwrap"]

# In the order in which they are looked for: what is certain by itself before what only a document in it proves.
_WAYS: Final[dict[LayerName, Ways]] = {
    "gzip": gzip,
    "zlib": zlib_stream,
    "bom": bom,
    "line-end": line_end,
    "space": space,
    "notice": notice,
    "guard": guard,
    "expiry": expiry,
    "jsonp": jsonp,
    "doubled-quotes": doubled_quotes,
    "slashes": slashes,
    "hex": hexadecimal,
    "base64": base64,
    "lines": lines,
}
_ALL: Final[dict[LayerName, Ways]] = {**_WAYS, "deflate": deflate}
_MOST_LAYERS: Final = 8
_MOST_STEPS: Final = 40


def unwrap(
    data: str | bytes | bytearray | memoryview,
    layers: str | Iterable[str] = "auto",
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Unwrapped:
    """Return the document in *data* without the *layers* around it, and a report of each.

    ``"auto"`` takes off whatever leads to bytes that read as a document, eight layers at most; if nothing does, to
    bytes that look like one. A document stays as it is, and so do bytes in which none is found: they have no layers and
    no format. Names (``"base64,zlib"``, or an iterable) are taken off in this order, each once, the outermost first:
    one that is not there is a `DecodeError`. ``"deflate"`` is only taken off by its name. Text is read as UTF-8.

    `DecodeError` of kind ``limit`` if the input or what a layer held exceeds ``limits.max_bytes``, and for more than
    eight layers. An unknown name is a `TypeError`. Time and memory are in
    proportion to the input and to what comes out.
    """
    raw = as_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data, "", limits)
    if layers == "auto":
        return _Search(limits).run(raw)
    names = layers.split(",") if isinstance(layers, str) else layers
    return _named(raw, [_layer_name(name) for name in names], limits)


def _layer_name(word: str) -> LayerName:
    check_word("layers", word, LAYERS)
    return LAYERS[LAYERS.index(word)]  # type: ignore[arg-type]


def _named(data: bytes, names: list[LayerName], limits: Limits) -> Unwrapped:
    taken: tuple[Layer, ...] = ()
    for name in names:
        ways = list(_ALL[name](data, limits.max_bytes))
        if not ways:
            raise DecodeError(f"no {name} here, or not all of it", offset=_offset(taken, 0))
        undone = next((way for way in ways if reading_of(way.data, limits)), ways[0]) if len(ways) > 1 else ways[0]
        taken = _take(data, taken, name, undone, limits)
        data = undone.data
    found = reading_of(data, limits)
    return _result(data, taken, found, reads=found is not None)


def _take(data: bytes, taken: tuple[Layer, ...], name: LayerName, undone: Undone, limits: Limits) -> tuple[Layer, ...]:
    """Return *taken* and the layer that has just been taken off; `DecodeError` if it held too much."""
    _, start, end, is_decoded, detail = undone
    if len(undone.data) > limits.max_bytes:
        reason, hint = long_output(limits)
        raise DecodeError(f"{name}: {reason}", kind="limit", offset=_offset(taken, start), hint=hint)
    layer = Layer(
        name=name,
        offset=0 if start or is_decoded else end,
        before=data[: min(start, SHOWN)],
        before_size=start,
        after=data[end : end + SHOWN],
        after_size=len(data) - end,
        is_decoded=is_decoded,
        detail=detail,
    )
    return (*taken, layer)


def _offset(taken: tuple[Layer, ...], start: int) -> int:
    """Where byte *start* of what is left was in the caller's input, or the layer in which it was."""
    offset = 0
    for layer in taken:
        offset += layer.before_size
        if layer.is_decoded:
            return offset
    return offset + start


def _result(
    data: bytes, layers: tuple[Layer, ...], found: tuple[ResultType, Dialect] | None, *, reads: bool
) -> Unwrapped:
    format, dialect = found or detect(data) or (None, None)
    return Unwrapped(data, layers, format, dialect, reads)


@dataclass(slots=True)
class _Search:
    """All ways to take layers off, one after the other, until one leads to a document."""

    limits: Limits
    steps: int = _MOST_STEPS
    is_deeper: bool = False
    best: tuple[int, bytes, tuple[Layer, ...]] = (-1, b"", ())

    def run(self, data: bytes) -> Unwrapped:
        found = self.visit(data, ())
        rank, best, layers = self.best
        if found is None and rank == 0 and self.is_deeper:
            raise DecodeError(f"more than {_MOST_LAYERS} layers", kind="limit")
        return _result(best, layers, found, reads=found is not None)

    def visit(self, data: bytes, taken: tuple[Layer, ...]) -> tuple[ResultType, Dialect] | None:
        """Return the format and dialect of the first document that is found behind *data*; note the best so far."""
        self.steps -= 1
        found = reading_of(data, self.limits)
        # Something that has its checksum is worth to be seen, even if it is no document.
        looks = detect(data) is not None
        rank = 3 if found else 2 if looks else int(any(layer.name in ("gzip", "zlib") for layer in taken))
        if rank > self.best[0]:
            self.best = (rank, data, taken)
        if found:
            return found
        for name, ways in _WAYS.items():
            if name == "lines" and looks:
                continue
            for undone in ways(data, self.limits.max_bytes):
                if len(taken) == _MOST_LAYERS:
                    self.is_deeper = True
                    return None
                if self.steps <= 0:
                    return None
                after = _take(data, taken, name, undone, self.limits)
                if found := self.visit(undone.data, after):
                    return found
        return None
