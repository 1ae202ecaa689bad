"""What looks like a document, and like something around one: hints, which are given only for that."""

from __future__ import annotations

import pytest

import envelope
from envelope import DecodeError
from envelope.formats.detection import candidates, detect
from envelope.hints import Hint
from tests.layers.wraps import NOTICE, WRAPS

DOCUMENTS = {
    "json": b'{"a":[1,"x"]}',
    "serialize": b'a:1:{s:1:"a";i:5;}',
    "var_export": b"array (\n  'a' => 'b',\n)",
    "xml": envelope.dumps({"a": 1}, "xml"),
}


def hint_of(data: bytes, format: str) -> Hint | None:
    with pytest.raises(DecodeError) as caught:
        envelope.loads(data, format)
    return caught.value.hint


@pytest.mark.parametrize(
    "name", ["gzip", "zlib", "bom", "notice", "guard", "expiry", "jsonp", "hex", "base64", "lines"]
)
@pytest.mark.parametrize("format", DOCUMENTS)
def test_a_hint_names_what_stands_around(name: str, format: str) -> None:
    body = DOCUMENTS[format]
    for wrap in WRAPS[name][:2]:  # type: ignore[index]
        if format == "xml" and name in ("guard", "bom"):  # forbidden, and read
            continue
        assert hint_of(wrap(body), format) == Hint("wrapped", name)


@pytest.mark.parametrize(
    ("data", "format", "hint"),
    [
        (b"\n\na:0:{}", "serialize", Hint("wrapped", "space")),
        (b"\n\na:0:{}", "json", None),
        (b" 'a'", "var_export", Hint("wrapped", "space")),
        (b"i:5;\n", "serialize", Hint("strip-space")),
        (b"i:5;" + b"\n" * 2000, "serialize", Hint("strip-space")),
        (b'{"a":1}0', "json", Hint("wrapped", "notice")),
        (b"[1] <!-- cached -->", "json", Hint("wrapped", "notice")),
        (b"i:5;" + NOTICE, "serialize", Hint("wrapped", "notice")),
        (b"[1] 2", "json", None),
        (b's:4:\\"time\\";', "serialize", Hint("wrapped", "slashes")),
        (b'{\\"a\\":1}', "json", Hint("wrapped", "slashes")),
        (b"\\'a\\'", "var_export", Hint("wrapped", "slashes")),
        (b'a:1:{s:3:""url"";i:1;}', "serialize", Hint("wrapped", "doubled-quotes")),
        (b'O:8:""stdClass"":0:{}', "serialize", Hint("wrapped", "doubled-quotes")),
        (b'{""a"":1}', "json", Hint("wrapped", "doubled-quotes")),
        (b'["" 1]', "json", None),
        (b'["a" 1]', "json", None),
        (b"<!DOCTYPE html><html>", "json", Hint("html-page")),
        (b"\n<html lang='a'>", "serialize", Hint("html-page")),
        (b"<html>", "var_export", Hint("html-page")),
        (b"\0\0\0\2\x14\1", "serialize", Hint("not-read", "igbinary")),
        (b"\x81\xa1a\1", "json", Hint("not-read", "MessagePack")),
        (b"array('a')", "json", None),
        (b"1700000000 is no time", "json", None),
        (b"call(me)", "json", None),
        (b"abcdefgh", "json", None),
        (b"abcde", "json", None),
        (b"abc", "json", None),
        (b"-", "json", None),
        (b"0x6g", "json", None),
        (b"\\x61\\x62", "json", None),
        (b"YTowOnt9" * 1000, "json", Hint("wrapped", "base64")),
        (b"a\n" * 50 + b"{}", "json", None),
        (b"a\n\x01\n{}", "json", None),
        (b"[1," + b" " * 100 + b"x]", "json", None),
        (b"name|a:1:{", "serialize", Hint("session-dialect")),
        (b"Notice: I have seen it", "json", Hint("no-nan")),
    ],
)
def test_hints_of_other_beginnings(data: bytes, format: str, hint: Hint | None) -> None:
    assert hint_of(data, format) == hint


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", None), (b"hello", None), (b" 12 ", ("json", "typed")), (b"12 a", None), (b"\xef\xbb\xbf<a/>", ("xml", "plain")),
        (b"<?xml version='1.0'?>\n<root type='map'/>", ("xml", "typed")), (b"<root>", ("xml", "typed")), (b"<html>", None),
        (b"N;", ("serialize", "typed")), (b"_a|N;", ("serialize", "session")), (b"\1aN;", ("serialize", "session_binary")),
        (b"\1\nN;", None), (b"array(1)", ("var_export", "file")), (b"array (\n)", ("var_export", "typed")),
        (b"<?PHP return 1;", ("var_export", "file")), (b"NULL", ("var_export", "typed")), (b"NULL is", None),
        (b"$a['b'] = 1;", ("var_export", "file")), (b"RETURN [];", ("var_export", "file")), (NOTICE + b"{}", None),
    ],
)  # fmt: skip
def test_what_documents_look_like(data: bytes, found: tuple[str, str] | None) -> None:
    assert detect(data) == found


def test_a_bracket_begins_two_formats() -> None:
    assert list(candidates(b"[1]")) == [("json", "typed"), ("var_export", "file")]
    assert list(candidates(b"['a']")) == [("var_export", "file")]
