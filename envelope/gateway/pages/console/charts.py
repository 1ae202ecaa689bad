"""Charts, as places and sizes: the templates draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from envelope.gateway.money import shown_amount

if TYPE_CHECKING:
    from envelope.gateway.books.spending import Spent

__all__ = ["DAYS", "Bar", "Charts", "charts"]

DAYS: Final = 30
"""How many days are shown, with today."""

_WIDTH: Final = 600.0
_HEIGHT: Final = 140.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is of, its amounts as texts, and its place in a picture 600 wide and 140 high, from the top."""

    name: str
    charge: str
    calls: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Charts:
    """What calls cost: by day, and by code as parts of the whole (``width`` in percent); and in all.

    What was given back is taken off.
    """

    days: tuple[Bar, ...]
    codes: tuple[Bar, ...]
    charge: str
    calls: int
    most: str


def charts(spent: Sequence[Spent], now: int) -> Charts:
    """The charts of the last `DAYS` days at *now*, microseconds of the Unix time."""
    today = datetime.fromtimestamp(now / 1_000_000, UTC).date()
    by_day = {(today - timedelta(days=back)).isoformat(): [0, 0] for back in reversed(range(DAYS))}
    by_code: dict[str, list[int]] = {}
    for row in spent:
        for sums in (by_day.get(row.day), by_code.setdefault(row.code, [0, 0])):
            if sums is not None:
                sums[0] += row.charge - row.refunded
                sums[1] += row.calls
    step = _WIDTH / DAYS
    most = max((charge for charge, _ in by_day.values()), default=0)
    days = []
    for index, (day, (charge, calls)) in enumerate(by_day.items()):
        height = max(_HEIGHT * charge / most, 2.0) if charge > 0 else 0.0
        place = (
            round(index * step + step * 0.14, 2),
            round(_HEIGHT - height, 2),
            round(step * 0.72, 2),
            round(height, 2),
        )
        days.append(Bar(day, shown_amount(charge), calls, *place))
    most_calls = max((calls for _, calls in by_code.values()), default=1)
    codes = [
        Bar(code, shown_amount(charge), calls, 0, 0, round(100 * calls / most_calls, 2), 0)
        for code, (charge, calls) in sorted(by_code.items(), key=lambda item: -item[1][1])
    ]
    total = sum(charge for charge, _ in by_code.values())
    return Charts(
        tuple(days), tuple(codes), shown_amount(total), sum(calls for _, calls in by_code.values()), shown_amount(most)
    )
