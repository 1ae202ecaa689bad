"""Bodies: the same however they arrive, and bounded while they do."""

from __future__ import annotations

import gzip
import random
import zlib
from contextlib import closing
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.adapters.bodies import BodyReader, has_parameters
from envelope.adapters.multipart import Form, TooLarge
from envelope.errors import RequestError
from envelope.limits import Limits
from tests.adapters.multipart_forms import TYPE, Part, written

FORM = "application/x-www-form-urlencoded"
LIMITS = Limits(max_bytes=50)


def reader_of(content_type: str = FORM, encoding: str = "", length: str = "", limits: Limits = LIMITS) -> BodyReader:
    return BodyReader(
        content_type=content_type,
        content_encoding=encoding,
        content_length=length,
        limits=limits,
        max_files_bytes=100,
    )


def read(body: bytes, cuts: list[int], content_type: str = FORM, encoding: str = "") -> Form:
    with closing(reader_of(content_type, encoding)) as reader:
        edges = [0, *sorted(cuts), len(body)]
        for start, end in pairwise(edges):
            reader.feed(body[start:end])
        return reader.finish()


CUTS = st.lists(st.integers(0, 60), max_size=5)


@given(st.binary(max_size=60), st.sampled_from(["", "identity", "gzip", " X-GZIP", "deflate"]), CUTS)
def test_a_body_is_the_same_however_it_arrives(body: bytes, encoding: str, cuts: list[int]) -> None:
    sent = gzip.compress(body) if "gzip" in encoding.lower() else zlib.compress(body) if encoding == "deflate" else body
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
    "packed",
    [
        gzip.compress(b"a=1", mtime=0)[:-1],
        gzip.compress(b"a=1", mtime=0)[:5],
        b"a=1",
        gzip.compress(b"a=1", mtime=0) + b"x",
    ],
)
def test_what_is_not_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(RequestError, match="compressed body"):
        read(packed, [], encoding="gzip")


def test_compressed_bytes_that_stand_for_nothing_are_bounded_too() -> None:
    header = b"\x1f\x8b\x08\x08" + bytes(6) + b"a" * 1000  # of a file whose name does not end
    with pytest.raises(TooLarge):
        read(header, [], encoding="gzip")


def test_a_small_body_that_unpacks_to_a_large_one_is_never_unpacked_whole() -> None:
    bomb = gzip.compress(b"x" * 10_000_000)
    reader = reader_of(encoding="gzip", limits=Limits(max_bytes=100_000))
    with pytest.raises(TooLarge):
        reader.feed(bomb)
    assert len(reader._body) <= 100_000


@pytest.mark.parametrize("body", [bytes(2**21), random.Random(0).randbytes(2**21)], ids=["dense", "loose"])
def test_a_long_piece_is_no_more_work_than_many_short_ones(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    class Counting:
        def __init__(self, window: int) -> None:
            self._inflate = decompressobj(window)

        def decompress(self, data: bytes, most: int) -> bytes:
            given.append(len(data))
            return self._inflate.decompress(data, most)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inflate, name)

    decompressobj = zlib.decompressobj
    monkeypatch.setattr(zlib, "decompressobj", Counting)
    sent = gzip.compress(body)
    with closing(reader_of(encoding="gzip", limits=Limits(max_bytes=2**22))) as reader:
        reader.feed(sent)
        assert reader.finish().body == body
    assert sum(given) < 2 * (len(sent) + len(body))


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
def test_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(RequestError, match="Content-Encoding"):
        reader_of(encoding=encoding)


def test_a_declared_length_is_refused_at_once() -> None:
    reader_of(length="50")
    with pytest.raises(TooLarge):
        reader_of(length="51")
    reader_of(TYPE, length="150").close()


@pytest.mark.parametrize("content_type", ["", "text/plain; charset=utf-8", "application/JSON", FORM, TYPE])
def test_bodies_with_parameters(content_type: str) -> None:
    assert has_parameters(content_type)
    assert not has_parameters("image/png")
