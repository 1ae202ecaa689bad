"""The inputs: for each format, documents of any size that are valid, or have their fault as late as possible."""

from __future__ import annotations

import gzip
import zlib
from base64 import b64encode, encodebytes
from collections.abc import Callable
from random import Random
from typing import Final

__all__ = [
    "BROKEN", "CELLS", "DOCUMENTS", "FOREIGN", "FORMS", "KEPT", "LINES", "OBJECTS", "TAGGED", "TOML", "TWISTED",
    "WRAPPED", "Make",
]  # fmt: skip

Make = Callable[[int], bytes]


def made(head: bytes, unit: bytes, tail: bytes = b"") -> Make:
    """Makes about as many bytes as asked for: *head*, *unit* as often as there is room, and *tail*.

    In *unit*, ``%d`` is the unit's number, and ``%7d`` is it with seven digits; ``%d`` in *head* is how many there are.
    """

    def numbered(number: int) -> bytes:
        return unit.replace(b"%d", b"%d" % number).replace(b"%7d", b"%d" % (number + 10**6))

    def make(size: int) -> bytes:
        count = (size - len(head) - len(tail)) // len(numbered(10**6))
        units = b"".join(map(numbered, range(count))) if b"%" in unit else unit * count
        return head.replace(b"%d", b"%d" % count) + units + tail

    return make


_JSON: Final = {
    "a text": made(b'"', b"a", b'"'),
    "a text without end": made(b'"', b"a"),
    "a text of é": made(b'"', "é".encode(), b'"'),
    "a text of é, cut": made(b'"', "é".encode(), b'\xc3"'),
    "escapes": made(b'"', b"\\n", b'"'),
    "escapes, then a fault": made(b'"', b"\\n", b'\x01"'),
    "\\u escapes": made(b'"', b"\\u00e9", b'"'),
    "\\u escapes, then a fault": made(b'"', b"\\u00e9", b'\\x"'),
    "surrogates": made(b'"', b"\\ud83d\\ude00", b'"'),
    "surrogates, the last one alone": made(b'"', b"\\ud83d\\ude00", b'\\ud83d"'),
    "white space, then a fault": made(b"[", b" ", b"x]"),
    "digits": made(b"", b"1"),
    "decimals": made(b"0.", b"1"),
    "brackets without end": made(b"", b"["),
    "integers": made(b"[", b"1,", b"1]"),
    "integers, then a fault": made(b"[", b"1,", b"x]"),
    "floats": made(b"[", b"1.5,", b"1.5]"),
    "floats, then a fault": made(b"[", b"1.5,", b"x]"),
    "texts": made(b"[", b'"abc",', b'"abc"]'),
    "texts, then a fault": made(b"[", b'"abc",', b"x]"),
    "empty maps": made(b"[", b"{},", b"{}]"),
    "empty lists": made(b"[", b"[],", b"[]]"),
    "lists in lists": made(b"[", b"[" * 100 + b"]" * 100 + b",", b"0]"),
    "maps": made(b"[", b'{"a":1},', b"{}]"),
    "maps, then a fault": made(b"[", b'{"a":1},', b"x]"),
    "a map": made(b"{", b'"%d":1,', b'"":1}'),
    "a map, then a fault": made(b"{", b'"%d":1,', b'"":x}'),
    "one key again and again": made(b"{", b'"a":1,', b'"a":1}'),
    "integers beyond 64 bits": made(b"[", b"18446744073709551616,", b"1]"),
}

_SERIALIZE: Final = {
    "a text": made(b's:%d:"', b"a", b'";'),
    "a text without end": made(b's:%d:"', b"a", b""),
    "a text of bytes": made(b's:%d:"', b"\xff", b'";'),
    "an escaped text": made(b'S:%d:"', b"\\61", b'";'),
    "an escaped text, then a fault": made(b'S:%d:"', b"\\61", b'\\xx";'),
    "digits": made(b"i:", b"1", b";"),
    "decimals": made(b"d:0.", b"1", b";"),
    "digits of a length": made(b"s:", b"1", b':"";'),
    "brackets without end": made(b"", b"a:1:{i:0;"),
    "integers": made(b"a:%d:{", b"i:%d;i:1;", b"}"),
    "integers, then a fault": made(b"a:%d:{", b"i:%d;i:1;", b"x}"),
    "floats": made(b"a:%d:{", b"i:%d;d:1.5;", b"}"),
    "texts": made(b"a:%d:{", b'i:%d;s:3:"abc";', b"}"),
    "empty arrays": made(b"a:%d:{", b"i:%d;a:0:{}", b"}"),
    "arrays in arrays": made(b"a:%d:{", b"i:%d;" + b"a:1:{i:0;" * 100 + b"N;" + b"}" * 101, b"}"),
    "arrays, then a fault": made(b"a:%d:{", b"i:%d;a:1:{i:0;N;}", b"x}"),
    "a map": made(b"a:%d:{", b's:7:"%7d";i:1;', b"}"),
    "a map of texts": made(b"a:%d:{", b's:8:"a%7d";i:1;', b"}"),
    "one key again and again": made(b"a:9:{", b"i:0;N;", b"}"),
    "objects": made(b"a:%d:{", b'i:%d;O:1:"A":0:{}', b"}"),
    "objects with a property": made(b"a:%d:{", b'i:%d;O:1:"A":1:{s:1:"b";N;}', b"}"),
    "enums": made(b"a:%d:{", b'i:%d;E:3:"A:B";', b"}"),
    "payloads": made(b"a:%d:{", b'i:%d;C:1:"A":0:{}', b"}"),
    "references": made(b"a:%d:{", b"i:%d;R:1;", b"}"),
    "references, then a fault": made(b"a:%d:{", b"i:%d;R:1;", b"x}"),
}


def _to_properties(size: int) -> bytes:
    """An object, and behind it a reference to each of its properties."""
    count = size // 40
    names = b"".join(b's:7:"%d";N;' % (number + 10**6) for number in range(count))
    references = b"".join(b"i:%d;R:%d;" % (number, number + 3) for number in range(count))
    return b'a:2:{i:0;O:1:"A":%d:{%b}i:1;a:%d:{%b}}' % (count, names, count, references)


KEPT: Final = {
    "references to the root": made(b"a:%d:{", b"i:%d;R:1;", b"}"),
    "references to the root, then a fault": made(b"a:%d:{", b"i:%d;R:1;", b"x}"),
    "references to properties": _to_properties,
    "arrays that refer to the root": made(b"a:%d:{", b"i:%d;a:1:{i:0;R:1;}", b"}"),
    "objects that refer to the first": made(b"a:%d:{", b'i:%d;O:1:"A":2:{s:1:"a";N;s:1:"b";R:2;}', b"}"),
}
"""Documents of serialize for references="keep"."""


def _payloads_in_payloads(size: int) -> bytes:
    """As many towers of payloads as there is room for."""
    tower = b"i:1;"
    for _ in range(60):
        payload = b"i:0;:%b" % tower
        tower = b'C:8:"SplQueue":%d:{%b}' % (len(payload), payload)
    count = size // len(tower)
    return b"a:%d:{%b}" % (count, b"".join(b"i:%d;%b" % (number, tower) for number in range(count)))


def _in_one_payload(head: bytes, unit: bytes, tail: bytes) -> Make:
    """A payload that holds *unit* as often as there is room; ``%d`` in *head* is how often."""

    def make(size: int) -> bytes:
        count = size // len(unit)
        payload = head.replace(b"%d", b"%d" % count) + unit * count + tail
        return b"C:%d:{%b}" % (len(payload), payload)

    return make


def _class_of(name: bytes, make: Make) -> Make:
    return lambda size: make(size).replace(b"C:", b'C:%d:"%b":' % (len(name), name), 1)


OBJECTS: Final = {
    "arrays": made(b"a:%d:{", b'i:%d;O:11:"ArrayObject":3:{i:0;i:0;i:1;a:1:{i:0;N;}i:2;a:0:{}}', b"}"),
    "a fixed array": made(b'O:13:"SplFixedArray":%d:{', b"i:%d;N;", b"}"),
    "a storage": _class_of(b"SplObjectStorage", _in_one_payload(b"x:i:%d;", b'O:1:"A":0:{},N;;', b"m:a:0:{}")),
    "a queue": _class_of(b"SplQueue", _in_one_payload(b"i:4;", b":N;", b"")),
    "a queue, then a fault": _class_of(b"SplQueue", _in_one_payload(b"i:4;", b":N;", b":x")),
    "payloads in payloads": _payloads_in_payloads,
    "private properties": made(b'O:1:"A":%d:{', b's:11:"\0B\0a%7d";N;', b"}"),
    "enums": made(b"a:%d:{", b'i:%d;E:3:"A:B";', b"}"),
}
"""Documents of serialize with objects, for json."""


def _with_visibility(size: int) -> bytes:
    names = range(size // 40)
    visibility = b",".join(b'"a%d":"protected"' % name for name in names)
    return b'{"@class":"A","@visibility":{%b},%b}' % (visibility, b",".join(b'"a%d":1' % name for name in names))


TAGGED: Final[dict[str, Make]] = {
    "integers": made(b"[", b'{"@int":"1"},', b"1]"),
    "floats": made(b"[", b'{"@float":"1.0"},', b"1]"),
    "base64": made(b"[", b'{"@base64":"/w=="},', b"1]"),
    "a text in base64": made(b'{"@base64":"', b"/w8A", b'"}'),
    "a long float": made(b'{"@float":"1', b"0", b'"}'),
    "a long integer": made(b'{"@int":"1', b"0", b'"}'),
    "a long class name": made(b'{"@class":"', b"A\\\\", b'A"}'),
    "a long case": made(b'{"@enum":"', b"A::", b'A"}'),
    "enums": made(b"[", b'{"@enum":"A::B"},', b"1]"),
    "enums of their own": made(b"[", b'{"@enum":"A%d::B"},', b"1]"),
    "objects": made(b"[", b'{"@class":"A"},', b"1]"),
    "objects with properties": made(b"[", b'{"@class":"A","@visibility":{"b":"private"},"b":1},', b"1]"),
    "objects in objects": made(b"[", b'{"@class":"A","b":' * 90 + b"1" + b"}" * 90 + b",", b"1]"),
    "objects with payloads": made(b"[", b'{"@class":"A","@payload":"x"},', b"1]"),
    "a property of each visibility": _with_visibility,
    "objects told once": made(b"[", b'{"@class":"A","@id":%d},', b"1]"),
    "one object again and again": made(b'[{"@class":"A","@id":1}', b',{"@object":1}', b"]"),
    "objects told nowhere": made(b"[", b'{"@object":%d},', b"1]"),
    "references told nowhere": made(b"[", b'{"@reference":%d},', b"1]"),
    "references": made(b"[", b'{"@reference":%d,"@value":[]},', b"1]"),
    "one reference again and again": made(b'[{"@reference":1,"@value":1}', b',{"@reference":1}', b"]"),
    "a map": made(b"{", b'"a%d":1,', b'"":1}'),
    "a map of tags": made(b"{", b'"@@a%d":1,', b'"":1}'),
    "keys in base64": made(b"{", b'"@base64:/%7d==":1,', b'"":1}'),
    "a map that is a list": made(b"{", b'"%d":1,', b'"":1}'),
    "integers, then a fault": made(b"[", b"1,", b'{"@int":1}]'),
    "one name again and again, then a fault": made(b"{", b'"a":{"@int":"1"},', b'"a":{"@int":1}}'),
    "deep names, then a fault": made(b"[", b'{"a":' * 90 + b'{"b":1}' + b"}" * 90 + b",", b'{"@int":1}]'),
    "a member of each tag": made(b'{"@int":"1"', b',"a%d":1', b"}"),
    "properties, then a fault": made(b'{"@class":"A"', b',"a%d":1', b',"@":1}'),
}
"""Tagged JSON."""

_VAR_EXPORT: Final = {
    "a text": made(b"'", b"a", b"'"),
    "a text without end": made(b"'", b"a"),
    "a text of bytes": made(b"'", b"\xff", b"'"),
    "escapes": made(b"'", b"\\\\", b"'"),
    "escapes, then a fault": made(b"'", b"\\\\", b"\\x'"),
    "quotes": made(b"'", b"\\'", b"'"),
    "NULs": made(b"''", b" . \"\\0\" . ''"),
    "NULs, then a fault": made(b"''", b" . \"\\0\" . ''", b" . x"),
    "a class name": made(b"", b"\\A", b"::__set_state(array(\n))"),
    "a class name without end": made(b"", b"\\A"),
    "a long class name": made(b"\\", b"A", b"::B"),
    "digits": made(b"", b"1"),
    "decimals": made(b"0.", b"1"),
    "letters": made(b"", b"N"),
    "white space": made(b"array (", b" ", b"\n)"),
    "integers": made(b"array (\n", b"  %d => 1,\n", b")"),
    "integers, then a fault": made(b"array (\n", b"  %d => 1,\n", b"x)"),
    "floats": made(b"array (\n", b"  %d => 1.5,\n", b")"),
    "texts": made(b"array (\n", b"  %d => 'abc',\n", b")"),
    "texts, then a fault": made(b"array (\n", b"  %d => 'abc',\n", b"x)"),
    "empty arrays": made(b"array (\n", b"  %d => \n  array (\n  ),\n", b")"),
    "empty objects": made(b"array (\n", b"  %d => \n  (object) array(\n  ),\n", b")"),
    "objects": made(b"array (\n", b"  %d => \n  \\A::__set_state(array(\n  )),\n", b")"),
    "enums": made(b"array (\n", b"  %d => \n  \\A::B,\n", b")"),
    "a map": made(b"array (\n", b"  'a%d' => 1,\n", b")"),
}


_HEAD: Final = b'<?xml version="1.0" encoding="utf-8"?><root%b>'
_TEXT, _LIST, _MAP = (_HEAD % kind for kind in (b"", b' type="list"', b' type="map"'))
_FILE: Final[dict[str, Make]] = {
    "lists": made(b"[", b"[],", b"]"),
    "integers": made(b"[", b"1,", b"]"),
    "integers, cut": made(b"[", b"1,"),
    "texts": made(b"[", b"'ab',", b"]"),
    "keys": made(b"[", b"'a%d'=>1,", b"]"),
    "integer keys": made(b"[", b"-%d=>1,", b"]"),
    "objects": made(b"[", b"(object)[],", b"]"),
    "states": made(b"[", b"A::__set_state([]),", b"]"),
    "classes": made(b"[", b"A::class,", b"]"),
    "signs": made(b"", b"- ", b"1"),
    "casts": made(b"", b"(object)", b"[]"),
    "parentheses": made(b"", b"("),
    "brackets": made(b"", b"["),
    "dots": made(b"", b"''.", b"''"),
    "words between dots": made(b"", b"true.", b"''"),
    "underscores": made(b"", b"1_", b"1"),
    "a long integer": made(b"", b"1"),
    "a long hexadecimal": made(b"0x", b"f"),
    "zeros": made(b"", b"0"),
    "backslashes": made(b"'", b"\\\\", b"'"),
    "escapes": made(b'"', b"\\n", b'"'),
    "code points": made(b'"', b"\\u{80}", b'"'),
    "dollars": made(b'"', b"$ ", b'"'),
    "a heredoc of lines": made(b"<<<A\n", b"\n", b"A"),
    "an indented heredoc": made(b"<<<A\n", b" \n", b" A"),
    "a heredoc without end": made(b"<<<A\n", b"\nA_"),
    "comments": made(b"", b"/**/", b"1"),
    "slashes": made(b"", b"//\n", b"1"),
    "a comment without end": made(b"/*", b"*"),
    "a name": made(b"", b"a"),
    "backslashes between names": made(b"", b"a\\"),
    "assignments": made(b"<?php ", b"$a[]=1;"),
    "variables": made(b"<?php ", b"$a%d=1;"),
    "constants": made(b"<?php ", b"const A%d=1;"),
    "an element deep inside": made(b"<?php $a", b"[1]", b"=1;"),
    "uses": made(b"<?php ", b"use A%d;", b"return 1;"),
}

_XML: Final = {
    "a text": made(_TEXT, b"a", b"</root>"),
    "a text without end": made(_TEXT, b"a"),
    "references": made(_TEXT, b"&amp;", b"</root>"),
    "references, then a fault": made(_TEXT, b"&amp;", b"&b;</root>"),
    "numeric references": made(_TEXT, b"&#10;", b"</root>"),
    "line ends": made(_TEXT, b"\n", b"</root>"),
    "CDATA": made(_TEXT + b"<![CDATA[", b"]", b"]]></root>"),
    "a comment": made(_TEXT + b"<!--", b"a", b"--></root>"),
    "white space before the root": made(b"", b" ", b"<root/>"),
    "white space in the declaration": made(b"<?xml", b" ", b"?><root/>"),
    "white space in a tag, then a fault": made(b'<root type="map"', b" ", b">text</root>"),
    "white space in a tag without end": made(b"<root", b" "),
    "attributes, then a fault": made(b'<root type="map"', b' a%d=""', b">text</root>"),
    "an attribute, then a fault": made(b'<root type="map" key="', b"a", b'">text</root>'),
    "quotes in a tag, then a fault": made(b'<root type="map" key=\'', b'"', b"'>text</root>"),
    "a name": made(b"<", b"a", b"/>"),
    "white space in a list": made(_LIST, b" ", b"</root>"),
    "text in a list": made(_LIST, b"a", b"</root>"),
    "lists without end": made(b"", b'<item type="list">'),
    "integers": made(_LIST, b'<item type="int">1</item>', b"</root>"),
    "integers, then a fault": made(_LIST, b'<item type="int">1</item>', b"x</root>"),
    "texts": made(_LIST, b"<item>abc</item>", b"</root>"),
    "empty maps": made(_LIST, b'<item type="map"/>', b"</root>"),
    "maps": made(_LIST, b'<item type="map"><a/></item>', b"</root>"),
    "a map": made(_MAP, b'<a%d type="null"/>', b"</root>"),
    "a map, then a fault": made(_MAP, b'<a%d type="null"/>', b"x</root>"),
}

_PLAIN: Final = {
    "a text": made(b"<root>", b"a", b"</root>"),
    "a list": made(b"<root>", b"<item/>", b"</root>"),
    "a map": made(b"<root>", b"<a%d>b</a%d>", b"</root>"),
    "one name again and again": made(b"<root>", b"<a>b</a>", b"</root>"),
    "elements, then a fault": made(b"<root>", b"<a>b</a>", b"x</root>"),
    "elements without end": made(b"", b"<a>"),
}

_ITEMS: Final = b"<item>" * 100
FOREIGN: Final = {
    "comments": made(b"<r>", b"<!---->", b"</r>"),
    "comments before the root": made(b"", b"<!---->", b"<r/>"),
    "comments behind the root": made(b"<r/>", b"<!---->", b"x"),
    "comments between texts": made(b"<r>", b"ab<!---->", b"</r>"),
    "comments, then text beside elements": made(b"<r><a/>", b"<!---->", b"x</r>"),
    "comments without end": made(b"", b"<!--"),
    "a comment of hyphens": made(b"<!--", b"- ", b"--><r/>"),
    "processing instructions": made(b"<r>", b"<?p?>", b"</r>"),
    "processing instructions before the root": made(b"", b"<?p?>", b"<r/>"),
    "processing instructions without end": made(b"", b"<?p"),
    "CDATA sections": made(b"<r>", b"<![CDATA[a]]>", b"</r>"),
    "attributes": made(b"<r", b" a%d=''", b"/>"),
    "attributes with a prefix": made(b"<r", b" p:a%d=''", b"/>"),
    "attributes of one local name": made(b"<r", b" p%d:a=''", b"/>"),
    "declarations": made(b"<r", b" xmlns:a%d=''", b"/>"),
    "an attribute of each element": made(b"<r>", b"<a x=''>t</a>", b"</r>"),
    "one name again and again": made(b"<r>", b"<a/>", b"</r>"),
    "names": made(b"<r>", b"<a%d/>", b"</r>"),
    "elements without end": made(b"", b"<a x=''>"),
    "deep items": made(b"<r>", _ITEMS + _ITEMS.replace(b"<", b"</"), b"</r>"),
    "deep names": made(b"<r>", b"<a>" * 100 + b"</a>" * 100, b"</r>"),
}
"""XML of other hands, in the plain dialect."""

DOCUMENTS: Final = {
    "json": _JSON,
    "jsonu": _JSON,
    "serialize": _SERIALIZE,
    "var_export": _VAR_EXPORT,
    "var_export file": _FILE,
    "var_export short": {"lists": _FILE["lists"]},
    "xml": _XML,
    "xml plain": _PLAIN,
}
"""By format (with the dialect, if it is not the usual one), each kind of document by its name."""

TWISTED: Final = {
    "empty maps": made(b"[", b"[],", b"[]]"),
    "maps": made(b"[", b'{"b":1},', b"{}]"),
    "integers": made(b"[", b"2,", b"2]"),
    "texts": made(b"[", b'"abd",', b'"abd"]'),
    "a map": made(b"{", b'"a%d":1,', b'"":1}'),
}
"""JSON documents that differ from those of the same name at every place."""

FORMS: Final = {
    "one name again and again": made(b"", b"a=1&"),
    "names": made(b"", b"a%d=1&"),
    "a list": made(b"", b"a[]=1&"),
    "a text": made(b"a=", b"a"),
    "escapes": made(b"a=", b"%41"),
    "spaces": made(b"a=", b"+"),
    "halves of escapes": made(b"a=", b"%4"),
    "ampersands": made(b"", b"&"),
    "brackets": made(b"a", b"[]", b"=1"),
    "open brackets": made(b"a", b"[", b"=1"),
    "a text that is JSON": made(b"_o_args=[", b"1,", b"x]"),
    "a text of empty maps": made(b"_o_args=[", b"{},", b"{}]"),
}

TOML: Final = {
    "a key of many parts": made(b"", b"a.", b"a = 1"),
    "keys of many parts": made(b"", b"a." * 30 + b"a%d = 1\n"),
    "a table of many parts": made(b"[", b"a.", b"a]"),
    "tables of many parts": made(b"", b"[" + b"a." * 30 + b"a%d]\n"),
    "tables": made(b"", b"[a%d]\nb = 1\n"),
    "an array of tables": made(b"", b"[[a]]\nb = 1\n"),
    "keys": made(b"", b"a%d = 1\n"),
    "brackets": made(b"a = ", b"["),
    "arrays": made(b"a = [", b"[],", b"]"),
    "inline tables": made(b"a = ", b"{a="),
    "a text": made(b'a = "', b"a", b'"'),
    "a text without end": made(b'a = "', b"a"),
    "escapes": made(b'a = "', b"\\n", b'"'),
    "long texts": made(b"", b"a%d = '''a\n'''\n"),
    "comments": made(b"", b"# a.b.c\n"),
    "digits": made(b"a = ", b"1"),
    "dates": made(b"", b"a%d = 2026-01-01T00:00:00Z\n"),
    "spaces": made(b"a =", b" ", b"1"),
    "line ends": made(b"", b"\r\n"),
    "a fault at the end": made(b"", b"a%d = 1\n", b"x"),
}

LINES: Final = {
    "numbers": made(b"", b"i:%d;\n"),
    "faults": made(b"", b"x\n"),
    "empty lines": made(b"", b"\n"),
    "one line": made(b's:%d:"', b"a", b'";\n'),
    "a fault in one line": made(b"", b"x"),
    "arrays": made(b"", b'a:1:{s:1:"a";i:%d;}\n'),
    "objects": made(b"", b'O:1:"A":1:{s:1:"a";i:%d;}\n'),
}

_URL: Final = b"http://new-and-longer.example.org/"

BROKEN: Final[dict[str, Make]] = {
    "a host in every string": made(b"a:%d:{", b'i:%d;a:2:{s:3:"url";s:23:"' + _URL + b'";s:1:"n";i:1;}', b"}"),
    "a host in two strings": made(b'a:2:{s:3:"url";s:23:"' + _URL + b'";s:1:"n";s:23:"' + _URL, b"a", b'";}'),
    "strings in strings": made(b"a:%d:{", b'i:%d;s:23:"' + _URL + b'";i:3;";', b"}"),
    "ends of strings within a long length": made(b'a:2:{i:0;s:%d0:"', b'x";i:1;', b'";}'),
    "ends of strings behind a short length": made(b'a:2:{i:0;s:3:"', b'x";i:1;', b'";}'),
    "lengths": made(b"a:%d:{", b'i:%d;s:5:"abc";', b"}"),
}

CELLS: Final = {
    "numbers": made(b"a,b\n", b"%d,i:%d;\n"),
    "faults": made(b"a,b\n", b"1,x\n"),
    "one cell": made(b"a,b\n", b"i"),
    "quotes": made(b'a,b\n1,"', b'""', b'"\n'),
    "a quote without end": made(b'a,b\n1,"', b"x\n"),
    "rows that are too long": made(b"a,b\n", b",,,\n"),
    "one row of commas": made(b"a,b\n", b","),
    "a header of commas": made(b"b", b",", b"\n"),
}


WRAPPED: Final[dict[str, Make]] = {
    "base64 of a text": lambda size: b64encode(b'"' + b"a" * (size * 3 // 4) + b'"'),
    "base64, then a fault": made(b"", b"YTox", b"*"),
    "base64 in lines": lambda size: encodebytes(b'"' + b"a" * (size * 3 // 4) + b'"'),
    "base64 of base64": lambda size: b64encode(b64encode(b64encode(b'"' + b"a" * (size * 27 // 64) + b'"'))),
    "base64 of no document": made(b"", b"YWFh"),
    "hexadecimal": lambda size: b"\\x" + (b'"' + b"a" * (size // 2) + b'"').hex().encode(),
    "digits of no document": made(b"", b"7a"),
    "slashes": made(b'[\\"a\\"', b',\\"a\\"', b"]"),
    "slashes, then a fault": made(b'[\\"a\\"', b',\\"a\\"', b"x]"),
    "backslashes": made(b'\\"', b"\\\\", b'\\"'),
    "quotes": made(b"", b'"'),
    "doubled quotes": made(b'[""a""', b',""a""', b"x]"),
    "messages": made(b"", b"<br />\n<b>Notice</b>: a on line <b>1</b><br />\n", b"[]"),
    "messages without end": made(b"", b"<br />\n<b>Notice</b>: "),
    "comments behind": made(b"[]", b"<!-- a -->"),
    "comments without beginning": made(b"[]", b"-->"),
    "brackets of comments": made(b"[]", b"<!--", b"-->"),
    "lines": made(b"", b"a\n", b"{}"),
    "white space": made(b"[]", b" "),
    "white space before": made(b"", b"\n", b"x"),
    "a call": made(b"cb(", b"1,", b")"),
    "a call without end": made(b"cb([", b"1,", b"1]"),
    "a name": made(b"", b"a", b"("),
    "digits": made(b"", b"1"),
    "UTF-16": lambda size: b"\xff\xfe" + ('"' + "a" * (size // 2) + '"').encode("utf-16-le"),
    "random digits, packed": lambda size: zlib.compress(b'"' + Random(size).randbytes(size).hex().encode() + b'"'),
    "zeros": lambda size: zlib.compress(bytes(size)) + bytes(size),
    "many packed parts": made(b"", gzip.compress(b"", mtime=0), gzip.compress(b"[]", mtime=0)),
}
"""What stands around a document, or looks so."""
