"""The tables of the books, for migrations and for queries with conditions of the caller's choice.

Money is in micro-units, times are microseconds of the Unix time. What is checked here holds whoever writes; what spans
rows is checked by `envelope.gateway.books.auditing`.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
    text,
)

from envelope.gateway.money import MAX_AMOUNT

__all__ = [
    "METADATA",
    "account",
    "answer",
    "api",
    "cached",
    "call",
    "carried",
    "entry",
    "grants",
    "job",
    "nonce",
    "repeat",
]

METADATA = MetaData(
    naming_convention={
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

# SQLite numbers rows by itself only if the type is INTEGER.
_Id = BigInteger().with_variant(Integer, "sqlite")


account = Table(
    "account",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("secret", Text, nullable=False),  # encrypted
    Column("state", Text, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("concurrency", Integer),  # NULL: unlimited
    Column("strict_signature", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
    CheckConstraint("state IN ('active', 'stopped')", name="state"),
    CheckConstraint("held >= 0 AND balance - held >= 0", name="covered"),
    CheckConstraint(f"balance <= {MAX_AMOUNT}", name="bounded"),
    CheckConstraint("concurrency IS NULL OR concurrency >= 0", name="concurrency"),
    Index("account_name", "name", unique=True),
    Index("account_key", "key", unique=True),
    sqlite_autoincrement=True,  # a number is never given twice, even if its row is deleted
)

api = Table(
    "api",
    METADATA,
    Column("name", Text, primary_key=True),  # one that is not here is active
    Column("state", Text, nullable=False),
    CheckConstraint("state IN ('active', 'maintenance')", name="state"),
)

grants = Table(
    "grants",
    METADATA,
    Column("account", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("api_name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("quota", BigInteger),  # NULL: unlimited
    Column("used", BigInteger, nullable=False),
    PrimaryKeyConstraint("account", "api_name"),
    CheckConstraint("state IN ('active', 'stopped')", name="state"),
    CheckConstraint("used >= 0", name="used"),
    CheckConstraint("quota IS NULL OR quota >= 0", name="quota"),
)

call = Table(
    "call",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("request_id", Text, nullable=False),
    Column("account", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("api_type", Text, nullable=False),
    Column("api_name", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text),  # as the next two, NULL while the call is open
    Column("verdict_ok", Boolean),
    Column("billing", Text),
    Column("hold", BigInteger, nullable=False),
    Column("charge", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("upstream", Text, nullable=False),
    Column("is_cached", Boolean, nullable=False),
    Column("lang", Text, nullable=False),
    Column("result_type", Text, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("lease", BigInteger, nullable=False),  # microseconds for which the call was opened or last renewed
    Column("deadline", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("node", Text, nullable=False),
    CheckConstraint("state IN ('open', 'settled', 'closed')", name="state"),
    CheckConstraint("hold >= 0 AND charge >= 0 AND charge <= hold", name="charge"),
    Index("call_request_id", "request_id", unique=True),
    Index("call_account", "account", "id"),
    Index("call_open", "account", sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
    sqlite_autoincrement=True,  # a number is never given twice, even if its row is deleted
)

entry = Table(
    "entry",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("account", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("call", BigInteger, ForeignKey("call.id")),  # NULL: a deposit
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("reference", Text),  # what a deposit is known by outside, so that it is entered once
    CheckConstraint("kind IN ('deposit', 'charge', 'refund')", name="kind"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("(kind = 'deposit') = (call IS NULL)", name="call"),
    Index("entry_call", "call", "kind", unique=True),
    Index(
        "entry_reference",
        "account",
        "reference",
        unique=True,
        sqlite_where=text("reference IS NOT NULL"),
        postgresql_where=text("reference IS NOT NULL"),
    ),
)

# What the calls were that are not kept any more, a row for each grant: so that balances and quotas can be checked.
carried = Table(
    "carried",
    METADATA,
    Column("account", BigInteger, nullable=False),
    Column("api_name", Text, nullable=False),
    Column("calls", BigInteger, nullable=False),  # those that counted for the quota
    Column("charges", BigInteger, nullable=False),
    Column("refunds", BigInteger, nullable=False),
    PrimaryKeyConstraint("account", "api_name"),
    ForeignKeyConstraint(["account", "api_name"], ["grants.account", "grants.api_name"]),
    CheckConstraint("calls >= 0 AND refunds >= 0 AND refunds <= charges", name="sums"),
)

answer = Table(
    "answer",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("call", BigInteger, ForeignKey("call.id"), nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("answer_call", "call"),
)

repeat = Table(
    "repeat",
    METADATA,
    Column("account", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("call", BigInteger, ForeignKey("call.id"), nullable=False),
    Column("answer", BigInteger, ForeignKey("answer.id")),  # NULL: the call is open
    Column("until", BigInteger, nullable=False),
    Column("is_given", Boolean, nullable=False, server_default=false()),  # whether a repeat got the answer
    PrimaryKeyConstraint("account", "key"),
    Index("repeat_call", "call", unique=True),
    Index("repeat_answer", "answer"),
    Index("repeat_until", "until"),
)

cached = Table(
    "cached",
    METADATA,
    Column("scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("answer", BigInteger, ForeignKey("answer.id"), nullable=False),
    Column("until", BigInteger, nullable=False),
    PrimaryKeyConstraint("scope", "key"),
    Index("cached_answer", "answer"),
    Index("cached_until", "until"),
)

job = Table(
    "job",
    METADATA,
    Column("id", _Id, primary_key=True),
    Column("account", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("call", BigInteger, ForeignKey("call.id"), nullable=False),
    Column("method", Text, nullable=False),
    Column("args", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("result", LargeBinary),
    Column("tries", Integer, nullable=False),
    Column("node", Text, nullable=False),
    Column("until", BigInteger, nullable=False),  # running: the lease; done or failed: how long it is kept
    Column("at", BigInteger, nullable=False),
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="state"),
    Index("job_call", "call"),
    Index("job_state", "state", "id"),
    sqlite_autoincrement=True,  # a number is never given twice, even if its row is deleted
)

# The nonces of strict signatures, for as long as a call with one of them could come again.
nonce = Table(
    "nonce",
    METADATA,
    Column("account", BigInteger, ForeignKey("account.id"), nullable=False),
    Column("nonce", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    PrimaryKeyConstraint("account", "nonce"),
    Index("nonce_until", "until"),
)
