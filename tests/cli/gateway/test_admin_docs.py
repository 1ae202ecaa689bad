"""gateway-admin.md: every example does what it says, every route and every error is there."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

import pytest

for package in ("aiohttp", "alembic", "cryptography", "fastapi", "pydantic_settings", "sqlalchemy", "structlog", "uvicorn"):  # fmt: skip
    pytest.importorskip(package)

from envelope.gateway.admin.application import application  # noqa: E402
from envelope.gateway.admin.errors import KINDS  # noqa: E402
from tests.cli.gateway.serving import serving  # noqa: E402
from tests.cli.gateway.test_docs import bash, steady  # noqa: E402
from tests.documents import sessions, text_of  # noqa: E402

ADMIN = text_of("gateway-admin.md")
TOKEN = "the-token-of-the-documents-examples"
MORE_VOLATILE = re.compile(r"(?<=\"key\":\")[0-9a-f]{24}|(?<=\"secret\":\")[0-9a-f]{48}|\b\d{16}\b|\d{4}-\d\d-\d\d")


def test_the_sessions_of_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    monkeypatch.setenv("ENVELOPE_GATEWAY_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("TOKEN", TOKEN)
    examples = sessions(ADMIN)
    assert len(examples) > 10
    with serving(tmp_path, "--demo") as demo:
        monkeypatch.setenv("ADMIN", f"{demo.address}/admin")
        for command, shown in examples:
            said, shown = (MORE_VOLATILE.sub("*", steady(text)) for text in (bash(command, tmp_path, demo), shown))
            assert said == shown, command
        assert demo.stop(signal.SIGINT)[0] == 0


def test_every_route_is_described() -> None:
    told = re.findall(r"^\| `([A-Z]+) (/\S+)` \|", ADMIN, re.MULTILINE)
    paths = application().openapi()["paths"]
    assert {*told} == {(verb.upper(), path.removeprefix("/admin")) for path, verbs in paths.items() for verb in verbs}


def test_every_error_is_described() -> None:
    assert {
        int(status): kind for status, kind in re.findall(r"^\| (\d{3}) \| `(\w+)` \|", ADMIN, re.MULTILINE)
    } == KINDS
