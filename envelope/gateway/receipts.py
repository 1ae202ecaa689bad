"""Receipts: what an answer cost, signed with the caller's secret."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

import orjson

from envelope.registry.codes import Billing

__all__ = ["RECEIPT", "is_receipt", "receipt"]

RECEIPT: Final = "receipt"
"""The name of an answer's extra that holds it."""


def receipt(
    secret: str, *, request_id: str, last_id: str, billing: Billing, charge: int, balance: int
) -> dict[str, Any]:
    """What the call cost and what is left, in micro-units, with the HMAC-SHA-256 of it under *secret*."""
    told: dict[str, Any] = {
        "request_id": request_id,
        "last_id": last_id,
        "billing": str(billing),
        "charge": charge,
        "balance": balance,
    }
    return {**told, "signature": _signature(told, secret)}


def is_receipt(value: Any, secret: str) -> bool:
    """Whether *value* is a receipt that whoever knows *secret* made."""
    if not isinstance(value, dict) or not isinstance(signature := value.get("signature"), str):
        return False
    told = {name: member for name, member in value.items() if name != "signature"}
    try:
        expected = _signature(told, secret)
    except TypeError:  # what no receipt holds
        return False
    return hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode())


def _signature(told: dict[str, Any], secret: str) -> str:
    text = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
    return hmac.new(secret.encode("utf-8", "surrogatepass"), text, hashlib.sha256).hexdigest()
