"""The walks over a document's bytes: they find the same values as its reader, each at its place."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given

import envelope
from envelope import DecodeError, PhpObject, PhpProperty, ResultType
from envelope.cli.inspection.spans import walk
from envelope.cli.inspection.spans.sink import Reference
from envelope.cli.inspection.stats import Stats
from envelope.options import Dialect, Values
from envelope.path import format_path
from envelope.testing.strategies import php_values, values
from tests.random_values import random_value

FIXTURES = Path(__file__).parents[3] / "fixtures"
REFUSED = sorted(file.with_suffix("") for file in FIXTURES.glob("invalid/*/*.toml"))


class Recorder:
    """Records what it is told, and rebuilds the value from it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int, int | None]] = []
        self.opened: list[tuple[tuple[Any, ...], int, str, str, list[Any]]] = []
        self.members: list[Any] = []
        self.unfinished = 0

    def leaf(self, steps: tuple[Any, ...], start: int, end: int, value: Any, note: str = "") -> None:
        self.told.append((format_path([*self.path(), *steps]), start, end))
        self.members.append((steps, note, value))

    def open(self, steps: tuple[Any, ...], start: int, note: str = "", class_name: str = "") -> None:
        self.opened.append((steps, start, note, class_name, self.members))
        self.members = []

    def close(self, end: int | None, kind: str) -> None:
        path = self.path()
        steps, start, note, class_name, around = self.opened.pop()
        self.told.append((format_path(path), start, end))
        self.unfinished += end is None
        value: Any
        if kind == "object":
            heads = [(steps[0], note, value) for steps, note, value in self.members]
            value = PhpObject(
                class_name,
                [
                    PhpProperty(name, value, note or "public", *(["A"] if note == "private" else []))
                    for name, note, value in heads
                ],
            )
        elif kind == "map":
            value = {steps[0]: value for steps, _, value in self.members}
        else:
            value = [value for _, _, value in self.members]
        self.members = around
        self.members.append((steps, note, value))

    def path(self) -> list[Any]:
        return [step for steps, *_ in self.opened for step in steps]

    @property
    def value(self) -> Any:
        ((_, _, value),) = self.members
        return value


def record(body: bytes, format: str, *, php: bool = False, plain: bool = False) -> Recorder:
    recorder = Recorder()
    walk(body, format, recorder, php=php, plain=plain)
    return recorder


def texts_for_ints(value: Any) -> Any:
    """Maps with their keys as text, as they are in the portable domain."""
    if isinstance(value, dict):
        return {str(key): texts_for_ints(child) for key, child in value.items()}
    return [texts_for_ints(child) for child in value] if isinstance(value, list) else value


@given(value=values())
def test_a_walk_finds_every_value_of_a_document(fmt: ResultType, value: Any) -> None:
    for maps in ("array", "object"):
        body = envelope.dumps(value, fmt, maps=maps)
        recorder = record(body, fmt)
        assert envelope.same(texts_for_ints(recorder.value), envelope.loads(body, fmt))
        assert recorder.unfinished == 0


@given(value=values())
def test_each_place_holds_its_value(fmt: ResultType, value: Any) -> None:
    body = envelope.dumps(value, fmt)
    for _, start, end in record(body, fmt).told:
        part = body[start:end]
        if fmt == "xml":
            assert (part[:1], part[-1:]) == (b"<", b">")
            assert part.count(b"</") + part.count(b"/>") == part.count(b"<") - part.count(b"</")
        elif fmt != "var_export":  # there, lines are indented by the depth of their container
            envelope.loads(part, fmt)
    assert record(body, fmt).told[-1][1:] == ({"xml": body.find(b"<root")}.get(fmt, 0), len(body))


@given(value=php_values())
def test_a_walk_finds_every_value_of_phps_domain(value: Any) -> None:
    body = envelope.dumps(value, "serialize", values="php")
    if b";r:" in body:
        return
    found, read = record(body, "serialize", php=True).value, envelope.loads(body, "serialize", values="php")
    # The class that a private property belongs to is not reported.
    for document in (found, read):
        assert envelope.dumps(document, "var_export", values="php") == envelope.dumps(read, "var_export", values="php")


@given(value=php_values(var_export=True))
def test_a_walk_finds_every_value_that_var_export_prints(value: Any) -> None:
    body = envelope.dumps(value, "var_export", values="php")
    assert envelope.same(record(body, "var_export", php=True).value, envelope.loads(body, "var_export", values="php"))


@given(value=values(controls=False))
def test_a_walk_finds_every_value_of_plain_xml(value: Any) -> None:
    body = envelope.dumps(value, "xml", dialect="plain")
    recorder = record(body, "xml", plain=True)
    assert len(recorder.told) == body.count(b"<") - body.count(b"</") - 1
    assert recorder.told[-1][2] == len(body)


def test_places_in_each_format() -> None:
    value = {"a": [1, "é"], "b c": None}
    assert record(envelope.dumps(value, "jsonu"), "jsonu").told == [
        ("$.a[0]", 6, 7), ("$.a[1]", 8, 12), ("$.a", 5, 13), ('$["b c"]', 20, 24), ("$", 0, 25),
    ]  # fmt: skip
    body = b'<root type="map"><a type="list"><item/><item type="null"/></a></root>\n'
    assert record(body, "xml").told == [("$.a[0]", 32, 39), ("$.a[1]", 39, 58), ("$.a", 17, 62), ("$", 0, 69)]
    assert record(b'S:3:"\\61\\5cb";', "serialize").value == "a\\b"
    assert record(b'C:1:"A":3:{}};}', "serialize", php=True).value == PhpObject("A", payload=b"}};")


def test_names_that_repeat_in_plain_xml_have_numbers() -> None:
    body = b"<root><a>1</a><b/><a>2</a><item/></root>"
    assert [path for path, _, _ in record(body, "xml", plain=True).told] == ["$.a", "$.b", "$.a[1]", "$.item", "$"]
    body = b"<root><item/><item/><b/><item/></root>"
    assert record(body, "xml", plain=True).told[3][0] == "$.item[2]"


def test_a_reference_names_the_place_of_its_slot() -> None:
    body = b'a:4:{i:0;O:1:"A":1:{s:1:"x";N;}i:1;R:3;i:2;r:2;i:3;r:1;}'
    found = record(body, "serialize", php=True).value
    assert [format_path([]), "$[0].x", "$[0]"] == [format_path(_steps(found[index])) for index in (3, 1, 2)]


def _steps(reference: Reference) -> list[Any]:
    steps: list[Any] = []
    link = reference.target
    while link is not None:
        link, step = link
        steps.insert(0, step)
    return steps


def fault(body: bytes, format: str, values: Values, dialect: Dialect) -> DecodeError | None:
    try:
        envelope.loads(body, format, values=values, dialect=dialect)
    except DecodeError as error:
        return error
    return None


def check_the_part_before_a_fault(
    body: bytes, format: str, values: Values = "portable", dialect: Dialect = "typed"
) -> bool:
    """All reported places are before the fault; the fault is in the unfinished containers."""
    error = fault(body, format, values, dialect)
    readable = body if error is None else body[: error.offset]
    recorder = record(readable, format, php=values == "php", plain=dialect == "plain")
    assert all(start <= (end or start) <= len(readable) for _, start, end in recorder.told)
    assert error is not None or not recorder.unfinished
    return bool(recorder.unfinished)


@pytest.mark.parametrize("file", REFUSED, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_everything_before_a_fault_is_reported(file: Path) -> None:
    for domain in ("portable", "php"):
        check_the_part_before_a_fault(file.read_bytes(), file.parent.name, domain)
    if file.parent.name == "xml":
        check_the_part_before_a_fault(file.read_bytes(), "xml", "portable", "plain")


def test_no_broken_document_breaks_a_walk(fmt: ResultType) -> None:
    rng = Random(30)
    pieces = [b"", b"0", b"-", b".", b";", b":", b'"', b"}", b"{", b"]", b"[", b"a", b"E5", b"\\", b"\0", b"\xc3", b" ", b"'", b"N;",
              b"<", b">", b"</a>", b"/>", b"&", b"\n", b"=>", b",", b"(", b")", b" => ", b"r:1;", b"::", b"0" * 5000]  # fmt: skip
    unfinished = 0
    for _ in range(1500):
        body = envelope.dumps(random_value(rng, 2), fmt)
        at = rng.randrange(len(body) + 1)
        broken = body[:at] + rng.choice(pieces) + body[at + rng.randrange(3) :]
        for domain in ("portable", "php"):
            unfinished += check_the_part_before_a_fault(broken, fmt, domain)
        if fmt == "xml":
            check_the_part_before_a_fault(broken, fmt, dialect="plain")
    assert unfinished > 300


def test_texts_with_many_nuls(fmt: ResultType) -> None:
    value = {"a\0\0b": "\0x" * 2500, "\0": 1}
    assert record(envelope.dumps(value, fmt), fmt).value == value


def test_a_prefix_reports_a_prefix_of_the_places(fmt: ResultType) -> None:
    body = envelope.dumps({"a": [1, "b", {"c": [None, 2.5]}], "d e": "f\0'"}, fmt)
    told = [place for place in record(body, fmt).told if place[2]]
    for size in range(len(body)):
        error = fault(body[:size], fmt, "portable", "typed")
        assert error is not None
        # A number has no terminator in json and var_export, so a truncated one may be read.
        ended = [place for place in record(body[: error.offset], fmt).told if place[2] not in (None, error.offset)]
        assert ended == [place for place in told if place in ended]
        assert [place for place in told if (place[2] or 0) < error.offset] == ended


@pytest.mark.parametrize(
    ("format", "body", "depth"),
    [
        ("json", b"[" * 100_000, 100_000),
        ("serialize", b"a:1:{i:0;" * 100_000, 100_000),
        ("var_export", b"array (\n  0 => \n  " * 100_000, 100_000),
        ("xml", b'<root type="list">' + b'<item type="list">' * 5000, 5001),
    ],
)
def test_depth_is_safe(format: str, body: bytes, depth: int) -> None:
    stats = Stats(len(body))
    walk(body, format, stats)
    assert (stats.depth, stats.kinds["list"]) == (depth, depth)


@pytest.mark.memory
def test_an_escaped_string_takes_no_more_memory_than_its_bytes_do() -> None:
    count = 200_000
    body = b'S:%d:"' % count + rb"\78" * count + b'";'
    tracemalloc.start()
    try:
        assert record(body, ResultType.SERIALIZE, php=True).value == "x" * count
        assert tracemalloc.get_traced_memory()[1] < 40 * count
    finally:
        tracemalloc.stop()
