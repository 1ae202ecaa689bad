"""One text that was replaced by another everywhere: the lengths tell where each string ends."""

from __future__ import annotations

from random import Random

import pytest

import envelope
from envelope.repairs import repair
from envelope.repairs.replaced import find_replaced
from tests.repairs.replaced_run import COUNT_IN_TESTS, outcome

OPTION = {
    "siteurl": "http://old.example.com/blog",
    "widgets": {"a": {"title": "x", "url": "http://old.example.com/w"}, "n": 3},
    "name": "Zoë",
}


def body_of(value: object) -> bytes:
    return envelope.dumps(value, "serialize", values="php")


@pytest.mark.parametrize("host", ["new-and-longer.example.org", "a.de", "localhost:8080", "www.old.example.com"])
def test_a_host_in_a_nested_option(host: str) -> None:
    body = body_of(OPTION)
    found = repair(body.replace(b"old.example.com", host.encode()), "serialize")
    assert found.data is not None
    assert not found.choices
    assert [edit.path for edit in found.edits] == ["$.siteurl", "$.widgets.a.url"]
    assert envelope.loads(found.data, "serialize") == {
        "siteurl": f"http://{host}/blog",
        "widgets": {"a": {"title": "x", "url": f"http://{host}/w"}, "n": 3},
        "name": "Zoë",
    }


def test_a_wrong_length_that_fits_by_chance() -> None:
    """The first string is declared to end where the next key does."""
    body = body_of(
        {"url": "http://old.example.com/blog", "icon": True, "more": {"url": "http://old.example.com/w", "n": [1]}}
    )
    broken = body.replace(b"old.example.com", b"a.de")
    assert len(b'http://a.de/blog";s:4:"icon') == len("http://old.example.com/blog")
    found = repair(broken, "serialize")
    assert found.data == body_of({"url": "http://a.de/blog", "icon": True, "more": {"url": "http://a.de/w", "n": [1]}})


def test_random_options_come_back() -> None:
    rng = Random(2)
    outcomes = [outcome(rng)[0] for _ in range(COUNT_IN_TESTS)]
    assert not [each for each in outcomes if each.endswith("WRONG")]
    assert {each for each in outcomes if each.startswith("several")} == {"several strings: only reading"}


def test_what_two_texts_explain_is_not_certain() -> None:
    """Either the text is twice in the first string, or once, twice as long, and then what is within is without."""
    old, new = "old.", "the.new.host.example.com"
    inner = '";i:9;s:23:"ABCDEFGH'
    assert len(inner) == len(new) - len(old)
    body = body_of([old + old + inner, old])
    broken = body.replace(old.encode(), new.encode())
    assert find_replaced(broken, 200) is None
    found = repair(broken, "serialize")
    assert found.data is None
    assert [choice.path for choice in found.choices] == ["$[0]"]
    # Without the text that looks serialized there is one way.
    plain = repair(broken.replace(b"i:9", b"i_9"), "serialize")
    assert plain.data == body_of([new + new + inner.replace("i:9", "i_9"), new])


def test_one_string_alone_is_no_evidence() -> None:
    broken = body_of(OPTION | {"widgets": {"home": "/", "x": 1}}).replace(
        b"old.example.com", b"new-and-longer.example.org"
    )
    assert find_replaced(broken, 200) is None


def test_differences_that_have_no_text_in_common_are_no_evidence() -> None:
    assert find_replaced(body_of(["abcdefgh", "ijklmnop"]).replace(b"s:8:", b"s:7:"), 200) is None


def test_it_gives_up_on_a_document_that_allows_too_many_differences() -> None:
    body = b'a:2:{i:0;s:50000:"' + b'x";i:1;' * 14000 + b'";}'
    assert find_replaced(body, 200) is None
