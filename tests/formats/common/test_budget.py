"""The budget of one call: what it allows, and the words for what exceeds it."""

from __future__ import annotations

import pytest

import envelope
from envelope import DecodeError, EncodeError, Limits
from envelope.formats.common.budget import Budget
from envelope.hints import Hint
from envelope.limits import DEFAULT_LIMITS


def test_a_budget_is_spent_to_its_last_byte_level_and_item() -> None:
    budget = Budget(Limits(max_bytes=5, max_depth=2, max_items=3))
    assert budget.enter(1, 2) is None
    assert budget.enter(2, 1) is None
    assert budget.enter(2, 1) == ("more than 3 items", Hint("raise-limit", "max_items"))
    assert budget.spend(5) is None
    assert budget.spend(1) == ("the output is longer than 5 bytes", Hint("raise-limit", "max_bytes"))


def test_depth_is_reported_before_items() -> None:
    assert Budget(Limits(max_depth=0, max_items=0)).enter(1, 1) == (
        "nested deeper than 0",
        Hint("raise-limit", "max_depth"),
    )


@pytest.mark.parametrize("max_depth", [9, 10, 11])
def test_raising_our_limit_is_advised_only_where_it_helps(max_depth: int) -> None:
    excess = Budget(Limits(max_depth=max_depth), "orjson", 10).enter(12, 0)
    assert excess is not None
    assert excess.reason == f"nested deeper than {min(max_depth, 10)}"
    assert excess.hint == (Hint("raise-limit", "max_depth") if max_depth < 10 else Hint("no-deeper", "orjson"))


def nested(depth: int) -> object:
    value: object = None
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("format", "writes", "reads", "codec"), [("jsonu", 254, 1024, "orjson"), ("xml", 2047, 2047, "libxml2")]
)
def test_the_depth_of_the_underlying_library_is_reported_as_its_own(
    format: str, writes: int, reads: int, codec: str
) -> None:
    unlimited = Limits.unlimited()
    with pytest.raises(EncodeError) as unwritable:
        envelope.dumps(nested(writes + 1), format, limits=unlimited)
    head, tail = (b"[", b"]") if format == "jsonu" else (b'<item type="list">', b"</item>")
    body = head * (reads + 1) + tail * (reads + 1)
    if format == "xml":
        body = body.replace(b"<item", b"<root", 1)[: -len(b"</item>")] + b"</root>"
    with pytest.raises(DecodeError) as unreadable:
        envelope.loads(body, format, limits=unlimited)
    for error, depth in ((unwritable.value, writes), (unreadable.value, reads)):
        assert (error.kind, error.reason) == ("limit", f"nested deeper than {depth}")
        assert error.hint == Hint("no-deeper", codec)


def test_the_default_limits_are_ours_alone() -> None:
    for format in envelope.ResultType:
        with pytest.raises(EncodeError) as caught:
            envelope.dumps(nested(DEFAULT_LIMITS.max_depth + 1), format)
        assert (caught.value.reason, caught.value.hint) == ("nested deeper than 200", Hint("raise-limit", "max_depth"))
