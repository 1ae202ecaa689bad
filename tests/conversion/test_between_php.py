"""Conversions between PHP's formats: stdClass is kept, and references that are lost are told."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest

import envelope
from envelope import DecodeError, EncodeError, LossError, LossWarning, ResultType
from envelope.conversion import Conversion
from envelope.formats import get_format
from envelope.testing import strategies as st

pytestmark = pytest.mark.usefixtures("impl")

STD = b'a:2:{i:1;O:8:"stdClass":2:{s:1:"5";i:1;s:1:"a";O:8:"stdClass":0:{}}i:2;a:1:{i:5;a:0:{}}}'
PRINTED = b"""array (
  1 =>@
  (object) array(
     '5' => 1,
     'a' =>@
    (object) array(
    ),
  ),
  2 =>@
  array (
    5 =>@
    array (
    ),
  ),
)""".replace(b"@", b" ")


@pytest.mark.parametrize("maps", ["array", "object"])
@pytest.mark.parametrize("on_loss", ["error", "ignore"])
def test_std_class_is_kept(on_loss: Any, maps: Any) -> None:
    bodies = {"serialize": STD, "var_export": PRINTED}
    for source, body in bodies.items():
        for target, other in bodies.items():
            assert envelope.convert(body, source, target, on_loss=on_loss, maps=maps) == other
            made = Conversion(source=source, target=target, on_loss=on_loss).convert([body, b"x"])
            assert made.bodies == [other, None]
    assert envelope.loads(STD, "serialize") == {"1": {"5": 1, "a": {}}, "2": {"5": []}}


def test_other_dialects_keep_std_class_too() -> None:
    body = b'a|O:8:"stdClass":1:{s:1:"x";i:1;}'
    convert = envelope.convert
    assert convert(body, "serialize", "serialize", source_dialect="session", target_dialect="session") == body
    file = convert(STD, "serialize", "var_export", target_dialect="file")
    assert file == b"<?php\n\nreturn " + PRINTED + b";\n"
    assert convert(file, "var_export", "serialize", source_dialect="file") == STD
    short = convert(STD, "serialize", "var_export", target_dialect="short")
    assert convert(short, "var_export", "serialize", source_dialect="short") == STD
    state = b"<?php return \\stdClass::__set_state(array('a' => new stdClass));"
    assert convert(state, "var_export", "serialize", source_dialect="file") == (
        b'O:8:"stdClass":1:{s:1:"a";O:8:"stdClass":0:{}}'
    )


def test_what_is_unknown_may_lose_something() -> None:
    body = b"<?php return [f(), (object) ['a' => 1]];"
    with pytest.raises(LossError) as caught:
        envelope.convert(body, "var_export", "serialize", source_dialect="file", unknown=lambda *_: {})
    assert [loss.path for loss in caught.value.losses] == ["$[0]"]
    kept = envelope.convert(
        body, "var_export", "serialize", source_dialect="file", unknown=lambda *_: {}, maps="object"
    )
    assert kept == b'a:2:{i:0;O:8:"stdClass":0:{}i:1;O:8:"stdClass":1:{s:1:"a";i:1;}}'


@pytest.mark.parametrize(
    "body",
    [
        b'O:1:"A":0:{}', b's:1:"\xff";', b"d:NAN;", b'a:2:{i:0;O:8:"stdClass":0:{}i:1;r:2;}', b"a:2:{i:0;i:1;i:1;R:2;}",
        b'O:8:"stdClass":1:{s:4:"\0*\0a";i:1;}', b'E:3:"S:H";', b'C:1:"A":0:{}', b'O:8:"stdClass":1:{s:1:"\xff";i:1;}',
        b'O:8:"stdClass":1:{s:1:"a";i:x;}', b'O:8:"stdClass":2:{s:1:"a";i:1;}',
    ],
)  # fmt: skip
def test_all_else_is_refused_as_loads_refuses_it(body: bytes) -> None:
    with pytest.raises(DecodeError) as wanted:
        envelope.loads(body, "serialize")
    with pytest.raises(DecodeError) as caught:
        envelope.convert(body, "serialize", "var_export")
    assert vars(caught.value) == vars(wanted.value)


def test_classes_of_var_export_are_refused_too() -> None:
    for body in (b"\\A::__set_state(array(\n))", b"\\S::H"):
        with pytest.raises(DecodeError, match="values"):
            envelope.convert(body, "var_export", "serialize")
    twice = b"(object) array(\n   'a' => 1,\n   'a' => 2,\n)"
    assert envelope.convert(twice, "var_export", "serialize") == b'O:8:"stdClass":1:{s:1:"a";i:2;}'


@hypothesis.given(value=st.values(), maps=hypothesis.strategies.sampled_from(["array", "object"]))
def test_what_php_writes_of_a_portable_value_is_converted_to_the_same_bytes(value: Any, maps: Any) -> None:
    bodies = {format: envelope.dumps(value, format, maps=maps) for format in ("serialize", "var_export")}
    for source, body in bodies.items():
        for target, other in bodies.items():
            assert envelope.convert(body, source, target) == other


# ---- references


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (b'a:2:{i:0;s:3:"foo";i:1;R:2;}', ["$[1]"]),
        (b'a:2:{i:0;O:8:"stdClass":0:{}i:1;R:2;}', ["$[1]"]),
        (b'a:3:{s:1:"a";a:1:{i:0;i:1;}i:1;R:2;i:2;R:3;}', ["$[1]", "$[2]"]),
        (b'O:1:"A":2:{s:1:"a";i:1;s:1:"b";a:2:{i:0;R:2;i:1;R:2;}}', ["$.b[0]", "$.b[1]"]),
        (b's:4:";R:1";', []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("target", ["serialize", "var_export"])
def test_lost_references_are_told_at_their_later_places(body: bytes, paths: list[str], target: str) -> None:
    for data in (body, bytearray(body), memoryview(body)):
        written = envelope.convert(data, "serialize", target, values="php", on_loss="ignore")
        if paths:
            with pytest.raises(LossError) as caught:
                envelope.convert(data, "serialize", target, values="php")
            references = [loss for loss in caught.value.losses if loss.note == "value reference"]
            assert [loss.path for loss in references] == paths
            assert all(loss.is_reference for loss in references)
            assert ("references='keep'" in str(caught.value)) == (target == "serialize")
            with pytest.warns(LossWarning, match="value reference"):
                assert envelope.convert(data, "serialize", target, values="php", on_loss="warn") == written
        else:
            assert envelope.convert(data, "serialize", target, values="php") == written


def test_many_documents_tell_lost_references() -> None:
    row = get_format(ResultType.SERIALIZE)
    body = b"a:2:{i:0;i:1;i:1;R:2;}"
    for on_loss, losses in (("warn", {"PhpReference → int (value reference)": 1}), ("ignore", {})):
        made = Conversion(
            source="serialize",
            target="serialize",
            reading=row.reading("php"),
            writing=row.writing("php"),
            on_loss=on_loss,  # type: ignore[arg-type]
        ).convert([body])
        assert (made.bodies, dict(made.losses)) == ([b"a:2:{i:0;i:1;i:1;i:1;}"], losses)
    kept = Conversion(
        source="serialize",
        target="serialize",
        reading=row.reading("php", references="keep"),
        writing=row.writing("php"),
    ).convert([body])
    assert kept.bodies == [body]


@pytest.mark.parametrize("references", ["resolve", "keep"])
def test_json_shows_what_is_referred_to(references: Any) -> None:
    body = b'a:2:{i:0;s:3:"foo";i:1;R:2;}'
    assert envelope.convert(body, "serialize", "json", values="php", references=references) == b'["foo","foo"]'
    losses = []
    for shared in (b"R:2", b"r:2"):
        body = b'a:2:{i:0;O:1:"A":0:{}i:1;%b;}' % shared
        with pytest.raises(LossError) as caught:
            envelope.convert(body, "serialize", "json", values="php", references=references)
        losses.append([loss.path for loss in caught.value.losses])
    assert losses[0] == losses[1] == ["$[0]", "$[1]"]


def test_a_loss_that_is_an_error_is_one() -> None:
    with pytest.raises(EncodeError):
        envelope.convert(b"a:1:{i:0;R:1;}", "serialize", "json", values="php", references="keep")
