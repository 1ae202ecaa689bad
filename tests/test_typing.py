"""What type checkers see: a caller's own code needs no casts, even in the strictest mode."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_docs import SERVERS

CALLER = """
from dataclasses import replace

from envelope import Lang, ResultType
from envelope.calls import ApiRequest, Engine, HttpRequest

sent = ApiRequest(key="k", api_name="custom").write("query")
url: str = "https://api.example/?" + sent.query

def handled(http: HttpRequest, engine: Engine) -> bytes:
    return engine.answer(http, lambda request: request.params).body

def received(raw: bytes, text: str, either: str | bytes, engine: Engine) -> list[bytes]:
    requests = (HttpRequest(), HttpRequest(query=raw), HttpRequest(query=text), HttpRequest(query=either), sent)
    return [handled(http, engine) for http in requests]

def unknown(http: HttpRequest) -> str:
    return http.query

named = ApiRequest(key="k", api_name="custom", result_type="serialize", lang="zh-Hans")
result_type: ResultType = replace(named, result_type="xml", lang=Lang.RU).result_type
lang: Lang = named.lang

def misspelt() -> ApiRequest:
    return ApiRequest(key="k", api_name="custom", result_type="yaml")
"""


def test_a_caller_needs_no_casts(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api", reason="mypy is not installed")
    snippet = tmp_path / "caller.py"
    snippet.write_text(CALLER, encoding="utf-8")
    out, err, _ = api.run(["--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}", str(snippet)])
    complaints = [line.partition("caller.py:")[2] for line in out.splitlines() if "caller.py:" in line]
    assert len(complaints) == 2, out + err
    # Only an HttpRequest of unknown type may have bytes.
    assert (
        complaints[0] == '18: error: Incompatible return value type (got "str | bytes", expected "str")  [return-value]'
    )
    assert complaints[1].startswith('25: error: Argument "result_type" to "ApiRequest" has incompatible type')


def test_the_servers_of_the_documents_need_no_casts(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api", reason="mypy is not installed")
    for package in ("fastapi", "litestar"):
        pytest.importorskip(package)
    for place, source in enumerate(SERVERS.values()):
        (tmp_path / f"server_{place}.py").write_text(source, encoding="utf-8")
    out, err, status = api.run(
        ["--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}", *map(str, tmp_path.glob("*.py"))]
    )
    assert "server_" not in out, out + err
    assert status == 0, out + err
