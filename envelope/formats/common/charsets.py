"""The charsets that a document's strings may be in: the legacy ones of the WHATWG's Encoding standard, by its labels.

A label is matched without regard to case and to white space around it; PHP's and MySQL's names of the same charsets are
labels, too. What is read is what Python's codec reads, strictly: a byte that stands for nothing is refused, where a
browser makes a control character of it. Where the codec lacks what is in use, it is added below.

There is no label for what can hide markup or is no charset: UTF-7, EBCDIC, HZ, ISO-2022-KR and -CN, x-user-defined,
punycode; UTF-16 has one for whole documents with a byte order mark.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Final, NamedTuple, cast

from envelope.path import MAX_SHOWN

__all__ = [
    "UTF_8",
    "UTF_8_LABELS",
    "UTF_16",
    "Charset",
    "charset_of",
    "check_label",
    "checked_charset",
    "labels",
    "strings_charset",
]


class Charset(NamedTuple):
    """A charset: ``decode`` makes text of bytes, or raises `UnicodeDecodeError`.

    It is what Python's *codec* does with *errors*, and perhaps other characters in the place of some, one for one.
    """

    name: str
    codec: str
    decode: Callable[[bytes], str]
    errors: str = "strict"


UTF_8: Final = Charset("utf-8", "utf-8", bytes.decode)
UTF_16: Final = "utf-16"
"""The name of the charset whose byte order mark says how it is read."""

# The WHATWG's labels by its name of the charset; those behind the bar are PHP's, MySQL's and Python's.
_LABELS: Final = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8 | utf_8 utf8mb3 utf8mb4",
    "ibm866": "866 cp866 csibm866 ibm866 | cp-866 ibm-866",
    "iso-8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2 | latin-2",
    "iso-8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3 | latin-3",
    "iso-8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4 | latin-4",
    "iso-8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    "iso-8859-6": (
        "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i"
        " iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987"
    ),
    "iso-8859-7": (
        "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7"
        " iso_8859-7:1987 sun_eu_greek"
    ),
    "iso-8859-8": (
        "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8"
        " iso_8859-8:1988 visual"
    ),
    "iso-8859-8-i": "csiso88598i iso-8859-8-i logical",
    "iso-8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso-8859-13": "iso-8859-13 iso8859-13 iso885913 | latin7",
    "iso-8859-14": "iso-8859-14 iso8859-14 iso885914 | latin8",
    "iso-8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 | latin-9 latin9",
    "iso-8859-16": "iso-8859-16 | iso8859-16 iso885916 latin10",
    "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r | koi8r",
    "koi8-u": "koi8-ru koi8-u | koi8u",
    "macintosh": "csmacintosh mac macintosh x-mac-roman | macroman",
    "windows-874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874 | cp874 tis620",
    "windows-1250": "cp1250 windows-1250 x-cp1250",
    "windows-1251": "cp1251 windows-1251 x-cp1251 | cp-1251 win-1251",
    "windows-1252": (
        "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1"
        " iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252 | latin-1"
    ),
    "windows-1253": "cp1253 windows-1253 x-cp1253",
    "windows-1254": (
        "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5"
        " windows-1254 x-cp1254 | latin-5"
    ),
    "windows-1255": "cp1255 windows-1255 x-cp1255",
    "windows-1256": "cp1256 windows-1256 x-cp1256",
    "windows-1257": "cp1257 windows-1257 x-cp1257",
    "windows-1258": "cp1258 windows-1258 x-cp1258",
    "x-mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "gb18030": (
        "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk gb18030"
        " | cn-gb gb-18030 cp-936 cp936 euc-cn euc_cn euccn windows-936 x-euc-cn"
    ),
    "big5": "big5 big5-hkscs cn-big5 csbig5 x-x-big5 | big-5 big-five big5hkscs bigfive",
    "euc-jp": "cseucpkdfmtjapanese euc-jp x-euc-jp | cp51932 euc_jp eucjp eucjp-ms eucjp-open eucjp-win eucjpms ujis",
    "iso-2022-jp": "csiso2022jp iso-2022-jp | cp50220 cp50221 cp50222 iso-2022-jp-ms iso2022jpms jis",
    "shift_jis": (
        "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis"
        " | cp932 sjis-ms sjis-open sjis-win windows-932"
    ),
    "euc-kr": (
        "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949"
        " | cp949 euc_kr euckr uhc x-euc-kr"
    ),
    "utf-16": "unicodefffe utf-16be csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le | utf16",
    # Not the WHATWG's, but PHP's: other characters than the charsets above.
    "cp850": "| cp850 cp-850 ibm850 ibm-850",
    "cp950": "| cp950 windows-950",
}
_NAMES: Final = {label: name for name, labels in _LABELS.items() for label in labels.split() if label != "|"}
UTF_8_LABELS: Final = frozenset(label.encode() for label, name in _NAMES.items() if name == "utf-8")

_CODECS: Final = {
    "ibm866": "cp866",
    "iso-8859-8-i": "iso8859_8",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "big5": "big5hkscs",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp_ext",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    **{f"windows-{page}": f"cp{page}" for page in (874, *range(1250, 1259))},
}


def labels() -> Mapping[str, str]:
    """Return the name of the charset for each label, in lower case."""
    return _NAMES


def check_label(label: object) -> str:
    """Return the name of the charset with this *label*; `TypeError` if there is none."""
    if not isinstance(label, str):
        raise TypeError(f"encoding must be a str, not {type(label).__name__}")
    name = _name_of(label)
    if name is None:
        from difflib import get_close_matches  # only a wrong word needs it

        near = get_close_matches(label[:MAX_SHOWN].lower(), _NAMES, 3)
        as_in = f" (near it: {', '.join(near)})" if near else ""
        raise TypeError(
            f"encoding must be 'utf-8' or a label of the WHATWG's Encoding standard, not {label[:MAX_SHOWN]!r}{as_in}"
        )
    return name


def charset_of(label: str) -> Charset | None:
    """Return the charset with this *label*; None if there is none."""
    if label == UTF_8.name:
        return UTF_8
    name = _name_of(label)
    return None if name is None else _charset(name)


def checked_charset(label: str) -> Charset:
    """Return the charset of a document with this *label*; `TypeError` if there is none."""
    return UTF_8 if label == UTF_8.name else _charset(check_label(label))


def strings_charset(label: str) -> Charset:
    """Return the charset with this *label*, for the strings inside a document; `TypeError` if there is none."""
    charset = checked_charset(label)
    if charset.name == UTF_16:
        raise TypeError("UTF-16 is a charset of whole documents, json and plain xml, not of PHP's strings")
    return charset


def _name_of(label: str) -> str | None:
    return _NAMES.get(label.strip(" \t\n\f\r").lower()) if label.isascii() else None


@cache
def _charset(name: str) -> Charset:
    if name == UTF_8.name:
        return UTF_8
    codec = _CODECS.get(name, name)
    errors = "strict"
    if missing := _missing(name):
        errors = f"envelope: {name}"
        codecs.register_error(errors, partial(_put, missing))
    if codec == "cp932":
        return Charset(name, codec, _decode_shift_jis)
    decode = _decode_japanese if codec in ("euc_jp", "iso2022_jp_ext") else _decode
    return Charset(name, codec, partial(decode, codec, errors), errors)


def _decode(codec: str, errors: str, raw: bytes) -> str:
    return raw.decode(codec, errors)


# ---- what Python's codecs lack, by its bytes


def _missing(name: str) -> Mapping[bytes, str]:
    if name == "gb18030":
        return {b"\x80": "€"}
    if name == "windows-1255":
        return {b"\xca": "\u05ba"}
    if name not in ("euc-jp", "iso-2022-jp"):
        return {}
    # Rows 13 and 89 to 92 of JIS X 0208, which Microsoft and NEC filled, in each row's place in EUC-JP or ISO-2022-JP.
    high = 0x80 if name == "euc-jp" else 0
    pairs = {}
    for row in (13, 89, 90, 91, 92):
        for cell in range(1, 95):
            first, second = 0x81 + (row - 1) // 2, 0x3F + cell + (cell > 63) if row % 2 else 0x9E + cell
            char = bytes([first + (0x40 if first > 0x9F else 0), second]).decode("cp932", "ignore")
            if not char.isascii():
                pairs[bytes([high + 0x20 + row, high + 0x20 + cell])] = char
    return pairs


def _put(missing: Mapping[bytes, str], error: UnicodeError) -> tuple[str, int]:
    """What stands for the bytes at which a codec stopped; raises *error* if that is nothing."""
    fault = cast("UnicodeDecodeError", error)
    for size in (1, 2):
        char = missing.get(fault.object[fault.start : fault.start + size])
        if char is not None:
            return char, fault.start + size
    raise error


# What JIS X 0208's signs are in Unicode to Microsoft, and so to browsers: ～∥－￠￡￢.
_SIGNS: Final = {0x301C: 0xFF5E, 0x2016: 0x2225, 0x2212: 0xFF0D, 0xA2: 0xFFE0, 0xA3: 0xFFE1, 0xAC: 0xFFE2}
_SIGN: Final = re.compile(f"[{''.join(map(chr, _SIGNS))}]")


def _decode_japanese(codec: str, errors: str, raw: bytes) -> str:
    text = raw.decode(codec, errors)
    return text.translate(_SIGNS) if _SIGN.search(text) else text


_NO_CHARACTER: Final = re.compile("[\uf8f0-\uf8f3]")  # of the single bytes A0, FD, FE and FF


def _decode_shift_jis(raw: bytes) -> str:
    try:
        text = raw.decode("cp932")
    except UnicodeDecodeError as error:
        _decode_shift_jis(raw[: error.start])  # what comes before may be at fault, too
        raise
    if match := _NO_CHARACTER.search(text):
        at = len(text[: match.start()].encode("cp932"))
        raise UnicodeDecodeError("shift_jis", raw, at, at + 1, "a byte that stands for nothing")
    return text
