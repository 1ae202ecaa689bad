"""A value shown in all five formats: how long it is in each, what each would lose, and where a broken one breaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from envelope.api import convert
from envelope.errors import DecodeError, EncodeError, EnvelopeError, LossError
from envelope.formats import ResultType
from envelope.formats.detection import candidates
from envelope.layers.search import unwrap
from envelope.limits import Limits
from envelope.repairs.serialize import repair

if TYPE_CHECKING:
    from envelope.options import Dialect

__all__ = ["MOST", "Converted", "Fault", "Shown", "Style", "convert_to_all"]

MOST: Final = 64 * 1024
"""How many bytes may be converted."""

Style = Literal["typed", "php"]
"""``typed`` keeps every type that a format can hold, ``php`` is what PHP gateways send."""

_LIMITS: Final = Limits(max_bytes=2 * 1024 * 1024, max_depth=100, max_items=MOST)
_PHP: Final[dict[ResultType, Dialect]] = {ResultType.JSON: "php", ResultType.JSONU: "php", ResultType.XML: "plain"}
_MOST_SHOWN: Final = 12_000  # characters of a body
_MOST_LOSSES: Final = 4
_AROUND: Final = 160  # bytes before and after the place of a fault


@dataclass(frozen=True, slots=True)
class Shown:
    """The value in one format: its ``size`` in bytes and the beginning of its ``text``, or the ``refusal`` of that
    format. ``losses`` are the first of ``lost`` places that change."""

    format: ResultType
    text: str = ""
    size: int = 0
    is_cut: bool = False
    losses: tuple[str, ...] = ()
    lost: int = 0
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a body cannot be read, with the text ``before`` the place, ``at`` it (empty at the end) and ``after`` it.

    ``format`` is None if it looks like none. ``layers`` are what `unwrap` would take off to read it, and ``edits`` how
    many `repair` would make; neither is offered if it does not help.
    """

    format: ResultType | None
    kind: str
    offset: int
    path: str
    reason: str
    hint: str
    before: str = ""
    at: str = ""
    after: str = ""
    layers: tuple[str, ...] = ()
    edits: int = 0


@dataclass(frozen=True, slots=True)
class Converted:
    """What came of it: ``shown`` in five formats, or a ``fault``. ``taken`` and ``mended`` are what was done before."""

    size: int
    format: ResultType | None = None
    dialect: str = ""
    shown: tuple[Shown, ...] = ()
    fault: Fault | None = None
    taken: tuple[str, ...] = ()
    mended: tuple[tuple[int, str, str], ...] = ()


def convert_to_all(data: bytes, source: ResultType | None, style: Style, *, undo: str = "") -> Converted:
    """*data* in all formats; *source* is its own, None to find out.

    *undo* is what to do first: ``"unwrap"`` takes layers off, ``"repair"`` mends a serialized document. Any bytes will
    do; they should be no more than `MOST`.
    """
    taken: tuple[str, ...] = ()
    mended: tuple[tuple[int, str, str], ...] = ()
    try:
        if undo == "unwrap":
            found = unwrap(data, limits=_LIMITS)
            taken = tuple(layer.name for layer in found.layers)
            data, source = found.data, found.format if taken else source
        elif undo == "repair":
            whole = repair(data, ResultType.SERIALIZE, limits=_LIMITS)
            mended = tuple((edit.offset, _visible(edit.before), _visible(edit.after)) for edit in whole.edits[:20])
            data, source = data if whole.data is None else whole.data, ResultType.SERIALIZE
    except DecodeError as error:  # nothing was done then
        return Converted(len(data), fault=_fault(data, None, error))
    return replace(_converted(data, source, style), taken=taken, mended=mended)


def _converted(data: bytes, source: ResultType | None, style: Style) -> Converted:
    first: tuple[ResultType, DecodeError] | None = None
    for format, dialect in _readings(data, source):
        try:
            shown = tuple(_shown(data, format, dialect, target, style) for target in ResultType)
        except DecodeError as error:
            first = first or (format, error)
        else:
            return Converted(len(data), format, dialect, shown)
    if first is None:
        return Converted(len(data), fault=_fault(data, None, DecodeError("it looks like none of the five formats")))
    return Converted(len(data), first[0], fault=_fault(data, *first))


def _readings(data: bytes, source: ResultType | None) -> Iterator[tuple[ResultType, Dialect]]:
    of_source = {ResultType.JSON, ResultType.JSONU} if source in (ResultType.JSON, ResultType.JSONU) else {source}
    found = [each for each in candidates(data) if source is None or each[0] in of_source]
    if source is not None and not found:
        found = [(source, "typed")]
    yield from found


def _shown(data: bytes, source: ResultType, read: Dialect, target: ResultType, style: Style) -> Shown:
    write: Dialect = _PHP.get(target, "typed") if style == "php" else "typed"

    def made(on_loss: Literal["error", "ignore"]) -> bytes:
        return convert(
            data,
            source,
            target,
            values="php",
            source_dialect=read,
            target_dialect=write,
            limits=_LIMITS,
            on_loss=on_loss,
        )

    losses: list[str] = []
    lost = 0
    try:
        try:
            body = made("error")
        except LossError as error:
            losses, lost = [str(loss) for loss in error.losses[:_MOST_LOSSES]], len(error.losses)
            body = made("ignore")
    except EncodeError as error:
        return Shown(target, refusal=f"{error.path}: {error.reason}")
    text = _visible(body)
    return Shown(target, text[:_MOST_SHOWN], len(body), len(text) > _MOST_SHOWN, tuple(losses), lost)


def _fault(data: bytes, format: ResultType | None, error: DecodeError) -> Fault:
    place = min(error.offset, len(data))
    while place < len(data) and place > 0 and data[place] & 0xC0 == 0x80:  # within a character
        place -= 1
    end = place + 1
    while end < len(data) and data[end] & 0xC0 == 0x80 and end - place < 4:
        end += 1
    layers, edits = _offers(data, format)
    return Fault(
        format=format,
        kind=error.kind,
        offset=error.offset,
        path=error.path,
        reason=error.reason,
        hint=str(error.hint) if error.hint else "",
        before=_visible(data[max(place - _AROUND, 0) : place]),
        at=_visible(data[place:end]),
        after=_visible(data[end : end + _AROUND]),
        layers=layers,
        edits=edits,
    )


def _offers(data: bytes, format: ResultType | None) -> tuple[tuple[str, ...], int]:
    layers: tuple[str, ...] = ()
    edits = 0
    try:
        found = unwrap(data, limits=_LIMITS)
        if found.reads:
            layers = tuple(layer.name for layer in found.layers)
    except EnvelopeError:  # too much of it
        pass
    if format is ResultType.SERIALIZE:
        try:
            whole = repair(data, format, limits=_LIMITS)
            if whole.data is not None:
                edits = len(whole.edits)
        except EnvelopeError:  # there is no mending it
            pass
    return layers, edits


def _visible(data: bytes) -> str:
    """*data* as a text to look at: what is no UTF-8 or cannot be seen stands as a sign of its own."""
    return data.decode("utf-8", "backslashreplace").translate(_SIGNS)


_SIGNS: Final = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {0x7F: 0x2421}
