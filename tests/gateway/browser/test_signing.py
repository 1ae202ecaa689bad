"""The servers' parts of docs/how-to/browser.md: what they sign is what the gateway takes."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.calls.request import ApiRequest
from envelope.calls.signing import CHINA, dateline_of
from envelope.calls.strict_signing import check_strictly
from tests.documents import text_of
from tests.php import missing

ROOT = Path(__file__).parents[3]
DOCS = text_of("browser.md")
STRICT = ROOT / "tests" / "calls" / "strict_signature.php"
SECRET = "секрет"
SERVER = "echo json_encode(signed(json_decode($argv[1], true), $argv[2]));"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CALL = {"key": "k", "api_name": "custom", "lang": "ru", "method": "v1/completions", "_o_args": '{"prompt":"地球 /"}'}


def block(language: str) -> str:
    [code] = re.findall(rf"^```{language}\n(.*?)^```$", DOCS, re.MULTILINE | re.DOTALL)
    return str(code)


SHOWN: dict[str, Any] = {}
exec(block("python"), SHOWN)


def check(params: dict[str, str], proof: dict[str, Any]) -> None:
    """`RequestError` unless a gateway takes what obAPI makes of it."""
    dateline = dateline_of(lambda: proof["timestamp"] * 10**9, CHINA)
    sign = f"hmac-sha256:{proof['nonceStr']}:{proof['signature']}"
    sent = {**params, "dateline": dateline, "sign": sign}
    request = ApiRequest.from_params({**CALL, "dateline": dateline, "sign": sign}, api_type="openai")
    check_strictly(request, SECRET, time.time_ns, params=sent)


@given(st.dictionaries(TEXTS.filter(lambda name: name not in ("", "sign", "secret")), TEXTS))
def test_what_python_signs_is_taken(more: dict[str, str]) -> None:
    params = {**more, **CALL}
    check(params, SHOWN["signed"]({"api_type": "openai", "params": params}, SECRET))


@pytest.mark.php
@pytest.mark.skipif(bool(missing()), reason=missing())
@pytest.mark.parametrize("more", [{}, {"b": '\u2028\x7f\n"\\/', "Z": "", "é": "@x", "10": "a", "9": "b"}])
def test_what_php_signs_is_taken(more: dict[str, str], tmp_path: Path) -> None:
    params = {**more, **CALL}
    program = tmp_path / "sign.php"
    program.write_text(STRICT.read_text(encoding="utf-8") + block("php") + SERVER, encoding="utf-8")
    call = json.dumps({"api_type": "openai", "params": params})
    ran = subprocess.run(["php", str(program), call, SECRET], capture_output=True, check=True)
    check(params, json.loads(ran.stdout))


@pytest.mark.parametrize(
    ("change", "user", "is_allowed"),
    [
        ({}, "ann", True),
        ({}, None, False),
        ({"method": "v1/models"}, "ann", False),
        ({"api_name": "other"}, "ann", False),
        ({"extra": "x"}, "ann", False),
        ({"lang": 5}, "ann", False),
        ({"_o_args": '{"prompt":"x","max_tokens":201}'}, "ann", False),
        ({"_o_args": '{"prompt":"x","n":100}'}, "ann", False),
    ],
)
def test_what_the_example_lets_through(change: dict[str, Any], user: str | None, is_allowed: bool) -> None:
    assert SHOWN["may_call"]({"api_type": "openai", "params": {**CALL, **change}}, user) is is_allowed
