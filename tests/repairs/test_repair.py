"""Repairs: what comes back whole, what is reported, and what is never guessed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, Limits, PhpObject
from envelope.limits import DEFAULT_LIMITS
from envelope.repairs import Repair, repair
from envelope.repairs.readings import Search
from envelope.repairs.report import apply
from envelope.repairs.serialize import mend as mend_bytes
from envelope.repairs.tokens import TOKEN
from envelope.testing.strategies import php_values, values


def mend(data: bytes, **options: Any) -> Repair:
    found = repair(data, "serialize", **options)
    assert [edit.offset for edit in found.edits] == sorted(edit.offset for edit in found.edits)
    assert all(data[edit.offset :].startswith(edit.before) for edit in found.edits)
    if found.data is not None:
        envelope.loads(found.data, "serialize", values="php")
        assert apply(data, found.edits) == found.data
        assert all(edit.is_only for edit in found.edits) or options.get("guess")
    else:
        assert found.choices
        assert not any(edit.is_only for edit in found.edits)
    return found


def body_of(value: Any) -> bytes:
    return envelope.dumps(value, "serialize", values="php")


def lengths_in(body: bytes) -> list[tuple[int, int]]:
    """Where a valid document declares the lengths of strings."""
    pos, found = 0, []
    while match := TOKEN.match(body, pos):
        pos = match.end()
        if match.lastgroup == "string":
            found.append(match.span("string"))
            pos += int(match["string"]) + 2
    assert pos == len(body)
    return found


def nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Strings that hold documents, and pieces of them."""
    pieces = st.lists(
        st.sampled_from(['";', "}", 's:1:"', "a", "i:0;", "N;", "a:1:{", 's:1:"b";', ";", '"']), max_size=8
    ).map("".join)
    texts = children.map(lambda value: envelope.dumps(value, "serialize").decode()) | pieces
    return st.lists(texts, max_size=3) | st.dictionaries(pieces | st.sampled_from("abc"), texts, max_size=3)


@given(keys=st.lists(st.sampled_from(["i:0", "i:1", "i:5", "i:-1", 's:1:"0"', 's:1:"5"', 's:2:"05"', 's:1:"a"'])),
       opened=st.sampled_from(["a:2:{i:0;N;", "a:1:{", 'O:8:"stdClass":1:{']))  # fmt: skip
@pytest.mark.parametrize("domain", ["portable", "php"])
def test_an_edit_is_where_the_readers_error_was(keys: list[str], opened: str, domain: Any) -> None:
    text = 's:3:"longer";'
    for key in keys:
        text = f"{opened}{key};{text}}}"
    with pytest.raises(DecodeError) as caught:
        envelope.loads(text, "serialize", values=domain)
    found = mend_bytes(text.encode(), DEFAULT_LIMITS, php=domain == "php")
    assert [edit.path for edit in found.edits] == [caught.value.path]


HOST = "old.example"
# Options as in WordPress: nested, a text that is in many of them, and what looks serialized within strings.
EDITED_TEXTS = st.lists(
    st.sampled_from(
        [HOST, "http://old.example/", "s:11:", '"old.example";', '";', "}", 's:1:"', 's:4:"icon";', "i:0;", "a:1:{", "x", ";"]
    ),
    max_size=6,
).map("".join)  # fmt: skip
OPTIONS = st.recursive(
    EDITED_TEXTS | st.sampled_from([f"http://{HOST}/a", "x", "on"]) | st.integers(0, 9) | st.none(),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "url", "icon", "title", HOST]), children, max_size=4)
        | children.map(lambda value: envelope.dumps(value, "serialize").decode())
    ),
    max_leaves=12,
)

DOCUMENTS = (
    values(max_leaves=12) | nested(values(max_leaves=4)) | st.lists(nested(values(max_leaves=3)), max_size=3) | OPTIONS
).map(body_of) | php_values(max_leaves=10).map(body_of)


@given(body=DOCUMENTS)
def test_a_valid_document_stays_as_it_is(body: bytes) -> None:
    assert mend(body) == Repair(data=body)
    assert repair(memoryview(body), "serialize").data == body


def spoiled(body: bytes, data: st.DataObject) -> bytes:
    """The document with some lengths of strings wrong, by differences of their own or all by the same."""
    spans = lengths_in(body)
    assume(spans)
    differences = data.draw(st.just(st.integers(-9, 40)) | st.integers(-9, 40).map(st.just))
    for start, end in reversed(data.draw(st.lists(st.sampled_from(spans), min_size=1, unique=True).map(sorted))):
        size = max(int(body[start:end]) + data.draw(differences), 0)
        body = body[:start] + b"%d" % size + body[end:]
    return body


@given(body=DOCUMENTS, data=st.data())
def test_lengths_that_were_spoiled_come_back_whole_or_are_not_certain(body: bytes, data: st.DataObject) -> None:
    broken = spoiled(body, data)
    try:
        found = mend(broken)
    except DecodeError:
        return  # what looked likeliest has a reference to nothing
    if found.edits and found.data is not None:
        assert found.data == body
    assert found.data is None or found.edits or broken == found.data


def replaced(body: bytes, old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """The document with a text replaced within its strings: with the lengths as they were, and with the right ones."""
    broken, whole, last = b"", b"", 0
    for start, end in lengths_in(body):
        text_start, size = end + 2, int(body[start:end])
        text = body[text_start : text_start + size].replace(old, new)
        broken += body[last:text_start] + text
        whole += body[last:start] + b"%d" % len(text) + body[end:text_start] + text
        last = text_start + size
    return broken + body[last:], whole + body[last:]


REPLACED = st.tuples(
    st.sampled_from([b"old.example", b"old", b"http://", b"e", b"x", b"ld.ex", b"on"]),
    st.sampled_from([b"a.de", b"", b"https://", b"new.example.org", b"old.examples", b"x", b"y" * 30, b"ab"])
    | st.text("olde.x", max_size=20).map(str.encode),
)


@given(body=OPTIONS.map(body_of), texts=REPLACED)
def test_what_was_replaced_everywhere_comes_back_whole_or_is_not_certain(
    body: bytes, texts: tuple[bytes, bytes]
) -> None:
    broken, whole = replaced(body, *texts)
    try:
        found = mend(broken)
    except DecodeError:
        return
    if found.edits and found.data is not None:
        assert found.data == whole


@given(value=values(max_leaves=15), data=st.data())
def test_plain_documents_nearly_always_come_back(value: Any, data: st.DataObject) -> None:
    """Without serialized text in its strings, the likeliest reading is the right one."""
    body = body_of([value, "end"])
    assume(b'";' not in re.sub(rb's:[0-9]+:"[^"]*";', b"", body) and "s:" not in str(value))
    spans = lengths_in(body)
    start, end = data.draw(st.sampled_from(spans))
    broken = body[:start] + b"%d" % (int(body[start:end]) + 1) + body[end:]
    assert mend(broken, guess=True).data == body


@given(body=DOCUMENTS, data=st.data())
def test_what_was_cut_off_is_missing_and_the_rest_is_as_it_was(body: bytes, data: st.DataObject) -> None:
    broken = body[: data.draw(st.integers(0, len(body) - 1))]
    try:
        found = mend(broken)
    except DecodeError:
        return
    if found.data is not None and found.edits and found.edits[-1].cause == "cut":
        assert found.edits[-1].offset + len(found.edits[-1].before) == len(broken)
        assert found.data.endswith(found.edits[-1].after)
        whole = envelope.loads(body, "serialize", values="php")
        assert is_beginning(envelope.loads(found.data, "serialize", values="php"), whole)


def is_beginning(part: Any, whole: Any) -> bool:
    """Whether each container of *part* has the first members of the one in *whole*."""
    if isinstance(whole, PhpObject):
        return isinstance(part, PhpObject) and all(
            one.name == other.name and is_beginning(one.value, other.value)
            for one, other in zip(part.properties, whole.properties, strict=False)
        )
    if isinstance(whole, list | dict):
        keys = range(len(whole)) if isinstance(whole, list) else list(whole)
        members = list(part.values()) if isinstance(part, dict) else part
        return len(members) <= len(whole) and all(
            is_beginning(one, whole[key]) for one, key in zip(members, keys, strict=False)
        )
    return envelope.same(part, whole)


@given(body=DOCUMENTS, data=st.data())
def test_a_count_that_was_spoiled_comes_back_or_is_not_certain(body: bytes, data: st.DataObject) -> None:
    pos, spans = 0, []
    while match := TOKEN.match(body, pos):
        pos = match.end() + (int(match["string"]) + 2 if match["string"] else 0)
        if match.lastgroup in ("array", "object"):
            spans.append(match.span(match.lastgroup))
    assume(spans)
    start, end = data.draw(st.sampled_from(spans))
    broken = body[:start] + b"%d" % data.draw(st.integers(0, 99)) + body[end:]
    assert mend(broken).data in (body, broken, None)


@given(
    data=st.binary(max_size=60)
    | st.lists(
        st.sampled_from(
            [b'"', b";", b"}", b"a:1:{", b"a:2:{", b"i:0;", b's:1:"', b's:3:"', b"x", b"N;", b'O:1:"A":1:{', b'C:1:"A":1:{',
             b'E:3:"A:B";', b"r:1;", b"R:2;", b"d:1;", b"d:x;", b's:3:"*a";', b"\0", b"\xff"]
        ),
        max_size=14,
    ).map(b"".join),
    guess=st.booleans(),
)  # fmt: skip
def test_whatever_comes_in_is_mended_or_refused(data: bytes, guess: bool) -> None:
    try:
        mend(data, guess=guess)
    except DecodeError as error:
        with pytest.raises(DecodeError) as caught:
            envelope.loads(data, "serialize", values="php")
        assert (error.kind, error.offset, error.reason) == (caught.value.kind, caught.value.offset, caught.value.reason)


@pytest.mark.parametrize(
    ("broken", "mended", "path", "hint"),
    [
        ('a:1:{s:9:"directory";s:14:"marketing/affiliate";}', 'a:1:{s:9:"directory";s:19:"marketing/affiliate";}',
         "$.directory", "5 bytes longer than declared: the text was re-encoded or edited after it was serialized"),
        ('a:1:{s:4:"name";s:5:"Helló";}', 'a:1:{s:4:"name";s:6:"Helló";}', "$.name", "Latin-1 text that was converted"),
        ('a:1:{i:0;s:2:"中国";}', 'a:1:{i:0;s:6:"中国";}', "$[0]", "the length counts characters"),
        ('a:1:{s:4:"text";s:10:"l1\nl2\nl3";}', 'a:1:{s:4:"text";s:8:"l1\nl2\nl3";}', "$.text", "each \\r\\n became \\n"),
        ('s:4:"ZoÃ«";', 's:6:"ZoÃ«";', "$", "UTF-8 twice"),
        ('s:5:"it\ufffds!";', 's:7:"it\ufffds!";', "$", "U+FFFD"),
        ('s:24:"a{content:"x";color:blue}";', 's:25:"a{content:"x";color:blue}";', "$", "1 byte longer than declared"),
        ('a:1:{s:3:"naïve";i:1;}', 'a:1:{s:6:"naïve";i:1;}', '$["naïve"]', "3 bytes longer"),
        ('a:1:{s:01:"a";i:1;}', 'a:1:{s:1:"a";i:1;}', "$.a", ""),
        ('O:9:"App\\User":1:{i:0;E:2:"A:B";}', 'O:8:"App\\User":1:{i:0;E:3:"A:B";}', "$", ""),
    ],
)  # fmt: skip
def test_lengths(broken: str, mended: str, path: str, hint: str) -> None:
    found = mend(broken.encode())
    assert found.data == mended.encode()
    assert found.edits[0].path == path
    assert found.edits[0].cause == "length"
    assert hint in found.edits[0].hint


def test_the_nuls_of_names_come_back() -> None:
    found = mend(b'O:8:"App\\User":3:{s:5:"*id";i:1;s:14:"App\\Username";s:1:"x";s:1:"*";N;}')
    assert found.data == b'O:8:"App\\User":3:{s:5:"\0*\0id";i:1;s:14:"\0App\\User\0name";s:1:"x";s:1:"*";N;}'
    assert [(edit.cause, edit.before, edit.hint) for edit in found.edits] == [
        ("name", b"*id", "the NULs that PHP writes around * or a class are gone"),
        ("name", b"App\\Username", "the NULs that PHP writes around * or a class are gone"),
    ]
    # In an array, and where other bytes lack, it is a length.
    assert mend(b'a:1:{s:5:"*id";i:1;}').data == b'a:1:{s:3:"*id";i:1;}'
    assert mend(b'O:1:"A":1:{s:6:"*id";i:1;}').data == b'O:1:"A":1:{s:3:"*id";i:1;}'
    assert mend(b'O:1:"A":1:{s:4:"id";i:1;}').data == b'O:1:"A":1:{s:2:"id";i:1;}'


ATTACK = b'a:3:{s:4:"name";s:%d:"bob";s:4:"role";s:5:"admin";s:1:"q";s:41:"zz";s:4:"role";s:4:"user";s:1:"c";s:1:"d";}'


def test_text_that_looks_serialized_is_not_guessed_to_be_outside() -> None:
    found = mend(ATTACK % 99)
    assert found.data is None
    [choice] = found.choices
    assert (choice.offset, choice.path, choice.reason) == (18, "$.name", "a string may end in either place")
    assert [[edit.after for edit in reading] for reading in choice.readings] == [[b"44"], [b"34"]]
    guessed = mend(ATTACK % 99, guess=True)
    assert guessed.data is not None
    assert guessed.choices == found.choices
    # A reading that keeps what is declared has no edits.
    kept = mend(ATTACK.replace(b"s:41:", b"s:99:") % 3)
    assert [len(reading) for reading in kept.choices[0].readings] == [0, 1]


def test_counts() -> None:
    found = mend(b'a:3:{s:1:"a";O:1:"A":9:{s:1:"b";i:1;}}')
    assert found.data == b'a:1:{s:1:"a";O:1:"A":1:{s:1:"b";i:1;}}'
    assert [(edit.path, edit.cause, edit.after) for edit in found.edits] == [
        ("$", "count", b"1"),
        ("$.a", "count", b"1"),
    ]
    both = mend(b'a:1:{s:4:"name";s:3:"bob";s:5:"admin";b:1;s:1:"x";s:1:"y";}')
    assert both.data is None
    assert "either lengths or counts are wrong" in [choice.reason for choice in both.choices]


def test_what_was_cut_off() -> None:
    found = mend(b'a:3:{s:1:"a";i:1;s:1:"b";a:2:{i:0;N;i:1;s:5:"hel')
    assert found.data == b'a:2:{s:1:"a";i:1;s:1:"b";a:1:{i:0;N;}}'
    assert [(gap.path, gap.count) for gap in found.missing] == [("$", 1), ("$.b", 1)]
    assert [(edit.cause, edit.path) for edit in found.edits] == [("count", "$"), ("count", "$.b"), ("cut", "$.b")]
    assert mend(b'O:1:"A":2:{s:44:"').data == b'O:1:"A":0:{}'
    assert mend(b'a:1:{i:0;C:1:"A":9:{abc').data == b"a:0:{}"
    assert mend(b"a:1:{i:0;N;").data == b"a:1:{i:0;N;}"
    unsure = mend(b'a:3:{i:0;s:90:"abc";i:1;s:5:"hel')
    assert unsure.data is None
    assert unsure.choices[0].reason.startswith("the input was cut within a string, or")
    assert mend(b'a:3:{i:0;s:90:"abc";i:1;s:5:"hel', guess=True).data == b"a:0:{}"


@pytest.mark.parametrize(
    "body",
    [b"", b"N", b"x", b's:5:"hello', b"a:1:{i:0;r:5;}", b"a:1:{i:0;d:x;}", b"i:1;x", b'a:1:{i:0;C:1:"A":1:{xx}}', b"}",
     b'a:1:{N;N;}', b'a:2:{i:0;s:1:"ab";i:1;x}', b'a:1:{i:0;S:9:"a";}', b'a:2:{s:1:"a";}'],
)  # fmt: skip
def test_what_cannot_be_mended_has_the_readers_error(body: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        envelope.loads(body, "serialize", values="php")
    with pytest.raises(DecodeError) as refused:
        repair(body, "serialize")
    assert str(refused.value) == str(caught.value)


def test_other_formats_and_limits() -> None:
    with pytest.raises(TypeError, match="repair\\(\\) mends serialize only, not json"):
        repair(b"1", "json")
    with pytest.raises(TypeError, match="bytes-like"):
        repair(None, "serialize")  # type: ignore[arg-type]
    for limits in (Limits(max_bytes=20), Limits(max_depth=1), Limits(max_items=1)):
        with pytest.raises(DecodeError):
            repair(b'a:1:{i:0;a:1:{i:0;s:9:"abc";}}', "serialize", limits=limits)
    with pytest.raises(DecodeError, match="forbidden"):
        repair(b"a:1:{i:0;R:1;}", "serialize")
    assert envelope.repair is repair


def test_a_text_is_mended_as_its_utf8() -> None:
    broken = 'a:1:{i:0;s:4:"中";}'
    assert repair(broken, "serialize") == repair(broken.encode(), "serialize")
    assert repair(broken, "serialize").data == 'a:1:{i:0;s:3:"中";}'.encode()


def test_the_path_of_an_edit_stays_short() -> None:
    depth = 40
    body = b"a:1:{i:0;" * depth + b's:9:"abc";' + b"}" * depth
    assert mend(body).edits[0].path == "$" + "[0]" * 8 + "…" + "[0]" * 8


def test_the_search_gives_up_and_says_so() -> None:
    """So many strings whose lengths do not fit, in containers that are alike, could be read in too many ways."""
    whole = body_of([{f"k{column}": f"é{row}{column}" for column in range(8)} for row in range(20)])
    broken = re.sub(rb"s:[0-9]:(?=.\xc3)", b"s:3:", whole)
    search = Search(broken, 200, keeps_fitting=True)
    assert search.steps <= 50_000 + 20 * len(search.starts)
    search.run()
    assert search.steps < 0
    found = mend(broken)
    assert found.data is None
    assert found.choices[0].reason == "the document is too long to look for other readings"
    assert mend(broken, guess=True).data == whole


def test_one_length_in_a_long_document() -> None:
    whole = body_of([{f"k{column}": f"a{row}{column}" for column in range(8)} for row in range(1000)])
    assert mend(whole.replace(b's:4:"a500"', b's:9:"a500"')).data == whole
    flat = body_of({f"key{row}": f"é{row}" for row in range(2000)})
    assert mend(re.sub(rb"s:[0-9]:(?=.\xc3)", b"s:1:", flat)).data == flat
