"""XML as other gateways, payment services and feeds write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import envelope
from tests.field.case import Case, Refused, converted, refused, unwrapped

__all__ = ["CASES"]


def _plain(data: bytes | str, **options: Any) -> Callable[[], Any]:
    body = data if isinstance(data, bytes) else data.encode()
    return lambda: envelope.loads(body, "xml", dialect="plain", **options)


CASES: Final = (
    Case("a message with CDATA", _plain("<xml><To><![CDATA[gh_1]]></To><Id>6</Id><E><![CDATA[]]></E></xml>"), {"To": "gh_1", "Id": "6", "E": ""}),
    Case("a comment behind the root", _plain("<r><a>1</a></r><!--srv 7-->"), {"a": "1"}),
    Case("comments before and inside", _plain("<!-- made --><r><a>o<!-- x -->ne</a></r>"), {"a": "one"}),
    Case("a style sheet", _plain('<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?><r><a>1</a></r>'), {"a": "1"}),
    Case("attributes, kept", _plain('<doc id="0042"><t>x</t></doc>', attributes="keep"), {"@attributes": {"id": "0042"}, "t": "x"}),
    Case("attributes, dropped", _plain('<r><t lang="en">x</t></r>', attributes="drop"), {"t": "x"}),
    Case(
        "attributes, refused",
        refused(b'<r><t lang="en">x</t></r>', "xml", dialect="plain"),
        Refused(3, 'attributes="drop" or "keep" reads it', "convert --attributes drop or keep reads it", path="$.t"),
    ),
    Case(
        "namespaces, dropped",
        _plain('<A xmlns:i="http://x.example/i" xmlns="http://x.example/"><i:Id>7</i:Id></A>', namespaces="drop"),
        {"Id": "7"},
    ),
    Case("a prefix that nobody declared", _plain("<r><geo:lat>1</geo:lat></r>", namespaces="keep"), {"geo:lat": "1"}),
    Case(
        "namespaces, refused",
        refused(b"<r><geo:lat>1</geo:lat></r>", "xml", dialect="plain"),
        Refused(3, 'namespaces="drop" or "keep" reads it', "convert --namespaces drop or keep reads it", kind="forbidden"),
    ),
    Case(
        "a list of one, by its path",
        _plain('<r><orders list="true"><order><id>1</id></order></orders></r>', attributes="drop", lists=["orders.order"]),
        {"orders": {"order": [{"id": "1"}]}},
    ),
    Case("a lone item that is no list", _plain("<r><item><id>1</id></item></r>", lists="repeated"), {"item": {"id": "1"}}),
    Case("items that are a list", _plain("<r><item>1</item><item>2</item></r>"), ["1", "2"]),
    Case(
        "a declared charset",
        _plain('<?xml version="1.0" encoding="GBK"?><r><m>参数错误</m></r>'.encode("gbk"), encoding="declared"),
        {"m": "参数错误"},
    ),
    Case(
        "a declared charset, refused",
        refused('<?xml version="1.0" encoding="iso-8859-1"?><r>é</r>'.encode("latin-1"), "xml", dialect="plain"),
        Refused(30, 'encoding="declared" reads it, with dialect="plain"', "convert --encoding declared reads it, as plain xml", kind="forbidden"),
    ),
    Case("UTF-8 that is declared as utf8", _plain('<?xml version="1.0" encoding="utf8"?><r><c>北京</c></r>'), {"c": "北京"}),
    Case("texts that look like numbers", _plain("<r><t>000900</t><p>1.50</p><e/></r>"), {"t": "000900", "p": "1.50", "e": ""}),
    Case(
        "an ampersand that is not escaped",
        refused(b"<r><u>/?a=1&b=2</u></r>", "xml", dialect="plain"),
        Refused(13, "& is written &amp;, and XML's only named characters are amp, lt, gt, quot and apos", path="$.u"),
    ),
    Case(
        "a control character",
        refused(b"<r><u><![CDATA[a\x10b]]></u></r>", "xml", dialect="plain"),
        Refused(16, "XML cannot hold control characters; the typed dialect escapes them", path="$.u"),
    ),
    Case("a notice before", unwrapped(b"\nWarning: x in a.php on line 3\n<r><a>1</a></r>"), ("space notice", b"<r><a>1</a></r>", "xml")),
    Case(
        "plain XML with everything, in the command",
        converted(
            '<?xml version="1.0" encoding="gb2312"?><r xmlns="u:x"><a k="v">中</a></r>'.encode("gb2312"),
            "--from-dialect", "plain", "--encoding", "declared", "--attributes", "drop", "--namespaces", "drop", "--lists", "a", "--to", "jsonu",
        ),
        '{"a":["中"]}'.encode(),
    ),
)  # fmt: skip
