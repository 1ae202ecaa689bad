"""Payloads as the caller's own types."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest

from envelope import Envelope, ValidationError
from envelope.client import CallFailed
from envelope.client.payloads import maker_of
from tests.client.conftest import MakeCaller
from tests.client.servers import says, serving

pydantic = pytest.importorskip("pydantic")
msgspec = pytest.importorskip("msgspec")


def to_type(value: Any, wanted: Any) -> Any:
    make = maker_of(wanted)
    assert make is not None
    return make(value)


class Model(pydantic.BaseModel):  # type: ignore[misc, name-defined]
    id: str
    n: int


class Struct(msgspec.Struct):  # type: ignore[misc, name-defined]
    id: str
    n: int


@dataclass
class Data:
    id: str
    n: int


class Typed(TypedDict):
    id: str
    n: int


TYPES = [Model, Struct, Data, Typed]


def made(wanted: Any) -> Any:
    return {"id": "a", "n": 5} if wanted is Typed else wanted(id="a", n=5)


@pytest.mark.parametrize("wanted", TYPES)
@pytest.mark.parametrize("n", [5, "5"])
def test_a_payload_becomes_the_type(wanted: Any, n: object, caller: MakeCaller) -> None:
    with serving(says(Envelope.ok({"id": "a", "n": n}, last_id="7"))) as server:
        answer = caller([server.url]).call(response=wanted)
    assert (answer.response, answer.last_id) == (made(wanted), "7")
    assert to_type([{"id": "a", "n": n}], list[wanted]) == [made(wanted)]
    assert to_type({"x": {"id": "a", "n": n}}, dict[str, wanted | None]) == {"x": made(wanted)}
    assert to_type(None, wanted | None) is None


@pytest.mark.parametrize("wanted", TYPES)
def test_a_payload_that_does_not_fit_says_where_and_shows_nothing(wanted: Any, caller: MakeCaller) -> None:
    sent = Envelope.ok([{"id": "a", "n": 5}, {"id": "a", "n": "s3cret"}], extras={"receipt": "r"})
    with serving(says(sent)) as server, pytest.raises(CallFailed) as caught:
        caller([server.url]).call(response=list[wanted])
    failed = caught.value
    assert (failed.kind, failed.layer, failed.code, failed.path) == ("payload", "gateway", "0000", "$.response[1].n")
    assert (failed.envelope, failed.receipt, failed.retryable, failed.attempts) == (sent, "r", False, 1)
    assert "s3cret" not in str(failed)


def test_nothing_found_is_no_model_but_may_be_an_empty_list(caller: MakeCaller) -> None:
    with serving(says(Envelope(response=[], error_code="2000"))) as server:
        assert caller([server.url]).call(response=list[Model]).response == []
        with pytest.raises(CallFailed) as caught:
            caller([server.url]).call(response=Model)
    assert (caught.value.code, caught.value.path) == ("2000", "$.response")


def test_a_failure_keeps_its_payload_as_it_came(caller: MakeCaller) -> None:
    with serving(says(Envelope.fail("4003"))) as server:
        assert caller([server.url]).call(response=Model, check=False).response == []


def test_without_pydantic_msgspec_reads_dataclasses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic", None)
    for wanted in (Struct, Data, Typed):
        assert to_type({"id": "a", "n": 5}, wanted) == made(wanted)
    with pytest.raises(ValidationError) as caught:
        to_type({"id": "a"}, Data)
    assert caught.value.path == "$"
    monkeypatch.setitem(sys.modules, "msgspec", None)
    with pytest.raises(TypeError, match="makes a Data: pip install pydantic, or msgspec"):
        maker_of(Data)


def test_a_type_that_nothing_makes_is_refused_before_the_call(caller: MakeCaller) -> None:
    @dataclass
    class Local:
        other: Unknown  # type: ignore[name-defined]  # noqa: F821

    with serving(says(Envelope.ok({}))) as server:
        for wanted in (Local, object(), iter):
            with pytest.raises(TypeError, match="nothing that is installed makes"):
                caller([server.url]).call(response=wanted)
    assert not server.received
