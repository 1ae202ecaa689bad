"""Laws of receipts: whoever knows the secret can check one, and a change of anything in it is seen."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from envelope.formats import FORMATS, ResultType
from envelope.gateway.receipts import is_receipt, receipt
from envelope.registry import Billing

RECEIPTS = st.fixed_dictionaries(
    {
        "request_id": st.text(max_size=20),
        "last_id": st.text(max_size=20),
        "billing": st.sampled_from(list(Billing)),
        "charge": st.integers(0, 2**53),
        "balance": st.integers(0, 2**53),
    }
)
SECRETS = st.text(min_size=1, max_size=20)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
)


@given(RECEIPTS, SECRETS)
def test_a_receipt_is_one_in_every_format(told: dict[str, Any], secret: str) -> None:
    made = receipt(secret, **told)
    assert is_receipt(made, secret)
    assert is_receipt(dict(reversed(made.items())), secret)
    for result_type in ResultType:
        row = FORMATS[result_type]
        assert is_receipt(row.loads(row.dumps(made)), secret)
    assert secret not in json.dumps(made["signature"]) or len(secret) < 8


@given(RECEIPTS, SECRETS, SECRETS, st.data())
def test_what_was_changed_is_none(told: dict[str, Any], secret: str, other: str, data: st.DataObject) -> None:
    made = receipt(secret, **told)
    assert other == secret or not is_receipt(made, other)
    name = data.draw(st.sampled_from(list(made)))
    value = data.draw(ANYTHING)
    changed = {**made, name: value}
    assert json.dumps(changed, default=str) == json.dumps(made, default=str) or not is_receipt(changed, secret)
    assert not is_receipt({**made, "more": 1}, secret)
    del made[name]
    assert not is_receipt(made, secret)


@given(ANYTHING, SECRETS)
def test_anything_else_is_none(value: Any, secret: str) -> None:
    assert not is_receipt(value, secret)
    assert not is_receipt({"signature": value}, secret) or value == receipt_of_nothing(secret)
    if isinstance(value, dict):
        assert not is_receipt({**value, "signature": "0" * 64}, secret)


def receipt_of_nothing(secret: str) -> str:
    return hmac.new(secret.encode(), b"{}", hashlib.sha256).hexdigest()
