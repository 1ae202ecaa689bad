"""Bodies: the same however they arrive, and bounded while they do."""

from __future__ import annotations

import gzip
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.adapters.bodies import BodyReader, UnknownEncoding, has_parameters
from envelope.adapters.multipart import Form, TooLarge
from envelope.errors import RequestError
from envelope.limits import Limits
from tests.adapters.multipart_forms import TYPE, Part, written

FORM = "application/x-www-form-urlencoded"
LIMITS = Limits(max_bytes=50)


def read(body: bytes, cuts: list[int], content_type: str = FORM, encoding: str = "") -> Form:
    with closing(BodyReader(content_type, encoding, limits=LIMITS, max_files_bytes=100)) as reader:
        edges = [0, *sorted(cuts), len(body)]
        for start, end in pairwise(edges):
            reader.feed(body[start:end])
        return reader.finish()


CUTS = st.lists(st.integers(0, 60), max_size=5)


@given(st.lists(st.binary(max_size=30), max_size=3), st.sampled_from(["", "identity", "gzip", " X-GZIP"]), CUTS)
def test_a_body_is_the_same_however_it_arrives(members: list[bytes], encoding: str, cuts: list[int]) -> None:
    body = b"".join(members)
    is_packed = "gzip" in encoding.lower()
    sent = b"".join(map(gzip.compress, members)) if is_packed else body
    if max(len(body), len(sent)) > 50:
        with pytest.raises(TooLarge):
            read(sent, cuts, encoding=encoding)
    else:
        assert read(sent, cuts, encoding=encoding) == (body, (), FORM)


@given(st.binary(max_size=49), CUTS, st.booleans())
def test_a_form_with_files_is_unpacked_too(value: bytes, cuts: list[int], is_packed: bool) -> None:
    body = written([Part(b"a", b"1"), Part(b"f", value, b"f")])
    form = read(gzip.compress(body), cuts, TYPE, "gzip") if is_packed else read(body, cuts, TYPE)
    assert (form.body, form.content_type) == (b"a=1", FORM)
    with form.files[0].file as file:
        assert file.read() == value


@pytest.mark.parametrize(
    "packed", [gzip.compress(b"a=1")[:-1], gzip.compress(b"a=1")[:5], b"a=1", gzip.compress(b"a=1") + b"x"]
)
def test_what_is_not_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(RequestError, match=r"gzip|before its last compressed byte"):
        read(packed, [], encoding="gzip")


def test_a_small_body_that_unpacks_to_a_large_one_is_never_unpacked_whole() -> None:
    bomb = gzip.compress(b"x" * 10_000_000)
    reader = BodyReader(FORM, "gzip", limits=Limits(max_bytes=100_000))
    with pytest.raises(TooLarge):
        reader.feed(bomb)
    assert len(reader._body) <= 100_000


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(UnknownEncoding):
        BodyReader(FORM, encoding)


def test_a_declared_length_is_refused_at_once() -> None:
    reader = BodyReader(FORM, limits=LIMITS)
    reader.declare(50)
    with pytest.raises(TooLarge):
        reader.declare(51)
    with closing(BodyReader(TYPE, limits=LIMITS, max_files_bytes=100)) as form:
        form.declare(150)


@pytest.mark.parametrize("content_type", ["", "text/plain; charset=utf-8", "application/JSON", FORM, TYPE])
def test_bodies_with_parameters(content_type: str) -> None:
    assert has_parameters(content_type)
    assert not has_parameters("image/png")
