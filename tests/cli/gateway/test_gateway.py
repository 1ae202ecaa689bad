"""The operator's commands, from the first account to the export, each as a table and as JSON."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import process, run
from tests.documents import ROOT

for package in ("alembic", "cryptography", "sqlalchemy"):
    pytest.importorskip(package)

from envelope.gateway.books import account_named, settle  # noqa: E402
from envelope.gateway.stores import open_store  # noqa: E402
from envelope.gateway.vault import Vault  # noqa: E402
from tests.gateway.ledger import admitted, settlement  # noqa: E402


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENVELOPE_GATEWAY_KEYS", raising=False)
    return tmp_path


def ran(*arguments: str) -> str:
    """What the command shows; it succeeds."""
    result = run("gateway", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def shown(*arguments: str) -> Any:
    return json.loads(ran(*arguments, "--json"))


def refused(*arguments: str) -> str:
    result = run("gateway", *arguments)
    assert result.exit_code in (1, 2)
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


@pytest.fixture
def alice() -> dict[str, str]:
    """An account that may call, and has 25 units."""
    made: dict[str, str] = shown("account", "add", "alice")
    ran("grant", "alice", "custom", "--quota", "10")
    ran("deposit", "alice", "25")
    return made


@pytest.fixture
def calls(alice: dict[str, str]) -> list[int]:
    """Two of its calls: one that cost 1.5 units, and one that is open."""
    with open_store("gateway.db") as store:
        first = admitted(store, 1, hold=2_000_000, request_id="1.6403f86cd67f6")
        store.write_now(lambda db: settle(db, settlement(first, 1_500_000, prompt_tokens=16)))
        return [first, admitted(store, 1, hold=1_000_000)]


def test_an_account_has_a_secret_that_is_shown_once(folder: Path) -> None:
    text = ran("account", "add", "alice", "--concurrency", "3", "--strict-signature")
    key, secret = (line.split()[1] for line in text.splitlines()[:2])
    for path in (folder / "gateway.db", folder / "gateway.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in ran("account", "list")
    [row] = shown("account", "list")
    assert row == {
        "id": 1, "name": "alice", "key": key, "state": "active", "balance": 0, "held": 0, "concurrency": 3,
        "strict_signature": True, "created": row["created"], "grants": {},
    }  # fmt: skip
    with open_store(folder / "gateway.db") as store:
        found = store.read_now(lambda db: account_named(db, "alice"))
    assert found is not None
    assert Vault.from_file(folder / "gateway.key").open(found.secret) == secret
    assert "already" in refused("account", "add", "alice")


def test_a_secret_is_renewed(alice: dict[str, str]) -> None:
    again = shown("account", "renew", "alice")
    assert again["key"] == alice["key"]
    assert again["secret"] != alice["secret"]
    assert "key     " in ran("account", "renew", "alice")
    assert "no account" in refused("account", "renew", "bob")


def test_keys_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVELOPE_GATEWAY_KEYS", f"{Vault.new_key()},{Vault.new_key()}")
    ran("account", "add", "alice")
    assert not (folder / "gateway.key").exists()
    monkeypatch.setenv("ENVELOPE_GATEWAY_KEYS", "short")
    text = refused("account", "add", "bob")
    assert "32 bytes" in text
    assert "short" not in text


def test_a_lost_key_file_is_not_replaced(alice: dict[str, str], folder: Path) -> None:
    (folder / "gateway.key").unlink()
    assert "restore it" in refused("account", "add", "bob")


def test_what_an_account_may(alice: dict[str, str]) -> None:
    ran("account", "change", "alice", "--state", "stopped", "--concurrency", "7")
    assert [(row["state"], row["concurrency"]) for row in shown("account", "list")] == [("stopped", 7)]
    ran("account", "change", "alice", "--state", "active", "--concurrency", "unlimited", "--strict-signature")
    assert [(row["state"], row["concurrency"], row["strict_signature"]) for row in shown("account", "list")] == [
        ("active", None, True)
    ]
    assert shown("account", "list")[0]["grants"] == {"custom": {"state": "active", "quota": 10, "used": 0}}
    ran("grant", "alice", "custom", "--state", "stopped")
    assert "custom 0/10 stopped" in " ".join(ran("account", "list").split())
    ran("grant", "alice", "custom", "--quota", "unlimited")
    assert "custom 0/∞ stopped" in " ".join(ran("account", "list").split())
    for wrong in ("-1", "many", "1" * 30):
        assert "not a number" in refused("account", "change", "alice", "--concurrency", wrong)
    ran("account", "change", "alice", "--concurrency", f"{2**31 - 1}")
    ran("grant", "alice", "custom", "--quota", f"{2**63 - 1}")


@pytest.mark.parametrize(
    "command",
    [
        ("account", "add", "bob", "--concurrency", f"{2**31}"),
        ("account", "change", "alice", "--concurrency", f"{2**31}"),
        ("grant", "alice", "custom", "--quota", f"{2**63}"),
        ("calls", "--before", f"{2**63}"),
        ("export", "--after", f"{2**63}", "-o", "x.csv"),
        ("refund", f"{2**63}"),
    ],
)
@pytest.mark.usefixtures("alice")
def test_a_number_that_no_store_has_room_for(command: tuple[str, ...]) -> None:
    assert re.search("more than|not in the range", refused(*command))


def test_deposits(alice: dict[str, str]) -> None:
    assert shown("deposit", "alice", "0.000001", "--note", "a present") == {"name": "alice", "balance": 25_000_001}
    assert "25.000002" in ran("deposit", "alice", "0.000001")
    for _ in range(2):
        assert "26.000002" in ran("deposit", "alice", "1", "--reference", "invoice-1001")
    assert "entered before, with 1" in refused("deposit", "alice", "2", "--reference", "invoice-1001")
    for wrong in ("0", "-1", "1e3", "0.0000001"):
        assert refused("deposit", "alice", "--", wrong)
    assert "above 9000000000" in refused("deposit", "alice", "9000000000")
    assert "no account" in refused("deposit", "bob", "1")
    for name in ("\udcff", "x" * 256, ""):
        assert "no account" in refused("deposit", name, "1")
        for command in (("account", "add"), ("grant", "alice"), ("switch",)):
            assert "1 to 255 characters" in refused(*command, name, *["active"] * (command == ("switch",)))


def test_calls_are_shown(calls: list[int]) -> None:
    first, second = calls
    assert [(row["id"], row["state"], row["charge"]) for row in shown("calls")] == [
        (second, "open", 0),
        (first, "settled", 1_500_000),
    ]
    assert [row["id"] for row in shown("calls", "--code", "0000", "--account", "alice", "--method", "v1/models")] == [
        first
    ]
    assert shown("calls", "--until", "2026-01-01") == []
    assert len(shown("calls", "--since", "2026-01-01T00:00:00+02:00", "--limit", "1")) == 1
    assert [row["id"] for row in shown("calls", "--before", str(second))] == [first]
    assert "1.5" in ran("calls")
    assert "not like 2026-11-01" in refused("calls", "--since", "yesterday")


def test_a_refund(calls: list[int]) -> None:
    assert shown("refund", str(calls[0]), "--note", "sorry") == {"call": calls[0], "refunded": 1_500_000}
    assert "given back before" in refused("refund", str(calls[0]))
    assert "given back before" in refused("refund", str(calls[1]))
    assert shown("account", "list")[0]["balance"] == 25_000_000
    assert "the books are right" in ran("audit")


def test_a_switch(alice: dict[str, str]) -> None:
    ran("switch", "custom", "maintenance")
    with open_store("gateway.db") as store, pytest.raises(AssertionError, match="4009"):
        admitted(store, 1)
    ran("switch", "custom", "active")
    with open_store("gateway.db") as store:
        admitted(store, 1)


def test_the_audit(calls: list[int], folder: Path) -> None:
    assert shown("audit") == []
    (folder / "codes.toml").write_text('[[overrides]]\ncode = "0000"\nbilling = "free"\n')
    result = run("gateway", "audit", "--with", "codes.toml", "--json")
    assert result.exit_code == 1
    assert [(row["invariant"], row["row"]) for row in json.loads(result.stdout)] == [("billing", calls[0])]
    connection = sqlite3.connect("gateway.db")
    with connection:
        connection.execute("UPDATE account SET balance = balance + 1")
    connection.close()
    result = run("gateway", "audit")
    assert result.exit_code == 1
    assert "balance" in result.stdout


def test_the_export(calls: list[int], folder: Path) -> None:
    [line] = ran("export").splitlines()
    assert json.loads(line)["id"] == calls[0]
    ran("export", "--format", "csv", "-o", "calls.csv")
    assert (folder / "calls.csv").read_bytes().count(b"\r\n") == 2
    assert ran("export", "--after", str(calls[0])) == ""
    assert "cannot write" in refused("export", "-o", "missing/calls.jsonl")


def test_parquet(calls: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    ran("export", "--format", "parquet", "-o", "calls.parquet")
    assert pq.read_table("calls.parquet").column("charge").to_pylist() == [1_500_000]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "envelope-engine[parquet]" in refused("export", "--format", "parquet", "-o", "calls.parquet")


@pytest.mark.parametrize(
    "arguments",
    [
        ("account", "list"),
        ("audit",),
        ("calls",),
        ("deposit", "alice", "1"),
        ("export",),
        ("grant", "alice", "custom"),
        ("refund", "1"),
        ("rotate",),
        ("switch", "a", "active"),
    ],
)
def test_a_store_that_is_not_there_is_not_made(arguments: tuple[str, ...], folder: Path) -> None:
    assert "no store" in refused(*arguments, "--store", "typo.db")
    assert list(folder.iterdir()) == []


def test_outside_of_the_gateways_folder_nobody_is_led_to_a_second_store(folder: Path) -> None:
    text = refused("calls")
    assert "there is no store gateway.db, and no gateway.toml, in this folder" in text
    assert "name its settings with --config" in text
    assert "account add" not in text
    (folder / "gateway.toml").write_text('[[upstreams]]\nname = "a"\naddress = "http://127.0.0.1"\nkey = "k"\n')
    assert "gateway.db; envelope gateway account add makes one" in refused("calls")


def test_a_store_that_is_no_store(folder: Path) -> None:
    (folder / "gateway.db").write_bytes(b"something else, and more than a page of it" * 100)
    assert "not a database" in refused("audit")


def test_the_key_of_the_secrets_is_changed(alice: dict[str, str], folder: Path) -> None:
    bob = shown("account", "add", "bob")
    file = folder / "gateway.key"
    old = file.read_text().strip()
    assert shown("rotate") == {"rotated": 0, "unopened": []}
    [example] = re.findall(r"^ *(KEY=.*)\n *(\(umask .*)$", ran("rotate", "--help"), re.MULTILINE)
    subprocess.run(["bash", "-ec", "\n".join(example)], cwd=folder, check=True, timeout=60)
    new, kept = file.read_text().split()
    assert kept == old
    text = ran("rotate")
    assert "2 of 2 secrets were encrypted anew" in text
    assert "Only the first key is needed now" in text
    assert not any(secret in text for secret in (old, new, alice["secret"]))
    assert "0 of 2" in ran("rotate")
    file.write_text(f"{new}\n")
    with open_store(folder / "gateway.db") as store:
        rows = [store.read_now(lambda db, name=name: account_named(db, name)) for name in ("alice", "bob")]  # type: ignore[misc]
    assert [Vault([new]).open(row.secret) for row in rows if row] == [alice["secret"], bob["secret"]]
    with sqlite3.connect(folder / "gateway.db") as connection:
        connection.execute("UPDATE account SET secret = 'x' WHERE name = 'bob'")
    connection.close()
    for arguments in (("rotate",), ("rotate", "--json")):
        result = run("gateway", *arguments)
        assert result.exit_code == 1
        assert "none of the keys opens the secrets of bob" in result.stderr
        assert "needed now" not in result.stdout


def test_nothing_acts_on_the_terminal() -> None:
    name = "\x1b[31m\u202ealice"
    for arguments in (
        ("account", "add", name),
        ("account", "add", name),
        ("account", "list"),
        ("account", "list", "--json"),
    ):
        result = run("gateway", *arguments)
        assert "\x1b" not in result.output
        assert "\u202e" not in result.output


def test_every_command_has_help_and_an_example() -> None:
    names = [
        line.split()[0]
        for line in ran("--help").split("Commands:")[1].split("Start with:")[0].splitlines()
        if line.strip()
    ]
    assert names == [
        "account", "audit", "backup", "calls", "deposit", "export", "grant", "move", "refund", "rotate", "serve",
        "switch",
    ]  # fmt: skip
    for name in names:
        assert f"envelope gateway {name}" in ran(name, "--help").split("Examples:")[1]
    assert "No such command" in refused("nonsense")


WITHOUT_THE_EXTRA = """
import sys
for name in ("aiohttp", "alembic", "cryptography", "cryptography.fernet", "fastapi", "fastapi_offline", "jinja2",
             "prometheus_client", "pydantic", "pydantic_settings", "sqlalchemy", "starlette", "structlog", "uvicorn"):
    sys.modules[name] = None
from tests.cli.command import run
"""


def test_help_needs_no_extra() -> None:
    code = f"""{WITHOUT_THE_EXTRA}
from envelope.cli.gateway import gateway
assert "Commands:" in run("gateway", "--help").stdout
for name in gateway.list_commands(None):
    shown = run("gateway", name, "--help")
    assert (shown.exit_code, "Examples:" in shown.stdout) == (0, True), (name, shown.output)
assert "--strict-signature" in run("gateway", "account", "add", "--help").stdout
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_a_missing_extra_says_what_installs_it(folder: Path) -> None:
    (folder / "gateway.toml").write_text("")
    code = f"""{WITHOUT_THE_EXTRA}
for words in ("account add a", "account list --store a.db", "audit", "backup b", "calls", "calls --store a.db",
              "deposit a 1", "export", "grant a b", "move --to b", "refund 1", "rotate", "serve", "switch a active"):
    refused = run("gateway", *words.split())
    assert refused.exit_code == 1, (words, refused.output)
    assert " is not installed: pip install 'envelope-engine[gateway]'" in refused.stderr, (words, refused.stderr)
    assert refused.stdout == ""
"""
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert [path.name for path in folder.iterdir()] == ["gateway.toml"]


def test_it_runs_as_a_process(calls: list[int]) -> None:
    ended = process("gateway", "export")
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["id"] == calls[0]
