"""The laws, for every format: what is written is read back, and losses are reported."""

from __future__ import annotations

import contextlib
import pickle
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, EncodeError, Envelope, EnvelopeError, Limits, LossError, PhpObject, ResultType, same
from envelope.formats import FORMATS
from envelope.path import format_path
from envelope.testing.strategies import envelopes, php_values, texts, values
from tests.effort import some

pytestmark = pytest.mark.usefixtures("impl")

PHP_FORMATS = (ResultType.SERIALIZE, ResultType.VAR_EXPORT)
LOSSY = [("json", "php"), ("jsonu", "php"), ("xml", "plain")]

formats = st.sampled_from(list(ResultType))


def with_lists(value: Any) -> Any:
    """*value* with its two ambiguous kinds of map turned into lists, as a PHP array would have them."""
    if isinstance(value, list):
        return [with_lists(item) for item in value]
    if isinstance(value, dict):
        items = {key: with_lists(item) for key, item in value.items()}
        return list(items.values()) if list(items) == [str(index) for index in range(len(items))] else items
    return value


@given(value=values())
def test_law_1_what_is_written_is_read_back(fmt: ResultType, value: Any) -> None:
    body = envelope.dumps(value, fmt, maps="object")
    assert same(envelope.loads(body, fmt), value)
    assert envelope.losses(value, fmt, maps="object") == []


@given(value=values())
def test_law_2_arrays_turn_the_ambiguous_maps_into_lists(php_fmt: ResultType, value: Any) -> None:
    read = envelope.loads(envelope.dumps(value, php_fmt), php_fmt)
    assert same(read, with_lists(value))
    assert (envelope.losses(value, php_fmt) == []) == same(read, value)


@given(value=values(ambiguous=False))
def test_arrays_lose_nothing_but_the_ambiguous_maps(php_fmt: ResultType, value: Any) -> None:
    assert envelope.losses(value, php_fmt) == []


@given(value=values(controls=False))
def test_plain_xml_refuses_nothing_but_what_xml_cannot_hold(value: Any) -> None:
    envelope.loads(envelope.dumps(value, "xml", dialect="plain"), "xml", dialect="plain")


def test_losses_are_reported_if_only_the_lossy_bytes_fit_the_limit(php_fmt: ResultType) -> None:
    value: Any = {"a": {}}
    limits = Limits(max_bytes=len(envelope.dumps(value, php_fmt)))
    assert [loss.path for loss in envelope.losses(value, php_fmt, limits=limits)] == ["$.a"]


@given(value=php_values(), dialect=st.sampled_from(["typed", "php"]), maps=st.sampled_from(["array", "object"]))
def test_a_projection_says_each_loss_once_and_in_order(value: Any, dialect: Any, maps: Any) -> None:
    body = envelope.dumps(value, "serialize", values="php")
    try:
        envelope.convert(body, "serialize", "json", values="php", target_dialect=dialect, maps=maps)
    except EncodeError:
        return
    except LossError as error:
        read = envelope.loads(body, "serialize", values="php")
        paths = [loss.path for loss in error.losses]
        assert len(set(paths)) == len(paths)
        assert paths == [path for path in all_paths(read) if path in set(paths)]


def all_paths(value: Any, steps: tuple[Any, ...] = ()) -> list[str]:
    """The path of each value that JSON shows, in document order; a shared object is entered at each of its places."""
    children: list[tuple[Any, Any]] = []
    if isinstance(value, PhpObject):
        children = [(entry.name, entry.value) for entry in value.shown]
    elif isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [format_path(steps), *(path for step, child in children for path in all_paths(child, (*steps, step)))]


@given(value=values(), source=formats, target=formats)
def test_law_3_there_and_back(value: Any, source: ResultType, target: ResultType) -> None:
    body = envelope.dumps(value, source, maps="object")
    there = envelope.convert(body, source, target, maps="object")
    assert envelope.convert(there, target, source, maps="object") == body


@given(value=values(), source=formats, target=formats)
def test_law_3_holds_for_arrays_where_nothing_is_lost(value: Any, source: ResultType, target: ResultType) -> None:
    body = envelope.dumps(value, source)
    try:
        there = envelope.convert(body, source, target)
    except LossError as error:
        assert target in PHP_FORMATS
        assert error.losses == envelope.losses(envelope.loads(body, source), target)
    else:
        assert envelope.convert(there, target, source, on_loss="ignore") == body


@pytest.mark.parametrize(("format", "dialect"), LOSSY)
@given(value=values())
def test_losses_of_the_other_dialects_are_exactly_the_difference(format: str, dialect: Any, value: Any) -> None:
    try:
        body = envelope.dumps(value, format, dialect=dialect)
    except EncodeError as error:
        assert format == "xml"
        with pytest.raises(EncodeError) as second:
            envelope.losses(value, format, dialect=dialect)
        assert str(second.value) == str(error)
    else:
        read = envelope.loads(body, format, dialect=dialect)
        assert (envelope.losses(value, format, dialect=dialect) == []) == same(read, value)


@given(value=values())
def test_encode_is_deterministic(fmt: ResultType, value: Any) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert envelope.dumps(value, fmt) == envelope.dumps(copy, fmt)


@given(value=values())
def test_each_loss_is_a_path_of_its_own_in_document_order(php_fmt: ResultType, value: Any) -> None:
    paths = [loss.path for loss in envelope.losses(value, php_fmt)]
    assert len(paths) == len(set(paths))


@given(value=php_values())
def test_serialize_reads_back_the_domain_of_php(value: Any) -> None:
    body = envelope.dumps(value, "serialize", values="php")
    assert same(envelope.loads(body, "serialize", values="php"), value)
    assert envelope.losses(value, "serialize", values="php") == []


@given(value=php_values(var_export=True))
def test_var_export_reads_back_the_domain_of_php(value: Any) -> None:
    body = envelope.dumps(value, "var_export", values="php")
    assert same(envelope.loads(body, "var_export", values="php"), value)


@given(value=php_values())
def test_the_domain_of_php_converts_or_says_why_not(fmt: ResultType, value: Any) -> None:
    body = envelope.dumps(value, "serialize", values="php")
    try:
        out = envelope.convert(body, "serialize", fmt, values="php", on_loss="ignore")
    except EncodeError:
        return
    envelope.loads(out, fmt, values="php")


# ---- nothing but our errors comes out


class Odd:
    """A type outside every domain."""


anything = st.recursive(
    values(max_leaves=3)
    | php_values(max_leaves=3)
    | st.sampled_from([(), (1,), {1}, 2**63, -(2**63) - 1, float("nan"), "\ud800", {"\udfff": 1}, {1: 2}, {b"x": 1},
                       {5: 1, "5": 2}, {None: 1}, b"bytes", bytearray(b"x"), Odd(), Odd, 1j, ResultType.JSON,
                       PhpObject("A", {"a": "\ud800"}), {True: 1}, range(3)]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts() | st.integers(), children, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(value=anything, php=st.booleans(), maps=st.sampled_from(["array", "object"]))
def test_any_object_gives_bytes_or_an_encode_error(fmt: ResultType, value: Any, php: bool, maps: Any) -> None:
    try:
        body = envelope.dumps(value, fmt, values="php" if php else "portable", maps=maps)
    except EncodeError as error:
        assert error.path.startswith("$")
        assert error.format == fmt
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
    else:
        envelope.loads(body, fmt, values="php" if php else "portable")


@given(value=anything)
def test_what_one_format_accepts_all_accept(value: Any) -> None:
    taken: set[tuple[str, ...]] = set()
    for fmt in ResultType:
        try:
            envelope.dumps(value, fmt)
        except EncodeError as error:
            taken.add((error.path, error.reason, error.kind))
        else:
            taken.add(())
    assert len(taken) == 1


# Bytes that begin like a document of some format: random ones alone would all fail at the first byte.
fragments = st.sampled_from(
    [b"a:1:{", b"i:0;", b"i:1;", b's:1:"a";', b"N;", b"b:1;", b"d:0.5;", b"}", b'O:8:"stdClass":0:{}', b"R:1;", b"r:1;", b'O:1:"A":1:{',
     b'E:3:"A:B";', b'C:1:"A":1:{x}', b'S:1:"\\61";', b"array (\n", b")", b"  0 => ", b",\n", b"\n", b"  ", b"'a'", b"NULL", b"-1", b"1.0E+25",
     b"(object) array(\n", b"\\A::__set_state(array(\n", b"\\A::B", b"[", b"]", b"{", b"}", b'"a"', b":", b",", b"1e5", b"\\u0061", b"null",
     b'<?xml version="1.0" encoding="utf-8"?>', b'<root type="map">', b"</root>", b'<item key="a">', b"</item>", b"<a/>", b"&amp;", b"&#0;", b"<!--", b"<!DOCTYPE a>",
     b'<root type="list">', b"<item>", b"<![CDATA[x]]>", b' type="int"', b"\xef\xbb\xbf", b"\xff", b"\x00"]
)  # fmt: skip
noise = st.binary(max_size=60) | st.lists(fragments | st.binary(max_size=2), max_size=12).map(b"".join)


def read(data: bytes, fmt: str, **options: Any) -> None:
    """Read *data*; a `DecodeError` is fine, any other exception is not."""
    try:
        value = envelope.loads(data, fmt, **options)
    except DecodeError as error:
        assert 0 <= error.offset <= len(data)
        assert error.path.startswith("$")
        assert error.format == fmt
        assert error.kind in ("malformed", "limit", "forbidden")
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
    else:
        assert same(value, value)


@given(data=noise, php=st.booleans())
@example(data=b"a:1:{i:0;R:1;}", php=True)
@example(data=b'O:1:"A":1:{s:1:"a";r:1;}', php=True)
def test_any_bytes_give_a_value_or_a_decode_error(fmt: ResultType, data: bytes, php: bool) -> None:
    for dialect in FORMATS[fmt].dialects:
        read(data, fmt, dialect=dialect, values="php" if php else "portable")


@given(value=values(max_leaves=8), data=st.data())
def test_a_broken_document_gives_a_value_or_a_decode_error(fmt: ResultType, value: Any, data: st.DataObject) -> None:
    body = bytearray(envelope.dumps(value, fmt))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(fragments | st.binary(max_size=2))
    for dialect in FORMATS[fmt].dialects:
        read(bytes(body), fmt, dialect=dialect)


@given(value=values(max_leaves=8))
def test_no_document_is_a_prefix_of_another(fmt: ResultType, value: Any) -> None:
    body = envelope.dumps([value], fmt)  # in a list, because a truncated number is a number too
    for end in some(range(len(body)), 40):
        with pytest.raises(DecodeError):
            envelope.loads(body[:end], fmt)
    for tail in (b"x", b"\0", b";", b",", b"}", body):
        with pytest.raises(DecodeError):
            envelope.loads(body + tail, fmt)


@given(answer=envelopes())
def test_an_envelope_is_read_back(fmt: ResultType, answer: Envelope[Any]) -> None:
    read = envelope.decode(envelope.encode(answer, fmt, maps="object"), fmt, strict=True)
    assert same(read.to_value(), answer.to_value())
    assert read.notes == ()


@given(data=noise)
def test_any_bytes_give_an_envelope_or_our_error(fmt: ResultType, data: bytes) -> None:
    with contextlib.suppress(EnvelopeError):
        envelope.decode(data, fmt)
