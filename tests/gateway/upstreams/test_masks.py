"""No text that is passed on has an upstream's key or address."""

from __future__ import annotations

import asyncio
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.gateway.demo import FAULTS, DemoUpstream
from envelope.gateway.upstreams import UpstreamCall, Upstreams
from envelope.gateway.upstreams.masks import Masks
from envelope.testing.strategies import values
from tests.client.test_secrets import told
from tests.gateway.calls import KEY, completion, times, upstream, with_demo

UPSTREAMS = [
    upstream("a", "https://API.example.com/openai", "sk-secret-1"),
    upstream("b", "http://10.0.0.7:8000", "sk-secret-12"),
    upstream("c", "http://vllm:8000", "EMPTY"),
    upstream("d", "http://[::1]:8000", None),
]
SECRETS = ["sk-secret-1", "sk-secret-12", "api.example.com", "10.0.0.7", "http://vllm:8000", "vllm:8000", "[::1]:8000"]
MASKS = Masks(UPSTREAMS)


def planted(secret: str) -> st.SearchStrategy[Any]:
    """Values with *secret* somewhere in a text or a name."""
    text = st.tuples(
        st.sampled_from(["", " ", "Bearer ", "https://", '"', "("]),
        st.sampled_from(["", " ", "/v1", "/", '"', ")", ": no", "."]),
    ).map(lambda around: f"{around[0]}{secret}{around[1]}")
    leaves = text | values(max_leaves=3)
    return st.recursive(
        text,
        lambda inner: st.lists(inner | leaves, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=5,
    )


@given(st.sampled_from(SECRETS).flatmap(planted))
def test_no_secret_remains(value: Any) -> None:
    shown = repr(MASKS.value(value)).lower()
    assert not [secret for secret in SECRETS if secret in shown]


@given(st.text("abc .:/-XYZ019", max_size=40))
def test_other_texts_stay(text: str) -> None:
    assert MASKS.text(text) == text


@pytest.mark.parametrize(
    "text", ["vllm is EMPTY", "myapi.example.com", "api.example.community", "support@example.com", "10.0.0.70"]
)
def test_words_that_only_look_like_it_stay(text: str) -> None:
    assert MASKS.text(text) == text


@pytest.mark.parametrize(
    "fault", sorted(FAULTS.keys() - {"fault-10mb", "fault-endless", "fault-gzip-bomb"})
)  # no words
def test_no_outcome_has_key_or_address(fault: str) -> None:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> tuple[str, str]:
        outcome = await upstreams.ask(completion(fault), seconds=30)
        return f"{outcome!r} {outcome.response!r}", demo.address

    text, address = with_demo(story, times(fault), retries=0)
    assert KEY not in text
    assert address.removeprefix("http://") not in text
    assert "127.0.0.1" not in text


def test_a_success_keeps_the_addresses_that_it_is_about() -> None:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> tuple[str, str]:
        call = UpstreamCall(method="v1/images/generations", args={"prompt": "地球"})
        return (await upstreams.ask(call, seconds=30)).response["data"][0]["url"], demo.address

    url, address = with_demo(story)
    assert url.startswith(address)


@pytest.mark.parametrize("fault", ["fault-silent", "fault-stall"])
def test_a_call_that_is_cancelled_holds_no_key(fault: str) -> None:
    async def story(demo: DemoUpstream, upstreams: Upstreams) -> BaseException:
        asking = asyncio.create_task(upstreams.ask(completion(fault), seconds=30))
        while not demo.served:
            await asyncio.sleep(0.01)
        asking.cancel()
        try:
            await asking
        except asyncio.CancelledError as error:
            return error
        raise AssertionError

    error = with_demo(story)
    assert KEY not in told(error)
    assert KEY not in "".join(traceback.format_exception(error))
