"""Objects on the way to JSON, and columns whose cells are of several kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import envelope
from tests.field.case import Case, converted

__all__ = ["CASES"]

_CART: Final = b'O:13:"App\\Shop\\Cart":2:{s:8:"\0*\0items";a:1:{i:0;s:2:"A1";}s:5:"total";d:9.5;}'
_ROWS: Final = b'id,value\n1,12.50\n2,\n3,"a:1:{s:4:""size"";s:1:""M"";}"\n'


def _json(body: bytes, **options: Any) -> Callable[[], bytes]:
    return lambda: envelope.convert(body, "serialize", "json", on_loss="ignore", **options)


CASES: Final = (
    Case("an object, as json_encode shows it", _json(_CART, values="php"), b'{"total":9.5}'),
    Case("an object, with all that is in it", _json(_CART, objects="all"), b'{"items":["A1"],"total":9.5}'),
    Case(
        "an object, changed in JSON and written back",
        lambda: envelope.convert(
            envelope.convert(_CART, "serialize", "json", objects="tagged").replace(b"A1", b"B22"),
            "json",
            "serialize",
            objects="tagged",
        ),
        _CART.replace(b's:2:"A1"', b's:3:"B22"'),
    ),
    Case(
        "an ArrayObject",
        _json(b'O:11:"ArrayObject":4:{i:0;i:0;i:1;a:1:{s:1:"k";i:7;}i:2;a:0:{}i:3;N;}', values="php"),
        b'{"k":7}',
    ),
    Case("a SplFixedArray", _json(b'O:13:"SplFixedArray":2:{i:0;s:1:"a";i:1;N;}', values="php"), b'["a",null]'),
    Case("a case of an enum", _json(b'a:1:{s:4:"mode";E:13:"App\\Mode:Fast";}', values="php"), b'{"mode":"Fast"}'),
    Case(
        "a column with plain cells",
        converted(_ROWS, "--csv", "value", "--mixed", "--from", "serialize", "--to", "json"),
        b'id,value\n1,"""12.50"""\n2,""""""\n3,"{""size"":""M""}"\n',
    ),
)
