"""The seven functions: `dumps`, `loads`, `loads_first`, `encode`, `decode`, `convert` and `losses`.

Options, all keyword-only:

``values``   ``"portable"`` or ``"php"``: the value domain (`envelope.values`).
``maps``     ``"array"`` or ``"object"``: how PHP's formats (and json and jsonu in the php dialect) write the empty
             map and the map with keys 0 … n-1, which a PHP array cannot tell from lists: as arrays, or as stdClass.
``dialect``  ``"typed"`` keeps every type. json and jsonu also have ``"php"``, byte for byte `json_encode`'s; xml
             has ``"plain"``, without types, as PHP gateways write it; var_export has ``"file"``, a PHP file that
             `include` gives back, and ``"short"``, with ``[ ]`` as people write it, which both read PHP files of data;
             serialize has ``"session"`` and ``"session_binary"``, which PHP's `session_encode` writes: a map of the
             variables by name.
``default``  called with each value of a type outside the domain; returns one to write instead.
``unknown``  called for what a PHP file does not tell without being run (`loads`, `convert`): with the name of a
             constant, a variable (``$x``) or what is called, and a list of the arguments if it is a call, else None.
             It returns the value.
``limits``   `envelope.Limits`.
``encoding`` the charset of a document's strings (reading): ``"utf-8"``, or a label of the WHATWG's Encoding standard;
             for xml in the plain dialect also ``"declared"``, the one that its declaration names.
``references``  ``"resolve"`` or ``"keep"``: whether serialize's value references (``R:``) are read as the value they
             stand for, or as a `PhpReference`, which is written as it was read. `convert` tells the references that
             are lost between PHP's formats.
``flags``    PHP's names of flags, as in ``("JSON_UNESCAPED_SLASHES",)``: of `json_encode` for json and jsonu in the
             php dialect (json writes `json_encode` with these flags, jsonu with JSON_UNESCAPED_UNICODE besides), of
             `json_decode` for reading them; `convert` tells which is which. ``JSON_BIGINT_AS_STRING`` reads an integer
             beyond 64 bits, which is an error without it, as its text.
``attributes``, ``namespaces``  ``"refuse"``, ``"drop"`` or ``"keep"``: what xml in the plain dialect does about them.
             Attributes are kept as ``"@attributes"``, names with their prefixes.
``lists``    paths of xml (in the plain dialect) whose elements are lists even if there is one (``"trades.trade"``,
             ``"[*].name"``), or ``"repeated"``: only a repeated name is a list, as SimpleXML has it.
``payload``  the name of the envelope's payload field (`encode`, `decode`).
``objects``  what json and xml get of PHP's objects (`convert`): ``"public"``, what `json_encode` shows; ``"all"``, all
             properties by their plain names; ``"tagged"``, between serialize or var_export and json or jsonu, JSON with
             tags that loses nothing and converts back (`docs/how-to/tagged-json.md`). The last two read PHP's domain
             whatever ``values`` says, and tags keep references. ``limits`` are for PHP's value: its tags do not
             count in them.
``strict``   whether `decode` refuses what it would otherwise mend and note.
``on_loss``  what `convert` does about losses: ``"error"``, ``"warn"`` or ``"ignore"``.

A document is bytes, or a str that a database driver made of them, which is taken as its UTF-8: offsets and
``max_bytes`` count bytes of that. A lone surrogate in it is malformed; with another ``encoding``, a str is a
`TypeError`, because only the bytes have one.

json and xml hold the portable domain only: ``values="php"`` changes nothing in them but what `convert` projects. If
a map repeats a key, every format keeps the last value, in the place of the first.

An argument of the wrong type or an unknown option value raises `TypeError`; an unknown format, `UnknownFormat`; in
``lists``, what is not a path, does not end in a name or has an index, `ValueError`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Collection
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar, cast

from envelope.answers.envelope import Envelope
from envelope.conversion.kernel import convert_and_compare, lost
from envelope.errors import EncodeError, LossError, LossWarning
from envelope.formats import FORMATS, ResultType, get_format
from envelope.formats.native import extension
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import (
    DEFAULT_READING,
    DEFAULT_WRITING,
    ON_LOSS,
    Dialect,
    Maps,
    Objects,
    OnLoss,
    Unknown,
    Values,
    check_word,
    split_flags,
)

if TYPE_CHECKING:
    from typing import Unpack

    from envelope.options import Flag, MoreReading
    from envelope.values.php_types import Loss

__all__ = ["convert", "decode", "dumps", "encode", "loads", "loads_first", "losses"]

_DIALECTS = {"dialect", "from_dialect", "to_dialect"}  # what the other functions and the command call them
_DEFAULTS = (DEFAULT_WRITING.values, DEFAULT_WRITING.maps, DEFAULT_READING.dialect, DEFAULT_WRITING.dialect)

_Call = TypeVar("_Call", bound=Callable[..., Any])


def _without_detour(call: _Call) -> _Call:
    """Return *call*, compiled if the codecs are: for a short document, a Python frame takes much of the time."""
    calls = extension("native._calls")
    if calls is None:
        return call
    make = getattr(calls, f"make_{call.__name__}")
    return cast(_Call, update_wrapper(make(get_format, FORMATS), call))


@_without_detour
def dumps(
    value: object,
    format: str,
    *,
    values: Values = "portable",
    maps: Maps = "array",
    dialect: Dialect = "typed",
    default: Callable[[Any], Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    flags: Collection[Flag] = (),
) -> bytes:
    """Return *value* in *format*. Raises `EncodeError`, with the path of what cannot be written.

    It is not an error if a format cannot hold all of it: `losses` says what the bytes do not keep. The options are
    described in `envelope.api`.
    """
    row = get_format(format)
    return row.dumps(value, row.writing(values, maps, dialect, limits, flags), default)


@_without_detour
def loads(
    data: str | bytes | bytearray | memoryview,
    format: str,
    *,
    values: Values = "portable",
    dialect: Dialect = "typed",
    limits: Limits = DEFAULT_LIMITS,
    unknown: Unknown | None = None,
    **more: Unpack[MoreReading],
) -> Any:
    """Return the value in *data*. Raises `DecodeError`, with the offset and the path of what cannot be read.

    The options are described in `envelope.api`.
    """
    row = get_format(format)
    return row.read(data, row.reading(values, dialect, limits, **more), unknown)


def loads_first(
    data: str | bytes | bytearray | memoryview,
    format: str,
    start: int = 0,
    *,
    values: Values = "portable",
    limits: Limits = DEFAULT_LIMITS,
    encoding: str = "utf-8",
) -> tuple[Any, int]:
    """Return the value that begins at byte *start* of *data*, and the place of the first byte after it.

    What follows may be anything, as with `json.JSONDecoder.raw_decode`: documents in a row, text behind one. Only
    serialize tells where a value ends; another format is a `TypeError`, a *start* outside *data* a `ValueError`.
    Of a str, both places count bytes of its UTF-8.
    Raises `DecodeError`, whose offset counts from the beginning of *data*. ``max_bytes`` is for all of *data*.
    """
    row = get_format(format)
    if row.name != ResultType.SERIALIZE:
        raise TypeError(f"loads_first() reads serialize only, not {row.name}")
    from envelope.formats.serialize.read import loads_first as first

    if encoding == "utf-8":
        return first(data, start, row.reading(values, "typed", limits))
    return first(data, start, row.reading(values, "typed", limits, encoding=encoding))


def encode(
    envelope: Envelope[Any],
    format: str,
    *,
    payload: str = "response",
    values: Values = "portable",
    maps: Maps = "array",
    dialect: Dialect = "typed",
    default: Callable[[Any], Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    flags: Collection[Flag] = (),
) -> bytes:
    """Return *envelope* in *format*, its ``response`` under the name *payload*. Raises `EncodeError`."""
    if not isinstance(envelope, Envelope):
        raise TypeError(f"encode() writes an Envelope, not {type(envelope).__name__}; dumps() writes any value")
    row = get_format(format)
    options = row.writing(values, maps, dialect, limits, flags)
    try:
        value = envelope.to_value(payload)
    except EncodeError as error:
        error.format = row.name
        raise
    return row.dumps(value, options, default)


def decode(
    data: str | bytes | bytearray | memoryview,
    format: str,
    *,
    payload: str = "response",
    strict: bool = False,
    values: Values = "portable",
    dialect: Dialect = "typed",
    limits: Limits = DEFAULT_LIMITS,
    **more: Unpack[MoreReading],
) -> Envelope[Any]:
    """Return the envelope in *data*. Raises `DecodeError`, or `ValidationError` if the value is not an envelope.

    What was mended on the way in is in ``notes``; with *strict* it is an error (`Envelope.from_value`).
    """
    row = get_format(format)
    value = row.loads(data, row.reading(values, dialect, limits, **more))
    return Envelope.from_value(value, payload, strict=strict)


def losses(
    value: object,
    format: str,
    *,
    values: Values = "portable",
    maps: Maps = "array",
    dialect: Dialect = "typed",
    default: Callable[[Any], Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    flags: Collection[Flag] = (),
) -> list[Loss]:
    """Return what *value* would lose in *format*: each place that is not the same when it is read back.

    Places are in document order, each once, with paths in *value*. Raises as `dumps` does.
    """
    row = get_format(format)
    options = row.writing(values, maps, dialect, limits, flags)
    return list(lost(row, options, default, value, row.dumps(value, options, default)))


def convert(
    data: str | bytes | bytearray | memoryview,
    source: str,
    target: str,
    *,
    values: Values = "portable",
    maps: Maps = "array",
    source_dialect: Dialect = "typed",
    target_dialect: Dialect = "typed",
    default: Callable[[Any], Any] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    unknown: Unknown | None = None,
    on_loss: OnLoss = "error",
    objects: Objects = "public",
    **more: Unpack[MoreReading],
) -> bytes:
    """Return *data*, a document in the format *source*, in the format *target*.

    With ``values="php"``, json and xml get what PHP's `json_encode` would show of objects, and the names of enums'
    cases, or what *objects* says. Between PHP's formats, stdClass is kept in the portable domain too, so ``maps`` has
    nothing to decide there. What the target cannot hold raises `LossError`, warns with a `LossWarning` for each place,
    or is ignored, as *on_loss* says.
    """
    check_word("on_loss", on_loss, ON_LOSS)
    reader, writer = get_format(source), get_format(target)
    reading, writing = DEFAULT_READING, DEFAULT_WRITING
    # Usually they are these; a short document would take a third longer to ask for them.
    if more or limits is not DEFAULT_LIMITS or (values, maps, source_dialect, target_dialect) != _DEFAULTS:
        if not _DIALECTS.isdisjoint(more):
            raise TypeError("convert() has two dialects, source_dialect= and target_dialect=")
        to_write: Collection[Flag] = ()
        if "flags" in more:
            more["flags"], to_write = split_flags(more["flags"])
        reading = reader.reading(values, source_dialect, limits, **more)
        writing = writer.writing(values, maps, target_dialect, limits, to_write)
    compare = on_loss != "ignore"
    body, found = convert_and_compare(
        data, reader, reading, writer, writing, default=default, unknown=unknown, compare=compare, objects=objects
    )
    if on_loss == "error" and (losses := list(found)):
        raise LossError(losses, target)
    for loss in found:
        caller = sys._getframe(1)
        # With a registry of its own, because the caller's module would keep every text for good.
        warnings.warn_explicit(
            f"{target}: {loss}", LossWarning, caller.f_code.co_filename, caller.f_lineno, registry={}
        )
    return body
