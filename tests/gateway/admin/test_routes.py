"""What an operator does over HTTP is on the books, and what the books have is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

for package in ("aiohttp", "alembic", "cryptography", "fastapi", "pydantic_settings", "sqlalchemy", "structlog", "uvicorn"):  # fmt: skip
    pytest.importorskip(package)

from openapi_spec_validator import validate  # noqa: E402

from envelope.gateway.books import account_named, list_accounts  # noqa: E402
from envelope.gateway.running import open_vault  # noqa: E402
from envelope.gateway.vault import Vault  # noqa: E402
from tests.gateway.admin.desk import ask, desk, refused, told  # noqa: E402
from tests.gateway.served import PROMPT, Served, wait_until  # noqa: E402


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with desk(tmp_path_factory.mktemp("admin"), apis=["custom", "other"]) as served:
        yield served


@pytest.fixture(autouse=True)
def right(world: Served) -> Iterator[None]:
    """The books are right after every test."""
    yield
    assert told(world, "GET", "/audit") == {"is_right": True, "count": 0, "breaches": []}


def made(world: Served, name: str, **more: Any) -> dict[str, Any]:
    account: dict[str, Any] = told(world, "POST", "/accounts", {"name": name, **more}, 201)
    return account


def test_an_account_is_made_and_may_call(world: Served) -> None:
    new = made(world, "alice", concurrency=3)
    assert [*new] == ["id", "name", "key", "secret"]
    told(world, "PUT", "/accounts/alice/grants/custom", {"quota": 10})
    assert told(world, "POST", "/accounts/alice/deposits", {"amount": "2.5", "note": "счёт 1001"}) == {
        "name": "alice",
        "balance": "2.5",
        "balance_micro": 2_500_000,
    }
    assert world.call(key=new["key"], secret=new["secret"]).code == "0000"
    account = told(world, "GET", "/accounts/alice")
    assert account == {
        "id": new["id"], "name": "alice", "key": new["key"], "state": "active",
        "balance": account["balance"], "balance_micro": account["balance_micro"],
        "held": "0", "held_micro": 0, "concurrency": 3, "strict_signature": False, "created": account["created"],
        "grants": {"custom": {"state": "active", "quota": 10, "used": 1}},
    }  # fmt: skip
    assert account["balance_micro"] == world.balance("alice") < 2_500_000
    assert refused(world, "POST", "/accounts", {"name": "alice"}) == (409, "conflict", "$.name")


def test_accounts_are_shown_in_pages(world: Served) -> None:
    for number in range(5):
        made(world, f"page {number}")
    names: list[str] = []
    after: int | None = 0
    while after is not None:
        page = told(world, "GET", f"/accounts?limit=2&after={after}")
        names += [account["name"] for account in page["accounts"]]
        after = page["next"]
        assert len(page["accounts"]) == 2 or after is None
    everything = told(world, "GET", "/accounts?limit=1000")
    assert names == [account["name"] for account in everything["accounts"]]
    assert {*names} >= {f"page {number}" for number in range(5)}
    assert b"secret" not in ask(world, "GET", "/accounts").body


def test_an_account_is_changed(world: Served) -> None:
    before = made(world, "carol", strict_signature=True)
    one = told(world, "GET", "/accounts/carol")
    assert told(world, "PATCH", "/accounts/carol", {}) == one
    two = told(world, "PATCH", "/accounts/carol", {"state": "stopped", "concurrency": 7})
    assert two == {**one, "state": "stopped", "concurrency": 7}
    three = told(world, "PATCH", "/accounts/carol", {"concurrency": None, "strict_signature": False})
    assert three == {**two, "concurrency": None, "strict_signature": False}
    wait_until(lambda: world.call(key=before["key"], secret=before["secret"]).code == "4007")


def test_a_secret_is_renewed(world: Served) -> None:
    before = made(world, "dave")
    after = told(world, "POST", "/accounts/dave/secret")
    assert after["secret"] != before["secret"]
    assert {**after, "secret": ""} == {**before, "secret": ""}
    found = world.store.read_now(lambda db: account_named(db, "dave"))
    assert found is not None
    assert open_vault(world.settings.key_file, world.store).open(found.secret) == after["secret"]
    for secret in (before["secret"], after["secret"]):
        assert all(secret.encode() not in file.read_bytes() for file in world.folder.rglob("*") if file.is_file())


def test_no_secret_is_sealed_with_a_key_that_the_others_do_not_have(
    world: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a gateway would that began, with a key of its own, when there were no accounts yet."""
    made(world, "nora")
    before = world.store.read_now(list_accounts)
    assert world.gateway is not None
    desk = world.gateway.admin.desk
    monkeypatch.setattr(world.gateway.admin, "desk", replace(desk, vault=Vault([Vault.new_key()])))
    assert refused(world, "POST", "/accounts", {"name": "grace"}) == (409, "conflict", None)
    assert refused(world, "POST", "/accounts/nora/secret") == (409, "conflict", None)
    assert world.store.read_now(list_accounts) == before


def test_grants_are_put_whole(world: Served) -> None:
    made(world, "erin")
    path = "/accounts/erin/grants/other"
    assert told(world, "PUT", path, {"quota": 5}) == {"state": "active", "quota": 5, "used": 0}
    assert told(world, "PUT", path, {"state": "stopped"}) == {"state": "stopped", "quota": None, "used": 0}
    assert told(world, "GET", "/accounts/erin")["grants"] == {"other": {"state": "stopped", "quota": None, "used": 0}}
    assert refused(world, "PUT", "/accounts/erin/grants/none", {}) == (404, "not_found", "{api_name}")
    assert refused(world, "PUT", "/accounts/nobody/grants/other", {}) == (404, "not_found", "{name}")


def test_a_deposit_with_a_reference_is_entered_once(world: Served) -> None:
    """However often it is sent, and at once."""
    made(world, "frank")
    body = {"amount": "10", "reference": "invoice 7"}
    with ThreadPoolExecutor(16) as pool:
        balances = [*pool.map(lambda _: told(world, "POST", "/accounts/frank/deposits", body)["balance"], range(32))]
    assert balances == ["10"] * 32
    assert told(world, "POST", "/accounts/frank/deposits", {"amount": "10"})["balance"] == "20"
    different = refused(world, "POST", "/accounts/frank/deposits", {"amount": "11", "reference": "invoice 7"})
    assert different[:2] == (409, "conflict")
    made(world, "grace")
    assert told(world, "POST", "/accounts/grace/deposits", body)["balance"] == "10"


def test_a_balance_is_bounded(world: Served) -> None:
    made(world, "heidi")
    assert told(world, "POST", "/accounts/heidi/deposits", {"amount": "9000000000"})["balance_micro"] == 9 * 10**15
    assert refused(world, "POST", "/accounts/heidi/deposits", {"amount": "0.000001"})[:2] == (409, "conflict")


def test_a_charge_is_given_back_once(world: Served) -> None:
    before = world.balance()
    last_id = world.call().envelope.last_id
    charge = before - world.balance()
    got = told(world, "POST", "/refunds", {"last_id": last_id, "note": "sorry"})
    assert got == {"call": int(last_id), "refunded": f"0.{charge:06d}".rstrip("0"), "refunded_micro": charge}
    assert world.balance() == before
    assert refused(world, "POST", "/refunds", {"last_id": last_id}) == (409, "conflict", "$.last_id")
    free = world.call(args={"prompt": "hello", "model": "fault-404"}).envelope.last_id
    assert refused(world, "POST", "/refunds", {"last_id": free}) == (409, "conflict", "$.last_id")
    assert refused(world, "POST", "/refunds", {"last_id": "999999999999999999"}) == (404, "not_found", "$.last_id")


def test_calls_are_found(world: Served) -> None:
    new = made(world, "ivan")
    told(world, "PUT", "/accounts/ivan/grants/custom", {})
    told(world, "POST", "/accounts/ivan/deposits", {"amount": "5"})
    who = {"key": new["key"], "secret": new["secret"]}
    for number in range(3):
        assert world.call(args={**PROMPT, "n": number + 1}, **who).code == "0000"
    assert world.call(args={"prompt": "hello", "model": "fault-404"}, **who).code == "2000"
    first = told(world, "GET", "/calls?account=ivan&limit=3")
    assert len(first["calls"]) == 3
    second = told(world, "GET", f"/calls?account=ivan&limit=3&before={first['next']}")
    assert (len(second["calls"]), second["next"]) == (1, None)
    every = first["calls"] + second["calls"]
    assert [call["id"] for call in every] == sorted((call["id"] for call in every), reverse=True)
    records = world.records(account="ivan")
    assert [(c["id"], c["charge_micro"], c["code"], c["opened"]) for c in every] == [
        (r.id, r.charge, r.code, r.opened) for r in records
    ]
    assert len(told(world, "GET", "/calls?account=ivan&code=2000")["calls"]) == 1
    assert len(told(world, "GET", "/calls?account=ivan&method=v1/completions")["calls"]) == 4
    assert told(world, "GET", "/calls?account=ivan&method=v1/models")["calls"] == []
    assert told(world, "GET", "/calls?account=ivan&until=2020-01-01")["calls"] == []
    assert len(told(world, "GET", "/calls?account=ivan&since=2020-01-01T00:00Z")["calls"]) == 4


def test_spending_is_summed_by_day_and_code(world: Served) -> None:
    new = made(world, "judy")
    told(world, "PUT", "/accounts/judy/grants/custom", {})
    told(world, "POST", "/accounts/judy/deposits", {"amount": "5"})
    who = {"key": new["key"], "secret": new["secret"]}
    last = [world.call(**who).envelope.last_id for _ in range(3)][-1]
    world.call(args={"prompt": "hello", "model": "fault-404"}, **who)
    told(world, "POST", "/refunds", {"last_id": last})
    # A call a day earlier: each day stands by itself.
    world.store.write_now(
        lambda db: db.execute(
            "UPDATE call SET opened = opened - 86400000000, ended = ended - 86400000000 WHERE id = :id", id=int(last)
        )
    )
    got = told(world, "GET", "/accounts/judy/spending")
    assert got["name"] == "judy"
    records = world.records(account="judy")
    charges = [record.charge for record in records if record.code == "0000"]
    assert [(row["code"], row["calls"], row["charge_micro"], row["refunded_micro"]) for row in got["spending"]] == [
        ("0000", 1, charges[0], charges[0]),
        ("0000", 2, 2 * charges[0], 0),
        ("2000", 1, 0, 0),
    ]
    days = [row["day"] for row in got["spending"]]
    assert days[0] < days[1] == days[2]
    assert told(world, "GET", f"/accounts/judy/spending?since={days[1]}")["spending"] == got["spending"][1:]
    assert told(world, "GET", f"/accounts/judy/spending?until={days[1]}&since=2020-01-01")["spending"] == got["spending"][:1]  # fmt: skip
    assert refused(world, "GET", "/accounts/nobody/spending") == (404, "not_found", "{name}")


def test_an_api_is_switched(world: Served) -> None:
    states = {"apis": [{"name": "custom", "state": "active"}, {"name": "other", "state": "maintenance"}]}
    assert told(world, "PUT", "/apis/other", {"state": "maintenance"}) == states["apis"][1]
    assert told(world, "GET", "/apis") == states
    wait_until(lambda: world.call(path="/openai/other/").code == "4009")
    told(world, "PUT", "/apis/other", {"state": "active"})
    assert refused(world, "PUT", "/apis/none", {"state": "active"}) == (404, "not_found", "{name}")


def test_the_audit_shows_what_is_wrong(world: Served) -> None:
    new = made(world, "mallory")
    change = "UPDATE account SET balance = balance + :by WHERE name = 'mallory'"
    world.store.write_now(lambda db: db.execute(change, by=1))
    got = told(world, "GET", "/audit")
    assert (got["is_right"], got["count"]) == (False, 1)
    assert [(row["invariant"], row["row"]) for row in got["breaches"]] == [("balance", new["id"])]
    world.store.write_now(lambda db: db.execute(change, by=-1))


def test_its_document_is_valid_and_names_every_error(world: Served) -> None:
    document = told(world, "GET", "/openapi.json")
    validate(document)
    assert {path.removeprefix("/admin") for path in document["paths"]} == {
        "/accounts", "/accounts/{name}", "/accounts/{name}/secret", "/accounts/{name}/grants/{api_name}",
        "/accounts/{name}/deposits", "/accounts/{name}/spending", "/calls", "/refunds", "/apis", "/apis/{name}",
        "/audit",
    }  # fmt: skip
    operations = [op for path in document["paths"].values() for op in path.values()]
    for operation in operations:
        assert operation["security"]
        assert {"401", "404", "422", "503"} <= operation["responses"].keys()
        schema = operation["responses"]["422"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorShown"}
    text = json.dumps(document)
    assert "HTTPValidationError" not in text
