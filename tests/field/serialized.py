"""Serialized documents as databases, caches, queues and editors hand them out."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable
from typing import Any, Final

import envelope
from tests.field.case import Case, Refused, converted, refused, unwrapped

__all__ = ["CASES"]

_ROW: Final = b'a:2:{s:5:"title";s:5:"Notes";s:4:"tags";a:1:{i:0;s:2:"hi";}}'
_QUEUE: Final = b'O:24:"App\\Messages\\SendReceipt":2:{s:7:"\0*\0user";i:11;s:33:"\0App\\Messages\\SendReceipt\0channel";s:3:"sms";}'


def _slashed(body: bytes) -> bytes:
    return body.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\0", b"\\0")


def _loads(data: bytes | str, **options: Any) -> Callable[[], Any]:
    return lambda: envelope.loads(data, "serialize", **options)


CASES: Final = (
    # Written back as it was.
    Case(
        "stdClass between PHP's formats stays one",
        lambda: envelope.convert(b'a:1:{i:5;O:8:"stdClass":1:{s:2:"id";i:7;}}', "serialize", "var_export"),
        b"array (\n  5 => \n  (object) array(\n     'id' => 7,\n  ),\n)",
    ),
    Case(
        "a value reference, kept",
        lambda: envelope.convert(
            b'a:3:{i:0;s:1:"x";i:1;R:2;i:2;a:1:{s:1:"o";R:2;}}',
            "serialize",
            "serialize",
            values="php",
            references="keep",
        ),
        b'a:3:{i:0;s:1:"x";i:1;R:2;i:2;a:1:{s:1:"o";R:2;}}',
    ),
    Case(
        "text of a database driver, which has decoded it",
        _loads('a:1:{s:4:"name";s:6:"Zoë €";}'.replace("s:6", "s:8")),
        {"name": "Zoë €"},
    ),
    Case(
        "text of Windows-1252", _loads(b'a:1:{s:4:"city";s:6:"K\xf6ln \x80";}', encoding="cp1252"), {"city": "Köln €"}
    ),
    Case("text of GBK", _loads('s:4:"北京";'.encode("gbk"), encoding="gbk"), "北京"),
    Case("text of Shift_JIS, with a backslash in it", _loads('s:2:"表";'.encode("shift_jis"), encoding="sjis"), "表"),
    Case("text of KOI8-R", _loads('s:6:"Привет";'.encode("koi8-r"), encoding="koi8-r"), "Привет"),
    Case(
        "a document, and a signature behind it",
        lambda: envelope.loads_first(b'a:1:{s:1:"n";i:1;}--8d77f1', "serialize"),
        ({"n": 1}, 18),
    ),
    # Sessions.
    Case(
        "a session of files",
        _loads(b"cart|a:1:{i:0;i:17;}flash|N;", dialect="session"),
        {"cart": [17], "flash": None},
    ),
    Case("a session in binary", _loads(b"\x04cart" + b"a:1:{i:0;i:17;}", dialect="session_binary"), {"cart": [17]}),
    Case(
        "a session, taken for a value",
        refused(b'_csrf|s:2:"ab";', "serialize"),
        Refused(
            0,
            'this is a PHP session: dialect="session" reads it',
            "this is a PHP session: --from-dialect session reads it",
        ),
    ),
    Case("a session in the command", converted(b'_csrf|s:2:"ab";', "--to", "json"), b'{"_csrf":"ab"}'),
    # Layers.
    Case(
        "lines of a mail header before",
        unwrapped(b"Queue: mails\nTries: 3\n\n" + _ROW),
        ("lines space", _ROW, "serialize"),
    ),
    Case("a time of expiry", unwrapped(b"1764230400" + _ROW), ("expiry", _ROW, "serialize")),
    Case(
        "a time of expiry, on a line of its own",
        unwrapped(b"1764230400\n" + _ROW + b"\n"),
        ("line-end expiry", _ROW, "serialize"),
    ),
    Case("a guard", unwrapped(b"<?php die('no'); ?>\r\n" + _ROW), ("guard", _ROW, "serialize")),
    Case("zlib", unwrapped(zlib.compress(_ROW)), ("zlib", _ROW, "serialize")),
    Case(
        "gzip in base64", unwrapped(base64.b64encode(gzip.compress(_ROW, mtime=0))), ("base64 gzip", _ROW, "serialize")
    ),
    Case("base64 in lines", unwrapped(base64.encodebytes(_ROW)), ("line-end base64", _ROW, "serialize")),
    Case("bytea as PostgreSQL shows it", unwrapped(b"\\x" + _ROW.hex().encode()), ("hex", _ROW, "serialize")),
    Case("HEX() of MySQL", unwrapped(_ROW.hex().upper().encode()), ("hex", _ROW, "serialize")),
    Case("slashes, with NULs in two characters", unwrapped(_slashed(_QUEUE)), ("slashes", _QUEUE, "serialize")),
    Case("quotes doubled by CSV", unwrapped(_ROW.replace(b'"', b'""')), ("doubled-quotes", _ROW, "serialize")),
    Case(
        "base64, not taken off",
        refused(base64.b64encode(_ROW), "serialize"),
        Refused(0, "envelope.unwrap() takes off base64", "--unwrap base64 takes it off"),
    ),
    Case(
        "zlib, not taken off",
        refused(zlib.compress(_ROW), "serialize"),
        Refused(0, "envelope.unwrap() takes off zlib", "--unwrap zlib takes it off"),
    ),
    Case(
        "igbinary",
        refused(b"\0\0\0\x02\x14\x01\x11\x01a\x06\x01", "serialize"),
        Refused(0, "this looks like igbinary, which is not read"),
    ),
    Case(
        "an HTML page",
        refused(b"<!DOCTYPE html><html><body>502</body></html>", "serialize"),
        Refused(0, "this is an HTML page, not a document"),
    ),
    Case(
        "a document inside JSON, in the command",
        converted(
            b'{"data":{"command":"a:1:{s:2:\\"to\\";s:3:\\"555\\";}"}}', "--at", "$.data.command", "--to", "json"
        ),
        b'{"to":"555"}',
    ),
    Case(
        "base64 inside JSON, in the command",
        converted(
            b'{"payload":"%b"}' % base64.b64encode(_ROW), "--at", "$.payload", "--unwrap", "base64", "--to", "json"
        ),
        b'{"title":"Notes","tags":["hi"]}',
    ),
    Case(
        "a line end behind, in the command", converted(_ROW + b"\n", "--to", "json"), b'{"title":"Notes","tags":["hi"]}'
    ),
    # Lengths that are wrong.
    Case(
        "edited: shorter than declared",
        refused(b'a:1:{s:4:"path";s:12:"new/route";}', "serialize"),
        Refused(
            34,
            "3 bytes shorter than declared: the text was re-encoded or edited after it was serialized",
            path="$.path",
        ),
    ),
    Case(
        "CSS in a string, a byte too long",
        refused(b's:22:"p{content:"y";margin:0}";', "serialize"),
        Refused(28, "1 byte longer than declared: the text was re-encoded or edited after it was serialized"),
    ),
    Case(
        "Latin-1 that became UTF-8",
        refused('a:1:{s:4:"name";s:5:"Jürgn";}'.encode(), "serialize"),
        Refused(
            26,
            "1 byte longer than declared: Latin-1 text that was converted to UTF-8 after it was serialized, or a length in"
            " characters",
            path="$.name",
        ),
    ),
    Case(
        "UTF-8 encoded twice",
        refused('s:5:"Noël";'.encode().decode("latin-1").encode(), "serialize"),
        Refused(10, "2 bytes longer than declared: the text was encoded as UTF-8 twice"),
    ),
    Case(
        "a byte that became U+FFFD",
        refused('s:5:"it\ufffds!";'.encode(), "serialize"),
        Refused(10, "2 bytes longer than declared: a byte that was not UTF-8 was replaced by U+FFFD, and is lost"),
    ),
    Case(
        "line ends that lost their returns",
        refused(b's:10:"ab\ncd\ned";', "serialize"),
        Refused(16, "2 bytes shorter than declared: each \\r\\n became \\n after the text was serialized"),
    ),
    Case(
        "a TINYTEXT column",
        refused(b's:400:"' + b"x" * 248, "serialize"),
        Refused(2, "exactly 255 bytes: cut by a TINYTEXT column"),
    ),
    Case(
        "cut where a NUL was",
        refused(b'O:9:"App\\Queue":1:{s:14:"', "serialize", values="php"),
        Refused(21, "the input was cut where a NUL was, as text columns of PostgreSQL do"),
    ),
    Case(
        "the same in an errors file",
        converted(b"i:1;\n", "--lines", "--from", "serialize", "--to", "json"),
        b"1\n",
    ),
)
