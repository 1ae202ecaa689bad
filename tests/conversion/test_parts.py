"""What a large value loses is found part by part, and is the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.conversion import parts
from envelope.conversion.parts import differences_in_parts
from envelope.formats import get_format
from envelope.limits import DEFAULT_LIMITS
from envelope.options import Dialect, Maps
from envelope.values import Loss, differences

SCALARS = st.sampled_from([None, True, 1, 1.0, -0.0, 0.5, "a", "1"])
KEYS = st.sampled_from(["0", "1", "2", "a", "b"])
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=6) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)


def told(losses: Any) -> list[tuple[str, str, str]]:
    return [(loss.path, str(loss), type(loss.becomes).__name__) for loss in losses]


@pytest.mark.parametrize(
    ("format", "dialect"), [("serialize", "typed"), ("var_export", "typed"), ("json", "php"), ("jsonu", "php")]
)
@pytest.mark.parametrize("maps", ["array", "object"])
@given(value=TREES, part=st.integers(1, 4), batch=st.integers(1, 3))
def test_parts_lose_what_the_whole_does(
    format: str, dialect: Dialect, maps: Maps, value: Any, part: int, batch: int
) -> None:
    row = get_format(format)
    writing, reading = row.writing("portable", maps, dialect), row.reading("portable", dialect)
    read: list[int] = []

    def read_back(value: Any) -> Any:
        read.append(len(value) if isinstance(value, list | dict) else 0)
        return row.loads(row.dumps(value, writing), reading)

    expected = told(differences(value, read_back(value)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "_PART", part)
        patch.setattr(parts, "_BATCH", batch)
        assert told(differences_in_parts(value, read_back)) == expected


def test_no_part_is_large() -> None:
    sizes: list[int] = []

    def read_back(value: Any) -> Any:
        sizes.append(sum(1 + len(each) if isinstance(each, list | dict) else 1 for each in value))
        return value

    deep: Any = []
    for _ in range(100):
        deep = [deep, [0] * 1000, [1] * 1000]
    assert list(differences_in_parts([deep, [{}] * 10_000], read_back)) == []
    assert max(sizes) <= parts._BATCH * (parts._PART + 1)


def test_a_loss_of_a_large_map_has_its_kind_and_size() -> None:
    value: dict[str, Any] = {str(number): {} for number in range(5000)}
    row = get_format("serialize")
    writing, reading = row.writing("portable"), row.reading("portable", "typed", DEFAULT_LIMITS)
    first, second, *_ = differences_in_parts(value, lambda part: row.loads(row.dumps(part, writing), reading))
    assert (str(first), first.was) == (
        "$: map of 5000 → list of 5000 (other keys)".removesuffix(" (other keys)"),
        value,
    )
    assert isinstance(second, Loss)
    assert str(second) == '$["0"]: {} → []'
