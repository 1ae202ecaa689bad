"""Nonces, sums of calls that are not kept any more, references of deposits, and which repeats got their answer."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables, the column, and the indexes by which a call is seen to be referred to."""
    op.create_table(
        "nonce",
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.id"], name=op.f("nonce_account_fkey")),
        sa.PrimaryKeyConstraint("account", "nonce", name=op.f("nonce_pkey")),
    )
    op.create_index("nonce_until", "nonce", ["until"], unique=False)
    op.create_table(
        "carried",
        sa.Column("account", sa.BigInteger(), nullable=False),
        sa.Column("api_name", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("charges", sa.BigInteger(), nullable=False),
        sa.Column("refunds", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("calls >= 0 AND refunds >= 0 AND refunds <= charges", name=op.f("carried_sums_check")),
        sa.ForeignKeyConstraint(
            ["account", "api_name"], ["grants.account", "grants.api_name"], name=op.f("carried_account_fkey")
        ),
        sa.PrimaryKeyConstraint("account", "api_name", name=op.f("carried_pkey")),
    )
    op.add_column("entry", sa.Column("reference", sa.Text(), nullable=True))
    op.create_index(
        "entry_reference",
        "entry",
        ["account", "reference"],
        unique=True,
        sqlite_where=sa.text("reference IS NOT NULL"),
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
    op.add_column("repeat", sa.Column("is_given", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("answer_call", "answer", ["call"], unique=False)
    op.create_index("job_call", "job", ["call"], unique=False)
