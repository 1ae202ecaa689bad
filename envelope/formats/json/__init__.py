r"""json and jsonu: one codec over orjson, one flag.

json is ASCII (`\uXXXX` in lower-case hex), jsonu is UTF-8 as it is. The typed dialect is compact and spells floats
as orjson does. ``dialect="php"`` writes what PHP's `json_encode` writes, without and with JSON_UNESCAPED_UNICODE:
`\/`, `1.0` as `1`, `1.0e+25`, and in jsonu U+2028 and U+2029 escaped (`php.py`); flags do as in PHP.
Both are read the same way.

orjson does the work; this package checks what it does not. Before writing it looks at every type, because orjson would
write tuples, enums and UUIDs, NaN as null and integers up to 2^64. After reading it looks for what orjson rounded.
"""
