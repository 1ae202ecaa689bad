"""The order of names: by example, its laws, and a real PHP on names made to be equal or to go round in circles."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.calls.bounds import MAX_NAMES
from envelope.calls.ksort import ksort
from envelope.calls.request import ApiRequest, Carrier, read_call
from envelope.calls.signing import sign, verify
from envelope.testing.php import Php
from tests.calls.php_ksort_run import compare


@pytest.mark.parametrize(
    ("names", "order"),
    [
        ("b a", "a b"),
        ("10 9 a -1", "-1 9 10 a"),
        ("10 1e1", "10 1e1"),
        ("1e1 10", "1e1 10"),
        ("1 01 +1 1.0", "1 01 +1 1.0"),
        ("10 9a 9e0", "10 9a 9e0"),  # a circle: whichever was first
        ("9a 9e0 10", "9a 9e0 10"),
        ("9e0 10 9a", "9e0 10 9a"),
        ("9e0 9a 10 8", "8 10 9a 9e0"),
        # An integer and a text, which are equal as floats; two texts.
        ("9223372036854775808 9223372036854775807", "9223372036854775808 9223372036854775807"),
        ("9223372036854775809 9223372036854775808", "9223372036854775808 9223372036854775809"),
        ("92233720368547758080 1e999 -1e999", "-1e999 92233720368547758080 1e999"),
    ],
)
def test_the_order_of_php(names: str, order: str) -> None:
    assert ksort(names.split()) == order.split()


NAMES = st.text("0019e+-. a", max_size=4) | st.integers(2**63 - 3, 2**63 + 3).map(str)


@given(st.lists(NAMES, unique=True, max_size=60))
def test_it_is_an_order_of_these_names(names: list[str]) -> None:
    order = ksort(names)
    assert sorted(order) == sorted(names)
    texts = [name for name in names if not set(name) & set("019")]
    assert ksort(texts) == sorted(texts)


def test_long_names_and_many_are_sorted() -> None:
    """Any way to read them takes no longer than to read them once."""
    names = ["0" * 200_000 + end for end in ("", "x", "1", "e", "e5")] + [" " * 200_000 + end for end in ("", "1", "x")]
    assert len(ksort(names)) == len(names)
    assert ksort(map(str, reversed(range(MAX_NAMES)))) == [*map(str, range(MAX_NAMES))]


@pytest.mark.php
@pytest.mark.parametrize("most", [2, 5, 16, 60, MAX_NAMES])
def test_random_names_are_sorted_as_php_sorts_them(php: Php, most: int) -> None:
    assert compare(php, 1, 500 if most <= 60 else 10, most) == []


OWN = st.dictionaries(st.text("019e+-", min_size=1, max_size=3), st.sampled_from(["x", "y", ""]), max_size=40)


@given(OWN, st.sampled_from(["", "openai"]))
def test_what_is_signed_is_verified_whatever_the_names(params: dict[str, str], api_type: str) -> None:
    call = ApiRequest(key="k", api_type=api_type, api_name="custom", params=params)
    signed = sign(call, "s", lambda: 1677981804 * 10**9)
    for carrier in get_args(Carrier):
        request, came = read_call(signed.write(carrier))
        verify(request, "s", lambda: 1677981804 * 10**9, params=came)


SIGNATURES = """
from random import Random
from envelope.calls.signing import signature
from tests.calls.php_ksort_run import random_names
rng = Random(1)
for _ in range(100):
    print(signature({name: str(place) for place, name in enumerate(random_names(rng, 40))}, "s"))
"""


def test_a_signature_is_the_same_in_every_process() -> None:
    """Sets and dicts of texts are in another order under another seed."""
    made = set()
    for seed in range(20):
        environ = {**os.environ, "PYTHONHASHSEED": str(seed)}
        ran = subprocess.run([sys.executable, "-c", SIGNATURES], capture_output=True, check=True, env=environ)
        made.add(ran.stdout)
    (only,) = made
    assert len(set(only.split())) == 100
