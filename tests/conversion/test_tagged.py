"""Tagged JSON: what PHP wrote comes back byte for byte, whatever is in it, and edited documents are read or refused."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
from functools import partial
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import envelope
from envelope import DecodeError, EncodeError, Limits, LossError, PhpEnum, PhpObject, PhpProperty, PhpReference, same
from envelope.conversion import Conversion, tagged
from envelope.conversion.tagged.write import tag
from envelope.testing import strategies
from envelope.testing.php import Php
from envelope.values.php_types import Visibility
from tests.conversion.php_tagged_run import compare

pytestmark = pytest.mark.usefixtures("impl")

SCHEMA = json.loads((Path(tagged.__file__).parent / "tagged.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

to_json = partial(envelope.convert, source="serialize", target="jsonu", objects="tagged")
to_php = partial(envelope.convert, source="jsonu", target="serialize", objects="tagged")
write = partial(envelope.dumps, format="serialize", values="php")

USER = (
    b'O:4:"User":6:{s:4:"name";s:1:"x";s:8:"\0*\0items";a:2:{i:0;d:1;i:1;d:0.5;}s:8:"\0User\0id";i:7;'
    b's:8:"\0Base\0id";i:8;s:2:"me";r:1;s:5:"@home";N;}'
)
USER_JSON = {
    "@class": "User",
    "@id": 1,
    "@visibility": {"items": "protected", "id": "private"},
    "name": "x",
    "items": [{"@float": "1.0"}, 0.5],
    "id": 7,
    "@private:Base:id": 8,
    "me": {"@object": 1},
    "@@home": None,
}

FORMS: list[tuple[bytes, Any]] = [
    (b"N;", None),
    (b"a:0:{}", []),
    (b's:0:"";', ""),
    (b's:6:"@class";', "@class"),
    (b'a:3:{i:0;s:1:"a";i:1;i:1;i:2;b:1;}', ["a", 1, True]),
    (b'a:2:{i:5;i:1;s:2:"05";i:2;}', {"5": 1, "05": 2}),
    (b"a:1:{i:-1;a:1:{i:1;N;}}", {"-1": {"1": None}}),
    (b'a:4:{s:6:"@class";i:1;s:1:"@";i:2;s:2:"@@";i:3;s:1:"\xff";i:4;}', {"@@class": 1, "@@": 2, "@@@": 3, "@base64:/w==": 4}),
    (b's:2:"\xff\0";', {"@base64": "/wA="}),
    (b"d:NAN;", {"@float": "NAN"}),
    (b"d:-INF;", {"@float": "-INF"}),
    (b"d:-0;", {"@float": "-0.0"}),
    (b"d:1.0E+25;", {"@float": "1e+25"}),
    (b"d:1.0E-7;", 1e-7),
    (b"i:9007199254740991;", 2**53 - 1),
    (b"i:9007199254740992;", {"@int": "9007199254740992"}),
    (b"i:-9223372036854775808;", {"@int": "-9223372036854775808"}),
    (b'E:11:"Suit:Hearts";', {"@enum": "Suit::Hearts"}),
    (b'O:8:"stdClass":2:{s:1:"5";i:1;s:0:"";O:8:"stdClass":0:{}}', {"@class": "stdClass", "5": 1, "": {"@class": "stdClass"}}),
    (b'O:1:"M":2:{s:1:"k";i:1;i:0;i:2;}', {"@class": "M", "k": 1, "@int:0": 2}),
    (b'C:1:"A":2:{x;}', {"@class": "A", "@payload": "x;"}),
    (b'C:1:"A":1:{\xff}', {"@class": "A", "@payload": {"@base64": "/w=="}}),
    (b'O:1:"A":1:{s:4:"\0*\0\xff";N;}', {"@class": "A", "@visibility": {"@base64:/w==": "protected"}, "@base64:/w==": None}),
    (b'O:1:"A":1:{s:4:"\0B\0x";N;}', {"@class": "A", "@visibility": {"x": "private:B"}, "x": None}),
    (
        b'O:1:"A":4:{s:1:"x";i:1;s:4:"\0A\0x";i:2;s:4:"\0*\0x";i:3;s:4:"\0B\0x";i:4;}',
        {"@class": "A", "x": 1, "@private:A:x": 2, "@protected:x": 3, "@private:B:x": 4},
    ),
    (b'O:1:"A":2:{s:4:"\0*\0x";i:1;s:1:"x";i:2;}', {"@class": "A", "@visibility": {"x": "protected"}, "x": 1, "@public:x": 2}),
    (b"a:2:{i:0;i:5;i:1;R:2;}", [{"@reference": 1, "@value": 5}, {"@reference": 1}]),
    (b"a:1:{i:0;R:1;}", {"@reference": 1, "@value": [{"@reference": 1}]}),
    (
        b'a:3:{i:0;O:1:"A":0:{}i:1;r:2;i:2;R:2;}',
        [{"@reference": 1, "@value": {"@class": "A", "@id": 1}}, {"@object": 1}, {"@reference": 1}],
    ),
    (USER, USER_JSON),
]  # fmt: skip


@pytest.mark.parametrize(("body", "form"), FORMS)
def test_the_form(body: bytes, form: Any) -> None:
    made = to_json(body)
    assert made == envelope.dumps(form, "jsonu")
    assert to_php(made) == body
    VALIDATOR.validate(form)
    for json_dialect in ("typed", "php"):
        again = to_json(body, target="json", target_dialect=json_dialect)
        assert to_php(again, source="json", source_dialect=json_dialect) == body


def test_plain_arrays_are_plain_json() -> None:
    plain = {"a": [1, "b", 0.5, None, True, []], "5": {"c": -1}, "ключ": ""}
    assert envelope.loads(to_json(write(plain)), "json") == plain
    assert to_php(b'{"a":{},"b":{"0":1,"1":2}}') == write({"a": [], "b": [1, 2]})
    assert to_php(b"[1.0,-0.0,9007199254740993]") == b"a:3:{i:0;d:1;i:1;d:-0;i:2;i:9007199254740993;}"


# Objects and references anywhere, the same ones too; all names and texts may look like tags.
TAGS = st.sampled_from(
    ["@", "@@", "@class", "@id", "@object", "@reference", "@value", "@int", "@float", "@base64", "@enum", "@payload", "@visibility",
     "@base64:YQ==", "@int:1", "@public:a", "@protected:a", "@private:A:a", "@private", "a"]
)  # fmt: skip


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    pool: list[Any] = []
    classes = st.sampled_from(["A", "App\\B", "stdClass", "Ж"])

    def value(depth: int) -> Any:
        kind = draw(st.integers(0, 7 if depth else 2))
        if kind == 2 and pool:
            return draw(st.sampled_from(pool))
        if kind < 3:
            return draw(TAGS | strategies.php_values(max_leaves=2))
        if kind == 3:
            return [value(depth - 1) for _ in range(draw(st.integers(0, 3)))]
        if kind == 4:
            return {name: value(depth - 1) for name in draw(st.lists(TAGS, unique=True, max_size=3))} or []
        if kind == 5:
            box = PhpReference(None)
            inner = value(depth - 1)
            box.value = inner.value if type(inner) is PhpReference else inner
            pool.append(box)
            return box
        made = PhpObject(draw(classes))
        pool.append(made)
        heads = st.tuples(TAGS, st.sampled_from(get_args(Visibility)))
        entries = [
            PhpProperty(name, value(depth - 1), visibility, draw(classes) if visibility == "private" else "")
            for name, visibility in draw(st.lists(heads, unique=True, max_size=4))
        ]
        object.__setattr__(made, "properties", tuple(entries))
        return made

    return value(3)


@given(strategies.php_values() | graphs())
def test_what_is_written_comes_back(value: Any) -> None:
    body = write(value)
    made = to_json(body)
    assert to_php(made) == body
    VALIDATOR.validate(json.loads(made))
    assert same(
        envelope.loads(to_php(made), "serialize", values="php", references="keep"),
        envelope.loads(body, "serialize", values="php", references="keep"),
    )


# JSON of tags that stand anywhere, right or wrong.
SCALARS = st.sampled_from(
    [None, True, 1, 2, 1.5, "A", "A::B", "5", "1.0", "NAN", "YQ==", "/w==", "protected", "private:A"]
)
JSON_TREES = st.recursive(
    SCALARS,
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(TAGS, children, max_size=3)
        | st.dictionaries(TAGS, SCALARS, max_size=1)
        | st.builds(lambda more: {"@class": "A", **more}, st.dictionaries(TAGS, children, max_size=3))
        | st.builds(lambda child: {"@reference": 1, "@value": child}, children)
    ),
    max_leaves=12,
)


@given(JSON_TREES)
def test_whatever_is_read_is_written_as_the_same_value(tree: Any) -> None:
    """A document is refused with its place, or is one that converts back to the same bytes."""
    data = json.dumps(tree).encode()
    try:
        body = to_php(data)
    except DecodeError as error:
        assert json.JSONDecoder().raw_decode(data[error.offset :].decode())
        return
    except EncodeError as error:  # by serialize, which has rules of its own on names and payloads
        assert error.format == "serialize"
        return
    VALIDATOR.validate(tree)
    assert to_php(to_json(body)) == body


@pytest.mark.php
def test_what_php_writes_comes_back(php: Php) -> None:
    found, faults = compare(php, seed=1, count=2000)
    assert faults == []
    assert (
        min(found[b"@" + tag] for tag in (b"object", b"value", b"payload", b"private:", b"public:", b"int:", b"@id"))
        > 50
    )


JQ = pytest.mark.skipif(shutil.which("jq") is None, reason="no jq on this machine")


def jq(program: str, body: bytes) -> bytes:
    ran = subprocess.run(["jq", "-c", program], input=body, capture_output=True, check=True)
    return ran.stdout


@JQ
@pytest.mark.php
def test_jq_changes_one_value_and_php_reads_it(php: Php) -> None:
    heir = php.ask_one("unserialize", b'O:4:"Heir":1:{s:1:"z";O:8:"stdClass":1:{s:1:"a";d:1;}}')
    assert heir is not None
    edited = to_php(jq('.z.a = "new" | .y = ["@x"]', to_json(heir)))
    assert php.ask_one("unserialize", edited) == edited
    assert edited == heir.replace(b's:1:"a";d:1;', b's:1:"a";s:3:"new";').replace(
        b's:4:"\0*\0y";N;', b's:4:"\0*\0y";a:1:{i:0;s:2:"@x";}'
    )


@JQ
@pytest.mark.php
def test_jq_leaves_all_else_as_it_is(php: Php) -> None:
    bodies = [body or b"" for body in php.ask("random tagged", [b"%d" % seed for seed in range(500)])]
    lines = jq(".", b"\n".join(to_json(body, target="json") for body in bodies)).splitlines()
    assert [to_php(line) for line in lines] == bodies


def test_what_is_shared_may_be_told_after_it_is_named() -> None:
    reversed_ = b'[{"@object":7},{"@reference":2},{"@class":"A","@id":7},{"@reference":2,"@value":[{"@object":7}]}]'
    assert to_php(reversed_) == b'a:4:{i:0;O:1:"A":0:{}i:1;a:1:{i:0;r:2;}i:2;r:2;i:3;R:3;}'


MALFORMED: list[tuple[str, str, str]] = [
    ('{"@clas":"A"}', '$["@clas"]', "at-sign"),
    ('{"a":1,"@id":1}', '$["@id"]', "at-sign"),
    ('{"@value":1}', '$["@value"]', "at-sign"),
    ('{"@visibility":{}}', '$["@visibility"]', "at-sign"),
    ('{"@int:5":1}', '$["@int:5"]', "at-sign"),
    ('{"@":1}', '$["@"]', "at-sign"),
    ('{"@float":"1.0","a":1}', "$.a", "at-sign"),
    ('{"a":1,"@object":1}', "$.a", "at-sign"),
    ('{"@reference":1,"a":1}', "$.a", "at-sign"),
    ('{"@class":"A","@home":1}', '$["@home"]', "at-sign"),
    ('{"@class":"A","@int:05":1}', '$["@int:05"]', "at-sign"),
    ('{"@class":"A","@int:9223372036854775808":1}', '$["@int:9223372036854775808"]', "at-sign"),
    ('{"@class":"A","@private:x":1}', '$["@private:x"]', "at-sign"),
    ('{"@class":"A","@protected:@x":1}', '$["@protected:@x"]', "at-sign"),
    ('{"@class":"A","@base64:*":1}', '$["@base64:*"]', "at-sign"),
    ('{"@base64:*":1}', '$["@base64:*"]', ""),
    ('{"@class":1}', '$["@class"]', ""),
    ('{"@class":"A::B"}', '$["@class"]', ""),
    ('{"@class":"A","@id":true}', '$["@id"]', ""),
    ('{"@class":"A","@id":1.5}', '$["@id"]', ""),
    ('[{"@class":"A","@id":1},{"@class":"A","@id":1}]', '$[1]["@id"]', "told-once"),
    ('[{"@reference":1,"@value":1},{"@reference":1,"@value":1}]', '$[1]["@reference"]', "told-once"),
    ('{"a":{"@object":1}}', '$.a["@object"]', ""),
    ('{"a":{"@reference":1}}', '$.a["@reference"]', ""),
    ('{"@object":"1"}', '$["@object"]', ""),
    ('{"@reference":1,"@value":{"@reference":1}}', '$["@value"]', ""),
    ('{"@class":"A","@payload":"x","a":1}', "$.a", ""),
    ('{"@class":"A","@payload":1}', '$["@payload"]', ""),
    ('{"@class":"A","@payload":{"@base64":"*"}}', '$["@payload"]', ""),
    ('{"@class":"A","@payload":{"@base64":"","a":1}}', '$["@payload"]', ""),
    ('{"@class":"A","@visibility":1}', '$["@visibility"]', ""),
    ('{"@class":"A","@visibility":{"a":"protected"}}', '$["@visibility"].a', "visibility"),
    ('{"@class":"A","@visibility":{"@class":"protected"}}', '$["@visibility"]["@class"]', "visibility"),
    ('{"@class":"A","@visibility":{"a":"hidden"},"a":1}', '$["@visibility"].a', ""),
    ('{"@class":"A","@visibility":{"a":"private:"},"a":1}', '$["@visibility"].a', ""),
    ('{"@class":"A","@visibility":{"@public:a":"private"},"@public:a":1}', '$["@visibility"]["@public:a"]', ""),
    ('{"@class":"A","@visibility":{"@int:1":"private"},"@int:1":1}', '$["@visibility"]["@int:1"]', ""),
    ('{"@class":"A","a":1,"@public:a":2}', "$", ""),
    ('{"a":1,"@base64:YQ==":2}', "$", ""),
    ('{"5":1,"@base64:NQ==":2}', "$", ""),
    ('{"@base64":"_w=="}', '$["@base64"]', ""),
    ('{"@base64":"é"}', '$["@base64"]', ""),
    ('{"@base64":null}', '$["@base64"]', ""),
    ('{"@int":1}', '$["@int"]', ""),
    ('{"@int":"01"}', '$["@int"]', ""),
    ('{"@int":"9223372036854775808"}', '$["@int"]', ""),
    ('{"@float":1.5}', '$["@float"]', ""),
    ('{"@float":"1e999"}', '$["@float"]', ""),
    ('{"@float":"1_0"}', '$["@float"]', ""),
    ('{"@enum":"Suit:Hearts"}', '$["@enum"]', ""),
    ('{"@enum":"Suit::"}', '$["@enum"]', ""),
    ('{"@enum":7}', '$["@enum"]', ""),
]  # fmt: skip


@pytest.mark.parametrize(("document", "path", "hint"), MALFORMED)
def test_malformed_tags(document: str, path: str, hint: str) -> None:
    with pytest.raises(DecodeError) as caught:
        to_php(document.encode())
    error = caught.value
    assert (error.kind, error.format, error.path) == ("malformed", "jsonu", path)
    assert (error.hint.name if error.hint else "") == hint
    # The offset is the value's at that path.
    start = document.encode()[error.offset :].decode()
    assert json.JSONDecoder().raw_decode(start)[0] == at(json.loads(document), error.path)
    deeper = f' [0, {{"k": 0, "k": {document} }}]'.encode()
    with pytest.raises(DecodeError) as again:
        to_php(deeper)
    assert again.value.path == "$[1].k" + path[1:]
    assert again.value.offset == deeper.rindex(document.encode()) + error.offset
    converted = Conversion(source="jsonu", target="serialize", objects="tagged").convert([document.encode(), b"1"])
    assert converted.bodies == [None, b"i:1;"]
    fault = converted.faults[0]
    assert fault is not None
    assert (fault.offset, fault.path, fault.hint) == (error.offset, path, error.hint)


def at(value: Any, path: str) -> Any:
    from envelope.path import parse_path

    for step in parse_path(path):
        value = value[step]
    return value


# What the schema cannot say: where else something is, that two names are one, and what is beyond a number's range.
NOT_IN_THE_SCHEMA = {
    '[{"@class":"A","@id":1},{"@class":"A","@id":1}]',
    '[{"@reference":1,"@value":1},{"@reference":1,"@value":1}]',
    '{"a":{"@object":1}}',
    '{"a":{"@reference":1}}',
    '{"@class":"A","@visibility":{"a":"protected"}}',
    '{"@class":"A","a":1,"@public:a":2}',
    '{"a":1,"@base64:YQ==":2}',
    '{"5":1,"@base64:NQ==":2}',
    '{"@class":"A","@int:9223372036854775808":1}',
    '{"@int":"9223372036854775808"}',
    '{"@float":"1e999"}',
}


@pytest.mark.parametrize("document", [document for document, _, _ in MALFORMED])
def test_the_schema_refuses_what_the_reader_refuses(document: str) -> None:
    assert VALIDATOR.is_valid(json.loads(document)) == (document in NOT_IN_THE_SCHEMA)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_offsets_count_bytes_of_the_document() -> None:
    document = '{"é": "ü", "a": {"@float": "x"}}'
    for charset in ("cp1252", "utf-16"):
        body = document.encode(charset)
        with pytest.raises(DecodeError) as caught:
            to_php(body, encoding=charset)
        found = body[caught.value.offset :].decode("utf-16-le" if charset == "utf-16" else charset)
        assert found == '"x"}}'
    with pytest.raises(DecodeError) as caught:
        to_php(b'{"n":99999999999999999999,"a":{"@float":"x"}}', flags=["JSON_BIGINT_AS_STRING"])
    assert caught.value.offset == 40


def test_limits_are_for_the_value_of_php() -> None:
    deep = b"a:1:{i:0;" * 3 + USER.replace(b"r:1;", b"r:4;") + b"}" * 3
    limits = Limits(max_depth=5, max_items=3 + 8)
    made = to_json(deep, limits=limits)
    assert to_php(made, limits=limits) == deep
    for less in (Limits(max_depth=4), Limits(max_items=10), Limits(max_bytes=100)):
        with pytest.raises(DecodeError) as caught:
            to_json(deep, limits=less)
        assert caught.value.kind == "limit"
        with pytest.raises(envelope.EnvelopeError) as refused:
            to_php(made, limits=less)
        assert getattr(refused.value, "kind", "") == "limit"
    unlimited = Limits.unlimited()
    assert to_php(to_json(deep, limits=unlimited), limits=unlimited) == deep
    with pytest.raises(EncodeError, match="nested deeper than 254"):
        to_json(b"a:1:{i:0;" * 300 + b"N;" + b"}" * 300, limits=unlimited)


def test_tags_say_nothing_of_losses() -> None:
    for on_loss in ("error", "warn", "ignore"):
        assert to_php(to_json(USER, on_loss=on_loss), on_loss=on_loss) == USER


def test_sessions() -> None:
    for dialect in ("session", "session_binary"):
        for value in ({}, {"a": 1, "@b": PhpObject("A"), "05": [1]}):
            body = write(value, dialect=dialect)
            made = to_json(body, source_dialect=dialect)
            assert to_php(made, target_dialect=dialect) == body
    shared = b'a|O:1:"A":0:{}b|r:1;c|i:1;d|R:3;'
    assert to_php(to_json(shared, source_dialect="session"), target_dialect="session") == shared


def test_var_export() -> None:
    value = {"a": PhpObject("App\\A", {"x": [1.0, {}]}), 5: PhpEnum("Suit", "Hearts"), "s": PhpObject("stdClass")}
    for dialect in ("typed", "file", "short"):
        body = envelope.dumps(value, "var_export", values="php", dialect=dialect)
        made = envelope.convert(body, "var_export", "json", source_dialect=dialect, objects="tagged")
        assert envelope.convert(made, "json", "var_export", target_dialect=dialect, objects="tagged") == body
    with pytest.raises(LossError, match="other properties"):
        envelope.convert(to_json(USER.replace(b"r:1;", b"i:1;")), "jsonu", "var_export", objects="tagged")
    called = partial(envelope.convert, b"<?php return [f()];", "var_export", "json", source_dialect="file")
    assert called(objects="tagged", unknown=lambda *_: b"\xff") == b'[{"@base64":"/w=="}]'


def test_what_cannot_be_told_apart_is_refused() -> None:
    entry = PhpProperty("a", 1, "protected")
    shared: Any = [1.0]
    for _ in range(60):
        shared = [shared, shared]
    for value, message in (
        (PhpObject("A", [entry, entry]), "two properties"),
        ({"a": {5: 1, "5": 2}}, "two keys"),
        ([10**20], "beyond 64 bits"),
        ({"a": [{1j}]}, r"\$\.a\[0\]: a value of type set"),
        (shared, "more than 2000000 items"),
    ):
        with pytest.raises(EncodeError, match=message):
            envelope.dumps(tag(value, "json", Limits()), "json")


@pytest.mark.parametrize("pair", [("json", "xml"), ("serialize", "xml"), ("json", "json"), ("serialize", "var_export")])
def test_other_pairs_of_formats_have_no_tags(pair: tuple[str, str]) -> None:
    with pytest.raises(TypeError, match="is between serialize or var_export and json or jsonu"):
        envelope.convert(b"1", *pair, objects="tagged")
    with pytest.raises(TypeError, match="is between serialize or var_export and json or jsonu"):
        Conversion(source=pair[0], target=pair[1], objects="tagged")


def test_objects_imply_the_domain_of_php() -> None:
    with pytest.raises(TypeError, match="objects must be 'public' or 'all' or 'tagged', not 'none'"):
        envelope.convert(b"N;", "serialize", "json", objects="none")  # type: ignore[arg-type]
    conversion = Conversion(source="serialize", target="json", objects="tagged")
    assert (conversion.reading.values, conversion.reading.references, conversion.writing.values) == (
        "php",
        "keep",
        "php",
    )
    made = pickle.loads(pickle.dumps(conversion)).convert([USER, b"x", None])
    assert json.loads(made.bodies[0]) == USER_JSON
    assert [fault and fault.kind for fault in made.faults] == [None, "malformed", None]
    assert conversion.convert_lines(b"i:1;\n") is None
    assert envelope.convert(
        USER.replace(b"r:1;", b"N;"), "serialize", "xml", objects="all", on_loss="ignore"
    ).startswith(b"<?xml")
