"""The books against a model: whatever happens in whatever order, figures agree and the audit finds nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from envelope.gateway.books import (
    Admitted,
    CacheEntry,
    Closed,
    Refused,
    Repeated,
    Served,
    Settled,
    Settlement,
    Watch,
    admit,
    cached_answer,
    change_account,
    deposit,
    forget,
    grant,
    recover,
    refund,
    remove_calls,
    renew,
    serve_cached,
    settle,
)
from envelope.gateway.books.recovery import GRACE
from envelope.gateway.stores import Store
from tests.effort import THOROUGH
from tests.gateway.kinds import KINDS, Clock
from tests.gateway.ledger import API, account_of, admission, breaches, new_account

DAY = 86_400_000_000
NAMES = ("alice", "bob")
SHORT, LONG = 30.0, 900.0
ENDINGS = [
    ("0000", True, "charged"),
    ("2000", True, "charged"),
    ("2000", False, "free"),
    ("4001", False, "free"),
    ("4003", False, "ignored"),
]


@contextmanager
def fresh_store(kind: str = "sqlite") -> Iterator[tuple[Store, Clock]]:
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        with KINDS[kind](Path(folder)) as books, books.open(clock) as store:
            yield store, clock


@dataclass
class Call:
    account: str
    hold: int
    node: str
    state: str = "open"
    charge: int = 0
    charged: bool = False
    refunded: bool = False


@dataclass
class Key:
    digest: bytes
    call: int
    until: int
    value: bytes | None = None


@dataclass
class Model:
    """The same books as dictionaries, without a thought for concurrency or disks."""

    balance: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    quota: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(NAMES))
    concurrency: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(NAMES))
    calls: dict[int, Call] = field(default_factory=dict)
    keys: dict[tuple[str, str], Key] = field(default_factory=dict)
    cache: dict[str, tuple[bytes, int]] = field(default_factory=dict)

    def of(self, name: str, state: str = "open") -> list[Call]:
        return [call for call in self.calls.values() if call.account == name and call.state == state]

    def held(self, name: str) -> int:
        return sum(call.hold for call in self.of(name))

    def used(self, name: str) -> int:
        return len(self.of(name)) + sum(call.charged for call in self.of(name, "ended"))

    def expected(self, now: int, name: str, hold: int, key: str, digest: bytes) -> object:
        """What an admission gives: a code, a stored value, or None if the call is let in."""
        known = self.keys.get((name, key)) if key else None
        if known and known.value is not None and known.until <= now:
            del self.keys[name, key]
            known = None
        if known:
            return "4003" if known.digest != digest else "4008" if known.value is None else known.value
        quota, concurrency = self.quota[name], self.concurrency[name]
        if quota is not None and self.used(name) >= quota:
            return "4013"
        if concurrency is not None and len(self.of(name)) >= concurrency:
            return "4008"
        return "4016" if hold > self.balance[name] - self.held(name) else None

    def opened(self, number: int, call: Call, key: str, digest: bytes, now: int) -> None:
        assert number not in self.calls
        self.calls[number] = call
        if key:
            self.keys[call.account, key] = Key(digest, number, now + DAY)

    def ended(self, number: int, charge: int = 0, *, charged: bool = False, value: bytes | None = None) -> int:
        """A call ends; what it costs."""
        call = self.calls[number]
        call.state, call.charge, call.charged = "ended", min(charge, call.hold), charged
        self.balance[call.account] -= call.charge
        for place, key in [*self.keys.items()]:
            if key.call == number and value is None:
                del self.keys[place]
            elif key.call == number:
                key.value = value
        return call.charge


def outcome_of(outcome: object) -> object:
    if isinstance(outcome, Refused):
        return outcome.code
    return outcome.answer.value if isinstance(outcome, Repeated) else None


names = st.sampled_from(NAMES)
holds = st.sampled_from([0, 7, 100, 100, 3000])
charges = st.sampled_from([0, 1, 50, 100, 5000])
keys = st.sampled_from(["", "k1", "k1", "k2"])
digests = st.sampled_from([b"", b"", b"", b"other"])
nodes = st.sampled_from(["one", "two"])
limits = st.sampled_from([None, None, None, 0, 2, 8])
cache_keys = st.sampled_from(["c1", "c2"])


class Books(RuleBasedStateMachine):
    """Rules are what callers, operators, crashes and clocks do."""

    kind = "sqlite"
    calls: Bundle[int] = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.context = fresh_store(self.kind)
        self.store, self.clock = self.context.__enter__()
        self.model = Model()
        self.steady = 0.0
        self.watch = Watch(lambda: self.steady)
        self.gone: set[str] = set()
        self.removed: set[int] = set()
        self.ids: dict[str, int] = {}

    def teardown(self) -> None:
        self.context.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        self.ids = {name: new_account(self.store, name, balance=20_000) for name in NAMES}
        self.model.balance = dict.fromkeys(NAMES, 20_000)

    def node(self, node: str) -> str:
        """A process that was killed comes back under another name."""
        return f"{node} {sum(gone.startswith(node) for gone in self.gone)}"

    def asked(self, name: str, hold: int, key: str, digest: bytes, node: str, seconds: float = SHORT) -> Any:
        return admission(self.ids[name], hold=hold, seconds=seconds, node=node, idempotency_key=key, digest=digest)

    @rule(name=names, amount=st.sampled_from([1, 60, 1000, 10**7]))
    def deposit(self, name: str, amount: int) -> None:
        self.model.balance[name] += amount
        assert self.store.write_now(lambda db: deposit(db, self.ids[name], amount)) == self.model.balance[name]

    @rule(name=names, quota=limits, concurrency=limits)
    def limit(self, name: str, quota: int | None, concurrency: int | None) -> None:
        self.model.quota[name], self.model.concurrency[name] = quota, concurrency

        def steps(db: Any) -> None:
            grant(db, self.ids[name], API, quota=quota)
            change_account(db, self.ids[name], concurrency="unlimited" if concurrency is None else concurrency)

        self.store.write_now(steps)

    @rule(
        target=calls,
        name=names,
        hold=holds,
        key=keys,
        digest=digests,
        node=nodes,
        seconds=st.sampled_from([SHORT, LONG]),
    )
    def admit(self, name: str, hold: int, key: str, digest: bytes, node: str, seconds: float) -> Any:
        asked = self.asked(name, hold, key, digest, self.node(node), seconds)
        expected = self.model.expected(self.clock.now, name, hold, key, digest)
        outcome = self.store.write_now(lambda db: admit(db, asked))
        assert outcome_of(outcome) == expected
        if not isinstance(outcome, Admitted):
            return multiple()
        self.model.opened(outcome.call, Call(name, hold, asked.node), key, digest, self.clock.now)
        return outcome.call

    @rule(
        call=calls,
        charge=charges,
        ending=st.sampled_from(ENDINGS),
        value=st.sampled_from([None, b"a", b"b"]),
        cache=st.none() | cache_keys,
    )
    def settle(
        self, call: int, charge: int, ending: tuple[str, bool, str], value: bytes | None, cache: str | None
    ) -> None:
        code, ok, billing = ending
        charge = charge if billing == "charged" else 0
        entry = None if cache is None else CacheEntry("s", cache, 60)
        settlement = Settlement(call=call, code=code, ok=ok, billing=billing, charge=charge, answer=value, cache=entry)
        outcome = self.store.write_now(lambda db: settle(db, settlement))
        if self.model.calls[call].state != "open":
            assert outcome is None
            return
        charged = self.model.ended(call, charge, charged=billing == "charged", value=value if ok else None)
        assert outcome == Settled(charged, self.model.balance[self.model.calls[call].account])
        if ok and value is not None and cache is not None:
            self.model.cache[cache] = (value, self.clock.now + 60_000_000)

    @rule(target=calls, name=names, key=keys, cache=cache_keys, value=st.sampled_from([b"a", b"b"]))
    def call(self, name: str, key: str, cache: str, value: bytes) -> Any:
        """What happens most: a call that is let in, and succeeds."""
        number = self.admit(name, 100, key, b"", "one", SHORT)
        if isinstance(number, int):
            self.settle(number, 50, ENDINGS[0], value, cache)
        return number

    @rule(call=calls, seconds=st.sampled_from([SHORT, LONG]))
    def renew(self, call: int, seconds: float) -> None:
        assert self.store.write_now(lambda db: renew(db, call, seconds)) == (self.model.calls[call].state == "open")

    @rule(call=calls)
    def refund(self, call: int) -> None:
        record = self.model.calls[call]
        is_there = call not in self.removed
        expected = record.charge if is_there and record.charge and not record.refunded else None
        assert self.store.write_now(lambda db: refund(db, call)) == expected
        if expected:
            record.refunded = True
            self.model.balance[record.account] += expected

    @rule(target=calls, name=names, price=holds, key=keys, digest=digests, cache=cache_keys)
    def serve(self, name: str, price: int, key: str, digest: bytes, cache: str) -> Any:
        now = self.clock.now
        value, until = self.model.cache.get(cache, (b"", now))
        found = self.store.read_now(lambda db: cached_answer(db, "s", cache))
        assert (found and found.value) == (value if until > now else None)
        asked = self.asked(name, price, key, digest, self.node("one"))
        outcome = self.store.write_now(lambda db: serve_cached(db, asked, "s", cache))
        if until <= now:
            assert outcome is None
            return multiple()
        assert outcome_of(outcome) == self.model.expected(now, name, price, key, digest)
        if not isinstance(outcome, Served):
            return multiple()
        assert outcome.answer.value == value
        self.model.opened(outcome.call, Call(name, price, asked.node), key, digest, now)
        charge = self.model.ended(outcome.call, price, charged=True, value=value)
        assert (outcome.charge, outcome.balance) == (charge, self.model.balance[name])
        return outcome.call

    @rule(seconds=st.sampled_from([1.0, 59.0, 3600.0, 86_400.0, -1.0, -3600.0, -86_400.0]))
    def set_the_clock(self, seconds: float) -> None:
        self.clock.step(seconds)

    @rule(node=nodes)
    def kill(self, node: str) -> None:
        """A process is killed; another recovers, and closes what it left at once."""
        name = self.node(node)
        self.gone.add(name)
        lost = {number for number, call in self.model.calls.items() if call.state == "open" and call.node == name}
        for number in lost:
            self.model.ended(number)
        assert {*self.recover()} == {Closed(number, "4000") for number in lost}

    @rule()
    def wait_long(self) -> None:
        """Nobody renews anything: what is open is closed, however the clock was set."""
        assert self.recover() == []
        self.steady += LONG + GRACE
        lost = {number for number, call in self.model.calls.items() if call.state == "open"}
        for number in lost:
            self.model.ended(number)
        assert {*self.recover()} == {Closed(number, "4017") for number in lost}

    def recover(self) -> list[Closed]:
        return self.store.write_now(lambda db: recover(db, self.gone.__contains__, self.watch))

    @rule()
    def forget(self) -> None:
        now = self.clock.now
        self.store.write_now(forget)
        self.model.keys = {place: key for place, key in self.model.keys.items() if key.value is None or key.until > now}
        self.model.cache = {place: cached for place, cached in self.model.cache.items() if cached[1] > now}

    @rule(seconds=st.sampled_from([0.0, 60.0, 86_400.0]), most=st.sampled_from([1, 3, 200]))
    def remove(self, seconds: float, most: int) -> None:
        """Calls that ended long ago are not kept, unless something refers to them; figures stay as they are."""
        before = self.clock.now - round(seconds * 1_000_000)
        kept = "repeat", "answer"
        known = {call for table in kept for (call,) in self.query(f"SELECT call FROM {table}")}
        rows = self.query("SELECT id, opened, ended FROM call ORDER BY id")
        after: int | None = 0
        while after is not None:
            after = self.store.write_now(lambda db, after=after: remove_calls(db, before, after, most))  # type: ignore[misc]
        left = {call for (call,) in self.query("SELECT id FROM call")}
        gone = {call for call, _, _ in rows} - left
        old = {call for call, _, ended in rows if ended is not None and ended < before and call not in known}
        assert gone <= old
        if all(opened < before for _, opened, _ in rows):  # no page ends it early
            assert gone == old
        self.removed |= gone

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.store.read_now(lambda db: db.execute(sql))

    @rule(name=names, amount=st.sampled_from([1, 60]))
    def fail_within_a_transaction(self, name: str, amount: int) -> None:
        """What raises leaves nothing."""

        def steps(db: Any) -> None:
            deposit(db, self.ids[name], amount)
            admit(db, self.asked(name, amount, "k1", b"", "one"))
            raise RuntimeError("no")

        with pytest.raises(RuntimeError, match="no"):
            self.store.write_now(steps)

    @invariant()
    def the_books_are_right(self) -> None:
        if not self.ids:
            return
        assert breaches(self.store) == []
        for name in NAMES:
            account = account_of(self.store, name)
            assert (account.balance, account.held) == (self.model.balance[name], self.model.held(name))
            assert account.grants[API].used == self.model.used(name)


Books.TestCase.settings = settings(max_examples=1000 if THOROUGH else 80, stateful_step_count=50, deadline=None)
TestBooks = Books.TestCase


class BooksInPostgresql(Books):
    kind = "postgresql"


BooksInPostgresql.TestCase.settings = settings(
    max_examples=1000 if THOROUGH else 8, stateful_step_count=50, deadline=None
)
TestBooksInPostgresql = pytest.mark.postgresql(BooksInPostgresql.TestCase)
