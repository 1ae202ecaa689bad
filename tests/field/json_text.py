"""JSON as PHP sites send it, and as signatures need it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any, Final

import envelope
from tests.field.case import Case, Refused, converted, refused, unwrapped

__all__ = ["CASES"]

_BODY: Final = b'{"ok":true,"rows":[]}'
_NOTICE: Final = b"<br />\n<b>Notice</b>:  Undefined variable: x in <b>/srv/a.php</b> on line <b>3</b><br />\n"


def _php(value: Any, *flags: Any) -> Callable[[], bytes]:
    return lambda: envelope.dumps(value, "json", dialect="php", flags=flags)


CASES: Final = (
    Case("a byte order mark", unwrapped(b"\xef\xbb\xbf" + _BODY), ("bom", _BODY, "json")),
    Case("a notice before", unwrapped(_NOTICE + _BODY), ("notice", _BODY, "json")),
    Case("a digit behind", unwrapped(_BODY + b"0"), ("notice", _BODY, "json")),
    Case("JSONP", unwrapped(b"jQuery1_2(" + _BODY + b");"), ("jsonp", _BODY, "json")),
    Case("a body that is still compressed", unwrapped(gzip.compress(_BODY, mtime=0)), ("gzip", _BODY, "json")),
    Case(
        "a byte order mark, not taken off",
        refused(b"\xef\xbb\xbf" + _BODY, "json"),
        Refused(0, "envelope.unwrap() takes off bom", "--unwrap bom takes it off"),
    ),
    Case(
        "a notice, not taken off",
        refused(_NOTICE + _BODY, "json"),
        Refused(0, "envelope.unwrap() takes off notice", "--unwrap notice takes it off"),
    ),
    Case(
        "a digit behind, not taken off",
        refused(_BODY + b"0", "json"),
        Refused(21, "envelope.unwrap() takes off notice", "--unwrap notice takes it off"),
    ),
    Case(
        "gzip, not taken off",
        refused(gzip.compress(_BODY, mtime=0), "json"),
        Refused(0, "envelope.unwrap() takes off gzip", "--unwrap gzip takes it off"),
    ),
    Case(
        "an HTML page",
        refused(b"<html><head><title>502</title></head></html>", "json"),
        Refused(0, "this is an HTML page, not a document"),
    ),
    Case(
        "a byte of Latin-1",
        refused(b'{"unit":"20 \xb0C"}', "json"),
        Refused(
            12,
            "the text may be in another charset, which encoding= names",
            "the text may be in another charset, which convert --encoding names",
            path="$.unit",
        ),
    ),
    Case("JSON in GBK", lambda: envelope.loads('{"城市":"北京"}'.encode("gbk"), "json", encoding="gbk"), {"城市": "北京"}),
    Case(
        "a big integer",
        lambda: envelope.loads(b'{"id":98765432109876543210}', "json", flags=["JSON_BIGINT_AS_STRING"]),
        {"id": "98765432109876543210"},
    ),
    Case(
        "a big integer, refused",
        refused(b'{"id":98765432109876543210}', "json"),
        Refused(
            6,
            'flags=("JSON_BIGINT_AS_STRING",) reads it as text',
            "convert --flags JSON_BIGINT_AS_STRING reads it as text",
            path="$.id",
            kind="limit",
        ),
    ),
    Case(
        "JSON to be signed",
        _php({"url": "https://a.example/b", "price": 2.0, "name": "测试"}, "JSON_UNESCAPED_UNICODE", "JSON_UNESCAPED_SLASHES"),
        '{"url":"https://a.example/b","price":2,"name":"测试"}'.encode(),
    ),
    Case("fractions that stay", _php([2.0], "JSON_PRESERVE_ZERO_FRACTION"), b"[2.0]"),
    Case("JSON inside HTML", _php("<a href='x'>&", "JSON_HEX_TAG", "JSON_HEX_AMP", "JSON_HEX_APOS"), b'"\\u003Ca href=\\u0027x\\u0027\\u003E\\u0026"'),
    Case("JSON for people", _php({"a": [], "b": [1]}, "JSON_PRETTY_PRINT"), b'{\n    "a": [],\n    "b": [\n        1\n    ]\n}'),
    Case("lists as objects", _php([1, [2]], "JSON_FORCE_OBJECT"), b'{"0":1,"1":{"0":2}}'),
    Case(
        "flags in the command",
        converted(b'{"u":"a/b"}', "--to", "json", "--to-dialect", "php", "--flags", "JSON_UNESCAPED_SLASHES"),
        b'{"u":"a/b"}',
    ),
    Case("prices of seventeen digits", lambda: envelope.loads(b"[19.989999999999998]", "json"), [19.99]),
)  # fmt: skip
