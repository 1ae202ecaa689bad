"""`envelope gateway serve`, as whoever starts it for the first time finds it."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run

for package in ("aiohttp", "alembic", "cryptography", "pydantic_settings", "sqlalchemy", "structlog", "uvicorn"):
    pytest.importorskip(package)

from envelope import decode  # noqa: E402
from envelope.formats import ResultType  # noqa: E402
from envelope.gateway.demo.threaded import demo_in_thread  # noqa: E402
from envelope.gateway.serving import interrupts_wait  # noqa: E402
from envelope.gateway.vault import Vault  # noqa: E402
from tests.cli.gateway.serving import WAIT, get, serving  # noqa: E402

UPSTREAM = '[[upstreams]]\nname = "first"\naddress = "http://127.0.0.1:9"\nkey = "sk-4f9c1d7e2b"\n'
KEY = "sk-4f9c1d7e2b"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("KEYS", "FILE", "STORE", "SECONDS", "UPSTREAMS"):
        monkeypatch.delenv(f"ENVELOPE_GATEWAY_{name}", raising=False)
    return tmp_path


def ran(*arguments: str) -> str:
    """What a command shows beside the gateway; it succeeds."""
    result = run("gateway", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def shown(*arguments: str) -> Any:
    return json.loads(ran(*arguments, "--json"))


def refused(*arguments: str) -> str:
    """What `serve` says, where it does not begin to serve."""
    result = run("gateway", "serve", "--port", "0", *arguments)
    assert result.exit_code in (1, 2)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert KEY not in result.stderr
    return result.stderr


def test_the_demo_answers_in_five_formats_and_keeps_its_account(folder: Path) -> None:
    with serving(folder, "--demo") as demo:
        assert str(folder) in demo.told
        calls = [line.split("'")[1] for line in demo.lines if "result_type=" in line and line.startswith("curl")]
        assert len(calls) == 5
        for url, name in zip(calls, ResultType, strict=True):
            answer = decode(get(url)[1], name)
            assert answer.error_code == "0000"
            assert answer.response["choices"][0]["text"] == "You said: 地球"
        assert [row["code"] for row in shown("calls")] == ["0000"] * 5
        [account] = shown("account", "list")
        assert (account["key"], account["held"]) == (demo.key, 0)
        charged = sum(row["charge"] for row in shown("calls"))
        assert account["balance"] == 100_000_000 - charged < 100_000_000
        assert "the books are right" in ran("audit")
        assert len(ran("export").splitlines()) == 5
        for told in (ran("calls"), ran("calls", "--json"), ran("account", "list"), ran("export")):
            assert demo.secret not in told
        assert "demo-key" not in demo.told
        [token] = re.findall(r"admin token, (\w+)\)", demo.told)
        assert b'"name":"demo"' in get(f"{demo.address}/admin/accounts", Authorization=f"Bearer {token}")[1]
        assert b'name="token"' in get(f"{demo.address}/console")[1]
        assert demo.stop(signal.SIGINT) == (0, "")
    files = [path for path in folder.iterdir() if path.is_file()]
    assert {path.name for path in files} >= {"gateway.toml", "gateway.db", "gateway.key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    for path in files:
        assert demo.secret.encode() not in path.read_bytes()
    with serving(folder, "--demo") as again:
        assert (again.key, again.secret) == (demo.key, demo.secret)
        get(again.url(cache="no"))
        assert len(shown("calls")) == 6
        assert again.stop(signal.SIGTERM) == (0, "")
    assert "the books are right" in ran("audit")


def test_the_lines_of_the_demo_work_as_they_stand(folder: Path) -> None:
    for program in ("curl", "php"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    pytest.importorskip("httpx2")
    command = f'envelope() {{ "{sys.executable}" -m envelope "$@"; }}; python() {{ "{sys.executable}" "$@"; }}; '
    with serving(folder, "--demo") as demo:
        said = []
        for line in demo.lines:
            ended = subprocess.run(["bash", "-c", command + line], cwd=folder, capture_output=True, timeout=WAIT)
            assert ended.returncode == 0, (line, ended.stderr)
            said.append(ended.stdout.decode())
        assert len([line for line in demo.lines if line.startswith("curl")]) == 9
    *answers, failure, calls, _, audit = said
    assert all("You said: " in answer or r"\u5730" in answer for answer in answers)
    assert '"4002"' in failure
    assert calls.count("0000") == len(answers)
    assert audit == "the books are right\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", [1, 4])
def test_calls_that_are_open_are_answered_before_it_ends(folder: Path, workers: int, number: signal.Signals) -> None:
    with serving(folder, "--demo", "--workers", str(workers)) as demo, ThreadPoolExecutor() as threads:
        # The demo's upstream is busy, and asks to be asked again two seconds later.
        call = threads.submit(get, demo.url('{"prompt":"hello","model":"fault-429-retry-after"}'))
        while not shown("account", "list")[0]["held"]:
            assert not call.done()
        assert demo.stop(number) == (0, "")
        assert json.loads(call.result()[1])["error_code"] == "0000"
    assert [row["state"] for row in shown("calls")] == ["settled"]


def test_ctrl_c_while_workers_begin_shows_no_traceback(folder: Path) -> None:
    with serving(folder, "--demo", "--workers", "4") as demo:
        code, said = demo.stop(signal.SIGINT)
    assert code in (0, 130)
    assert said == ""


def test_ctrl_c_waits_for_what_must_not_be_cut_short() -> None:
    before = signal.getsignal(signal.SIGINT)
    done = []

    def begin() -> None:
        with interrupts_wait():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        begin()
    assert (done, signal.getsignal(signal.SIGINT)) == (["all of it"], before)


def test_workers_end_with_their_parent(folder: Path) -> None:
    with serving(folder, "--demo", "--workers", "2") as demo:
        get(demo.url())
        demo.process.kill()
        demo.process.communicate(timeout=WAIT)  # both pipes are closed: no process has them any more
    with pytest.raises(ConnectionRefusedError):
        get(demo.url())


def test_a_log_for_people_has_no_colours_in_a_file(folder: Path) -> None:
    (folder / "gateway.toml").write_text(f'log = "text"\n{UPSTREAM}')
    with serving(folder) as gateway:
        get(f"{gateway.address}/openai/custom/?key=k&secret=s")
        code, said = gateway.stop(signal.SIGTERM)
    assert code == 0
    assert "code=4004" in said
    assert "\x1b" not in said


SERVE = "from pathlib import Path; from envelope.gateway.serving import listen, serve"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_cannot_start_says_why(folder: Path, workers: int) -> None:
    (folder / "gateway.toml").write_text(UPSTREAM + "[limits]\nbody = 1\n")
    code = f"{SERVE}; serve(Path('gateway.toml'), listen('127.0.0.1', 0), workers={workers}, drain=30)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=WAIT)
    assert ended.returncode == 3
    assert "invalid at $.limits.body" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_serves_on_ipv6(folder: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("there is no IPv6 here")
    (folder / "gateway.toml").write_text(UPSTREAM)
    with serving(folder, "--host", "::1") as gateway:
        assert gateway.address.startswith("http://[::1]:")
        _, body = get(f"{gateway.address}/openai/custom/?key=k&secret=s&method=v1/models")
        assert json.loads(body)["error_code"] == "4004"
        code, said = gateway.stop(signal.SIGTERM)
    assert code == 0
    assert '"code": "4004"' in said
    assert "secret" not in said


def test_the_upstream_of_the_demo_ends_with_it() -> None:
    with demo_in_thread() as upstream:
        assert get(f"{upstream.address}/v1/models")[0].startswith("application/json")
    assert "demo upstream" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(ConnectionRefusedError):
        get(upstream.address)


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        text = refused("--demo", "--port", str(taken.getsockname()[1]))
    assert "--port takes another" in text
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b"])
def test_a_host_that_is_none(host: str) -> None:
    assert f"cannot listen on {host}" in refused("--demo", "--host", host)


@pytest.mark.parametrize("text", [UPSTREAM, "# mine", ""])
def test_the_demo_does_not_replace_a_gateway(folder: Path, text: str) -> None:
    (folder / "gateway.toml").write_text(text)
    assert "a gateway of its own" in refused("--demo")
    assert (folder / "gateway.toml").read_text() == text
    assert len(list(folder.iterdir())) == 1


def test_the_demo_does_not_use_the_books_of_a_gateway(folder: Path) -> None:
    ran("account", "add", "alice")
    assert "a gateway of its own" in refused("--demo")


def test_the_demo_has_settings_of_its_own() -> None:
    assert "leave --config out" in refused("--demo", "--config", "gateway.toml")


def test_a_folder_without_settings() -> None:
    assert "--demo needs none" in refused()
    assert "there is no other.toml" in refused("--config", "other.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("upstreams = [", "gateway.toml, byte 13"),
        (f'key = "{KEY}', "Unterminated string"),
        ("seconds = 5", "$.upstreams"),
        (UPSTREAM.replace("http:", "ftp:"), "$.upstreams[0].address"),
        (f'[upstreams]\nname = "{KEY}"', "write [[upstreams]]"),
        (f"secret = '{KEY}'\n{UPSTREAM}", "$.secret"),
        (f"seconds = '{KEY}'\n{UPSTREAM}", "$.seconds"),
        (f"{UPSTREAM}[[prices]]\ncall = 0.1", "$.prices[0].call"),
        (f"apis = ['a b']\n{UPSTREAM}", "$.apis[0]"),
        (f"codes = 'codes.toml'\n{UPSTREAM}", "cannot read codes.toml: No such file"),
        (f"{UPSTREAM}ca_file = 'ca.pem'", "$.upstreams[0].ca_file"),
    ],
)
def test_settings_that_will_not_do(folder: Path, text: str, told: str) -> None:
    (folder / "gateway.toml").write_text(text)
    assert told in refused()
    assert [path.name for path in folder.iterdir()] == ["gateway.toml"]
    if "codes" not in text:  # which others do not need
        result = run("gateway", "audit")
        assert result.exit_code == 1
        assert told in result.stderr
        assert KEY not in result.stderr


def test_an_environment_that_will_not_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "gateway.toml").write_text(UPSTREAM)
    monkeypatch.setenv("ENVELOPE_GATEWAY_UPSTREAMS", KEY)
    said = refused()
    assert "not JSON, in the environment" in said
    assert "$.upstreams" in said


def test_codes_that_will_not_do(folder: Path) -> None:
    (folder / "gateway.toml").write_text(f"codes = 'codes.toml'\n{UPSTREAM}")
    (folder / "codes.toml").write_text('[[overrides]]\ncode = "0001"\n')
    assert "codes.toml" in refused()


def test_keys_that_will_not_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "gateway.toml").write_text(UPSTREAM)
    ran("account", "add", "alice")
    key = folder / "gateway.key"
    key.chmod(0o644)
    assert "chmod 600" in refused()
    first = key.read_text()
    key.unlink()
    assert "restore it" in refused()
    Vault.make_file(key)
    assert "add it as the last" in refused()
    monkeypatch.setenv("ENVELOPE_GATEWAY_KEYS", "short")
    assert "ENVELOPE_GATEWAY_KEYS: a vault's key is 32 bytes" in refused()
    monkeypatch.delenv("ENVELOPE_GATEWAY_KEYS")
    key.write_text(key.read_text() + first)
    ran("account", "renew", "alice")


def test_a_store_that_will_not_do(folder: Path) -> None:
    (folder / "gateway.toml").write_text(UPSTREAM)
    ran("account", "add", "alice")
    connection = sqlite3.connect("gateway.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    text = refused()
    assert "gateway.db" in text
    assert "newer version" in text
    (folder / "gateway.db").write_bytes(b"something else" * 1000)
    assert "not a database" in refused()


def test_a_missing_extra_says_what_installs_it() -> None:
    code = "import sys; sys.modules['uvicorn'] = None; sys.argv[1:] = ['gateway', 'serve', '--demo']; "
    ended = subprocess.run(
        [sys.executable, "-c", f"{code} from envelope.cli import main; main()"], capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "uvicorn is not installed: pip install 'envelope-engine[gateway]'" in ended.stderr


def test_all_commands_find_the_books_through_the_settings(folder: Path) -> None:
    (folder / "conf").mkdir()
    (folder / "conf" / "gateway.toml").write_text(f"store = 'books.db'\nkey_file = 'keys'\n{UPSTREAM}")
    config = ("--config", "conf/gateway.toml")
    secret = shown("account", "add", "alice", *config)["secret"]
    assert {path.name for path in folder.iterdir()} == {"conf"}
    sealed = sqlite3.connect("conf/books.db").execute("SELECT secret FROM account").fetchall()[0][0]
    assert Vault.from_file("conf/keys").open(sealed) == secret
    assert [row["name"] for row in shown("account", "list", *config)] == ["alice"]
    (folder / "conf" / "gateway.toml").rename(folder / "gateway.toml")
    assert [row["name"] for row in shown("account", "list", "--store", "conf/books.db")] == ["alice"]
    ran("account", "add", "bob")
    assert [row["name"] for row in shown("account", "list")] == ["bob"]
    assert (folder / "keys").exists()


def test_the_audit_knows_the_codes_of_the_settings(folder: Path) -> None:
    with serving(folder, "--demo") as demo:
        get(demo.url())
        demo.stop(signal.SIGTERM)
    with (folder / "gateway.toml").open("r+") as file:
        text = file.read()
        file.seek(0)
        file.write(f"codes = 'codes.toml'\n{text}")
    (folder / "codes.toml").write_text('[[overrides]]\ncode = "0000"\nbilling = "free"\n')
    result = run("gateway", "audit", "--json")
    assert [row["invariant"] for row in json.loads(result.stdout)] == ["billing"]
