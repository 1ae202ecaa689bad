"""The tokens of serialize, with whatever lengths they declare."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["CUT", "KEYS", "START", "TOKEN"]

TOKEN: Final = re.compile(
    rb"""(?P<close>\}) | s:(?P<string>[0-9]{1,20}):" | (?P<int>i:[+-]?[0-9]{1,40};)
    | (?P<scalar>N; | b:[01]; | d:[^;]{1,400}; | [rR]:[0-9]{1,20};)
    | a:(?P<array>[0-9]{1,20}):\{
    | O:(?P<class_size>[0-9]{1,20}):"(?P<class>[^"]{1,1000})":(?P<object>[0-9]{1,20}):\{
    | E:(?P<enum>[0-9]{1,20}):"(?P<case>[^"]{1,1000})";
    | C:[0-9]{1,20}:"[^"]{1,1000}":(?P<payload>[0-9]{1,20}):\{
    """,
    re.VERBOSE,
)
"""A token, or the beginning of a string or payload; its last group says which. (`S:` strings are not repaired.)"""

KEYS: Final = frozenset({"string", "int"})
"""The tokens that can be keys."""

START: Final = re.compile(rb"(?<=[;{}])(?=N;|[bidrR]:[-+.0-9IN]|[sSaOCE]:[0-9]|\})")
"""Where a token may begin, behind the first."""

CUT: Final = re.compile(
    rb"""(?: N | [bi](?::[-+0-9]{0,40})? | d(?::[^;]{0,400})? | [rR](?::[0-9]{0,20})? | [sa](?::[0-9]{0,20}:?)?
    | [OEC](?::[0-9]{0,20}(?::(?:"[^"]{0,1000}(?:"(?::[0-9]{0,20}:?)?)?)?)?)? )? \Z""",
    re.VERBOSE,
)
"""A token that the end of the input cut off; a string is begun as `TOKEN` has it."""
