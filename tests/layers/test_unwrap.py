"""Layers: what is taken off is what was put around, a document stays as it is, and nothing grows beyond its limits."""

from __future__ import annotations

import base64
import gzip
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, Limits
from envelope.hints import Hint
from envelope.layers import LAYERS, LayerName, Unwrapped, search
from envelope.layers.reading import reading_of
from envelope.testing.strategies import php_values, values
from tests.layers.wraps import NOTICE, WRAPS

DIALECTS = [
    (row.name, dialect) for row in envelope.formats.FORMATS.values() for dialect in row.dialects if row.name != "jsonu"
]  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, str]:
    """What the library writes, in any format and in its typed dialect."""
    format = draw(st.sampled_from(list(envelope.ResultType)))
    if format in ("serialize", "var_export"):
        return envelope.dumps(draw(php_values(max_leaves=8)), format, values="php"), format
    return envelope.dumps(draw(values(max_leaves=8)), format), format


def unwrap(data: bytes, *layers: str) -> Unwrapped:
    """The result, checked against its report."""
    found = envelope.unwrap(data, layers or "auto")
    if found.reads:
        assert reading_of(found.data, Limits()) == ("reads", found.format, found.dialect)
    rest: bytes | None = data
    for layer in found.layers:
        if rest is not None:
            assert rest.startswith(layer.before)
            assert layer.before_size + layer.after_size <= len(rest)
            assert rest[len(rest) - layer.after_size :].startswith(layer.after)
            assert layer.offset in (0, len(rest) - layer.after_size)
            end = len(rest) - layer.after_size
            rest = None if layer.is_decoded else rest[layer.before_size : end]
    assert rest in (None, found.data)
    return found


def names(found: Unwrapped) -> list[LayerName]:
    return [layer.name for layer in found.layers]


@given(documents())
def test_a_document_stays_as_it_is(document: tuple[bytes, str]) -> None:
    data, format = document
    found = unwrap(data)
    assert (found.data, found.layers, found.reads) == (data, (), True)
    assert found.format is not None
    assert found.dialect is not None
    options: dict[str, Any] = {"values": "php"} if found.format in ("serialize", "var_export") else {}
    there = envelope.loads(data, found.format, dialect=found.dialect, **options)
    assert envelope.same(there, envelope.loads(data, format, values="php"))


@pytest.mark.parametrize(("format", "dialect"), DIALECTS)
@given(value=st.dictionaries(st.text("abc_xyz"), values(max_leaves=5), min_size=1))
def test_a_document_in_another_dialect_stays_as_it_is(format: str, dialect: Any, value: Any) -> None:
    try:
        data = envelope.dumps(value, format, dialect=dialect)
    except envelope.EncodeError:
        assume(False)  # plain XML does not hold every character
    found = unwrap(data)
    assert (found.data, found.layers, found.reads) == (data, (), True)


def is_seen(name: str, body: bytes, wrapped: bytes) -> bool:
    """Whether anything shows that the layer is there, and what is in it."""
    if name == "lines" and body[:1] in b"-0123456789tfn":
        return False  # numbers and words are lines, too
    if name == "notice" and (b"<b>Notice" in body or body[-1:] in b"0123456789"):
        return False
    if name == "notice" and body[:1] == b"<" and b"<!--" in wrapped:
        return False  # a comment behind XML may be of it
    if name in ("slashes", "doubled-quotes") and not {*b"'\""} & {*body}:
        return False
    if name == "doubled-quotes" and b'"' not in body:
        return False
    return name == "deflate" or reading_of(wrapped, Limits()).rank != "reads"


ALL = [(name, wrap) for name in LAYERS for wrap in WRAPS[name]]
AUTO = [(name, wrap) for name, wrap in ALL if name != "deflate"]
VALUES = [
    {"a": 1},
    [1, "x\ny", None],
    "text",
    12,
    True,
    None,
    1.5,
    {},
    [],
    {"k": {"b": ["中"]}},
    "a'b\\c\"",
    "1234",
    "\0",
]
BODIES = [envelope.dumps(value, format) for value in VALUES for format in envelope.ResultType]


@pytest.mark.parametrize(("name", "wrap"), AUTO)
def test_each_layer_comes_off_usual_documents(name: LayerName, wrap: Any) -> None:
    seen = [body for body in BODIES if is_seen(name, body, wrap(body))]
    assert len(seen) > 10
    for body in seen:
        found = unwrap(wrap(body))
        assert (found.data, found.reads) == (body, True)
        assert name in names(found)


@pytest.mark.parametrize(("name", "wrap"), ALL)
def test_each_layer_comes_off_by_its_name(name: LayerName, wrap: Any) -> None:
    for body in BODIES:
        wrapped = wrap(body)
        if is_seen(name, body, wrapped):
            found = unwrap(wrapped, name)
            assert names(found) == [name]
            assert envelope.unwrap(wrapped, name) == found
            if name not in ("space", "bom"):
                assert found.data.strip() == body


@given(document=documents(), layer=st.sampled_from(AUTO))
def test_a_layer_comes_off(document: tuple[bytes, str], layer: tuple[LayerName, Any]) -> None:
    (body, _), (name, wrap) = document, layer
    wrapped = wrap(body)
    assume(is_seen(name, body, wrapped))
    found = unwrap(wrapped)
    assert (found.data, found.reads) == (body, True)
    assert name in names(found)


@given(document=documents(), layers=st.lists(st.sampled_from(AUTO), min_size=2, max_size=3))
def test_a_stack_of_layers_comes_off(document: tuple[bytes, str], layers: list[tuple[str, Any]]) -> None:
    body, _ = document
    wrapped = body
    for name, wrap in layers:
        assume(is_seen(name, wrapped, wrap(wrapped)))
        wrapped = wrap(wrapped)
    assert unwrap(wrapped).data == body


# ---- the report


def test_a_report_says_what_was_taken_away_and_from_where() -> None:
    data = b"\r\n<?php exit;?>" + base64.b64encode(b"1700000000\na:0:{}") + b"0\n"
    found = envelope.unwrap(data[:-2])
    assert [(layer.name, layer.offset, layer.before, layer.after, layer.is_decoded) for layer in found.layers] == [
        ("space", 0, b"\r\n", b"", False),
        ("guard", 0, b"<?php exit;?>", b"", False),
        ("base64", 0, b"", b"", True),
        ("expiry", 0, b"1700000000\n", b"", False),
    ]
    assert (found.data, found.format, found.dialect, found.reads) == (b"a:0:{}", "serialize", "typed", True)
    (behind,) = envelope.unwrap(b'{"a":1}0').layers
    assert (behind.name, behind.offset, behind.before_size, behind.after, behind.after_size) == (
        "notice",
        7,
        0,
        b"0",
        1,
    )
    (long,) = envelope.unwrap(NOTICE * 5 + b"[]").layers
    assert (long.before, long.before_size) == ((NOTICE * 5)[:60], len(NOTICE) * 5)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (base64.urlsafe_b64encode(b'"\xc3\xbf\xc3\xbf\xc3\xbe"'), "url-safe"),
        (b"YTowOnt9", ""),
        (b'{\\"a\\":\\"\\\\u4e2d\\"}', "stripslashes"),
        (b'{\\"a\\":\\"\\u4e2d\\/\\"}', "quotes"),
        (b's:3:\\"a\\nb\\";', "sql"),
        (b's:3:\\"a\\x0ab\\";', "stripcslashes"),
        (b's:3:\\"a\\vb\\";', "stripcslashes"),
        (b's:3:\\"a\\12b\\";', "stripcslashes"),
        ("[1]".encode("utf-16"), "utf-16-le"),
        (b"\xfe\xff" + "[1]".encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_which_way_it_was(data: bytes, detail: str) -> None:
    found = unwrap(data)
    assert [layer.detail for layer in found.layers] == [detail]
    assert found.reads


@pytest.mark.parametrize(
    "data", [b"17000000001234567890123", b"3132333435363738393031323334", b"[12345678901234567890]"]
)
def test_an_integer_beyond_64_bits_is_json(data: bytes) -> None:
    for wrapped in (data, base64.b64encode(data)):
        found = unwrap(wrapped)
        assert (found.data, found.format, found.dialect, found.reads) == (data, "json", "typed", True)


# ---- what is no document, or not whole


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b"", None), (b"hello", None), (b"\n", None), (b"<html><body/></html>", None), (b"<!DOCTYPE html>", None),
        (b'a:1:{s:3:"ab";i:1;}', "serialize"), (b'{"a":"\xb0"}', "json"), (b'{"a":1}\n{"a":2}', "json"), (b"[1, x]", "json"),
        (b"a text\n12", None), (b"abcdefg=", None), (b"ab-_+/cd", None), (b"QQ=", None), (b"QR==", None), (b"abc", None), (b"=", None),
        (b"\\x61\\x6", None), (b"\\x61\\x\\x6", None), (b"61g", None), (b"zz(", None), (b"cb()", None), (b"<?php exit;?>", "var_export"),
        (b"\xff\xfea", None), (b"\x1f\x8b\x08" + bytes(99), None), (b"\x1f\x8b\x08", None), (zlib.compress(b"[]")[:-1], None), (zlib.compress(b"[]") + b"x", None),
        (b"0", "json"), (b"1700000000", "json"), (b"<br />\n<b>Notice</b>: and no end", "xml"), (b"a\n" * 40 + b"{}", None),
        (b"a\0\n{}", None), (b"eyJ\n", None), (b"<?php return ['exit' => 1]; ?> x", "var_export"), (b"<? exit", None),
    ],
)  # fmt: skip
def test_what_does_not_lead_to_a_document_stays_as_it_is(data: bytes, format: str | None) -> None:
    found = unwrap(data)
    assert (found.data, found.layers, found.format, found.reads) == (data, (), format, found.reads)


def test_a_broken_document_is_unwrapped_as_far_as_it_looks_like_one() -> None:
    broken = b'a:1:{s:3:"ab";i:1;}'
    for data in (gzip.compress(broken), b"1700000000\n" + broken, base64.b64encode(broken), NOTICE + broken):
        found = unwrap(data)
        assert (found.data, found.format, found.reads) == (broken, "serialize", False)
    found = unwrap(gzip.compress(b"no document"))
    assert (found.data, names(found), found.format) == (b"no document", ["gzip"], None)


def test_what_is_refused_is_a_document_if_nothing_else_reads() -> None:
    for data, format in (
        (b'{"a":1e999}', "json"),
        (b"<!DOCTYPE a><a/>", "xml"),
        (b"<?php return f(; ?>", "var_export"),
    ):
        found = unwrap(data)
        assert (found.data, found.layers, found.format, found.reads) == (data, (), format, False)
    assert unwrap(b"<?php return env('X');").reads


# ---- named layers


def test_layers_are_taken_off_in_the_order_of_their_names() -> None:
    data = base64.b64encode(zlib.compress(b"[1]")) + b"\n"
    for layers in ("line-end,base64,zlib", ["line-end", "base64", "zlib"]):
        found = envelope.unwrap(data, layers)
        assert (found.data, names(found), found.format) == (b"[1]", ["line-end", "base64", "zlib"], "json")
    assert envelope.unwrap(b"[1]", []).layers == ()
    assert envelope.unwrap(zlib.compress(b"\x01")[2:-4], "deflate").data == b"\x01"


def test_a_named_layer_that_is_not_there_is_an_error() -> None:
    with pytest.raises(DecodeError) as caught:
        envelope.unwrap(b"<?php exit;?>[1]", "guard,gzip")
    error = caught.value
    assert (error.kind, error.offset, error.path, error.hint) == ("malformed", 13, "$", None)
    with pytest.raises(DecodeError) as caught:
        envelope.unwrap(b"YTowOnt9", "gzip")
    assert caught.value.hint == Hint("wrapped", "base64")
    with pytest.raises(DecodeError, match="not all of it") as caught:
        envelope.unwrap(zlib.compress(b"[1]")[:-1], "zlib")
    assert caught.value.hint is None
    with pytest.raises(DecodeError) as caught:
        envelope.unwrap(b"cb(YTowOnt9)", "jsonp,base64,zlib")
    assert caught.value.offset == 3
    for name in LAYERS:
        if name != "deflate":
            with pytest.raises(DecodeError, match=f"no {name} here"):
                envelope.unwrap(b"[1]", name)


@pytest.mark.parametrize("layers", ["x", "", "gzip,x", ["auto"], [1], [[]], "gzip, zlib"])
def test_an_unknown_name_is_a_type_error(layers: Any) -> None:
    with pytest.raises(TypeError):
        envelope.unwrap(b"", layers)


# ---- input and limits


def test_text_and_all_bytes_are_taken() -> None:
    for data in ("cb([1])", b"cb([1])", bytearray(b"cb([1])"), memoryview(b"cb([1])")):
        assert envelope.unwrap(data).data == b"[1]"
    assert envelope.unwrap("\ud800").data == b"\xed\xa0\x80"
    with pytest.raises(TypeError):
        envelope.unwrap(5)  # type: ignore[arg-type]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_bomb_is_a_limit_and_takes_no_memory(pack: Any) -> None:
    bomb = pack(bytes(10 << 20))
    for data, layers in ((bomb, "auto"), (base64.b64encode(bomb), "auto"), (pack(bomb), "auto"), (bomb, "gzip")):
        if layers == "gzip" and pack is zlib.compress:
            continue
        tracemalloc.start()
        try:
            with pytest.raises(DecodeError) as caught:
                envelope.unwrap(data, layers, limits=Limits(max_bytes=200_000))
            assert tracemalloc.get_traced_memory()[1] < 4 << 20
        finally:
            tracemalloc.stop()
        assert (caught.value.kind, caught.value.hint) == ("limit", Hint("raise-limit", "max_bytes"))


def test_the_limits_hold_for_the_input_and_each_step() -> None:
    with pytest.raises(DecodeError) as caught:
        envelope.unwrap(b"[1,2,3]", limits=Limits(max_bytes=6))
    assert (caught.value.kind, caught.value.offset) == ("limit", 6)
    packed = NOTICE + gzip.compress(b"[" + b"1," * 500 + b"1]")
    with pytest.raises(DecodeError) as caught:
        envelope.unwrap(packed, limits=Limits(max_bytes=500))
    assert (caught.value.kind, caught.value.offset) == ("limit", len(NOTICE))
    wide = ("[" + "中" * 50 + "]").encode("utf-16")
    with pytest.raises(DecodeError) as caught:
        envelope.unwrap(wide, limits=Limits(max_bytes=len(wide)))
    assert caught.value.kind == "limit"


def test_there_are_eight_layers_at_most() -> None:
    data = b"[1]"
    for depth in range(1, 12):
        data = base64.b64encode(data)
        if depth <= 8:
            assert names(unwrap(data)) == ["base64"] * depth
        else:
            with pytest.raises(DecodeError, match="more than 8 layers") as caught:
                envelope.unwrap(data)
            assert caught.value.kind == "limit"


def test_a_search_takes_so_many_steps_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    data = base64.b64encode(base64.b64encode(b"[1]"))
    monkeypatch.setattr(search, "_MOST_STEPS", 2)
    assert unwrap(data).layers == ()
    monkeypatch.setattr(search, "_MOST_STEPS", 3)
    assert unwrap(data).data == b"[1]"


@given(st.binary(max_size=40) | st.text("a:0{}[]()\"'\\\n<?php exit;?>17=x", max_size=40).map(str.encode))
def test_any_bytes_give_a_result(data: bytes) -> None:
    found = unwrap(data)
    assert found.layers or found.data == data
