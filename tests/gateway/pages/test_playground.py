"""The playground: a value in five formats, and where a broken one breaks."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import ResultType
from envelope.gateway.pages.conversion import MOST, convert_to_all
from envelope.gateway.pages.snippets import snippets
from envelope.testing.strategies import values
from tests.gateway.pages.visitor import get, post, text
from tests.gateway.served import Served, served

VALUE = {"city": "Москва", "wind": {"0": 4, "1": 7}, "rain": None}
STYLES = st.sampled_from(["typed", "php"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("playground")) as made:
        yield made


@given(value=values(), source=st.sampled_from([*ResultType]))
def test_every_value_is_shown_in_every_format(value: object, source: ResultType) -> None:
    body = envelope.dumps(value, source)
    found = convert_to_all(body, source, "typed")
    assert found.fault is None
    assert [each.format for each in found.shown] == [*ResultType]
    for each in found.shown:
        if not each.refusal:
            made = envelope.convert(body, source, each.format, values="php", on_loss="ignore")
            assert each.size == len(made)
            assert bool(each.lost) == bool(each.losses)


@given(
    data=st.binary(max_size=200),
    source=st.sampled_from([None, *ResultType]),
    style=STYLES,
    undo=st.sampled_from(["", "unwrap", "repair"]),
)
def test_any_bytes_will_do(data: bytes, source: ResultType | None, style: str, undo: str) -> None:
    found = convert_to_all(data, source, style, undo=undo)  # type: ignore[arg-type]
    assert (found.fault is None) == (len(found.shown) == len(ResultType))
    if found.fault is not None:
        assert found.fault.reason
        assert 0 <= found.fault.offset <= max(len(data), found.size)


@given(data=st.text(max_size=40), cut=st.integers(0, 60))
def test_the_place_of_a_fault_is_where_the_reader_was(data: str, cut: int) -> None:
    whole = envelope.dumps({"key": data, "more": [data]}, "serialize")
    broken = whole[: min(cut, len(whole) - 1)]
    fault = convert_to_all(broken, ResultType.SERIALIZE, "typed").fault
    with pytest.raises(envelope.DecodeError) as error:
        envelope.loads(broken, "serialize", values="php")
    assert fault is not None
    assert (fault.kind, fault.offset, fault.reason) == (error.value.kind, error.value.offset, error.value.reason)
    assert bool(fault.at) == (fault.offset < len(broken))


def test_what_helps_is_offered_and_does_it() -> None:
    broken = 'a:1:{s:4:"text";s:9:"Привет";}'.encode()
    fault = convert_to_all(broken, None, "typed").fault
    assert fault is not None
    assert fault.edits == 1
    mended = convert_to_all(broken, None, "typed", undo="repair")
    assert mended.fault is None
    assert mended.mended == ((18, "9", "12"),)
    wrapped = base64.b64encode(envelope.dumps(VALUE, "serialize"))
    fault = convert_to_all(wrapped, None, "typed").fault
    assert fault is not None
    assert fault.layers == ("base64",)
    assert convert_to_all(wrapped, None, "typed", undo="unwrap").taken == ("base64",)
    no_help = convert_to_all(b"a:1:{x", None, "typed").fault
    assert no_help is not None
    assert (no_help.layers, no_help.edits) == ((), 0)


def test_the_server_makes_the_part_of_the_page(world: Served) -> None:
    got = post(world, "/playground/convert", {"text": envelope.dumps(VALUE, "json").decode(), "source": "json"})
    part = html.unescape(text(got))
    for each in ResultType:
        assert envelope.convert(envelope.dumps(VALUE, "json"), "json", each, on_loss="ignore").decode() in part
    assert "Changed places: 1" in part
    assert "<html" not in part


def test_without_the_script_the_whole_page_comes_back(world: Served) -> None:
    page = text(post(world, "/playground", {"text": "[1,\r\n2]", "source": "json", "style": "php"}))
    assert "[1,\n2]</textarea>" in page
    assert 'value="php" checked' in page
    assert '"json" selected' in page or "<option selected>json" in page


@pytest.mark.parametrize("bad", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "]]></textarea><b>"])
def test_what_is_pasted_is_shown_as_text(world: Served, bad: str) -> None:
    for fields in ({"text": bad}, {"text": envelope.dumps({bad: bad}, "json").decode(), "method": bad, "args": bad}):
        for path in ("/playground", "/playground/convert"):
            assert bad not in text(post(world, path, fields))


def test_what_is_sent_is_bounded(world: Served) -> None:
    most = '"' + "a" * (MOST - 2) + '"'
    assert post(world, "/playground/convert", {"text": most}).status == 200
    assert post(world, "/playground/convert", {"text": most + " "}).status == 413
    assert post(world, "/playground", {"text": "я" * MOST}).status == 413
    deep = "[" * 60_000
    assert "limit" in text(post(world, "/playground/convert", {"text": deep}))


@given(data=st.binary(max_size=60))
def test_the_form_takes_any_bytes(world: Served, data: bytes) -> None:
    got = post(world, "/playground/convert", {"text": data.decode("utf-8", "surrogateescape")})
    assert got.status == 200
    assert f"{len(data)}" in text(got)


def test_nothing_is_asked_of_the_upstream_and_nothing_kept(world: Served) -> None:
    before = len(world.upstream.served), len(world.records())
    get(world, "/playground?text=secret-of-mine")
    post(world, "/playground/convert", {"text": '"secret-of-mine"'})
    assert (len(world.upstream.served), len(world.records())) == before


@pytest.mark.parametrize("format", [*ResultType])
def test_lines_are_for_the_call_that_was_made(format: ResultType) -> None:
    lines = dict(snippets(format, "https://gateway.example", "custom", "v1/models", '{"a": true, "b": "it\'s"}'))
    assert all("v1/models" in text and "gateway.example" in text and format in text for text in lines.values())
    assert eval(lines["Python"].split('v1/models", ')[1].split(", result_type")[0]) == {"a": True, "b": "it's"}
    compile(lines["Python"], "lines", "exec")
