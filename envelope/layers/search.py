"""Taking layers off: those that somebody names, or whatever leads to a document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

from envelope.errors import DecodeError
from envelope.formats.common.budget import long_output
from envelope.formats.common.input import as_bytes
from envelope.formats.common.wrapped import wrapping_hint
from envelope.hints import Hint
from envelope.layers.compression import deflate, gzip, zlib_stream
from envelope.layers.digits import base64, hexadecimal
from envelope.layers.ends import bom, line_end, space
from envelope.layers.escapes import doubled_quotes, slashes
from envelope.layers.layer import Undone, Ways
from envelope.layers.reading import RANKS, Reading, reading_of
from envelope.layers.report import LAYERS, SHOWN, Layer, LayerName, Unwrapped
from envelope.layers.texts import expiry, guard, jsonp, lines, notice
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import check_word

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
    eight layers. An unknown name is a `TypeError`. Time and memory are in proportion to the input and what comes out.
    """
    raw = as_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data, "", limits)
    if layers == "auto":
        return _Search(limits, _MOST_STEPS).run(raw)
    names = layers.split(",") if isinstance(layers, str) else layers
    return _named(raw, [_layer_name(name) for name in names], limits)


def _layer_name(word: str) -> LayerName:
    check_word("layers", word, LAYERS)
    return LAYERS[LAYERS.index(word)]


def _named(data: bytes, names: list[LayerName], limits: Limits) -> Unwrapped:
    taken: tuple[Layer, ...] = ()
    for name in names:
        best: tuple[int, Undone] | None = None
        for undone in _ALL[name](data, limits.max_bytes):
            rank = RANKS.index(reading_of(undone.data, limits).rank)
            if best is None or rank > best[0]:
                best = (rank, undone)
        if best is None:
            hint = wrapping_hint(data)
            is_broken = hint == Hint("wrapped", name)  # it begins so, but is not whole
            reason = f"no {name} here, or not all of it"
            raise DecodeError(reason, offset=_offset(taken, 0), hint=None if is_broken else hint)
        taken = _take(data, taken, name, best[1], limits)
        data = best[1].data
    return _result(data, taken, reading_of(data, limits))


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


def _result(data: bytes, layers: tuple[Layer, ...], reading: Reading) -> Unwrapped:
    return Unwrapped(data, layers, reading.format, reading.dialect, reading.rank == "reads")


@dataclass(slots=True)
class _Search:
    """All ways to take layers off, one after the other, until one leads to a document."""

    limits: Limits
    steps: int
    is_deeper: bool = False
    best: Unwrapped | None = None
    rank: int = -1

    def run(self, data: bytes) -> Unwrapped:
        self.visit(data, ())
        if self.rank <= RANKS.index("expanded") and self.is_deeper:
            raise DecodeError(f"more than {_MOST_LAYERS} layers", kind="limit")
        return cast("Unwrapped", self.best)

    def visit(self, data: bytes, taken: tuple[Layer, ...]) -> bool:
        """Look for a document in *data*, and note the best so far; whether there is one."""
        self.steps -= 1
        reading = reading_of(data, self.limits)
        rank = RANKS.index(reading.rank)
        if any(layer.name in ("gzip", "zlib") for layer in taken):
            rank = max(rank, RANKS.index("expanded"))
        if rank > self.rank:
            self.rank, self.best = rank, _result(data, taken, reading)
        if reading.rank == "reads":
            return True
        for name, ways in _WAYS.items():
            if name == "lines" and reading.format:
                continue
            for undone in ways(data, self.limits.max_bytes):
                if len(taken) == _MOST_LAYERS:
                    self.is_deeper = True
                    return False
                if self.steps <= 0:
                    return False
                if self.visit(undone.data, _take(data, taken, name, undone, self.limits)):
                    return True
        return False
