"""From serialize to JSON without a Python value in between: the same as the two codecs, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, EncodeError, Limits
from envelope.conversion.documents import Conversion
from envelope.formats import make_shortcuts
from envelope.formats.json import write as json_write
from envelope.formats.serialize import read as serialize_read
from envelope.formats.serialize import write as serialize_write
from envelope.limits import DEFAULT_LIMITS
from envelope.options import ReadOptions, WriteOptions
from envelope.testing.strategies import values
from tests.native import extension, resident
from tests.test_laws import fragments, noise

module = extension("serialize._to_json")
SHORTCUTS = make_shortcuts(module)
TARGETS = ("json", "jsonu")


@pytest.fixture(scope="module", params=TARGETS)
def target(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def by_codecs(data: bytes, target: str, limits: Limits = DEFAULT_LIMITS) -> bytes | None:
    """What the Python codecs make of *data*; None if one of them refuses."""
    try:
        value = serialize_read.loads(data, ReadOptions(limits=limits))
        return json_write.dumps(value, WriteOptions(limits=limits), ascii=target == "json")
    except (DecodeError, EncodeError):
        return None


def check(data: bytes, target: str, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Whether there is a shortcut for *data*; fails if its result differs from that of the codecs."""
    body = SHORTCUTS["serialize", target].convert(data, limits)
    assert body is None or body == by_codecs(data, target, limits)
    return body is not None


@given(value=values(), maps=st.sampled_from(["array", "object"]))
def test_values(target: str, value: Any, maps: Any) -> None:
    body = envelope.dumps(value, "serialize", maps=maps)
    assert check(body, target) or any(map(begins_as_a_list, maps_in(value)))


def maps_in(value: Any) -> Iterator[dict[str, Any]]:
    """Each map in *value*, including itself."""
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from maps_in(child)


def begins_as_a_list(map: dict[str, Any]) -> bool:
    """Whether its first key is the index of a list's first member."""
    return next(iter(map), None) == "0"


@given(data=noise)
def test_noise(target: str, data: bytes) -> None:
    check(data, target)


@given(value=values(max_leaves=8), data=st.data())
def test_changed_documents(target: str, value: Any, data: Any) -> None:
    body = bytearray(envelope.dumps(value, "serialize", maps=data.draw(st.sampled_from(["array", "object"]))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(fragments | st.binary(max_size=2))
    check(bytes(body), target)


@given(value=values(max_leaves=8))
def test_no_truncated_body_is_converted(target: str, value: Any) -> None:
    body = envelope.dumps([value], "serialize")
    assert not any(check(body[:end], target) for end in range(len(body)))


@given(
    value=values(),
    limits=st.builds(Limits, max_bytes=st.integers(0, 60), max_depth=st.integers(0, 3), max_items=st.integers(0, 6)),
)
def test_limits(target: str, value: Any, limits: Limits) -> None:
    check(envelope.dumps(value, "serialize"), target, limits)


def texts() -> Any:
    """Texts with odd characters at any place in a machine word, or outside one."""
    odd = st.sampled_from('\x00\x1f"\\\n\x7f\x80\xff\u07ff\u0800中\ud7ff\ue000\U0001f600\U0010ffff')
    return st.lists(odd | st.text("ab", max_size=9), max_size=6).map("".join)


@given(text=texts(), key=texts())
def test_text(target: str, text: str, key: str) -> None:
    data = serialize_write.dumps({"x" + key: [text, text + "."]})
    assert check(data, target)


@given(raw=st.binary(max_size=9) | st.lists(st.sampled_from([b"a", b"\xc0", b"\xc2", b"\xe0", b"\xed", b"\xf0", b"\xf4", b"\xf5", b"\x80", b"\x90", b"\xa0", b"\xbf"])).map(b"".join))  # fmt: skip
def test_bytes_that_may_not_be_text(target: str, raw: bytes) -> None:
    data = b'a:1:{i:0;s:%d:"%b";}' % (len(raw), raw)
    try:
        raw.decode()
    except UnicodeDecodeError:
        assert not check(data, target)
    else:
        assert check(data, target)


@given(
    number=st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**63 - 1)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3).map(float)
)
def test_numbers(target: str, number: float) -> None:
    assert check(serialize_write.dumps(number), target)


PLAIN: dict[str, bytes] = {
    "list": b'a:2:{i:0;N;s:1:"1";b:1;}',
    "sparse": b"a:2:{i:3;N;i:-1;d:-0;}",
    "map": b'a:2:{s:1:"b";i:1;s:1:"a";a:0:{}}',
    "late 0": b'a:2:{s:1:"b";i:1;i:0;N;}',
    "no int key": b'a:2:{s:2:"00";i:1;i:0;N;}',
    "stdClass": b'O:8:"stdClass":3:{i:0;N;s:1:"1";N;s:0:"";O:8:"stdClass":0:{}}',
    "many keys": b"a:100:{%b}" % b"".join(b's:3:"k%02d";N;' % n for n in range(100)),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain(target: str, name: str) -> None:
    assert check(PLAIN[name], target)


LEFT: dict[str, bytes] = {
    "a list that goes on as a map": b'a:2:{i:0;N;s:1:"a";N;}',
    "a key again": b'a:2:{s:1:"a";i:1;s:1:"a";i:2;}',
    "a key again, as text": b'a:2:{i:7;i:1;s:1:"7";i:2;}',
    "a key again, of many": b'a:101:{%bs:3:"k07";N;}' % b"".join(b's:3:"k%02d";N;' % n for n in range(100)),
    "an index again": b"a:2:{i:0;N;i:0;N;}",
    "a reference": b"a:2:{i:0;N;i:1;R:2;}",
    "a class": b'O:1:"A":0:{}',
    "a private property": b'O:8:"stdClass":1:{s:4:"\0A\0b";N;}',
    "not finite": b"d:NAN;",
    "what follows": b"N;N;",
}


@pytest.mark.parametrize("name", LEFT)
def test_left_to_the_codecs(target: str, name: str) -> None:
    assert not check(LEFT[name], target)


@pytest.mark.parametrize("depth", [1, 253, 254, 255, 256, 300])
def test_depth(target: str, depth: int) -> None:
    data = b"a:1:{i:0;" * (depth - 1) + b"a:0:{}" + b"}" * (depth - 1)
    assert check(data, target, Limits.unlimited()) == (depth <= 254)


def test_only_bytes_and_limits(target: str) -> None:
    convert = SHORTCUTS["serialize", target].convert
    assert convert(bytearray(b"N;"), DEFAULT_LIMITS) is None
    no_limits: Any = None
    assert convert(b"N;", no_limits) is None


# ---- as it is used


@given(value=values(), maps=st.sampled_from(["array", "object"]))
def test_convert(value: Any, maps: Any) -> None:
    body = envelope.dumps(value, "serialize", maps=maps)
    for target in TARGETS:
        assert envelope.convert(body, "serialize", target) == by_codecs(body, target)
        assert envelope.convert(bytearray(body), "serialize", target) == by_codecs(body, target)


def test_options_are_checked() -> None:
    for options in ({"maps": "list"}, {"values": "all"}, {"source_dialect": "php"}, {"limits": 5}):
        with pytest.raises(TypeError):
            envelope.convert(b"N;", "serialize", "json", **options)


@given(
    data=st.lists(values(max_leaves=5), max_size=5), ends=st.sampled_from([b"\n", b"\r\n", b"\n\n"]), last=st.booleans()
)
def test_lines(target: str, data: list[Any], ends: bytes, last: bool) -> None:
    documents = [envelope.dumps(value, "serialize") for value in data]
    archive = ends.join([*documents, b""]) if last else ends.join(documents)
    converted = SHORTCUTS["serialize", target].convert_lines(archive, DEFAULT_LIMITS)
    records = archive.split(b"\n")
    if not records[-1]:
        del records[-1]
    given_documents = [record.removesuffix(b"\r") for record in records]
    bodies = Conversion(source="serialize", target=target).convert(document or None for document in given_documents)
    if converted is None:  # a document that is not plain, or one that holds a line feed
        assert any(bodies.faults) or not all(map(partial(is_plain, target), filter(None, given_documents)))
        return
    output, lines, count = converted
    assert (lines, count) == (len(records), sum(map(bool, given_documents)))
    assert output == b"".join(body + b"\n" for body in bodies.bodies if body is not None)


def is_plain(target: str, document: bytes) -> bool:
    return SHORTCUTS["serialize", target].convert(document, DEFAULT_LIMITS) is not None


@given(value=values(max_leaves=5), max_bytes=st.integers(0, 80))
def test_each_line_has_the_limits(target: str, value: Any, max_bytes: int) -> None:
    body = envelope.dumps(value, "serialize")
    converted = SHORTCUTS["serialize", target].convert_lines(b"N;\n" + body, Limits(max_bytes=max_bytes))
    if converted is not None:
        wanted = by_codecs(body, target, Limits(max_bytes=max_bytes))
        assert wanted is not None
        assert converted[0] == b"null\n" + wanted + b"\n"


@pytest.mark.memory
def test_memory_stays(target: str) -> None:
    rng = Random(5)
    good = serialize_write.dumps([{f"k{n}": "中" * rng.randrange(9)} for n in range(40)])
    bad = good[:-1]
    shortcut = SHORTCUTS["serialize", target]
    calls: list[Callable[[], Any]] = [
        lambda: shortcut.convert(good, DEFAULT_LIMITS),
        lambda: shortcut.convert(bad, DEFAULT_LIMITS),
        lambda: shortcut.convert_lines(good + b"\n" + good, DEFAULT_LIMITS),
        lambda: shortcut.convert_lines(good + b"\n" + bad, DEFAULT_LIMITS),
    ]
    for call in calls:
        for _ in range(1000):
            call()
        before = resident()
        for _ in range(10_000):
            call()
        assert resident() - before < 2**20
