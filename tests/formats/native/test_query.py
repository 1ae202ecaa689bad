"""Query strings, compiled: never another answer than the Python function's, and seldom none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.calls.php_query import _plain_params
from envelope.values.php_types import same
from tests.native import extension

plain_params = extension("native._query").plain_params

PIECES = [b"&", b"=", b"+", b"%", b"%4", b"%41", b"%e4%b8%ad", b"%00", b"%zz", b"a", b"_", b"__", b"-", b"9", b"Z", b".", b"[",
          b"\0", b"\xe4\xb8\xad", b"\xff", b"&key=", b"&_o_args=%7B%22a%22%3A1%7D", b"x" * 100]  # fmt: skip


@st.composite
def queries(draw: st.DrawFn) -> bytes:
    return b"".join(draw(st.lists(st.sampled_from(PIECES) | st.binary(max_size=2), max_size=12)))


@given(queries() | st.binary(max_size=20), st.integers(0, 4))
def test_reads_what_the_python_function_reads(query: bytes, most: int) -> None:
    compiled, python = plain_params(query, most), _plain_params(query, most)
    if python is None and compiled is not None:  # it reads a text that is not UTF-8 as well, as parse_query would
        assert any(type(value) is bytes for value in compiled.values())
    else:
        assert same(compiled, python)


@pytest.mark.parametrize(
    "query",
    [b"", b"a=", b"a=1&b=2&a=3", b"key=k&_o_args=%7B%22n%22%3A+1%7D&x-y_9=", b"a=%4g%&b=%2&c=%", b"a=" + b"%41+" * 9000,
     b"a=\xe4\xb8\xad+%e4%b8%ad", b"k=" + b"v" * 100_000, "ключ=1".encode().replace("ключ".encode(), b"k")],
)  # fmt: skip
def test_reads_plain_names(query: bytes) -> None:
    expected = _plain_params(query, 1000)
    assert expected is not None
    assert same(plain_params(query, 1000), expected)


@pytest.mark.parametrize(
    "query", [b"a", b"a&b=1", b"=1", b"a=1&", b"__Host-a=1", b"1=2", b"a.b=1", b"a[]=1", b"a=\0", b"a=1&&b=2"]
)
def test_leaves_the_rest(query: bytes) -> None:
    assert plain_params(query, 1000) is None is _plain_params(query, 1000)


def test_leaves_too_many() -> None:
    assert plain_params(b"a=1&b=2", 2) == {"a": "1", "b": "2"}
    assert plain_params(b"a=1&b=2&c=3", 2) is None
    assert plain_params(b"", 0) is None is _plain_params(b"", 0)


def test_takes_bytes_alone() -> None:
    for query in ("a=1", None, bytearray(b"a=1")):
        with pytest.raises(TypeError):
            plain_params(query, 1)
