"""The envelope: what goes on the wire, and what is repaired when it is read."""

from __future__ import annotations

import copy
import inspect
import pickle
import threading
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import EncodeError, Envelope, Note, PhpObject, RequestIds, ResultType, ValidationError

SIX = ["response", "error", "reason", "error_code", "request_id", "last_id"]
FOUND: st.SearchStrategy[Any] = st.none() | st.text(max_size=3) | st.integers() | st.booleans() | st.just([])


def test_fields_are_written_in_their_order_whatever_the_order_they_came_in() -> None:
    wire = {
        "x": 1,
        "error_code": "2000",
        "last_id": "9",
        "response": [1],
        "b": {"c": 2},
        "error": "",
        "reason": "",
        "request_id": "",
    }
    answer = Envelope.from_value(wire)
    assert list(answer.to_value()) == [*SIX, "x", "b"]
    assert answer.extras == {"x": 1, "b": {"c": 2}}
    assert answer.notes == ()
    assert next(iter(wire)) == "x"


def test_ok_and_fail() -> None:
    assert Envelope.ok([1]) == Envelope(response=[1], error_code="0000")
    failed = Envelope.fail("4003", error="Param error", reason="method", request_id="1.a", extras={"cache": 0})
    assert list(failed.to_value().values()) == [[], "Param error", "method", "4003", "1.a", "", 0]


def test_it_is_frozen_and_its_notes_are_not_compared() -> None:
    answer = Envelope.ok(1)
    with pytest.raises(AttributeError):
        answer.error = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Envelope(1)  # type: ignore[call-arg]
    assert Envelope(response=1, notes=(Note("$", "x"),)) == answer
    assert pickle.loads(pickle.dumps(answer)) == answer


def test_it_is_a_dataclass_like_any_other() -> None:
    # Its __init__ is written by hand, and does what the generated one would do.
    parameters = list(inspect.signature(Envelope).parameters.values())
    assert [each.name for each in parameters] == [field.name for field in fields(Envelope)] == [*SIX, "extras", "notes"]
    assert {each.kind for each in parameters} == {inspect.Parameter.KEYWORD_ONLY}
    bare = Envelope(response=1)
    for field in fields(Envelope)[1:]:
        default = field.default if field.default is not MISSING else {}
        assert (type(getattr(bare, field.name)), getattr(bare, field.name)) == (type(default), default)
    assert bare.extras is not Envelope(response=1).extras
    given: dict[str, Any] = {field.name: object() for field in fields(Envelope)}
    full: Any = Envelope(**given)
    for again in (full, replace(full), copy.copy(full), replace(bare, **given)):
        assert all(getattr(again, name) is value for name, value in given.items())
    assert copy.deepcopy(bare) == pickle.loads(pickle.dumps(bare)) == replace(bare) == bare
    assert not hasattr(bare, "__dict__")
    with pytest.raises(FrozenInstanceError):
        bare.response = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del bare.extras


def test_a_class_may_be_derived_from_it() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Traced(Envelope[Any]):
        trace: str = ""

    traced = Traced(response=1, extras={"a": 1}, trace="t")
    assert (traced.to_value(), traced.trace) == (Envelope(response=1, extras={"a": 1}).to_value(), "t")
    assert replace(traced, error="x") == Traced(response=1, error="x", extras={"a": 1}, trace="t")


@given(
    wire=st.fixed_dictionaries({}, optional=dict.fromkeys(SIX, FOUND)),
    extras=st.dictionaries(st.sampled_from("ab"), FOUND),
)
def test_an_envelope_is_read_field_by_field(wire: dict[str, Any], extras: dict[str, Any]) -> None:
    """A fault in one field does not change how the others are read."""
    try:
        answer = Envelope.from_value({**extras, **wire})
    except ValidationError as error:
        assert any(error.path == f"$.{name}" for name in SIX)
        return
    assert answer.extras == extras
    whole = Envelope.ok(None).to_value()
    notes: list[Note] = []
    for name in SIX:
        alone = {key: value for key, value in whole.items() if key != name}
        alone |= {name: wire[name]} if name in wire else {}
        read = Envelope.from_value(alone)
        assert getattr(answer, name) == getattr(read, name)
        notes += read.notes
    assert answer.notes == tuple(notes)


def test_the_payload_may_have_another_name(fmt: ResultType) -> None:
    answer = Envelope.ok({"title": "x"}, extras={"response": "an extra"})
    body = envelope.encode(answer, fmt, payload="item")
    assert next(iter(envelope.loads(body, fmt))) == "item"
    assert envelope.decode(body, fmt, payload="item") == answer
    for payload in ("error", 5):
        with pytest.raises(TypeError):
            envelope.encode(answer, fmt, payload=payload)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            envelope.decode(body, fmt, payload=payload)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wire", "expected", "notes"),
    [
        ({}, Envelope(response=[], error_code=""), SIX),
        ([], Envelope(response=[], error_code=""), SIX),
        ({"response": 1, "error_code": 0, "request_id": 5, "last_id": -7, "error": None, "reason": ""},
         Envelope(response=1, error_code="0000", request_id="5", last_id="-7"), ["error", "error_code", "request_id", "last_id"]),
        (PhpObject("stdClass", {"response": 1, "error_code": "2000", "error": "", "reason": "", "request_id": "", "last_id": "", "x": 1}),
         Envelope(response=1, error_code="2000", extras={"x": 1}), []),
    ],
)  # fmt: skip
def test_repairs_leave_a_note(wire: Any, expected: Envelope[Any], notes: list[str]) -> None:
    answer = Envelope.from_value(wire)
    assert answer == expected
    assert [note.path for note in answer.notes] == [f"$.{name}" for name in notes]
    if notes:
        assert str(answer.notes[0]).startswith(f"$.{notes[0]}: ")
        with pytest.raises(ValidationError) as caught:
            Envelope.from_value(wire, strict=True)
        assert caught.value.path == f"$.{notes[0]}"


@pytest.mark.parametrize(
    ("wire", "path"),
    [
        (5, "$"), ([1], "$"), ("x", "$"), (PhpObject("A"), "$"), ({"error": []}, "$.error"), ({"reason": 5}, "$.reason"),
        ({"error_code": 1.5}, "$.error_code"), ({"error_code": 10**5000}, "$.error_code"), ({"last_id": 2**63}, "$.last_id"), ({"error_code": -1}, "$.error_code"), ({"last_id": False}, "$.last_id"),
    ],
)  # fmt: skip
def test_what_is_not_an_envelope(wire: Any, path: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Envelope.from_value(wire)
    assert caught.value.path == path
    assert path in str(pickle.loads(pickle.dumps(caught.value)))


def test_what_cannot_be_written() -> None:
    for answer, path in (
        (Envelope(response=1, error_code=5), "$.error_code"),  # type: ignore[arg-type]
        (Envelope(response=1, extras={"error": "x"}), "$.error"),
        (Envelope(response=(1,)), "$.response"),
        (Envelope(response=1, extras={5: 1}), "$"),  # type: ignore[dict-item]
    ):
        with pytest.raises(EncodeError) as caught:
            envelope.encode(answer, "json")
        assert caught.value.path == path
    with pytest.raises(TypeError, match="dumps"):
        envelope.encode({"response": 1}, "json")  # type: ignore[arg-type]


# ---- request ids


def test_request_ids_have_the_form_of_the_gateway() -> None:
    ids = RequestIds(lambda: 1_677_981_804_841_718_000)
    assert ids() == "1.6403f86ccd7f6"
    assert ids() == "1.6403f86ccd7f7"
    assert RequestIds(lambda: 0, prefix="7.")() == "7.0000000000000"


def test_request_ids_rise_even_if_the_clock_runs_back() -> None:
    times = iter([5_000_000_000, 4_000_000_000, 999_999_999_000, 6_000_000_000])
    ids = RequestIds(lambda: next(times))
    made = [ids() for _ in range(4)]
    assert made == sorted(set(made))


def test_request_ids_are_unique_and_rise_under_threads() -> None:
    ids = RequestIds(lambda: 1_700_000_000_000_000_000)
    made: list[list[str]] = [[] for _ in range(8)]
    threads = [threading.Thread(target=lambda out=out: out.extend(ids() for _ in range(2000))) for out in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(out == sorted(out) for out in made)
    assert len({request_id for out in made for request_id in out}) == 16_000


def test_a_clock_beyond_what_a_request_id_holds() -> None:
    times = iter([-1, (1 << 32) * 1_000_000_000, 0])
    ids = RequestIds(lambda: next(times))
    for _ in range(2):
        with pytest.raises(ValueError, match="does not fit in a request id"):
            ids()
    assert ids() == "1.0000000000000"
