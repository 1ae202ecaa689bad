"""The console: who may come in, what it does, and what it shows as text."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from envelope.gateway.admin.desk import Desk
from envelope.gateway.books import account_named
from envelope.gateway.books.spending import Spent, spent_by_day
from envelope.gateway.pages.asked import Asked
from envelope.gateway.pages.console.attempts import Attempts
from envelope.gateway.pages.console.charts import DAYS, charts
from envelope.gateway.pages.console.sessions import COOKIE, Sessions
from envelope.gateway.vault import Vault
from tests.gateway.admin.desk import TOKEN, desk
from tests.gateway.pages.visitor import Operator, get, post, text
from tests.gateway.served import Served

BAD = "<script>alert(1)</script>"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Served]:
    with desk(tmp_path, apis=["custom", "batch"]) as made:
        yield made


def shown(got: Any) -> str:
    return html.unescape(text(got))


def test_whoever_has_not_signed_in_sees_nothing(world: Served) -> None:
    for path in ("/console", "/console/accounts", "/console/account?name=demo", "/console/calls"):
        got = get(world, path)
        assert 'name="token"' in text(got)
        assert "proof" not in text(got)
    for action in ("make", "deposit", "audit", "logout"):
        assert post(world, f"/console/{action}", {"name": "demo", "amount": "1"}).headers["location"] == "/console"
    assert world.balance() == 100_000_000


def test_the_cookie_is_for_this_site_alone(world: Served) -> None:
    got = post(world, "/console/login", {"token": TOKEN})
    attributes = got.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/console"} <= {*attributes}
    assert "Secure" not in attributes
    https = post(world, "/console/login", {"token": TOKEN}, Origin="https://gateway", Host="gateway")
    assert "Secure" in https.headers["set-cookie"].split("; ")
    assert TOKEN not in got.headers["set-cookie"]


def test_after_signing_out_the_cookie_is_gone(world: Served) -> None:
    got = Operator(world).do("logout")
    assert got.headers["set-cookie"].startswith(f"{COOKIE}=; ")
    assert "Max-Age=0" in got.headers["set-cookie"]


def test_wrong_tokens_are_bounded(world: Served) -> None:
    answers = [post(world, "/console/login", {"token": f"{TOKEN}{turn}"}) for turn in range(12)]
    assert [got.status for got in answers] == [403] * 10 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) > 200
    assert post(world, "/console/login", {"token": TOKEN}).status == 429


def test_attempts_are_forgotten_and_do_not_fill_the_memory() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for turn in range(10):
        now[0] = turn
        attempts.failed("10.0.0.1")
    assert attempts.seconds_to_wait("10.0.0.1") == 291
    assert attempts.seconds_to_wait("10.0.0.2") == 0
    now[0] = 300
    assert attempts.seconds_to_wait("10.0.0.1") == 0
    for number in range(3000):
        attempts.failed(str(number))
    assert len(attempts._failed) == 1000


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "", "http://127.0.0.1:1"])
def test_a_form_of_another_site_is_refused(world: Served, origin: str) -> None:
    operator = Operator(world)
    fields = {"name": "demo", "amount": "5", "proof": operator.proof}
    got = post(world, "/console/deposit", fields, Cookie=operator.cookie, Origin=origin)
    assert (got.status, world.balance()) == (403, 100_000_000)
    assert post(world, "/console/login", {"token": TOKEN}, Origin=origin).status == 403


@pytest.mark.parametrize("proof", ["", "0" * 64, "я", "\udcff"])
def test_a_form_without_the_sessions_proof_is_refused(world: Served, proof: str) -> None:
    operator = Operator(world)
    other = Operator(world)
    for given in (proof, other.proof):
        fields = {"name": "demo", "amount": "5", "proof": given}
        assert post(world, "/console/deposit", fields, Cookie=operator.cookie).status == 403
    assert world.balance() == 100_000_000


def sessions(now: list[float], token: str = TOKEN, vault: Vault | None = None) -> Sessions:
    settings = SimpleNamespace(admin_token=SimpleNamespace(get_secret_value=lambda: token))
    made: Any = Desk(settings, None, vault or VAULT, None)  # type: ignore[arg-type]
    return Sessions(made, lambda: now[0])


KEYS = [Vault.new_key(), Vault.new_key()]
VAULT = Vault(KEYS[:1])


def asked(cookie: str) -> Asked:
    return Asked("GET", "/console", {}, {"cookie": cookie.split(";")[0]}, "http", "")


def test_a_session_ends_by_itself_and_with_its_keys() -> None:
    now = [1_000_000.0]
    made = sessions(now)
    session = made.begin()
    cookie = made.cookie(session, asked(""))
    assert made.read(asked(cookie)) == session
    changed = [cookie[:at] + ("0" if cookie[at] != "0" else "1") + cookie[at + 1 :] for at in range(8, 70)]
    assert all(made.read(asked(each)) is None for each in changed)
    assert sessions(now, token="another-token-of-16").read(asked(cookie)) is None
    assert sessions(now, vault=Vault(KEYS[1:])).read(asked(cookie)) is None
    rotated = sessions(now, vault=Vault(reversed(KEYS)))
    assert rotated.read(asked(cookie)) == session
    now[0] += 1799
    assert made.read(asked(cookie)) == session
    now[0] += 1
    assert made.read(asked(cookie)) is None


def test_a_session_that_is_used_lasts_half_a_day() -> None:
    now = [1_000_000.0]
    made = sessions(now)
    cookie, hours = made.cookie(made.begin(), asked("")), 0.0
    while (session := made.read(asked(cookie))) is not None:
        cookie = made.cookie(session, asked(""))
        now[0] += 900
        hours += 0.25
    assert hours == 12


def test_an_account_is_made_paid_for_and_found(world: Served) -> None:
    operator = Operator(world)
    made = operator.do("make", name="alice", concurrency="3")
    [secret] = re.findall("<code>([0-9a-f]{48})</code>", text(made))
    assert secret not in text(operator.get("/console/account?name=alice"))
    got = operator.do("deposit", name="alice", amount="12.5", reference="invoice 1")
    assert got.headers["location"] == "/console/account?name=alice&done=deposit"
    operator.do("deposit", name="alice", amount="12.5", reference="invoice 1")
    assert world.balance("alice") == 12_500_000
    assert operator.do("grant", name="alice", api="custom", quota="2", state="active").status == 303
    called = world.call(key=_key(world, "alice"), secret=secret)
    assert called.code == "0000"
    assert called.envelope.last_id in text(operator.get("/console/calls?account=alice"))
    assert "v1/completions" not in text(operator.get("/console/calls?account=demo"))
    assert operator.do("refund", last_id=called.envelope.last_id).status == 303
    assert world.balance("alice") == 12_500_000
    assert operator.do("secret", name="alice").status == 200
    assert operator.do("state", name="alice", state="stopped").status == 303
    assert operator.do("api", api="batch", state="maintenance").status == 303
    assert "The books are right" in text(operator.do("audit"))


def _key(world: Served, name: str) -> str:
    account = world.store.read_now(lambda db: account_named(db, name))
    assert account is not None
    return account.key


@pytest.mark.parametrize(
    ("action", "fields", "status"),
    [
        ("make", {"name": "demo"}, 409),
        ("make", {"name": ""}, 422),
        ("make", {"name": "a", "concurrency": "-1"}, 422),
        ("make", {"name": "a", "concurrency": "9" * 30}, 422),
        ("deposit", {"name": "demo", "amount": "1e3"}, 422),
        ("deposit", {"name": "nobody", "amount": "1"}, 404),
        ("deposit", {"amount": "1"}, 404),
        ("grant", {"name": "demo", "api": "none", "state": "active"}, 404),
        ("grant", {"name": "demo", "api": "custom", "state": "open"}, 422),
        ("state", {"name": "demo", "state": "gone"}, 422),
        ("secret", {"name": "a\0b"}, 404),
        ("refund", {"last_id": "77"}, 404),
        ("refund", {"last_id": "7' OR 1"}, 422),
        ("api", {"api": "none", "state": "active"}, 404),
        ("none", {}, 404),
    ],
)
def test_what_cannot_be_done_is_said(world: Served, action: str, fields: dict[str, str], status: int) -> None:
    assert Operator(world).do(action, **fields).status == status
    assert world.balance() == 100_000_000


def test_what_cannot_be_searched_for_is_said(world: Served) -> None:
    operator = Operator(world)
    for query in ("since=yesterday", "before=-1", "before=x", "account=" + "a" * 300):
        got = operator.get(f"/console/calls?{query}")
        assert got.status == 422
        assert 'role="alert"' in text(got)
    assert operator.get("/console/account?name=nobody").status == 404
    assert operator.get("/console/accounts?after=x").status == 422


def test_names_methods_and_models_are_shown_as_text(world: Served) -> None:
    world.account(BAD)
    world.call(args={"prompt": "hello", "model": BAD}, key=BAD)
    operator = Operator(world)
    for path in ("accounts", f"account?name={BAD}", f"calls?account={BAD}", f"calls?method={BAD}", "calls"):
        page = text(operator.get(f"/console/{path.replace('<', '%3C').replace('>', '%3E')}"))
        assert BAD not in page
    assert BAD in shown(operator.get("/console/calls"))
    assert BAD not in text(operator.do("deposit", name=BAD, amount=BAD))


def test_calls_are_paged(world: Served) -> None:
    for _ in range(53):
        world.call()
    operator = Operator(world)
    first = text(operator.get("/console/calls?method=v1/completions"))
    assert first.count('<th scope="row"') == 50
    assert 'href="?method=v1%2Fcompletions&amp;before=4"' in first
    assert text(operator.get("/console/calls?method=v1/completions&before=4")).count('<th scope="row"') == 3


def test_neither_token_nor_secret_gets_into_the_log(
    world: Served, capsys: pytest.CaptureFixture[str], caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    operator = Operator(world)
    made = operator.do("make", name="alice")
    post(world, "/console/login", {"token": TOKEN[:-1]})
    said = "".join(capsys.readouterr()) + caplog.text
    assert made.status == 200
    assert TOKEN[:-1] not in said


def test_what_all_spent_is_what_each_spent(world: Served) -> None:
    others = [1, world.account("alice"), world.account("bob")]
    for key in ("demo", "alice", "alice", "bob"):
        world.call(key=key)

    def spent(account: int | None) -> list[Spent]:
        return world.store.read_now(lambda db: spent_by_day(db, account, since=0))

    each, every = [row for account in others for row in spent(account)], spent(None)
    assert sum(row.calls for row in every) == sum(row.calls for row in each) == 4
    assert sum(row.charge for row in every) == sum(row.charge for row in each)


def test_charts_add_up() -> None:
    now = 1_795_760_000_000_000
    rows = [
        Spent("2026-11-27", "0000", 3, 900, 100, 1, 1),
        Spent("2026-11-26", "0000", 1, 400, 0, 1, 1),
        Spent("2026-11-26", "4002", 2, 0, 0, 0, 0),
        Spent("2026-10-01", "0000", 1, 5, 0, 1, 1),
    ]
    made = charts(rows, now)
    assert len(made.days) == DAYS
    assert [(bar.name, bar.charge, bar.calls) for bar in made.days[-2:]] == [
        ("2026-11-26", "0.0004", 3),
        ("2026-11-27", "0.0008", 3),
    ]
    assert made.days[-1].height == 140
    assert made.days[-2].height == 70
    assert [(bar.name, bar.calls) for bar in made.codes] == [("0000", 5), ("4002", 2)]
    assert (made.charge, made.calls) == ("0.001205", 7)
    assert charts([], now).days[0].height == 0
