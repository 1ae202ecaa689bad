"""The payloads that PHP's own classes wrote until PHP 7.3, opened as what they write since."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

import envelope
from envelope import DecodeError, EncodeError, Limits, LossError, PhpObject, PhpReference
from envelope.formats.serialize.read import loads
from envelope.options import ReadOptions
from envelope.testing.php import Php
from tests import php as php_process

OPENING = ReadOptions(values="php", open_payloads=True)


def packed(name: str, payload: bytes) -> bytes:
    return b'C:%d:"%b":%d:{%b}' % (len(name), name.encode(), len(payload), payload)


def opened(body: bytes, **options: Any) -> Any:
    return loads(body, ReadOptions(values="php", open_payloads=True, **options))


@pytest.mark.parametrize(
    ("name", "payload", "written"),
    [
        ("ArrayObject", b'x:i:0;a:1:{s:1:"x";i:5;};m:a:1:{s:1:"d";N;}',
         b'O:11:"ArrayObject":4:{i:0;i:0;i:1;a:1:{s:1:"x";i:5;}i:2;a:1:{s:1:"d";N;}i:3;N;}'),
        ("ArrayIterator", b'x:i:1;O:8:"stdClass":0:{};m:a:0:{}',
         b'O:13:"ArrayIterator":4:{i:0;i:1;i:1;O:8:"stdClass":0:{}i:2;a:0:{}i:3;N;}'),
        ("RecursiveArrayIterator", b"x:i:16777216;m:a:0:{}",
         b'O:22:"RecursiveArrayIterator":4:{i:0;i:16777216;i:1;N;i:2;a:0:{}i:3;N;}'),
        ("SplObjectStorage", b'x:i:2;O:8:"stdClass":0:{},i:1;;O:8:"stdClass":0:{};m:a:0:{}',
         b'O:16:"SplObjectStorage":2:{i:0;a:4:{i:0;O:8:"stdClass":0:{}i:1;i:1;i:2;O:8:"stdClass":0:{}i:3;N;}i:1;a:0:{}}'),
        ("splobjectstorage", b"x:i:0;m:a:0:{}", b'O:16:"splobjectstorage":2:{i:0;a:0:{}i:1;a:0:{}}'),
        ("SplDoublyLinkedList", b"i:0;:i:1;:a:1:{i:0;i:2;}",
         b'O:19:"SplDoublyLinkedList":3:{i:0;i:0;i:1;a:2:{i:0;i:1;i:1;a:1:{i:0;i:2;}}i:2;a:0:{}}'),
        ("SplQueue", b"i:4;", b'O:8:"SplQueue":3:{i:0;i:4;i:1;a:0:{}i:2;a:0:{}}'),
    ],
)  # fmt: skip
def test_a_payload_is_read_as_its_class_writes_itself_today(name: str, payload: bytes, written: bytes) -> None:
    assert envelope.dumps(opened(packed(name, payload)), "serialize", values="php") == written
    session = b"a|" + packed(name, payload)
    value = opened(session, dialect="session")
    assert envelope.dumps(value["a"], "serialize", values="php") == written


def test_other_payloads_are_kept() -> None:
    body = b'a:2:{i:0;C:1:"A":1:{x}i:1;C:11:"ArrayObject":21:{x:i:0;a:0:{};m:a:0:{}}}'
    assert opened(body)[0] == PhpObject("A", payload=b"x")
    assert envelope.loads(body, "serialize", values="php")[1].payload == b"x:i:0;a:0:{};m:a:0:{}"
    with pytest.raises(EncodeError, match="tagged JSON") as caught:
        envelope.convert(body, "serialize", "json", values="php", on_loss="ignore")
    assert caught.value.path == "$[0]"
    with pytest.raises(DecodeError, match="past a C: payload"):
        opened(b'a:3:{i:0;C:1:"A":0:{}i:1;O:1:"B":0:{}i:2;r:3;}')


def test_references_reach_into_payloads_and_out_of_them() -> None:
    inner = packed("ArrayObject", b'x:i:0;a:2:{i:0;O:1:"Q":0:{}i:1;r:5;};m:a:0:{}')
    value = opened(b"a:3:{i:0;" + inner + b"i:1;r:5;i:2;r:2;}")
    assert value[0][1][0] is value[0][1][1] is value[1]
    assert value[2] is value[0]
    storage = packed("SplObjectStorage", b'x:i:1;O:1:"Q":0:{},r:4;;m:a:0:{}')
    value = opened(b"a:2:{i:0;" + storage + b"i:1;r:4;}")
    assert value[0][0][0] is value[0][0][1] is value[1]
    linked = packed("SplQueue", b'i:4;:O:1:"Q":0:{}:r:3;:r:1;')
    value = opened(linked)
    assert value[1][0] is value[1][1]
    assert value[1][2] is value
    kept = opened(b"a:2:{i:0;" + packed("SplQueue", b"i:4;:i:7;:R:2;") + b"i:1;R:4;}", references="keep")
    assert type(kept[0]) is PhpReference
    assert kept[0].value[1][1] is kept[0]
    assert kept[0].value[1][0] is kept[1]


@pytest.mark.parametrize(
    ("name", "payload", "offset"),
    [
        ("ArrayObject", b"", 0),
        ("ArrayObject", b"x:s:1;", 2),
        ("ArrayObject", b"x:i:0;i:1;;m:a:0:{}", 6),
        ("ArrayObject", b"x:i:0;a:0:{}m:a:0:{}", 12),
        ("ArrayObject", b"x:i:0;a:0:{};m:N;", 15),
        ("ArrayObject", b"x:i:0;a:0:{};m:a:0:{} ", 21),
        ("ArrayObject", b"x:i:0;a:9:{};m:a:0:{}", 8),
        ("SplObjectStorage", b"x:i:1;i:1;;m:a:0:{}", 6),
        ("SplObjectStorage", b'x:i:2;O:1:"A":0:{};m:a:0:{}', 19),
        ("SplQueue", b"i:0;i:1;", 4),
        ("SplQueue", b'i:0;:s:9:"}";', 7),
    ],
)
def test_a_broken_payload_is_a_fault_at_its_place(name: str, payload: bytes, offset: int) -> None:
    body = b"a:1:{i:0;" + packed(name, payload) + b"}"
    with pytest.raises(DecodeError) as caught:
        opened(body)
    assert caught.value.offset == body.index(b"{", 6) + 1 + offset
    assert caught.value.path.startswith("$[0]")


def test_limits_hold_in_payloads() -> None:
    body = packed("SplQueue", b"i:0;" + b":i:1;" * 10)
    opened(body, limits=Limits(max_items=13, max_depth=2))
    for limits in (Limits(max_items=10), Limits(max_depth=1)):
        with pytest.raises(DecodeError) as caught:
            opened(body, limits=limits)
        assert caught.value.kind == "limit"
    for _ in range(70):
        body = packed("SplQueue", b"i:0;:" + body)
    for limits in (Limits.unlimited(), Limits()):
        with pytest.raises(DecodeError, match="payloads nested deeper than 64") as caught:
            opened(body, limits=limits)
        assert caught.value.kind == "limit"


def random_payload(rng: Random, depth: int) -> bytes:
    """A document of payloads in payloads, with references that may or may not lead to an object."""
    kind = rng.randrange(7 if depth else 3)
    if kind < 3:
        return [b"i:%d;" % rng.randrange(9), b'O:8:"stdClass":1:{s:1:"a";i:1;}', b"r:%d;" % rng.randrange(1, 12)][kind]
    parts = [random_payload(rng, depth - 1) for _ in range(rng.randrange(4))]
    array = b"a:%d:{%b}" % (len(parts), b"".join(b"i:%d;%b" % part for part in enumerate(parts)))
    if kind == 3:
        return array
    if kind == 4:
        name = rng.choice(["ArrayObject", "ArrayIterator"])
        storage = rng.choice([array, random_payload(rng, depth - 1)])
        if storage.startswith(b"r"):  # to one around it, PHP would go round and round
            storage = array
        return packed(name, b"x:i:%d;%b;m:a:0:{}" % (rng.randrange(4), storage))
    if kind == 5:
        return packed("SplQueue", b"i:4;" + b"".join(b":" + part for part in parts))
    pairs = b"".join(b'O:8:"stdClass":0:{},%b;' % part for part in parts)
    return packed("SplObjectStorage", b"x:i:%d;%bm:a:1:{i:0;i:1;}" % (len(parts), pairs))


@pytest.mark.skipif(bool(php_process.missing()), reason=php_process.missing() or "php is there")
def test_payloads_are_read_and_shown_as_php_does() -> None:
    rng = Random(1)
    bodies = [b"a:2:{i:0;" + random_payload(rng, 4) + b"i:1;" + random_payload(rng, 4) + b"}" for _ in range(5000)]
    shown = 0
    with Php() as php:
        read = php.ask("unserialize", bodies)
        for body, is_read, wanted in zip(bodies, read, php.ask("unserialize json", bodies), strict=True):
            try:
                ours = envelope.convert(body, "serialize", "json", values="php", target_dialect="php", on_loss="ignore")
            except DecodeError:
                assert is_read is None, body
            except EncodeError as error:
                assert "contains itself" in error.reason
                assert not wanted
            else:
                assert ours == wanted, body
                shown += b"C:" in body
    assert shown > 500


def test_the_losses_of_a_payload_are_told() -> None:
    body = b"a:1:{i:0;" + packed("ArrayObject", b'x:i:0;a:1:{s:1:"x";d:1;};m:a:0:{}') + b"}"
    with pytest.raises(LossError) as caught:
        envelope.convert(body, "serialize", "json", values="php", target_dialect="php")
    assert [str(loss) for loss in caught.value.losses] == [
        "$[0]: PhpObject ArrayObject → map of 1",
        "$[0].x: float → int",
    ]
