"""Queries and signatures of PHP's clients, and answers that are compared."""

from __future__ import annotations

from hashlib import md5
from typing import Any, Final

import envelope
from envelope.calls import build_query, parse_query
from envelope.values import same, without
from tests.field.case import Case

__all__ = ["CASES"]

_ANSWERS: Final[tuple[Any, Any]] = (
    {"response": {"id": 1, "rows": [{"at": 5, "v": 1}]}, "request_id": "1.6403f86cd67f6"},
    {"response": {"id": 1, "rows": [{"at": 9, "v": 1}]}, "request_id": "1.6403f86cd67f7"},
)


def _signed(values: dict[str, str], key: str) -> str:
    text = "&".join(f"{name}={values[name]}" for name in sorted(values) if values[name] and name != "sign")
    return md5(f"{text}&key={key}".encode(), usedforsecurity=False).hexdigest().upper()


CASES: Final = (
    Case("a form of nested lists", lambda: parse_query("f[0][]=a&f[0][]=b&f[]=c"), {"f": [["a", "b"], "c"]}),
    Case("names that PHP rewrites", lambda: parse_query("a.b=1&c d=2&e[f.g]=3&h=4&h=5"), {"a_b": "1", "c_d": "2", "e": {"f.g": "3"}, "h": "5"}),
    Case("a form in GBK", lambda: parse_query("subject=%B2%E2")["subject"].decode("gbk"), "测"),
    Case("a query, RFC 1738", lambda: build_query({"name": "A b", "l": [1, [2]]}), "name=A+b&l%5B0%5D=1&l%5B1%5D%5B0%5D=2"),
    Case("a query, RFC 3986", lambda: build_query({"name": "A b~c"}, enc_type="rfc3986"), "name=A%20b~c"),
    Case(
        "a signature over sorted values",
        lambda: _signed({"b": "测", "a": "1", "empty": "", "sign": "x"}, "k1"),
        md5("a=1&b=测&key=k1".encode(), usedforsecurity=False).hexdigest().upper(),
    ),
    Case(
        "answers that differ in what always differs",
        lambda: same(*(without(answer, ["$.request_id", "$.response.rows[*].at"]) for answer in _ANSWERS)),
        True,
    ),
    Case("the same, with all of it", lambda: envelope.same(*_ANSWERS), False),
)  # fmt: skip
