"""The rules of the fixture validator: what breaks one is named, with its place; what breaks none is not."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

import envelope
from envelope import Envelope, PhpObject, fixtures
from envelope.codes import REGISTRY
from envelope.fixtures import RULES, Case, Finding, Refusal, check_body, check_case, check_refusal
from envelope.formats import FORMATS

ID = "1.6403f86cd67f6"
OK: Envelope[Any] = Envelope.ok({"id": "cmpl-1", "map": {}}, request_id=ID, last_id="7")
CASE = Case(
    title="a success", payload="response", losses=dict.fromkeys(("serialize", "var_export"), ("$.response.map",))
)


def bodies(answer: Envelope[Any] = OK, **options: Any) -> dict[str, bytes]:
    return {fixtures.body_name(format): envelope.encode(answer, format, **options) for format in FORMATS}


def rules(found: list[Finding]) -> list[str]:
    return [finding.rule for finding in found]


def lone(answer: Envelope[Any], **options: Any) -> list[Finding]:
    return check_body("a.json", envelope.encode(answer, "json"), **options)


def test_sound_fixtures_have_no_findings() -> None:
    assert check_case(CASE, bodies(), canonical=True) == []
    assert check_case(replace(CASE, maps="object", losses={}), bodies(maps="object"), canonical=True) == []
    assert lone(OK, canonical=True) == []
    assert check_refusal("a.json", b"[1", Refusal(kind="malformed", offset=2, path="$[0]")) == []
    for maps in ("array", "object"):
        body = envelope.encode(OK, "serialize", maps=maps)
        assert check_body("a.serialize", body, canonical=True) == []


# ------------------------------------------------------------------------------------------------- one body alone


@pytest.mark.parametrize(
    ("name", "data", "rule", "path", "offset"),
    [
        ("a.json", b'{"response": 1,}', "malformed", "$", 15),
        ("a.xml", b'<?xml version="1.0"?><!DOCTYPE a><root/>', "forbidden", "$", 21),
        ("a.json", b"[" * 201 + b"]" * 201, "limit", "$" + "[0]" * 8 + "…" + "[0]" * 8, 200),
        ("a.json", b"[1]", "envelope", "$", None),
        ("a.serialize", b'O:3:"Foo":0:{}', "forbidden", "$", 0),
    ],
)
def test_a_body_that_is_no_envelope(name: str, data: bytes, rule: str, path: str, offset: int | None) -> None:
    (finding,) = check_body(name, data)
    assert (finding.file, finding.rule, finding.path, finding.offset) == (name, rule, path, offset)


def test_each_missing_or_mistyped_field_is_a_finding() -> None:
    found = check_body("a.json", b'{"error": null, "error_code": 4003, "request_id": 7, "last_id": 8, "reason": ""}')
    assert [(finding.path, finding.rule) for finding in found if finding.rule != "request-id"] == [
        ("$.response", "envelope"),
        ("$.error", "envelope"),
        ("$.error_code", "string-ids"),
        ("$.request_id", "string-ids"),
        ("$.last_id", "string-ids"),
    ]
    (finding,) = check_body("a.json", b'{"response": [], "error_code": 1.5}')
    assert (finding.rule, finding.path) == ("string-ids", "$.error_code")


def test_an_unknown_code_is_a_finding_unless_an_operator_has_it() -> None:
    answer = replace(OK, error_code="4100")
    (finding,) = lone(answer)
    assert (finding.rule, finding.path) == ("error-code", "$.error_code")
    row = replace(REGISTRY["0000"], code="4100", name="OWN")
    assert lone(answer, registry=REGISTRY.with_codes(row)) == []


@pytest.mark.parametrize("good", [ID, "gw-1.6403fa5b1c0f2", "6403f86cd67f6", "eu.node_2.6403f86cf423f"])
@pytest.mark.parametrize(
    "bad", ["", "{}0", "{} ", "1.6403f86cf4240", "1.6403F86CD67F6", "1/6403f86cd67f6", ".{}", "\n{}"]
)
def test_the_form_of_request_ids(good: str, bad: str) -> None:
    assert lone(replace(OK, request_id=good)) == []
    (finding,) = lone(replace(OK, request_id=bad.format(ID)))
    assert (finding.rule, finding.path) == ("request-id", "$.request_id")


@pytest.mark.parametrize(
    ("code", "response", "error", "rule"),
    [
        ("0000", {"error": "x"}, "", "success-with-upstream-error"),
        ("2000", [1], "", "no-result-with-response"),
        ("0000", [1], "bad", "success-with-error"),
        ("4003", [1], "Param error", "failure-with-response"),
    ],
)
def test_contradictions(code: str, response: Any, error: str, rule: str) -> None:
    answer = replace(OK, error_code=code, response=response, error=error)
    assert rules(lone(answer)) == [rule]
    case = Case(title="a contradiction", payload="response", findings=(rule,))
    assert check_case(case, bodies(answer)) == []
    (unmet,) = check_case(replace(CASE, findings=(rule,)), bodies())
    assert unmet.rule == "unmet"


def test_canonical_is_asked_for() -> None:
    data = envelope.encode(OK, "json").replace(b'{"response":{"id"', b'{"response": {"id"')
    assert check_body("a.json", data) == []
    (finding,) = check_body("a.json", data, canonical=True)
    assert (finding.rule, finding.offset) == ("canonical", 12)
    files = {**bodies(), "body.json": data}
    assert rules(check_case(CASE, files, canonical=True)) == ["canonical"]
    # Another body of the case need not be.
    assert check_case(CASE, {**bodies(), "published.json": data}, canonical=True) == []
    assert rules(check_case(CASE, {**bodies(), "published.json": data.replace(b"cmpl", b"cmpk")})) == ["value"]


# -------------------------------------------------------------------------------------------------------- a case


@pytest.mark.parametrize("format", FORMATS)
def test_the_body_that_differs_is_the_one_that_is_named(format: str) -> None:
    name = fixtures.body_name(format)
    other = bodies(replace(OK, last_id="8"))[name]
    (finding,) = check_case(CASE, {**bodies(), name: other})
    assert (finding.file, finding.rule, finding.path) == (name, "value", "$.last_id")
    assert "'7' → '8'" in finding.text


@pytest.mark.parametrize("format", FORMATS)
def test_a_missing_body_is_a_finding(format: str) -> None:
    name = fixtures.body_name(format)
    (finding,) = check_case(CASE, {other: data for other, data in bodies().items() if other != name})
    assert (finding.file, finding.rule) == (name, "bodies")


def test_losses_are_those_stated() -> None:
    (serialize, var_export) = check_case(replace(CASE, losses={}), bodies())
    assert (serialize.file, serialize.rule, serialize.path) == ("body.serialize", "losses", "$.response.map")
    assert var_export.file == "body.var_export.php"
    stated = {**CASE.losses, "xml": ["$.response.map"]}
    (kept,) = check_case(replace(CASE, losses=stated), bodies())
    assert (kept.file, kept.rule, kept.path) == ("body.xml", "losses", "$.response.map")


def test_where_no_body_is_left_that_keeps_all_the_others_are_still_compared() -> None:
    broken = dict.fromkeys(("body.json", "body.jsonu.json", "body.xml"), b"?")
    assert rules(check_case(CASE, {**bodies(), **broken})) == ["malformed"] * 3
    other = bodies(replace(OK, last_id="8"))["body.serialize"]
    assert rules(check_case(CASE, {**bodies(), **broken, "body.serialize": other})) == ["malformed"] * 3 + ["value"]


def test_a_value_that_a_format_cannot_hold_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise envelope.EncodeError("too long", kind="limit", format="serialize")

    monkeypatch.setattr(fixtures, "dumps", refuse)
    found = check_case(CASE, bodies(), canonical=True)
    assert rules(found) == ["value"] * 2 + ["canonical"] * 5
    assert all("too long" in finding.text for finding in found)


def test_the_payload_and_the_order_of_the_fields_are_as_the_case_says() -> None:
    case = Case(title="items", payload="items")
    answer = replace(OK, response=[1])
    assert check_case(case, bodies(answer, payload="items")) == []
    assert {"envelope"} == set(rules(check_case(case, bodies(answer))))
    turned = dict(reversed(answer.to_value("items").items()))
    assert check_case(case, {**bodies(answer, payload="items"), "body.xml": envelope.dumps(turned, "xml")}) == []


def test_a_case_without_a_payload_is_any_value() -> None:
    files = {fixtures.body_name(format): envelope.dumps([1.0], format) for format in FORMATS}
    assert check_case(Case(title="a list"), files, canonical=True) == []
    (finding,) = check_case(Case(title="a list"), files, response_check=lambda _: [])
    assert (finding.file, finding.rule) == ("case.toml", "schema")


def test_what_is_in_the_payload_is_the_callers_to_check() -> None:
    def check(response: Any) -> list[tuple[list[str | int], str]]:
        return [(["id"], f"{len(response)} things")]

    (finding,) = check_case(CASE, bodies(), response_check=check)
    assert (finding.rule, finding.path, finding.text) == ("schema", "$.response.id", "2 things")


PHP = Case(title="an object", values="php", rewrites=("serialize", "var_export"))
OBJECT = PhpObject("Foo", {"a": 1})


def php_bodies(*names: str) -> dict[str, bytes]:
    formats = names or ("serialize", "var_export")
    return {fixtures.body_name(format): envelope.dumps([OBJECT], format, values="php") for format in formats}


def test_a_case_of_phps_domain() -> None:
    assert check_case(PHP, php_bodies(), canonical=True) == []
    assert check_case(PHP, php_bodies("serialize")) == []
    assert rules(check_case(PHP, php_bodies("var_export"))) == ["bodies"]
    json = {"body.json": b'[{"a":1}]'}
    assert "bodies" in rules(check_case(PHP, {**php_bodies(), **json}))
    changed = php_bodies()["body.var_export.php"].replace(b"1", b"2")
    files = {**php_bodies(), "body.var_export.php": changed}
    (finding,) = check_case(PHP, files)
    assert (finding.rule, finding.path) == ("losses", "$[0].a")
    stated = replace(PHP, losses={"var_export": ["$[0].a"]})
    assert check_case(stated, files) == []
    assert rules(check_case(stated, php_bodies())) == ["losses"]


def test_what_is_rewritten_is_stated() -> None:
    assert rules(check_case(replace(PHP, rewrites=("serialize",)), php_bodies(), canonical=True)) == ["canonical"]
    spaced = {"body.serialize": b'a:1:{i:0;S:3:"\\61bc";}'}
    assert rules(check_case(PHP, spaced, canonical=True)) == ["canonical"]
    assert check_case(replace(PHP, rewrites=()), spaced, canonical=True) == []


def test_digests_vouch_for_what_no_other_body_tells() -> None:
    files = {"body.serialize": b'O:3:"Foo":1:{s:4:"\0*\0a";i:1;}'}
    digest = hashlib.sha256(files["body.serialize"]).hexdigest()
    case = replace(PHP, sha256={"serialize": digest})
    assert check_case(case, files) == []
    (finding,) = check_case(case, {"body.serialize": files["body.serialize"].replace(b"*", b"X")})
    assert finding.rule == "sha256"


def test_differences_without_end_are_counted_to_a_bound() -> None:
    first, second = ({"k" * 100_000: list(range(start, start + 5000))} for start in (0, 1))
    (finding,) = check_case(
        Case(title="lists"),
        {f"{n}.json": envelope.dumps(first, "json") for n in "ab"} | {"c.json": envelope.dumps(second, "json")},
    )[5:]
    assert finding.text.endswith("and 97 more at least")
    assert len(finding.text) < 1000


# ------------------------------------------------------------------------------------------------ invalid bodies


@pytest.mark.parametrize(
    ("data", "refusal", "rule"),
    [
        (b"[1]", Refusal(kind="malformed", offset=2), "accepted"),
        (b"[1", Refusal(kind="malformed", offset=1, path="$[0]"), "other-fault"),
        (b"[1", Refusal(kind="limit", offset=2, path="$[0]"), "other-fault"),
        (b"[1", Refusal(kind="malformed", offset=2), "other-fault"),
    ],
)
def test_an_invalid_body_is_refused_as_stated(data: bytes, refusal: Refusal, rule: str) -> None:
    (finding,) = check_refusal("a.json", data, refusal)
    assert (finding.file, finding.rule) == ("a.json", rule)


# ---------------------------------------------------------------------------------- what says how bodies must be


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "$.title"),
        ('title = " "', "$.title"),
        ('title = "a"\nvalues = "all"', "$.values"),
        ('title = "a"\nmaps = 1', "$.maps"),
        ('title = "a"\npayload = "error"', "$.payload"),
        ('title = "a"\nlosses = []', "$.losses"),
        ('title = "a"\n[losses]\nyaml = []', "$.losses"),
        ('title = "a"\n[losses]\nxml = "$"', "$.losses.xml"),
        ('title = "a"\n[losses]\nxml = [1]', "$.losses.xml[0]"),
        ('title = "a"\nfindings = ["canonical"]', "$.findings[0]"),
        ('title = "a"\nfindings = ["request-id"]', "$.findings"),
        ('title = "a"\nrewrites = ["toml"]', "$.rewrites[0]"),
        ('title = "a"\n[sha256]\nxml = "00"', "$.sha256.xml"),
        ('title = "a"\nloses = 1', "$.loses"),
    ],
)
def test_a_case_toml_that_is_none(text: str, path: str) -> None:
    with pytest.raises(envelope.ValidationError) as caught:
        fixtures.read_case(text.encode())
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('kind = "malformed"', "$.offset"),
        ('kind = "bad"\noffset = 1', "$.kind"),
        ('kind = "limit"\noffset = -1', "$.offset"),
        ('kind = "limit"\noffset = true', "$.offset"),
        ('kind = "limit"\noffset = 1\npath = 1', "$.path"),
        ('kind = "limit"\noffset = 1\nwhy = 1', "$.why"),
        ('kind = "limit"\noffset = 1\nvalues = ""', "$.values"),
    ],
)
def test_a_refusal_that_is_none(text: str, path: str) -> None:
    with pytest.raises(envelope.ValidationError) as caught:
        fixtures.read_refusal(text.encode())
    assert caught.value.path == path


def test_toml_that_is_none_has_an_offset() -> None:
    with pytest.raises(envelope.DecodeError) as caught:
        fixtures.read_case(b'title = "a"\nvalues =\n')
    assert (caught.value.format, caught.value.offset) == ("toml", 20)


# ------------------------------------------------------------------------------------------------ writing anew


def test_canonical_bodies_are_made_of_any_one() -> None:
    data = envelope.encode(replace(OK, response=[1]), "xml")
    assert fixtures.canonical_bodies(CASE, "body.xml", data) == bodies(replace(OK, response=[1]))


def test_canonical_bodies_are_not_made_of_what_is_not_sound() -> None:
    assert fixtures.canonical_bodies(PHP, "body.serialize", b"i:1;") == {}
    for data in (b"{", b"{}", b"[1]"):
        assert fixtures.canonical_bodies(CASE, "body.json", data) == {}


def test_the_rules_are_told() -> None:
    assert all(text and not text.endswith(".") for text in RULES.values())
    with pytest.raises(ValueError, match="suffix"):
        check_body("a.txt", b"")
