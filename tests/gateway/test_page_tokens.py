"""Laws of page tokens: what we made is read where it was made, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from envelope.errors import RequestError
from envelope.gateway.page_tokens import PageTokens

KEY, OLD = b"one key", b"an older key"
TOKENS = PageTokens((KEY,))
ACCOUNTS = st.integers(1, 2**63 - 1)
METHODS = st.from_regex(r"[A-Za-z0-9_-]{1,8}(/[A-Za-z0-9_-]{1,8}){0,3}", fullmatch=True)
ROWS = st.text(min_size=1, max_size=300)


def fails(tokens: PageTokens, token: Any, account: int, method: str) -> bool:
    with pytest.raises(RequestError) as info:
        tokens.after(token, account, method)
    return (info.value.code, info.value.path) == ("4015", "$.pageToken")


@given(ROWS, ACCOUNTS, METHODS, st.booleans())
def test_a_token_that_we_made_is_read_where_it_was_made(row: str, account: int, method: str, is_named: bool) -> None:
    response = {"has_more": True, "data": [{"id": "first"}, {"id": row}]} | ({"last_id": row} if is_named else {})
    token = TOKENS.next(response, account, method, KEY)
    assert (token is None) == (len(row.encode()) > 256)
    if token is not None:
        assert TOKENS.after(token, account, method) == row


@given(ROWS, ACCOUNTS, METHODS, ACCOUNTS, METHODS)
def test_and_nowhere_else(row: str, account: int, method: str, other: int, another: str) -> None:
    token = TOKENS.next({"has_more": True, "last_id": row}, account, method, KEY)
    assume(token is not None)
    assert (account, method) == (other, another) or fails(TOKENS, token, other, another)
    assert fails(PageTokens((b"another key",)), token, account, method)


@given(ROWS, ACCOUNTS, METHODS)
def test_tokens_of_each_key_are_read_while_keys_are_changed(row: str, account: int, method: str) -> None:
    tokens = [TOKENS.next({"has_more": True, "last_id": row}, account, method, key) for key in (KEY, OLD)]
    assume(None not in tokens)
    assert tokens[0] != tokens[1]
    for keys in ((KEY, OLD), (OLD, KEY)):
        assert [PageTokens(keys).after(token, account, method) for token in tokens] == [row, row]
    assert fails(TOKENS, tokens[1], account, method)


@given(st.data(), ACCOUNTS, METHODS)
def test_a_token_that_was_changed_is_not_read(data: st.DataObject, account: int, method: str) -> None:
    token = TOKENS.next({"has_more": True, "last_id": "row-1"}, account, method, KEY)
    assert token is not None
    place = data.draw(st.integers(0, len(token) - 2))  # the last digit has bits that say nothing
    char = data.draw(st.sampled_from("ABCDEFabcdef0123456789-_"))
    changed = token[:place] + char + token[place + 1 :]
    assert changed == token or fails(TOKENS, changed, account, method)
    assert fails(TOKENS, token[: data.draw(st.integers(0, len(token) - 3))], account, method)


@given(st.text() | st.integers() | st.none() | st.lists(st.text()) | st.binary(), ACCOUNTS, METHODS)
def test_what_is_not_ours_is_not_read(token: Any, account: int, method: str) -> None:
    assert fails(TOKENS, token, account, method)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["has_more", "last_id", "data", "id"]), inner)
    ),
)


@given(VALUES)
def test_of_any_response_there_is_a_token_or_none(response: Any) -> None:
    if "\\ud800" in ascii(response):  # which no JSON that is read has
        return
    token = TOKENS.next(response, 1, "m", KEY)
    has_more = isinstance(response, dict) and response.get("has_more") is True
    assert token is None or has_more
