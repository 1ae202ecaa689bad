"""Documents of a column that are plain texts, wrapped or broken: what was asked for is done, and told."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope.conversion import Conversion, Report
from envelope.conversion.mixed import as_document, begins_serialized, is_serialized, trimmed
from envelope.testing.php import Php
from envelope.testing.strategies import values
from tests.conversion.mixed_run import compare

MENDED = b'a:1:{s:4:"site";s:15:"new.example.org";}'
BROKEN = MENDED.replace(b"15", b"10")


def convert(*documents: bytes | None, **options: Any) -> tuple[list[bytes | None], list[str | None], Report]:
    report = Report()
    options = {"source": "serialize", "target": "json", **options}
    bodies, faults, _ = Conversion(**options).convert(documents, report)
    return bodies, [fault and fault.kind for fault in faults], report


@pytest.mark.php
def test_wordpress_agrees_on_what_is_serialized(php: Php) -> None:
    found, differences = compare(php, seed=1, count=20_000)
    assert differences == []
    assert found > 1000


def test_a_mixed_column_is_what_maybe_unserialize_makes_of_it() -> None:
    cells = {
        b"19.90": b'"19.90"', b"1612345678:1": b'"1612345678:1"', b"": b'""', b"NULL": b'"NULL"', b"\\N": rb'"\\N"',
        b"a:0:{}": b"[]", b" i:5;\n": b"5", b"N;": b"null", b"a:1:{i:0;}": None, b"a:1:{i:0": b'"a:1:{i:0"',
        b's:14:"a:1:{i:0;i:5;}";': b'"a:1:{i:0;i:5;}"', b"d:INF;": b'"d:INF;"', " Zoë ".encode(): rb'" Zo\u00eb "',
    }  # fmt: skip
    bodies, kinds, report = convert(*cells, None, mixed=True)
    assert bodies == [*cells.values(), None]
    assert kinds == [None if wanted else "malformed" for wanted in cells.values()] + [None]
    assert report.counts == {"plain": 8, "begun": 1}


CUT = (
    b'a:2:{s:1:"a";s:3:"one";s:1:"b";s:9:"t',
    b'a:2:{s:1:"a";s:3:"one";',
    b'O:8:"stdClass":1:{s:1:"a";s:9:"t',
    b's:9:"t',
)


def test_a_text_that_begins_as_a_document_is_counted_apart() -> None:
    bodies, kinds, report = convert(*CUT[::2], b"a:1 or a:2:", mixed=True)
    assert (kinds, [type(envelope.loads(body, "json")) for body in bodies if body]) == ([None] * 3, [str] * 3)
    assert report.counts == {"plain": 3, "begun": 2}


def test_such_a_text_is_repaired_or_a_fault_if_that_is_asked_for() -> None:
    for mixed in (False, True):
        bodies, kinds, report = convert(*CUT, mixed=mixed, repair=True, on_loss="ignore")
        assert bodies == [b'{"a":"one"}', b'{"a":"one"}', b"{}", None]
        assert kinds == [None, None, None, "malformed"]
        assert report.counts == {"repaired": 3}


@given(value=values(), data=st.data())
def test_wherever_a_document_is_cut_a_mixed_column_is_repaired_as_any_other(value: Any, data: st.DataObject) -> None:
    body = envelope.dumps(value, "serialize")
    cut = body[: data.draw(st.integers(1, len(body)))]
    if begins_serialized(cut):
        mixed, alone = (convert(cut, mixed=mixed, repair=True) for mixed in (True, False))
        assert mixed == alone


def test_a_document_that_was_cut_does_not_look_like_plain_text() -> None:
    assert convert(*CUT, b"19.90")[2].counts == {"looks-plain": 1}


@given(cell=st.binary() | values().map(lambda value: envelope.dumps(value, "serialize")))
def test_a_mixed_cell_is_its_text_or_its_document(cell: bytes) -> None:
    (body,), (kind,), report = convert(cell, mixed=True)
    document = trimmed(cell) if is_serialized(trimmed(cell)) else as_document(cell)
    (alone,), (wanted,), _ = convert(document)
    assert (body, kind) == (alone, wanted)
    assert report.counts["plain"] == (kind is None and document != trimmed(cell))


def test_a_fault_of_a_text_is_where_the_text_is() -> None:
    conversion = Conversion(source="serialize", target="json", mixed=True)
    (fault,) = conversion.convert([b"a" * 200 + b"\xff"]).faults
    assert fault is not None
    assert (fault.kind, fault.offset, fault.path) == ("forbidden", 200, "$")


def test_without_it_plain_texts_are_counted() -> None:
    bodies, kinds, report = convert(b"19.90", b"", b"a:1:{i:0;x}", b"i:1;")
    assert (bodies, kinds) == ([None, None, None, b"1"], ["malformed"] * 3 + [None])
    assert report.counts == {"looks-plain": 2}


def test_layers_are_taken_off_and_counted() -> None:
    wrapped = base64.b64encode(MENDED)
    bodies, kinds, report = convert(wrapped, MENDED + b"\r\n", MENDED, b"MQ==", unwrap="auto")
    assert bodies == [b'{"site":"new.example.org"}'] * 3 + [None]
    assert kinds == [None] * 3 + ["malformed"]
    assert report.layers == {"base64": 1, "line-end": 1}
    assert convert(wrapped, b"MQ==", unwrap="auto", mixed=True)[0] == [b'{"site":"new.example.org"}', b'"MQ=="']
    assert convert(base64.b64encode(BROKEN), unwrap="auto", repair=True)[0] == [b'{"site":"new.example.org"}']
    # json's layers are those of jsonu, too
    assert convert(b"cb([1]);", source="jsonu", target="xml", unwrap="auto")[1] == [None]


def test_named_layers_must_be_there() -> None:
    wrapped = base64.b64encode(b"i:1;")
    assert convert(wrapped, b"i:1;", unwrap=["base64"])[:2] == ([b"1", None], [None, "malformed"])
    assert convert(wrapped, b"plain", unwrap="base64", mixed=True)[0] == [b"1", b'"plain"']
    with pytest.raises(TypeError, match="layers must be"):
        convert(unwrap="base46")


def test_only_certain_repairs_are_made() -> None:
    two_ways = b'a:3:{s:1:"n";s:99:"bob";s:1:"r";s:5:"admin";s:1:"q";s:35:"x";s:1:"r";s:4:"user";s:1:"c";s:1:"d";}'
    assert envelope.repair(two_ways, "serialize").data is None
    bodies, kinds, report = convert(MENDED, BROKEN, two_ways, b"no", repair=True)
    assert bodies == [b'{"site":"new.example.org"}'] * 2 + [None, None]
    assert kinds == [None, None, "malformed", "malformed"]
    assert report.repairs == {1: envelope.repair(BROKEN, "serialize")}
    assert report.counts == {"repaired": 1, "looks-plain": 1}


def test_documents_that_cannot_be_converted_stay_if_asked_to() -> None:
    assert convert(b"no", b"i:1;", keep_rows="as-is")[:2] == ([b"no", b"1"], ["malformed", None])
    assert convert(b"no", b"i:1;", keep_rows="empty")[:2] == ([None, b"1"], ["malformed", None])


@pytest.mark.parametrize(
    "options", [{"mixed": True, "source": "json"}, {"repair": True, "source": "var_export"}, {"keep_rows": "null"}]
)
def test_wrong_options(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        convert(**options)
