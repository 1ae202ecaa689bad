"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=True),
        sa.Column("strict_signature", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'stopped')", name=op.f("account_state_check")),
        sa.CheckConstraint("balance <= 9000000000000000", name=op.f("account_bounded_check")),
        sa.CheckConstraint("concurrency IS NULL OR concurrency >= 0", name=op.f("account_concurrency_check")),
        sa.CheckConstraint("held >= 0 AND balance - held >= 0", name=op.f("account_covered_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("account_pkey")),
        sqlite_autoincrement=True,
    )
    op.create_index("account_key", "account", ["key"], unique=True)
    op.create_index("account_name", "account", ["name"], unique=True)
    op.create_table(
        "api",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'maintenance')", name=op.f("api_state_check")),
        sa.PrimaryKeyConstraint("name", name=op.f("api_pkey")),
    )
    op.create_table(
        "call",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("api_type", sa.Text(), nullable=False),
        sa.Column("api_name", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("verdict_ok", sa.Boolean(), nullable=True),
        sa.Column("billing", sa.Text(), nullable=True),
        sa.Column("hold", sa.BigInteger(), nullable=False),
        sa.Column("charge", sa.BigInteger(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("upstream", sa.Text(), nullable=False),
        sa.Column("is_cached", sa.Boolean(), nullable=False),
        sa.Column("lang", sa.Text(), nullable=False),
        sa.Column("result_type", sa.Text(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("lease", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.Column("node", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'settled', 'closed')", name=op.f("call_state_check")),
        sa.CheckConstraint("hold >= 0 AND charge >= 0 AND charge <= hold", name=op.f("call_charge_check")),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("call_account_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("call_pkey")),
        sqlite_autoincrement=True,
    )
    op.create_index("call_account", "call", ["account", "id"], unique=False)
    op.create_index(
        "call_open",
        "call",
        ["account"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("call_request_id", "call", ["request_id"], unique=True)
    op.create_table(
        "grants",
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("api_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("quota", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'stopped')", name=op.f("grants_state_check")),
        sa.CheckConstraint("quota IS NULL OR quota >= 0", name=op.f("grants_quota_check")),
        sa.CheckConstraint("used >= 0", name=op.f("grants_used_check")),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("grants_account_fkey")),
        sa.PrimaryKeyConstraint("account", "api_name", name=op.f("grants_pkey")),
    )
    op.create_table(
        "answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("call", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("answer_call_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("answer_pkey")),
    )
    op.create_table(
        "entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("call", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(kind = 'deposit') = (call IS NULL)", name=op.f("entry_call_check")),
        sa.CheckConstraint("kind IN ('deposit', 'charge', 'refund')", name=op.f("entry_kind_check")),
        sa.CheckConstraint("amount > 0", name=op.f("entry_amount_check")),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("entry_account_fkey")),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("entry_call_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("entry_pkey")),
    )
    op.create_index("entry_call", "entry", ["call", "kind"], unique=True)
    op.create_table(
        "job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("call", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("args", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name=op.f("job_state_check")),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("job_account_fkey")),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("job_call_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("job_pkey")),
        sqlite_autoincrement=True,
    )
    op.create_index("job_state", "job", ["state", "id"], unique=False)
    op.create_table(
        "cached",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("answer", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["answer"], ["answer.id"], name=op.f("cached_answer_fkey")),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("cached_pkey")),
    )
    op.create_index("cached_answer", "cached", ["answer"], unique=False)
    op.create_index("cached_until", "cached", ["until"], unique=False)
    op.create_table(
        "repeat",
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("call", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("repeat_account_fkey")),
        sa.ForeignKeyConstraint(["answer"], ["answer.id"], name=op.f("repeat_answer_fkey")),
        sa.ForeignKeyConstraint(["call"], ["call.id"], name=op.f("repeat_call_fkey")),
        sa.PrimaryKeyConstraint("account", "key", name=op.f("repeat_pkey")),
    )
    op.create_index("repeat_answer", "repeat", ["answer"], unique=False)
    op.create_index("repeat_call", "repeat", ["call"], unique=True)
    op.create_index("repeat_until", "repeat", ["until"], unique=False)
