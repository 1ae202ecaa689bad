"""The bill check: what any number of answers cost, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from typing import Any

from envelope.answers.envelope import Envelope
from envelope.answers.verdicts import UpstreamErrors, who_pays
from envelope.registry.codes import REGISTRY, Billing, CodeRegistry

__all__ = ["Bill", "BillLine", "check_bill"]

# A log may be hostile too: beyond these bounds, codes that are not in the registry are counted but not listed.
_MAX_UNKNOWN = 1000
_MAX_CODE = 32
_MAX_PLACES = 40


@dataclass(frozen=True, slots=True)
class BillLine:
    """A number of calls, and what they cost together."""

    calls: int = 0
    charge: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What the answers cost.

    ``by_code`` has a line for each code of the registry, in its order; ``by_billing`` one for each `Billing`.
    ``unknown`` counts the calls for each code that is not in the registry: the first 1,000 such codes, each cut to 32
    characters; ``unlisted`` counts the calls for all other codes. None of these calls are charged.
    """

    total: BillLine
    by_code: Mapping[str, BillLine]
    by_billing: Mapping[Billing, BillLine]
    unknown: Mapping[str, int]
    unlisted: int


def check_bill(
    answers: Iterable[Envelope[Any]],
    prices: Mapping[str, Decimal | int],
    *,
    registry: CodeRegistry = REGISTRY,
    upstream_errors: UpstreamErrors = "charged",
) -> Bill:
    """Count *answers* and charge each by its code, as `who_pays` decides.

    *answers* may be an iterator over more than fits in memory.

    *prices* has the price of one call for every code that the registry charges for, and for no other: `ValueError`
    otherwise, before the first answer is read. Prices are exact, so a float is a `TypeError`; they have at most 40
    digits before or after the point.
    """
    prices = dict(prices)  # the caller's may change while a log is read
    _check_prices(prices, registry)
    calls = dict.fromkeys((row.code for row in registry), 0)
    spared = dict.fromkeys(calls, 0)  # of these, those that nobody pays although the code is charged
    unknown: dict[str, int] = {}
    unlisted = 0
    for answer in answers:
        if not isinstance(answer, Envelope):
            raise TypeError(f"a bill counts Envelopes, not {type(answer).__name__}")
        code = answer.error_code
        if not isinstance(code, str):
            raise TypeError(f"an error_code is a str, not {type(code).__name__}")
        if code in calls:
            calls[code] += 1
            if upstream_errors == "free":
                billing = who_pays(code, answer.response, registry=registry, upstream_errors=upstream_errors)
                spared[code] += billing is not registry[code].billing
            continue
        code = code[:_MAX_CODE]
        if code in unknown or len(unknown) < _MAX_UNKNOWN:
            unknown[code] = unknown.get(code, 0) + 1
        else:
            unlisted += 1
    with localcontext(Context(prec=200)):  # the caller's may round
        lines = {
            row: BillLine(calls[row.code], (calls[row.code] - spared[row.code]) * Decimal(prices.get(row.code, 0)))
            for row in registry
        }
        by_billing = {flag: _sum(line for row, line in lines.items() if row.billing is flag) for flag in Billing}
        free = sum(spared.values())
        by_billing[Billing.CHARGED] = _sum([by_billing[Billing.CHARGED], BillLine(-free)])
        by_billing[Billing.FREE] = _sum([by_billing[Billing.FREE], BillLine(free)])
        strays = BillLine(sum(unknown.values()) + unlisted)
        by_billing[Billing.UNKNOWN] = _sum([by_billing[Billing.UNKNOWN], strays])
        total = _sum(by_billing.values())
    by_code = {row.code: line for row, line in lines.items()}
    return Bill(total=total, by_code=by_code, by_billing=by_billing, unknown=unknown, unlisted=unlisted)


def _check_prices(prices: Mapping[str, Decimal | int], registry: CodeRegistry) -> None:
    for code, price in prices.items():
        if type(price) not in (int, Decimal):
            raise TypeError(f"the price of {code} is a Decimal or an int, not {type(price).__name__}")
        if not (Decimal(price).is_finite() and price >= 0 and _places(Decimal(price)) <= _MAX_PLACES):
            raise ValueError(f"the price of {code} is not an amount of up to {_MAX_PLACES} digits")
        billing = registry[code].billing
        if billing is not Billing.CHARGED:
            raise ValueError(f"{code} has a price, but its billing is {billing}: override() changes that")
    missing = [row.code for row in registry if row.billing is Billing.CHARGED and row.code not in prices]
    if missing:
        raise ValueError(f"no price for {', '.join(missing)}")


def _places(price: Decimal) -> int:
    """How many digits it takes to write *price* out, before or after the point."""
    _, digits, exponent = price.as_tuple()
    return max(len(digits), abs(int(exponent)))


def _sum(lines: Iterable[BillLine]) -> BillLine:
    calls, charge = 0, Decimal(0)
    for line in lines:
        calls += line.calls
        charge += line.charge
    return BillLine(calls, charge)
