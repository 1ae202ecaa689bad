"""`envelope gateway move` and `backup`: what they say, and what they leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import run

for package in ("alembic", "cryptography", "sqlalchemy"):
    pytest.importorskip(package)

from envelope.cli.gateway.common import key_file  # noqa: E402
from envelope.gateway.stores import open_store  # noqa: E402
from tests.cli.gateway.test_gateway import ran, refused, shown  # noqa: E402
from tests.gateway.ledger import admitted, settled  # noqa: E402


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def calls(folder: Path) -> list[int]:
    """An account's two calls: one that cost 1.5 units of its 25, and one that is open."""
    ran("account", "add", "alice")
    ran("grant", "alice", "custom")
    ran("deposit", "alice", "25")
    with open_store("gateway.db") as store:
        first = admitted(store, 1, hold=2_000_000)
        settled(store, first, 1_500_000)
        return [first, admitted(store, 1, hold=1_000_000)]


def test_books_are_saved(calls: list[int]) -> None:
    text = ran("backup", "copy.db")
    assert text.endswith("the books are saved in copy.db, and right\n")
    assert ["call", "2"] in [line.split() for line in text.splitlines()]
    assert ["account", "balance", "23.5"] in [line.split() for line in text.splitlines()]
    assert shown("account", "list", "--store", "copy.db") == shown("account", "list")
    assert "there is such a file already" in refused("backup", "copy.db")
    assert "No such file" in refused("backup", "none/copy.db")


def test_broken_books_are_saved_and_said_to_be(calls: list[int]) -> None:
    with open_store("gateway.db") as store:
        store.write_now(lambda db: db.execute("UPDATE account SET balance = balance + 1"))
    result = run("gateway", "backup", "copy.db")
    assert result.exit_code == 1
    assert "audit shows where" in result.stderr
    assert Path("copy.db").exists()
    assert "nothing was moved" in refused("move", "--to", "other.db")


def test_books_are_moved(calls: list[int]) -> None:
    text = ran("move", "--to", "other.db")
    assert text.endswith('the books are in other.db, and right\nnow in gateway.toml: store = "other.db"\n')
    assert shown("calls", "--store", "other.db") == shown("calls")
    assert "must be empty" in refused("move", "--to", "other.db")
    with open_store("other.db") as store:
        settled(store, calls[1])


def test_not_while_a_gateway_uses_them(calls: list[int]) -> None:
    with open_store("gateway.db") as store:
        assert store.node
        assert "end the gateway first" in refused("move", "--to", "other.db")
        assert not Path("other.db").exists()
        ran("backup", "copy.db")


def test_there_must_be_books(folder: Path) -> None:
    for arguments in (("move", "--to", "other.db"), ("backup", "copy.db")):
        assert "there is no store gateway.db" in refused(*arguments)
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize(
    ("store", "keys"),
    [
        ("a/books.db", "a/books.key"),
        ("postgresql://gateway:pw@db.internal/books.db", "gateway.key"),
        ("postgres://db", "gateway.key"),
    ],
)
def test_where_the_keys_are(store: str, keys: str) -> None:
    import click

    with click.Context(click.Command("x")):
        assert key_file(store) == Path(keys)


def test_a_store_that_is_named_beside_the_settings_has_their_keys(calls: list[int]) -> None:
    """Only the books are elsewhere."""
    Path("gateway.key").rename("other.key")
    Path("other.toml").write_text('key_file = "other.key"\n[[upstreams]]\nname = "a"\naddress = "https://a.test"\n')
    ran("backup", "copy.db")
    assert "restore it" in refused("account", "renew", "alice", "--store", "copy.db")
    assert "secret" in ran("account", "renew", "alice", "--store", "copy.db", "--config", "other.toml")
