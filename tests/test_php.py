"""Against a real PHP, byte for byte; `tests.php_run` goes on for longer."""

from __future__ import annotations

import json
import os
import re
from random import Random, SystemRandom
from typing import Any

import orjson
import pytest

import envelope
from envelope import DecodeError, EncodeError, ResultType
from envelope.testing.php import Php, tagged
from tests.php_run import COUNT_IN_TESTS, compare
from tests.random_values import random_value

pytestmark = pytest.mark.usefixtures("impl")

pytestmark = pytest.mark.php

CHUNKS = 8
# New values in every run; a failing test names the seed that brings them back.
SEED = int(os.environ.get("PHP_SEED", "0")) or SystemRandom().randrange(1, 1 << 32)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_php_writes_and_reads_the_same_bytes(php: Php, chunk: int) -> None:
    differences = compare(php, seed=SEED + chunk, count=COUNT_IN_TESTS // CHUNKS)
    assert differences == [], f"PHP_SEED={SEED}"


@pytest.mark.parametrize("operation", ["random", "random plain"])
def test_what_php_builds_is_read_and_written_back(php: Php, operation: str) -> None:
    documents = php.ask(operation, [b"%d" % seed for seed in range(3000)])
    exports = php.ask("unserialize var_export", [document or b"" for document in documents])
    assert None not in documents
    exported = 0
    for document, export in zip(documents, exports, strict=True):
        assert document is not None
        value = envelope.loads(document, "serialize", values="php")
        if b"R:" not in document:
            assert envelope.dumps(value, "serialize", values="php") == document
        # The class Mixed_ has one state for serialize and another for var_export.
        if export is not None and b"Mixed_" not in document:
            assert envelope.dumps(value, "var_export", values="php") == export
            exported += 1
    assert exported > 1000


def test_a_projection_is_what_json_encode_shows(php: Php) -> None:
    documents = php.ask("random plain", [b"%d" % seed for seed in range(2000)])
    shown = php.ask("unserialize json", [document or b"" for document in documents])
    for document, expected in zip(documents, shown, strict=True):
        assert document is not None
        try:
            body = envelope.convert(
                document, "serialize", "json", values="php", target_dialect="php", maps="object", on_loss="ignore"
            )
        except EncodeError as error:
            assert "contains itself" in error.reason
            continue
        # An empty object and an empty array differ in PHP; a projected map with keys 0 … n-1 was an object too.
        assert json.loads(body) == json.loads(expected or b"null")


def random_references(rng: Random, depth: int) -> bytes:
    """A serialized value full of references, sensible or not, and of keys that repeat."""
    kind = rng.randrange(10 if depth else 5)
    if kind < 5:
        slot = rng.randrange(1, 8)
        scalars = [b"i:%d;" % slot, b's:1:"a";', b"N;", b"R:%d;" % slot, b"r:%d;" % slot, b'E:11:"Suit:Hearts";']
        return rng.choice(scalars)
    size = rng.randrange(4)
    names = [b's:1:"x";', b's:1:"y";', b"i:0;", b"i:1;", b"i:2;", b's:1:"1";']
    members = b"".join(rng.choice(names) + random_references(rng, depth - 1) for _ in range(size))
    head = b"a:%d:{" if kind < 8 else b'O:8:"stdClass":%d:{'
    return head % size + members + b"}"


def test_references_are_resolved_as_php_does(php: Php) -> None:
    rng = Random(20)
    documents = [random_references(rng, 4) for _ in range(30_000)]
    documents = [document for document in documents if b"R:" in document or b"r:" in document]
    answers = zip(
        documents, php.ask("unserialize", documents), php.ask("unserialize var_export", documents), strict=True
    )
    agreed = 0
    for document, again, export in answers:
        try:
            value = envelope.loads(document, "serialize", values="php")
        except DecodeError as error:
            # The only thing that PHP reads and we do not: an array that contains itself.
            assert again is None or "contains itself" in error.reason, document
            continue
        assert again is not None, document
        if b"R:" not in again:
            assert envelope.dumps(value, "serialize", values="php") == again
        try:
            ours = envelope.dumps(value, "var_export", values="php")
        except EncodeError:
            assert export is None, document
        else:
            assert ours == export, document
            agreed += 1
    assert agreed > 300


def mutated(rng: Random, body: bytes) -> bytes:
    pieces = [b"", b"0", b"1", b"9", b"-", b"+", b".", b";", b":", b'"', b"}", b"{", b"i", b"s", b"S", b"d", b"a", b"E5",
              b"\\", b"\0", b"\xc3", b" ", b"'", b"i:0;", b"N;", b'O:8:"stdClass":0:{}', b"\n", b"=>", b"NAN"]  # fmt: skip
    at = rng.randrange(len(body) + 1)
    return body[:at] + rng.choice(pieces) + body[at + rng.randrange(3) :]


def test_what_is_read_from_broken_bytes_is_what_php_reads(php: Php) -> None:
    rng = Random(21)
    bodies = [envelope.dumps(random_value(rng, 2), "serialize") for _ in range(20_000)]
    documents = [mutated(rng, body) for body in bodies]
    read = 0
    for document, again in zip(documents, php.ask("unserialize inert", documents), strict=True):
        try:
            value = envelope.loads(document, "serialize", values="php")
        except DecodeError:
            continue
        assert again is not None, document
        assert envelope.dumps(value, "serialize", values="php") == again, document
        read += 1
    assert read > 1000


def test_what_is_read_from_broken_var_export_is_what_php_evaluates(php: Php) -> None:
    rng = Random(22)
    bodies = [envelope.dumps(random_value(rng, 2), "var_export") for _ in range(20_000)]
    taken = []
    for document in (mutated(rng, body) for body in bodies):
        try:
            taken.append((document, envelope.loads(document, "var_export", values="php")))
        except DecodeError:
            continue
    # Only what our reader accepted is evaluated: literals, and nothing that could run.
    for (document, value), again in zip(taken, php.ask("eval", [document for document, _ in taken]), strict=True):
        assert envelope.dumps(value, "serialize", values="php") == again, document
    assert len(taken) > 500


def test_json_that_we_read_php_reads_the_same(php: Php) -> None:
    rng = Random(23)
    values = [random_value(rng) for _ in range(3000)]
    for fmt in ("json", "jsonu"):
        bodies = [envelope.dumps(value, fmt) for value in values]
        for value, again in zip(values, php.ask("json_decode", bodies), strict=True):
            assert envelope.dumps(value, "serialize") == again


def xml_tree(value: Any) -> Any:
    """What the server's xml_tree should return for the typed document of a value: name, key, type and content."""

    def member(name: str, item: Any) -> list[Any]:
        kinds = {dict: "map", list: "list", int: "int", float: "float", bool: "bool", type(None): "null"}
        kind = kinds.get(type(item), "")
        is_name = re.fullmatch(r"(?!(?i:xml))[A-Za-z_][A-Za-z0-9_.-]{0,63}", name)
        return [name if is_name else "item", "" if is_name else name, kind, xml_tree(item)]

    if isinstance(value, dict):
        return [member(name, item) for name, item in value.items()] or ""
    if isinstance(value, list):
        return [member("item", item) for item in value] or ""
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def holds_no_xml_text(value: Any) -> bool:
    return "escaped" in envelope.dumps(value, "xml").decode()


def test_php_reads_our_xml(php: Php) -> None:
    rng = Random(24)
    values = [value for value in (random_value(rng) for _ in range(4000)) if not holds_no_xml_text(value)]
    bodies = [envelope.dumps(value, "xml") for value in values]
    elements = php.ask("xmlreader", bodies)
    trees = php.ask("simplexml", bodies)
    for value, body, count, tree in zip(values, bodies, elements, trees, strict=True):
        assert count is not None, body
        assert int(count) == body.count(b"<") - body.count(b"</") - 1
        assert tree is not None, body
        if not isinstance(value, float):
            assert json.loads(tree) == xml_tree(value), body


def test_php_reads_text_that_xml_cannot_hold(php: Php) -> None:
    bodies = [envelope.dumps({"a\0": "\x01"}, "xml"), envelope.dumps("\ufffe", "xml")]
    assert None not in php.ask("simplexml", bodies)


def test_every_row_of_the_format_table_is_tested(php: Php) -> None:
    assert {row.value for row in ResultType} == {"json", "jsonu", "xml", "serialize", "var_export"}
    assert php.ask_one("array serialize", tagged({"a": [1.0]})) == b'a:1:{s:1:"a";a:1:{i:0;d:1;}}'
