"""`encoding=`: each charset's text comes back from each format, and what does not fit is an error with its place."""

from __future__ import annotations

import codecs
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, Limits, PhpObject
from envelope.formats.common.charsets import UTF_16, Charset, charset_of, check_label, labels
from envelope.formats.common.decoded import Decoded
from envelope.formats.serialize import read as serialize_read
from envelope.options import ReadOptions
from envelope.testing.php import Php
from tests.effort import some
from tests.formats import charsets_run

pytestmark = pytest.mark.usefixtures("impl")

LABELS = sorted(labels())
NAMES = sorted({*labels().values()} - {UTF_16})
# Texts that have a backslash or a quote among the bytes of a character, or in the shifted part of ISO-2022-JP.
TRAPS = {
    "shift_jis": "表\\ソ'能\"①～髙",
    "gb18030": "誠\\乗'囧€𠮷",
    "big5": "功\\許'蓋",
    "euc-kr": "뷁'\\똠",
    "iso-2022-jp": "表'う\\①髙〇",
    "euc-jp": "①髙～‘\\",
}


@cache
def texts(name: str) -> st.SearchStrategy[str]:
    """Texts that Python's codec writes and our charset reads the same, with quotes and backslashes among them."""
    charset = charset_of(name)
    assert charset is not None

    def is_kept(char: str) -> bool:
        try:
            return charset.decode(char.encode(charset.codec)) == char
        except UnicodeError:
            return False

    points = [*range(0x20, 0x2000), *range(0x2000, 0xD800, 7), 0x1F600]
    return st.text(st.sampled_from([chr(point) for point in points if is_kept(chr(point))]), max_size=12)


def serialized(raw: bytes) -> bytes:
    return b's:%d:"%b";' % (len(raw), raw)


def printed(raw: bytes) -> bytes:
    return b"'%b'" % raw.replace(b"\\", b"\\\\").replace(b"'", b"\\'")


def check(name: str, label: str, text: str, codec: str) -> None:
    raw = text.encode(codec)
    key = b"k" + raw
    assert envelope.loads(b"a:1:{%b%b}" % (serialized(key), serialized(raw)), "serialize", encoding=label) == {
        f"k{text}": text
    }
    for values in ("portable", "php"):
        for dialect in ("typed", "file", "short"):
            body = b"array (\n  %b => %b,\n)" % (printed(key), printed(raw))
            options: dict[str, Any] = {"values": values, "dialect": dialect, "encoding": label}
            assert envelope.loads(body, "var_export", **options) == {f"k{text}": text}
    document = envelope.dumps([text, {text: 1}], "jsonu").decode().encode(codec)
    assert envelope.loads(document, "json", encoding=label) == [text, {text: 1}]
    named = label if re.fullmatch("[A-Za-z][A-Za-z0-9._-]*", label) else name  # XML's rule
    page = f'<?xml version="1.0" encoding="{named}"?><r><a>{text.replace("&", "&amp;").replace("<", "&lt;")}x</a></r>'
    for given_label in (label, "declared"):
        read = envelope.loads(page.encode(codec), "xml", dialect="plain", encoding=given_label)
        assert read == {"a": f"{text}x"}


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_a_text_comes_back_from_each_format(name: str, data: st.DataObject) -> None:
    charset = charset_of(name)
    assert charset is not None
    label = data.draw(st.sampled_from([label for label in LABELS if labels()[label] == name]))
    check(name, label, data.draw(texts(name)), charset.codec)


@pytest.mark.parametrize("name", TRAPS)
def test_quotes_and_backslashes_among_the_bytes_of_characters(name: str) -> None:
    codec = "cp932" if name == "shift_jis" else ""
    text = TRAPS[name]
    if name in ("euc-jp", "iso-2022-jp"):  # Python's codecs do not write them
        text = "".join(char for char in text if char not in "①髙～")
    charset = charset_of(name)
    assert charset is not None
    text = "".join(char for char in text if char != "€" or name != "gb18030")
    check(name, name, text, codec or charset.codec)


@pytest.mark.parametrize("label", LABELS)
def test_labels_are_matched_without_regard_to_case_and_white_space(label: str) -> None:
    name = labels()[label]
    assert check_label(f"\t\n {label.upper()}\f\r") == name
    assert isinstance(charset_of(label), Charset)
    options: dict[str, Any] = {"encoding": f" {label.title()} "}
    if name == UTF_16:
        assert envelope.loads("\ufeff[1]".encode("utf-16-le"), "json", **options) == [1]
    else:
        assert envelope.loads(b's:1:"a";', "serialize", **options) == "a"


WRONG: list[Any] = [
    "", "utf-7", "utf-32", "cp037", "cp500", "hz-gb-2312", "iso-2022-kr", "replacement", "x-user-defined", "idna",
    "punycode", "unicode_escape", "raw_unicode_escape", "rot13", "zlib", "hex", "mbcs", "utf-8-sig", "gbkk",
    "\u212aoi8-r", "utf\u00a08", "utf-8\0", "\u00a0utf-8", None, b"utf-8", 5, ("gbk",),
]  # fmt: skip


@pytest.mark.parametrize("label", WRONG)
def test_other_labels_are_refused(label: Any) -> None:
    for format in envelope.ResultType:
        with pytest.raises(TypeError, match="encoding must be"):
            envelope.loads(b"N;", format, encoding=label)
    with pytest.raises(TypeError, match="encoding must be"):
        envelope.loads_first(b"N;", "serialize", encoding=label)


def test_a_wrong_label_is_told_what_is_near() -> None:
    with pytest.raises(TypeError, match=r"not 'gbkk' \(near it: gbk"):
        envelope.loads(b"N;", "serialize", encoding="gbkk")


def test_options_that_a_format_does_not_have() -> None:
    for format in ("serialize", "json", "xml"):
        with pytest.raises(TypeError, match="is for xml in the dialect"):
            envelope.loads(b"N;", format, encoding="declared")
    with pytest.raises(TypeError, match="typed xml"):
        envelope.loads(b"<root/>", "xml", encoding="gbk")
    assert envelope.loads(b"<root/>", "xml", encoding="utf8") == ""
    for format in ("serialize", "var_export"):
        with pytest.raises(TypeError, match="UTF-16"):
            envelope.loads(b"N;", format, encoding="utf-16")
    with pytest.raises(TypeError, match="UTF-16"):  # options that no format made
        serialize_read.loads(b"N;", ReadOptions(encoding="utf-16"))


def refused(data: bytes, format: str, **options: Any) -> tuple[str, int, str, str]:
    with pytest.raises(DecodeError) as caught:
        envelope.loads(data, format, **options)
    error = caught.value
    assert error.__context__ is None or error.__suppress_context__ or isinstance(error.__context__, DecodeError)
    return error.kind, error.offset, error.path, str(error.hint)


PHP_BYTES = 'values="php" reads it as bytes, encoding= as text of another charset'
OTHER = "the text may be in another charset, which encoding= names"


@pytest.mark.parametrize("byte", [b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d"])
def test_bytes_that_stand_for_nothing(byte: bytes) -> None:
    for label in ("cp1252", "latin1", "ascii"):
        options: dict[str, Any] = {"encoding": label}
        body = b'a:1:{s:1:"k";s:2:"a%b";}' % byte
        assert refused(body, "serialize", **options) == ("forbidden", body.index(byte), "$.k", PHP_BYTES)
        assert envelope.loads(body, "serialize", values="php", **options) == {"k": b"a" + byte}
        body = b"array (\n  'k' => 'a%b',\n)" % byte
        assert refused(body, "var_export", **options) == ("forbidden", body.index(b"a" + byte), "$.k", PHP_BYTES)
        assert envelope.loads(body, "var_export", values="php", **options) == {"k": b"a" + byte}
        body = b'{"k":"\xe9%b"}' % byte
        assert refused(body, "json", **options) == ("malformed", body.index(byte), "$.k", OTHER)
        body = b"<r><k>\xe9%b</k></r>" % byte
        assert refused(body, "xml", dialect="plain", **options) == ("malformed", body.index(byte), "$", OTHER)


@pytest.mark.parametrize("byte", [b"\xa0", b"\xfd", b"\xfe", b"\xff"])
def test_single_bytes_that_shift_jis_does_not_have(byte: bytes) -> None:
    body = b'["\x95\x5c%b"]' % byte
    assert refused(body, "json", encoding="sjis")[:3] == ("malformed", 4, "$[0]")


def test_what_is_not_utf8_may_be_in_another_charset() -> None:
    assert refused(b'{"k":"\xb0C"}', "json") == ("malformed", 6, "$.k", OTHER)
    assert refused(b"<r>\xb0C</r>", "xml", dialect="plain") == ("malformed", 3, "$", OTHER)
    assert refused(b"<root>\xb0C</root>", "xml") == ("malformed", 6, "$", "XML is read as UTF-8 only")
    assert refused(b's:1:"\xb0";', "serialize") == ("forbidden", 5, "$", PHP_BYTES)
    assert refused(b"'\xb0'", "var_export") == ("forbidden", 1, "$", PHP_BYTES)
    assert refused(b"return '\xb0';", "var_export", dialect="file") == ("forbidden", 7, "$", PHP_BYTES)


def test_every_string_of_php_is_decoded() -> None:
    body = 'O:3:"Été":1:{s:5:"\0*\0né";s:2:"à!";}'.encode("cp1252")
    value = envelope.loads(body, "serialize", values="php", encoding="cp1252")
    assert type(value) is PhpObject
    assert (value.class_name, value.properties[0].name, value.properties[0].value) == ("Été", "né", "à!")
    assert envelope.loads('E:3:"É:à";'.encode("cp1252"), "serialize", values="php", encoding="cp1252").case == "à"
    assert envelope.loads(b'S:1:"\\e9";', "serialize", encoding="cp1252") == "é"
    for dialect, body in (("session", b"\xe9|i:1;"), ("session_binary", b"\x01\xe9i:1;")):
        assert envelope.loads(body, "serialize", dialect=dialect, encoding="cp1252") == {"é": 1}  # type: ignore[arg-type]
    assert envelope.loads_first(b's:1:"\xe9";N;', "serialize", encoding="latin1") == ("é", 8)
    # It is written as UTF-8, as every text is.
    assert envelope.dumps(value, "serialize", values="php") == 'O:5:"Été":1:{s:6:"\0*\0né";s:3:"à!";}'.encode()


def test_a_class_name_outside_the_charset() -> None:
    for format, body in (("serialize", b'O:1:"\x81":0:{}'), ("var_export", b"\n\\\x81::A")):
        with pytest.raises(DecodeError):
            envelope.loads(body, format, values="php", encoding="cp1252")
    with pytest.raises(DecodeError, match="a class name that is not WINDOWS-1252"):
        envelope.loads(b"\\\x81::A", "var_export", values="php", encoding="cp1252")


def test_strings_with_nul_are_decoded_as_a_whole() -> None:
    body = b"'\xe9' . \"\\0\" . '\xe8'"
    assert envelope.loads(body, "var_export", encoding="cp1252") == "é\0è"
    assert envelope.loads(body, "var_export", values="php") == b"\xe9\0\xe8"
    body = b"'\x81' . \"\\0\" . '\xe8'"
    assert envelope.loads(body, "var_export", values="php", encoding="cp1252") == b"\x81\0\xe8"


def test_a_php_file_in_another_charset() -> None:
    source = "<?php return ['clé' => Été::class . 'é', É => $x . 'à', 'z' => \"\\xe9\"];".encode("cp1252")
    asked = []

    def unknown(name: str, arguments: Any) -> Any:
        asked.append(name)
        return "中" if name == "$x" else "k"

    read = envelope.loads(source, "var_export", dialect="file", encoding="cp1252", unknown=unknown)
    assert read == {"clé": "Étéé", "k": "中à", "z": "é"}
    assert asked == ["É", "$x"]
    # Bytes that are no text, beside the caller's text: bytes.
    source = b"<?php return 'a' . $x . \"\\x81\";"
    options: dict[str, Any] = {"dialect": "file", "values": "php", "encoding": "cp1252", "unknown": unknown}
    assert envelope.loads(source, "var_export", **options) == b"a" + "中".encode() + b"\x81"
    with pytest.raises(DecodeError, match="a name that is not WINDOWS-1252"):
        envelope.loads(b"<?php return \x81;", "var_export", dialect="file", encoding="cp1252")


MIXED = "[\"表ソ\\\\\", '¬']"  # at fault at its second member


@pytest.mark.parametrize("codec", ["cp932", "utf-16", "gb18030", "iso2022_jp_ext", "euc_jp"])
@pytest.mark.parametrize("length", [0, 1, 40000, 70001])
def test_offsets_count_bytes_of_the_input(codec: str, length: int) -> None:
    text = f'["{"表" * length}",  \'x]'
    before = text[: text.index("'")].encode(codec)
    data = text.encode(codec)
    assert refused(data, "json", encoding=codec.replace("iso2022_jp_ext", "iso-2022-jp"))[:3] == (
        "malformed",
        len(before),
        "$[1]",
    )
    data = f"<r><a>{'表' * length}</a><b>&x;</b></r>".encode(codec)
    before = f"<r><a>{'表' * length}</a><b>".encode(codec)
    label = codec.replace("iso2022_jp_ext", "iso-2022-jp")
    assert refused(data, "xml", dialect="plain", encoding=label)[:3] == ("malformed", len(before), "$.b")
    data = f"<r><a>{'表' * length}</a>表</r>".encode(codec)
    before = f"<r><a>{'表' * length}</a>".encode(codec)
    assert refused(data, "xml", dialect="plain", encoding=label)[:3] == ("malformed", len(before), "$")


@given(text=st.text(st.sampled_from("a表é€𠮷Ê̄ｶ\n"), max_size=30), codec=st.sampled_from(["gb18030", "utf-8"]))
def test_each_character_has_its_place(text: str, codec: str) -> None:
    charset = charset_of(codec)
    assert charset is not None
    source = Decoded(text.encode(codec), charset)
    for end in range(len(text) + 1):
        assert source.place(len(text[:end].encode())) == len(text[:end].encode(codec))


def test_two_code_points_of_one_character_have_one_place() -> None:
    charset = charset_of("big5")
    assert charset is not None
    source = Decoded(b"a\x88\x62b", charset)
    assert source.utf8 == "aÊ̄b".encode()
    assert [source.place(pos) for pos in (0, 1, 3, 5, 6)] == [0, 1, 1, 3, 4]


def test_trailing_bytes_are_those_of_the_input() -> None:
    with pytest.raises(DecodeError, match=r"at byte 3, .*: 4 bytes after the value"):
        envelope.loads('[] "表"'.encode("cp932"), "json", encoding="sjis")


def test_the_first_fault_comes_first() -> None:
    assert refused(b'[x, "\x81"]', "json", encoding="cp1252")[:3] == ("malformed", 1, "$[0]")
    assert refused(b"[1]\x81", "json", encoding="cp1252")[:3] == ("malformed", 3, "$")
    # The second byte here is one that Python's codec refuses, the first one that it does not.
    assert refused(b'["\xff", "\x85"]', "json", encoding="sjis")[:3] == ("malformed", 2, "$[0]")
    assert refused(b's:2:"\xff\x85";', "serialize", encoding="sjis")[:3] == ("forbidden", 5, "$")


def test_utf16_has_a_mark() -> None:
    for codec in ("utf-16-le", "utf-16-be"):
        mark = codecs.BOM_UTF16_LE if codec == "utf-16-le" else codecs.BOM_UTF16_BE
        data = mark + '["é😀"]'.encode(codec)
        for label in ("utf-16", "UTF-16LE", "utf-16be", "ucs-2"):
            assert envelope.loads(data, "json", encoding=label) == ["é😀"]
        assert refused(data + b"\x00", "json", encoding="utf-16")[1] == len(data)
        assert refused(data[2:], "json", encoding="utf-16")[:2] == ("forbidden", 0)
        document = mark + '<?xml version="1.0" encoding="utf-8"?><r>é</r>'.encode(codec)
        assert envelope.loads(document, "xml", dialect="plain", encoding="declared") == "é"
        assert envelope.loads(document, "xml", dialect="plain", encoding="utf-16") == "é"
        assert refused(document, "xml", dialect="plain")[3] == 'encoding="declared" reads it, with dialect="plain"'
        assert refused(document, "xml")[3] == "XML is read as UTF-8 only"
    for data in (codecs.BOM_UTF32_LE + "<r/>".encode("utf-32-le"), "<r/>".encode("utf-16-le")):
        assert refused(data, "xml", dialect="plain", encoding="declared")[:2] == ("forbidden", 0)


def declared(label: str, body: bytes = b"\xce\xde", **options: Any) -> Any:
    data = b'<?xml version="1.0" encoding="%b"?><r>%b</r>' % (label.encode(), body)
    return envelope.loads(data, "xml", dialect="plain", **options)


def test_a_declared_charset() -> None:
    for label in ("gb2312", "GBK", "gb18030"):
        assert declared(label, encoding="declared") == "无"
        assert declared(label, encoding="cp1252") == "ÎÞ"  # the caller knows better
        with pytest.raises(DecodeError) as caught:
            declared(label)
        assert (caught.value.kind, caught.value.offset) == ("forbidden", 30)
        assert str(caught.value.hint) == 'encoding="declared" reads it, with dialect="plain"'
    for label in ("utf-7", "cp037", "utf-16", "utf-32", "hz-gb-2312", "x-user-defined", "declared", ""):
        with pytest.raises(DecodeError) as caught:
            declared(label, b"", encoding="declared")
        assert (caught.value.kind, caught.value.offset) == ("forbidden", 30)
        assert str(caught.value.hint).startswith("read are the charsets")
        with pytest.raises(DecodeError) as caught:
            declared(label, b"")
        assert str(caught.value.hint) == "XML is read as UTF-8 only"
    for label in ("utf8", "UTF8", "utf-8", "UTF-8", "unicode-1-1-utf-8"):
        assert declared(label, "é".encode()) == declared(label, "é".encode(), encoding="declared") == "é"
        page = f'<?xml version="1.0" encoding="{label}"?><root>é</root>'.encode()
        assert envelope.loads(page, "xml") == "é"
        assert envelope.loads(page.replace(b"?>", b" standalone='yes'?>"), "xml") == "é"
    assert envelope.loads(b"<r>\xc3\xa9</r>", "xml", dialect="plain", encoding="declared") == "é"
    marked = b'\xef\xbb\xbf<?xml version="1.0" encoding="gbk"?><r>\xc3\xa9</r>'
    assert envelope.loads(marked, "xml", dialect="plain", encoding="declared") == "é"


def test_max_bytes_counts_the_input() -> None:
    limits = Limits(max_bytes=8)
    assert envelope.loads(b'["\x80\x80"]', "json", encoding="cp1252", limits=limits) == ["€€"]
    assert refused(b'["\x80\x80\x80\x80\x80"]', "json", encoding="cp1252", limits=limits)[:2] == ("limit", 8)


@pytest.mark.php
def test_charsets_are_phps(php: Php) -> None:
    for _, _, faults in charsets_run.compare(php, 1, 20):
        assert not faults, faults[:3]
    assert some(charsets_run.CHARSETS, 5)


def test_conversions_take_the_way_by_values() -> None:
    assert envelope.convert(b's:1:"\xe9";', "serialize", "jsonu", encoding="cp1252") == '"é"'.encode()
