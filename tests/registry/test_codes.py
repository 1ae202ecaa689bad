"""The registry: 20 rows against the gateway's own table, immutability, an operator's file and its errors."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
import tomllib
from dataclasses import FrozenInstanceError, replace
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope import DecodeError, Envelope, EnvelopeError, UnknownCode, ValidationError, registry
from envelope.registry import codes
from envelope.registry.codes import REGISTRY, Billing, CodeRegistry, ErrorCode
from envelope.registry.languages import Lang

DATA = Path(codes.__file__).parent
SCHEMA = json.loads((DATA / "codes.schema.json").read_text(encoding="utf-8"))

# The gateway's own table: code, message, description, and its note on billing.
PRINTED = """\
0000|success|接口调用成功并返回相关数据|
2000|Search success but no result|接口访问成功,但是搜索没有结果|
4000|Server internal error|服务器内部错误|
4001|Network error|网络错误|
4002|Target server error|目标服务器错误|
4003|Param error|用户输入参数错误|忽略
4004|Account not found|用户帐号不存在|忽略
4005|Invalid authentication credentials|授权失败|忽略
4006|API stopped|您的当前API已停用|忽略
4007|Account stopped|您的账户已停用|忽略
4008|API rate limit exceeded|并发已达上限|忽略
4009|API maintenance|API维护中|忽略
4010|API not found with these values|API不存在|忽略
4012|Please add api first|请先添加api|忽略
4013|Number of calls exceeded|调用次数超限|忽略
4014|Missing url param|参数缺失|忽略
4015|Wrong pageToken|参数pageToken有误|忽略
4016|Insufficient balance|余额不足|忽略
4017|timeout error|请求超时|
5000|unknown error|未知错误|
"""


def test_the_twenty_rows_are_the_gateways() -> None:
    printed = [line.split("|") for line in PRINTED.splitlines()]
    assert len(REGISTRY) == len(printed) == 20
    for row, (code, message, description, billing) in zip(REGISTRY, printed, strict=True):
        assert (row.code, row.message, row.cn) == (code, message, description)
        if billing:
            assert (row.billing, row.billing_source) == (Billing.IGNORED, "printed")
        else:
            assert row.billing_source == "inferred"
            assert row.billing is (Billing.CHARGED if code in ("0000", "2000") else Billing.FREE)


def test_every_row_has_three_languages_of_its_own() -> None:
    for lang in Lang:
        texts = [row.text(lang) for row in REGISTRY]
        assert all(texts)
        assert len(set(texts)) == len(texts)
    for row in REGISTRY:
        assert any("\u4e00" <= char <= "\u9fff" for char in row.cn)
        assert row.en.isascii()
        assert any("а" <= char <= "я" for char in row.ru.lower())


def test_statuses_go_with_what_the_codes_say() -> None:
    for row in REGISTRY:
        assert row.is_success == (row.http_status == 200) == (row.code in (codes.SUCCESS, codes.NO_RESULT))
        assert not (row.is_success and row.retryable)


def test_the_constants_are_the_rows() -> None:
    constants = {name: value for name, value in vars(codes).items() if type(value) is str and name.isupper()}
    assert constants == {row.name: row.code for row in REGISTRY}
    assert set(constants) <= set(codes.__all__)
    assert set(constants) <= set(dir(registry)), "the door does not list them"
    assert Envelope.fail(codes.PARAM_ERROR).to_value()["error_code"] == "4003"


def test_valid_and_invalid_rows() -> None:
    row = REGISTRY["4003"]
    assert (row.billing, row.name, row.http_status, row.retryable, row.actor) == (
        "ignored",
        "PARAM_ERROR",
        400,
        False,
        "caller",
    )
    assert isinstance(row.billing, Billing)
    assert "4003" in REGISTRY
    assert "4011" not in REGISTRY
    with pytest.raises(UnknownCode, match="4011"):
        REGISTRY["4011"]
    with pytest.raises(UnknownCode) as caught:
        REGISTRY["x" * 10_000]
    assert len(str(caught.value)) < 100
    unknown = REGISTRY.get("4011")
    assert (unknown.code, unknown.billing, unknown.billing_source) == ("4011", Billing.UNKNOWN, "nobody")
    assert not unknown.is_success
    assert all(unknown.text(lang) for lang in Lang)
    number: Any = 4003
    with pytest.raises(TypeError, match="str"):
        REGISTRY[number]
    with pytest.raises(TypeError, match="str"):
        REGISTRY.get(number)


def test_a_registry_is_a_value() -> None:
    field: Any = "rows"
    with pytest.raises(FrozenInstanceError):
        setattr(REGISTRY, field, ())
    with pytest.raises(FrozenInstanceError):
        setattr(REGISTRY["4003"], "code", "1")  # noqa: B010  # mypy knows that it is frozen
    assert pickle.loads(pickle.dumps(REGISTRY)) == copy.deepcopy(REGISTRY) == REGISTRY
    assert pickle.loads(pickle.dumps(REGISTRY))["4003"] == REGISTRY["4003"]
    assert hash(REGISTRY) == hash(CodeRegistry(REGISTRY))
    assert CodeRegistry() != REGISTRY


def test_an_override_is_the_operators_word_and_leaves_the_registry_alone() -> None:
    other = REGISTRY.override("4003", billing="free", http_status=200, ru="Плохой параметр")
    row = other["4003"]
    assert (row.billing, row.billing_source, row.http_status, row.ru) == (
        Billing.FREE,
        "operator",
        200,
        "Плохой параметр",
    )
    assert REGISTRY["4003"].billing is Billing.IGNORED
    assert [row.code for row in other] == [row.code for row in REGISTRY]
    assert REGISTRY.override("4003", message="x")["4003"].billing_source == "printed"
    with pytest.raises(UnknownCode):
        REGISTRY.override("9999", billing="free")
    with pytest.raises(ValidationError, match=r"\$.billing: billing is one of charged"):
        REGISTRY.override("4003", billing="none")
    with pytest.raises(ValidationError, match="the name SUCCESS already belongs to 0000"):
        REGISTRY.override("4003", name="SUCCESS")
    with pytest.raises(TypeError):
        REGISTRY.override("4003", price=1)  # type: ignore[call-arg]


ROW: dict[str, Any] = {
    "code": "4100", "name": "NO_STOCK", "message": "No stock", "billing": "free", "http_status": 409, "retryable": False, "actor": "caller",
}  # fmt: skip


def test_codes_are_added_once() -> None:
    row = ErrorCode(**ROW)
    more = REGISTRY.with_codes(row)
    assert [*more][-1] is row
    assert row.text("ru") == "No stock"  # it has no description at all
    assert replace(row, cn="无货").text("ru") == "无货"
    wrong: Any = [row]
    with pytest.raises(TypeError, match="not list"):
        REGISTRY.with_codes(wrong)
    with pytest.raises(ValidationError, match="four digits"):
        REGISTRY.with_codes(replace(row, code="41"))
    with pytest.raises(ValidationError, match="4100 already exists"):
        more.with_codes(row)


@pytest.mark.parametrize(
    ("field", "value"),
    [("code", 4100), ("name", "no stock"), ("message", " "), ("ru", None), ("billing", []), ("billing_source", "me"),
     ("cn", " "), ("http_status", 199), ("http_status", 600), ("http_status", True), ("retryable", 1), ("actor", "me")],
)  # fmt: skip
def test_a_row_says_which_field_is_wrong(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        ErrorCode(**{**ROW, field: value})
    assert caught.value.path == f"$.{field}"


def test_with_a_success_code_nobody_must_act() -> None:
    assert ErrorCode(**{**ROW, "actor": "nobody", "http_status": 202}).is_success
    assert not ErrorCode(**{**ROW, "http_status": 200}).is_success
    with pytest.raises(ValidationError, match="2xx if nobody must act"):
        REGISTRY.override("4009", actor="nobody")


OWN = """
[[codes]]
code = "4100"
name = "NO_STOCK"
message = "No stock"
cn = "无货"
en = "Out of stock"
ru = "Нет в наличии"
billing = "charged"
http_status = 409
retryable = false
actor = "caller"

[[overrides]]
code = "4003"
billing = "free"

[[overrides]]
code = "4100"
retryable = true
"""


def test_an_operators_file_adds_and_overrides() -> None:
    for data in (OWN, OWN.encode()):
        own = REGISTRY.with_toml(data)
        assert len(own) == len(REGISTRY) + 1
        assert own["4100"].text("zh-CN") == "无货"
        assert (own["4100"].billing_source, own["4100"].retryable) == ("operator", True)
        assert (own["4003"].billing, own["4003"].billing_source) == ("free", "operator")
    jsonschema.validate(tomllib.loads(OWN), SCHEMA)
    assert REGISTRY.with_toml("") == REGISTRY


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        (OWN.replace("4100", "0000", 1), "$.codes[0].code", "0000 already exists"),
        (OWN + OWN, "$.codes[1].code", "4100 already exists"),
        (OWN.replace('"4100"', '"41"', 1), "$.codes[0].code", "four digits"),
        (OWN.replace('"4100"', "4100", 1), "$.codes[0].code", r"code is a string \(code of type int\)"),
        (OWN.replace('ru = "Нет в наличии"\n', ""), "$.codes[0].ru", "4100 has no ru"),
        (OWN.replace("Нет в наличии", ""), "$.codes[0].ru", "ru of code 4100 is empty"),
        (OWN.replace('billing = "charged"', 'biling = "charged"'), "$.codes[0].biling", "no such field"),
        (OWN.replace('"NO_STOCK"', '"SUCCESS"'), "$.codes[0].name", "the name SUCCESS already belongs to 0000"),
        (OWN.replace('"Нет в наличии"', '" "'), "$.codes[0].ru", "ru of code 4100 is empty"),
        ('[[overrides]]\ncode = "4003"\ncn = ""\n', "$.overrides[0].cn", "cn of code 4003 is empty"),
        ('[[overrides]]\ncode = "4003"\n', "$.overrides[0]", "code 4003 is not changed"),
        ('[[overrides]]\ncode = "4003"\nname = "SUCCESS"\n', "$.overrides[0].name", "the name SUCCESS already belongs to 0000"),
        (OWN.replace('"free"', '"none"'), "$.overrides[0].billing", "one of charged"),
        (OWN.replace('"4003"', '"4011"'), "$.overrides[0].code", "no code 4011 to override"),
        ('[[overrides]]\ncode = ["4003"]\nru = "x"\n', "$.overrides[0].code", "no code of type list to override"),
        ('[[overrides]]\nbilling = "free"\n', "$.overrides[0].code", r"code \? has no code"),
        ("[[code]]\n", "$.code", "no such table"),
        ("[[codes]]\ncode = 0x" + "f" * 900, "$.codes[0].name", "code [?] has no name"),
        ("[[codes]]\ncode." + "x." * 29 + "x=1", "$.codes[0].name", "code [?] has no name"),
        ("[codes]\n", "$.codes", "not a list"),
        ("codes = [1]\n", "$.codes[0]", "not a table"),
        (f'"{"k" * 1000}" = 1\n', "$." + "k" * 32 + "…", "no such table"),
    ],
)  # fmt: skip
def test_a_fault_in_an_operators_file_has_its_path(data: str, path: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words) as caught:
        REGISTRY.with_toml(data)
    assert caught.value.path.replace('["', ".").replace('"]', "") == path


@pytest.mark.parametrize(
    ("data", "offset", "kind"),
    [
        (b"[[codes]]\ncode = \n", 17, "malformed"),
        ("# жх\r\n[[codes]]\r\ncode = \r\n".encode(), 26, "malformed"),
        (b"code = 'x", 9, "malformed"),
        (b"code = \xff\n", 7, "malformed"),
        (b"a = " + b"1" * 5000, 4, "limit"),
        (b"a = " + b"[" * 100_000, 68, "limit"),
        (b"['x (at line 99, column 1)']\n['x (at line 99, column 1)']", 56, "malformed"),
        (
            b"['x (at line 99, column %s)']\n['x (at line 99, column %s)']" % (b"9" * 5000, b"9" * 5000),
            10054,
            "malformed",
        ),
        (b'a = "', 5, "malformed"),
    ],
)
def test_invalid_toml_has_an_offset(data: bytes, offset: int, kind: str) -> None:
    with pytest.raises(DecodeError) as caught:
        REGISTRY.with_toml(data)
    assert len(str(caught.value)) < 200
    assert (caught.value.format, caught.value.offset, caught.value.kind) == ("toml", offset, kind)


@given(st.binary(max_size=60) | st.text("[]{}=\"'\n.#codes12_\\", max_size=60))
def test_any_file_gives_a_registry_or_one_of_our_errors(data: bytes | str) -> None:
    with contextlib.suppress(EnvelopeError):
        REGISTRY.with_toml(data)


def test_a_file_is_given_as_text_not_by_name() -> None:
    number: Any = 7
    with pytest.raises(DecodeError, match="that is the file's name"):
        REGISTRY.with_toml("our-codes.toml")
    with pytest.raises(TypeError, match="str or bytes"):
        REGISTRY.with_toml(number)


def test_the_table_matches_its_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    table = tomllib.loads((DATA / "codes.toml").read_text(encoding="utf-8"))
    jsonschema.validate(table, SCHEMA)
    assert set(SCHEMA["$defs"]["fields"]["properties"]) == set(table["codes"][0])


FIELDS = [*ROW, "cn", "en", "ru", "billing_source", "more"]
SAMPLES = [
    "4003",
    "4100",
    "OK_1",
    "a text",
    "",
    " ",
    "free",
    "operator",
    "nobody",
    "caller",
    200,
    299,
    300,
    99,
    True,
    [],
    None,
]


@pytest.mark.parametrize("table", ["codes", "overrides"])
@pytest.mark.parametrize("field", FIELDS)
def test_the_schema_refuses_exactly_what_the_reader_does(table: str, field: str) -> None:
    """Each field of a record in turn set to each sample, or left out (None)."""
    tomli_w = pytest.importorskip("tomli_w")
    whole = {**ROW, "cn": "无货", "en": "Out", "ru": "Нет", "actor": "nobody", "http_status": 200}
    validator = jsonschema.Draft202012Validator(SCHEMA)
    base = CodeRegistry(
        [ErrorCode(**{**ROW, "code": code, "name": f"A{code}"}) for code in ("4003", "4100") if table == "overrides"]
    )
    for record, value in product([whole, {"code": "4100", "actor": "caller"}, {"code": "4100"}], SAMPLES):
        changed = {name: value for name, value in {**record, field: value}.items() if value is not None}
        try:
            base.with_toml(tomli_w.dumps({table: [changed]}))
            is_taken = True
        except ValidationError as error:
            if "to override" in error.reason or (
                "nobody must act" in error.reason and not {"actor", "http_status"} <= changed.keys()
            ):
                continue  # the file alone does not show it
            is_taken = False
        assert is_taken == validator.is_valid({table: [changed]}), changed
