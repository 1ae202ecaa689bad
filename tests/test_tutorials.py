"""The tutorials, and examples of how-to pages that need something beside them: done as they say, with what they show."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import envelope
from envelope import Envelope
from tests import spark
from tests.documents import ROOT, bash, blocks, sessions, text_of

PRINTED = re.compile(r"^```python\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


def check_printed(text: str, name: str) -> None:
    """Run the examples of a page, one after the other; each prints what stands below it."""
    names: dict[str, object] = {"__name__": name}
    for source, shown in PRINTED.findall(text):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(source, name, "exec", dont_inherit=True), names)
        assert out.getvalue() == shown, out.getvalue()


def needs(*packages: str) -> None:
    for package in packages:
        pytest.importorskip(package)
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")


GATEWAY = ("aiohttp", "alembic", "cryptography", "pydantic_settings", "sqlalchemy", "structlog", "uvicorn")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_a_server_in_five_minutes(tmp_path: Path) -> None:
    needs("fastapi", "uvicorn")
    text = text_of("first-server.md")
    [source] = blocks(text, "python")
    (tmp_path / "shop.py").write_text(source, encoding="utf-8")
    port = free_port()
    server = [sys.executable, "-m", "uvicorn", "shop:app", "--port", str(port), "--log-level", "error"]
    with subprocess.Popen(server, cwd=tmp_path) as running:
        try:
            while running.poll() is None and not answers(port):
                time.sleep(0.05)
            for command, shown in sessions(text):
                assert bash(command.replace(":8000", f":{port}"), tmp_path).rstrip("\n") == shown.rstrip("\n"), command
        finally:
            running.terminate()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def test_a_client_in_five_minutes(tmp_path: Path) -> None:
    needs(*GATEWAY, "httpx2", "pydantic")
    from tests.cli.gateway.serving import serving

    with serving(tmp_path, "--demo") as demo:
        text = text_of("first-client.md").replace("http://127.0.0.1:8080", demo.address).replace("SECRET", demo.secret)
        check_printed(text, "first-client")
        assert demo.stop(signal.SIGINT)[0] == 0


def test_a_gateway_in_five_minutes(tmp_path: Path) -> None:
    needs(*GATEWAY)
    from tests.cli.gateway.serving import serving
    from tests.cli.gateway.test_admin_docs import MORE_VOLATILE
    from tests.cli.gateway.test_docs import steady

    def plain(shown: str) -> str:
        return re.sub(r'(?<="created";i:)\d+|\b[0-9a-f]{24}\b', "*", MORE_VOLATILE.sub("*", steady(shown)))

    with serving(tmp_path, "--demo") as demo:
        prelude = f"DEMO='{demo.url().partition('&method')[0]}'"
        for command, shown in sessions(text_of("first-gateway.md")):
            assert plain(bash(command, tmp_path, prelude)) == plain(shown), command
        assert demo.stop(signal.SIGINT)[0] == 0


def test_the_gateway_is_the_same_in_chinese() -> None:
    chinese, english = text_of("first-gateway-zh.md"), text_of("first-gateway.md")
    assert sessions(chinese) == sessions(english)
    assert blocks(chinese, "sh") == blocks(english, "sh")
    told = dict(re.findall(r"^\| (\d{4}) \| (.+?) \|", chinese, re.MULTILINE))
    assert len(told) == 7
    assert all(code in envelope.registry.REGISTRY for code in told)


def test_a_bill_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    answers = [Envelope.ok([1]), Envelope.ok([2]), Envelope.fail("4008")]
    Path("answers.jsonl").write_bytes(b"\n".join(envelope.encode(answer, "json") for answer in answers))
    check_printed(text_of("billing.md"), "billing")


def test_an_engine_with_codes_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = text_of("registry.md")
    [codes] = blocks(text, "toml")
    Path("codes.toml").write_text(codes, encoding="utf-8")
    check_printed(text, "registry")


def test_a_client_of_two_gateways() -> None:
    needs("httpx2")
    check_printed(text_of("moving-a-gateway.md"), "moving")


def test_the_settings_of_a_gateway_that_moves(tmp_path: Path) -> None:
    needs(*GATEWAY)
    from envelope.gateway.settings import read_settings

    [settings] = blocks(text_of("moving-a-gateway.md"), "toml")
    (tmp_path / "gateway.toml").write_text(settings, encoding="utf-8")
    assert read_settings(tmp_path / "gateway.toml").statuses == "ok"


@pytest.mark.spark
@pytest.mark.skipif(bool(spark.missing()), reason=spark.missing())
def test_spark() -> None:
    run = [sys.executable, "-c", "from tests.test_tutorials import *; check_printed(text_of('spark.md'), 'spark')"]
    workers = {**os.environ, "PYSPARK_PYTHON": sys.executable}
    ran = subprocess.run(run, cwd=ROOT, env=workers, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
